/**
 * Ways between privileges, and back from interrupts, that the evaluator does again and again. Regions take for granted
 * what stood in the tables when they were made; where a kernel has got others since, they leave there for ever.
 */
const FIRST = 64;
/** Each time that a region has been dropped for it, so many times as often. */
const FACTOR = 4;
const MOST_PLACES = 1024;

const GATES = new Set(["int", "iretd", "iretq", "syscall", "sysret", "sysenter", "sysexit"]);

export function isGate(mnemonic: string): boolean {
  return GATES.has(mnemonic);
}

export class StaleGates {
  /** By place in RAM. */
  readonly #done = new Map<number, { times: number; limit: number }>();

  /** The evaluator has done the instruction at a place. Gives whether regions with it should be made anew. */
  note(place: number): boolean {
    let known = this.#done.get(place);
    if (known === undefined) {
      if (this.#done.size >= MOST_PLACES) this.#done.clear();
      known = { times: 0, limit: FIRST };
      this.#done.set(place, known);
    }
    if (++known.times < known.limit) return false;
    known.times = 0;
    known.limit *= FACTOR;
    return true;
  }

  clear(): void {
    this.#done.clear();
  }
}
