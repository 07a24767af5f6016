/** Whether a PC has just been switched on: until it does something over and over, translating is not worth its time. */
import type { CodePage } from "../code-cache.ts";
import type { CodeCursor } from "../code-cursor.ts";

/** What a PC that is starting does not: arrivals at one place, writes beside code, writes into code at one place. */
const MOST_ARRIVALS = 5000;
const MOST_WRITES = 160;
const MOST_CHANGES = 12;

export class StartUp {
  #writes: number;
  /** Places where code that had been run was written over, and how often. */
  readonly #changes = new Map<number, number>();

  constructor(
    /** Instructions after which it is over in any case. */
    readonly instructions: number,
  ) {
    this.#writes = instructions > 0 ? MOST_WRITES : 0;
  }

  get isOver(): boolean {
    return this.#writes <= 0;
  }

  /** Before an instruction, with how many have been retired. */
  count({ heat }: CodePage, offset: number, arrived: boolean, retired: number): void {
    const isOften = arrived && ++heat[offset]! >= MOST_ARRIVALS;
    if (isOften || retired >= this.instructions) this.#writes = 0;
  }

  /** The guest writes into a page with code, at a place in RAM. In 16-bit code that is usual: code and data lie close. */
  written({ cache, mode }: CodeCursor, place: number, length: number): void {
    if (this.isOver || mode === 16) return;
    this.#writes--;
    if (!cache.holds(place, length)) return;
    const changes = (this.#changes.get(place) ?? 0) + 1;
    this.#changes.set(place, changes);
    if (changes >= MOST_CHANGES) this.#writes = 0;
  }
}
