/**
 * Where regions find each other: a table from rip and context to the region that begins there, in the machine's memory,
 * so that one region calls the next without going through JavaScript.
 */
import { JUMP_ENTRIES, JUMP_ENTRY_BYTES, tablesOf } from "./code-records.ts";
import type { MappedPage } from "./code-window.ts";
import type { Region } from "./translations.ts";

const PAGE = 0x1000n;
type Found = Pick<Region, "slot" | "context" | "pages" | "generation">;

/**
 * In an entry: rip shifted by 12 with the context's number below, then the region's slot in the table of functions, and
 * the mapping under which it was last seen there.
 */
export const JUMP_SLOT = 8;
export const JUMP_GENERATION = 12;
/** Beside each entry, in a table of its own: where the region's pages lie in RAM, with bit 0 set; 0 where it has none. */
export const HOME = { page: 0, before: 4, after: 8 } as const;

export class JumpCache {
  readonly #halves: Uint32Array;
  readonly #homes: Uint32Array;
  /** Something has been entered: memory that nobody has touched costs nothing, and should stay so. */
  #isUsed = false;

  constructor(memory: WebAssembly.Memory, size: number) {
    const words = (JUMP_ENTRIES * JUMP_ENTRY_BYTES) / 4;
    const { jumps, homes } = tablesOf(size);
    this.#halves = new Uint32Array(memory.buffer, jumps, words);
    this.#homes = new Uint32Array(memory.buffer, homes, words);
  }

  #entry(low: number): number {
    return ((low ^ (low >>> 12)) & (JUMP_ENTRIES - 1)) * (JUMP_ENTRY_BYTES / 4);
  }

  /** The slot of the region at an address given as two halves; -1 where none is known. */
  find(low: number, high: number, context: number): number {
    const entry = this.#entry(low);
    const halves = this.#halves;
    if (halves[entry] !== ((low << 12) | context) >>> 0 || halves[entry + 1] !== ((high << 12) | (low >>> 20)) >>> 0)
      return -1;
    return halves[entry + 2]!;
  }

  enter(low: number, high: number, { slot, context, pages, generation }: Found): void {
    const entry = this.#entry(low);
    this.#isUsed = true;
    this.#halves[entry] = (low << 12) | context.id;
    this.#halves[entry + 1] = (high << 12) | (low >>> 20);
    this.#halves[entry + JUMP_SLOT / 4] = slot;
    this.#halves[entry + JUMP_GENERATION / 4] = generation;
    const [{ base }] = pages as [MappedPage];
    for (const [field, distance] of [
      [HOME.page, 0n],
      [HOME.before, -PAGE],
      [HOME.after, PAGE],
    ] as const) {
      const page = pages.find((other) => other.base === base + distance);
      this.#homes[entry + field / 4] = page === undefined ? 0 : page.place | 1;
    }
  }

  /** Forgets one region. */
  drop(low: number, slot: number): void {
    const entry = this.#entry(low);
    if (this.#halves[entry + 2] !== slot) return;
    this.#halves[entry] = 0;
  }

  /** Forgets what has no region under the present mapping. */
  dropDoubtful(low: number, generation: number): void {
    const entry = this.#entry(low);
    if (this.#halves[entry + JUMP_GENERATION / 4] !== generation) this.#halves[entry] = 0;
  }

  clear(): void {
    if (!this.#isUsed) return;
    this.#isUsed = false;
    this.#halves.fill(0);
  }
}
