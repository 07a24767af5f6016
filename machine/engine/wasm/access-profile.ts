/**
 * Which instructions access memory in ways that the TLB alone does not allow: in two pages, in a page with code, in ever
 * other pages. Only for these a region calls the runtime in place: a call in a loop costs all of it, for values do not
 * stay in registers around it.
 */
import { CELL } from "./cells.ts";

const MOST_PLACES = 4096;

export class AccessProfile {
  /** By address: how often a region has left there. */
  readonly #left = new Map<bigint, number>();

  constructor(
    readonly halves: Uint32Array,
    /** A region that has left so often at an access is worth being made again. */
    readonly often: number,
  ) {}

  /** Whether the accesses of the instruction at an address are to be done with the runtime. */
  isSpecial(rip: bigint): boolean {
    return (this.#left.get(rip) ?? 0) >= this.often;
  }

  /** Translated code has left before the instruction at an address. Gives whether that makes its accesses special. */
  noteLeaving(rip: bigint): boolean {
    if (this.halves[CELL.refused / 4] === 0) return false;
    this.halves[CELL.refused / 4] = 0;
    if (this.isSpecial(rip)) return false;
    if (this.#left.size >= MOST_PLACES) this.#left.clear();
    this.#left.set(rip, (this.#left.get(rip) ?? 0) + 1);
    return this.isSpecial(rip);
  }

  clear(): void {
    this.#left.clear();
  }
}
