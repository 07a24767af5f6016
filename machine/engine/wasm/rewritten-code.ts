/** Places whose regions have been dropped because of writes: code that is written to again and again is not worth one. */

const MOST_PLACES = 4096;
/** A region that has been dropped so often makes its place wait no longer. */
const MOST_TIMES = 8;

export class RewrittenCode {
  /** By place in RAM: how often that has happened, and how often the place may still be hot for nothing. */
  readonly #places = new Map<number, { readonly times: number; left: number }>();

  /** The region that begins at a place is dropped. Each time the place must be hot four times as often for the next. */
  dropped(place: number): void {
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    const times = (this.#places.get(place)?.times ?? 0) + 1;
    this.#places.set(place, { times, left: 4 ** Math.min(times, MOST_TIMES) });
  }

  /** Whether a place that is hot must be so again. */
  mustWait(place: number): boolean {
    const known = this.#places.get(place);
    if (known === undefined || known.left === 0) return false;
    known.left--;
    return true;
  }

  clear(): void {
    this.#places.clear();
  }
}
