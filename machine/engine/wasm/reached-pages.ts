/**
 * What regions with code of several pages ask before they go from one to another: whether code has been fetched from it
 * under the present mapping, and where it lies. Until then its entry in the page tables may change without a word, and
 * the first fetch sees that (Intel SDM vol. 3A, section 4.10.2.3 lets a processor look earlier; the evaluator does not).
 */
import { PAGE_BYTES, PAGE_PLACE, PAGES, tablesOf } from "./code-records.ts";
import type { MappedPage } from "./code-window.ts";
import type { Context } from "./context.ts";
import { I32, OP } from "./encoder.ts";
import { type FunctionWriter, LEAVING } from "./function-writer.ts";
import type { Block } from "./region.ts";

const PAGE = 0x1000n;

export class ReachedPages {
  /** By page, a local that holds 1 where it has been reached. None for regions of one page. */
  readonly #reached: ReadonlyMap<MappedPage, number>;

  /** `pages` begins with the page that the region is entered in, which has been fetched from. */
  constructor(
    readonly fn: FunctionWriter,
    readonly context: Context,
    pages: readonly MappedPage[],
    /** Bytes of RAM. */
    readonly size: number,
    /** The number of the function of that name: it fetches the page, if that can be done here. */
    readonly locate: () => number,
  ) {
    this.#reached = new Map(pages.length > 1 ? pages.map((page) => [page, fn.keep(I32)]) : []);
  }

  /** Only the page of `rip` has been reached: where the region is entered, or addresses may have got another meaning. */
  restart(rip: bigint): void {
    const { out } = this.fn;
    for (const [page, local] of this.#reached) {
      out.i32(contains(page, rip) ? 1 : 0);
      out.set(local);
    }
  }

  /**
   * Before a block: where a page of it has not been reached, `leave` runs, which must not come back. `from` is the block
   * before, if it is known; its pages have been reached.
   */
  emitReach(block: Block, from: Block | null, leave: (why: number) => void): void {
    const known = from?.steps.some(({ findings }) => findings.remaps) ? null : from;
    for (const [page, local] of this.#reached) {
      if (!holds(block, page) || (known !== null && holds(known, page))) continue;
      this.#emitAsk(page, local, () => leave(contains(page, block.start) ? LEAVING.onward : LEAVING.evaluate));
    }
  }

  #emitAsk({ base, place }: MappedPage, local: number, leave: () => void): void {
    const { fn } = this;
    const { out } = fn;
    const entry = tablesOf(this.size).pages + (Number(base >> 12n) & (PAGES - 1)) * PAGE_BYTES;
    out.get(local);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    out.i32(0);
    out.memory(OP.i64Load, entry);
    out.i64(base | BigInt(this.context.id));
    out.byte(OP.i64Ne);
    out.i32(0);
    out.memory(OP.i32Load, entry + PAGE_PLACE);
    out.i32(place);
    out.byte(OP.i32Ne);
    out.byte(OP.i32Or);
    fn.open(OP.if);
    out.i64(base);
    out.byte(OP.call);
    out.unsigned(this.locate());
    out.i32(place | 1);
    out.byte(OP.i32Ne);
    fn.open(OP.if);
    leave();
    fn.end();
    fn.end();
    out.i32(1);
    out.set(local);
    fn.end();
  }
}

function contains({ base }: MappedPage, rip: bigint): boolean {
  return rip >= base && rip < base + PAGE;
}

/** Whether a block has a byte in a page. */
function holds({ steps }: Block, page: MappedPage): boolean {
  const [first, last] = [steps.at(0), steps.at(-1)];
  if (first === undefined || last === undefined) return false;
  return contains(page, first.start) || contains(page, last.start + BigInt(last.decoded.length - 1));
}
