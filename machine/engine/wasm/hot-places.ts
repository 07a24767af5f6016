/** Places that have become hot: they wait for others to share a module with, then regions begin there. */
import type { CodePage } from "../code-cache.ts";
import type { CodeRecords } from "./code-records.ts";
import type { CodeWindow } from "./code-window.ts";
import type { Context } from "./context.ts";
import type { Gates } from "./gates.ts";
import { discover } from "./region.ts";
import type { RewrittenCode } from "./rewritten-code.ts";
import type { Draft, Translations } from "./translations.ts";

/** The heat of a place whose first instruction only the evaluator can do. */
const NEVER = 0xffff;
/** Regions of one module. */
const MOST_IN_BATCH = 40;

/** Where execution has arrived, and the page that this place was seen in. */
export interface Arrival {
  readonly page: CodePage;
  readonly offset: number;
  readonly context: Context;
  readonly entry: bigint;
  /** The mapping under which it was seen. */
  readonly generation: number;
}

interface HotPlace extends Arrival {
  readonly window: CodeWindow;
}

/**
 * Whether another of the regions to be made passes through the place that this one begins at: then it mostly would not
 * be entered there. Of two that pass through each other's beginnings one stays.
 */
function isCovered(draft: Draft, drafts: readonly Draft[]): boolean {
  const passes = ({ blocks, ranges }: Draft, { entry, place }: Draft) =>
    ranges.some(({ start, end }) => start <= place && place < end) &&
    blocks.some(({ start, finds }) => start === entry && !finds);
  return drafts.some(
    (other) => other !== draft && passes(other, draft) && (other.number < draft.number || !passes(draft, other)),
  );
}

export class HotPlaces {
  #waiting: HotPlace[] = [];
  /** The number of the last region. */
  #drafts = 0;

  constructor(
    /** Arrivals after which a place is hot, and how many share a module; null for more, once there are modules. */
    readonly rules: { readonly hot: number; readonly batch: number | null },
    readonly records: CodeRecords,
    readonly translations: Translations,
    readonly rewritten: RewrittenCode,
    /** The code that a region may be made of which begins where execution stands. */
    readonly window: (context: Context) => CodeWindow,
  ) {}

  /** A place has been met so often elsewhere that it is hot by that alone. */
  heat({ heat }: CodePage, offset: number): void {
    if (heat[offset]! < NEVER - this.rules.hot) heat[offset]! += this.rules.hot;
  }

  /** Counts an arrival at a place without a region. Gives whether it is time to translate what waits. */
  arrive(arrival: Arrival): boolean {
    const { page, offset, context } = arrival;
    const { hot } = this.rules;
    if (page.heat[offset] === NEVER) return false;
    const heat = ++page.heat[offset]!;
    if (heat < hot) return false;
    if (this.rewritten.mustWait(page.place + offset)) {
      page.heat[offset] = 0;
      return false;
    }
    if (!this.#waiting.some((other) => other.page === page && other.offset === offset))
      this.#waiting.push({ ...arrival, window: this.window(context) });
    return this.#waiting.length >= this.#batch || heat >= 2 * hot;
  }

  /** A module takes time of its own: a place that is no more than hot waits until it has company. */
  get #batch(): number {
    return this.rules.batch ?? Math.min(MOST_IN_BATCH, 1 + 4 * this.translations.modules);
  }

  /**
   * Translates the regions that begin at all the places that wait, as far as they are of the running context. Gives the
   * bytes of WebAssembly that had to go for them.
   */
  translate(context: Context, gates: Gates): number {
    const { records } = this;
    const drafts = this.#waiting.flatMap((place) => this.#draft(place, context, gates) ?? []);
    this.#waiting = [];
    const kept = drafts.filter((draft) => !isCovered(draft, drafts));
    if (kept.length === 0) return 0;
    const evicted = this.translations.add(kept);
    for (const { start, end } of kept.flatMap(({ ranges }) => ranges)) {
      records.noteCode(start, end - start);
      records.cool(start, end - start);
    }
    return evicted;
  }

  #draft({ page, offset, context, entry, window, generation }: HotPlace, running: Context, gates: Gates): Draft | null {
    page.heat[offset] = 0;
    if (context !== running || !window.isCurrent) return null;
    const blocks = discover(window, context, gates, entry);
    const ranges = window.ranges(blocks);
    if (blocks[0]!.steps.length === 0) page.heat[offset] = NEVER;
    if (blocks[0]!.steps.length === 0 || !window.isNoted(ranges)) return null;
    const number = ++this.#drafts;
    const place = page.place + offset;
    return { number, context, entry, place, blocks, gates, ranges, pages: window.pages(ranges), generation };
  }

  clear(): void {
    this.#waiting = [];
  }
}
