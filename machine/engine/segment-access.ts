/** Whether 16- and 32-bit code may access memory through a segment register. */
import { withinLimit } from "#machine/cpu/limits.ts";
import { TYPE_CODE, TYPE_WRITABLE, UNUSABLE } from "#machine/cpu/state.ts";

/**
 * Null where the access is allowed, else why it is not. `offset` is below 2^32. Real mode knows no types (`typed`
 * false), but it has limits. Reference: Intel SDM vol. 3A, sections 5.3 to 5.5.
 */
export function refusedAccess(
  attributes: number,
  limit: number,
  offset: number,
  bytes: number,
  write: boolean,
  typed: boolean,
): string | null {
  if ((attributes & UNUSABLE) !== 0) return "holds the null selector";
  if (typed) {
    const code = (attributes & TYPE_CODE) !== 0;
    if (write && (code || (attributes & TYPE_WRITABLE) === 0)) return "cannot be written";
    if (!write && code && (attributes & TYPE_WRITABLE) === 0) return "cannot be read";
  }
  return withinLimit(attributes, limit, offset, bytes) ? null : "ends before that offset";
}
