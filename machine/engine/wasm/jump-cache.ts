/**
 * Where regions find each other: a table from rip and context to the region that begins there, in the machine's memory,
 * so that one region calls the next without going through JavaScript.
 */
import { JUMP_ENTRIES, JUMP_ENTRY_BYTES, tablesOf } from "./code-records.ts";

/** In an entry: rip shifted by 12 with the context's number below, then the region's slot in the table of functions. */
export const JUMP_SLOT = 8;
/** Instead of a slot: the region may no longer be where the address leads. */
const DOUBTFUL = 0x80000000;

export class JumpCache {
  readonly #halves: Uint32Array;
  /** Entries that have been entered since all were empty or doubtful. */
  readonly #used = new Set<number>();

  /** Something has been entered: memory that nobody has touched costs nothing, and should stay so. */
  #isUsed = false;

  constructor(memory: WebAssembly.Memory, size: number) {
    this.#halves = new Uint32Array(memory.buffer, tablesOf(size).jumps, (JUMP_ENTRIES * JUMP_ENTRY_BYTES) / 4);
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

  enter(low: number, high: number, context: number, slot: number): void {
    const entry = this.#entry(low);
    this.#used.add(entry);
    this.#isUsed = true;
    this.#halves[entry] = (low << 12) | context;
    this.#halves[entry + 1] = (high << 12) | (low >>> 20);
    this.#halves[entry + 2] = slot;
  }

  /** Forgets one region. */
  drop(low: number, slot: number): void {
    const entry = this.#entry(low);
    if (this.#halves[entry + 2] !== slot) return;
    this.#halves[entry] = 0;
  }

  /** Forgets what has no region any more. */
  dropDoubtful(low: number): void {
    this.drop(low, DOUBTFUL);
  }

  /** Addresses may mean other places now: entries are good only after the engine has looked. */
  suspend(): void {
    for (const entry of this.#used) this.#halves[entry + 2] = DOUBTFUL;
    this.#used.clear();
  }

  clear(): void {
    if (!this.#isUsed) return;
    this.#isUsed = false;
    this.#used.clear();
    this.#halves.fill(0);
  }
}
