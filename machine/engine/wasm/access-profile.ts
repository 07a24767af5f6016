/**
 * Which instructions access memory in ways that the TLB alone does not allow: in two pages, or in a page with code. Only
 * for these a region calls the runtime: a call in a loop costs all of it, for values do not stay in registers around it.
 */
import { NOTED, slot, WRITE_TABLE } from "#machine/memory/tlb.ts";
import { CELL } from "./cells.ts";
import { LEAVING } from "./function-writer.ts";

const MOST_PLACES = 4096;

export class AccessProfile {
  /** By address: how often a region has left there. */
  readonly #left = new Map<bigint, number>();

  constructor(
    /** The machine's memory up to the guest's RAM. */
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
    const why = this.halves[CELL.refused / 4];
    this.halves[CELL.refused / 4] = LEAVING.onward;
    if (why !== LEAVING.crossing && !(why === LEAVING.write && this.#isNoted())) return false;
    if (this.isSpecial(rip)) return false;
    if (this.#left.size >= MOST_PLACES) this.#left.clear();
    this.#left.set(rip, (this.#left.get(rip) ?? 0) + 1);
    return this.isSpecial(rip);
  }

  /** Whether the page of the refused access is in the TLB, but has notes. */
  #isNoted(): boolean {
    const { halves } = this;
    const low = halves[CELL.refusedAt / 4]!;
    const high = halves[CELL.refusedAt / 4 + 1]!;
    const entry = slot(WRITE_TABLE, low, high);
    return ((halves[entry]! ^ low) & ~0xfff) === 0 && halves[entry + 1] === high && (halves[entry]! & NOTED) !== 0;
  }

  clear(): void {
    this.#left.clear();
  }
}
