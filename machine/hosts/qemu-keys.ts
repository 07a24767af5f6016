/** Keys for QEMU's monitor, which wants to know only what goes down together. */
import { EXTENDED, RELEASED } from "#machine/platform/scan-codes.ts";

/** A key by its scan code of set 1; 0x80 is added to one that has the prefix 0xe0. */
export interface QemuKey {
  readonly type: "number";
  readonly data: number;
}

/** The keys that go down in a sequence of scan codes. */
export function qemuKeys(scanCodes: readonly number[]): QemuKey[] {
  const keys: QemuKey[] = [];
  for (const [index, code] of scanCodes.entries()) {
    if (code === EXTENDED || code & RELEASED) continue;
    keys.push({ type: "number", data: scanCodes[index - 1] === EXTENDED ? code | 0x80 : code });
  }
  return keys;
}
