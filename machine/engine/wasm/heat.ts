/**
 * How hot a place must be before it is worth a region. While there is room for all regions, what matters is how long it
 * takes to make one; the less room is left, the more a place must be worth it. When some must go to make room, they will
 * be made again: the more of that, the hotter a place must be.
 */
import { FORM_WEIGHT } from "./code-records.ts";

/** How much hotter a place must be where there is no room left, than where there is all. */
const NO_ROOM = 5;
/** The most that a record can count to, nearly. */
const HOTTEST = 0xff00;
/** Instructions that a guest runs in forms while one byte of a region is made. */
const COST = 30;
/** The part of the guest's time that may be lost in this way. */
const SHARE = 1 / 8;
/** At this debt a place must be met twice as often as without. */
const DOUBLE = 5e6;

export class Heat {
  /** What it has cost to make regions that are gone, as far as the guest has not worked it off, in its instructions. */
  #debt = 0;
  /** Instructions retired when that was last counted. */
  #counted = 0;

  constructor(
    /** Arrivals in forms at a place that make it hot as long as there is all the room. */
    readonly least: number,
  ) {}

  /** The heat at which a place is hot, with so many instructions retired; `fullness` of the room for regions, 0 to 1. */
  limit(retired: number, fullness: number): number {
    this.#count(retired);
    const limit = this.least * FORM_WEIGHT;
    const times = 1 + (NO_ROOM - 1) * fullness + this.#debt / DOUBLE;
    return limit > HOTTEST ? limit : Math.min(HOTTEST, Math.round(limit * times));
  }

  /** Regions of so many bytes had to go. */
  evicted(bytes: number, retired: number): void {
    this.#count(retired);
    this.#debt += bytes * COST;
  }

  #count(retired: number): void {
    this.#debt = Math.max(0, this.#debt - (retired - this.#counted) * SHARE);
    this.#counted = retired;
  }

  clear(): void {
    this.#debt = 0;
    this.#counted = 0;
  }
}
