/** Guest code as regions read it: the page that execution stands in, and the two beside it if code of them has run. */
import { decode } from "#isa/decode.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import { type CodePage, type DecodedInstruction, withMeaning } from "../code-cache.ts";
import type { CodeCursor } from "../code-cursor.ts";
import type { CodeRecords } from "./code-records.ts";
import type { Context } from "./context.ts";
import type { JumpTargets } from "./jump-targets.ts";
import type { Block, CodeSource } from "./region.ts";
import type { Range } from "./translations.ts";

const PAGE = 0x1000n;
const LONGEST_INSTRUCTION = 15;

/** A page of the window. */
interface Pane {
  /** rip of the page's first byte. */
  readonly base: bigint;
  readonly page: CodePage;
  /** Highest offset where an instruction may begin. */
  readonly last: number;
}

export class CodeWindow implements CodeSource {
  readonly #panes: readonly Pane[];

  /** The cursor must be in a page. */
  constructor(
    readonly cpu: Cpu,
    readonly cursor: CodeCursor,
    readonly context: Context,
    readonly jumps: JumpTargets,
    readonly records: CodeRecords,
  ) {
    const { base, last, place, page } = cursor;
    const panes: Pane[] = place < 0 ? [] : [{ base, page: page!, last }];
    if (panes.length > 0 && context.isFlat) {
      for (const beside of [base + PAGE, base - PAGE]) {
        const known = cursor.knownPage(beside);
        if (known !== null) panes.push({ base: beside, page: known.page, last: 0xfff });
      }
    }
    this.#panes = panes;
  }

  /** Whether its pages are those that are kept: of others one does not know what has been written since. */
  get isCurrent(): boolean {
    return this.#panes.every(({ page }) => !page.isDropped);
  }

  #pane(rip: bigint): Pane | null {
    return this.#panes.find(({ base, last }) => rip >= base && rip <= base + BigInt(last)) ?? null;
  }

  seen(rip: bigint): boolean {
    const pane = this.#pane(rip);
    if (pane === null) return false;
    const offset = Number(rip - pane.base);
    const { page } = pane;
    return page.entries[offset] !== undefined || page.crossing === offset || this.records.isMade(page.place + offset);
  }

  targets(rip: bigint): readonly bigint[] {
    const pane = this.#pane(rip);
    return pane === null ? [] : this.jumps.of(pane.page, Number(rip - pane.base));
  }

  fetch(rip: bigint): DecodedInstruction | null {
    const pane = this.#pane(rip);
    if (pane === null) return null;
    const offset = Number(rip - pane.base);
    const known = pane.page.entries[offset];
    if (known !== undefined) return known;
    const instruction = decode(this.#bytes(pane, offset), 0, this.context.mode);
    if (instruction.mnemonic === null) return null;
    if (pane.last < 0xfff && offset + instruction.length - 1 > pane.last) return null;
    return withMeaning(instruction);
  }

  /** What an instruction may consist of: as many bytes as the window has, at most 15. */
  #bytes({ base, page }: Pane, offset: number): Uint8Array {
    const { memory } = this.cpu;
    const here = memory.readBytes(page.place + offset, Math.min(LONGEST_INSTRUCTION, 0x1000 - offset));
    const next = here.length < LONGEST_INSTRUCTION ? this.#pane(base + PAGE) : null;
    if (next === null) return here;
    const there = memory.readBytes(next.page.place, LONGEST_INSTRUCTION - here.length);
    return Uint8Array.of(...here, ...there);
  }

  /** Whether writes to the pages of some blocks are still reported: translated code must not outlive them. */
  isNoted(ranges: readonly Range[]): boolean {
    return ranges.every(({ start }) => (this.cpu.memory.notes(start) & NOTE_CODE) !== 0);
  }

  /** The code of some blocks, in ranges that lie in one page each. */
  ranges(blocks: readonly Block[]): Range[] {
    const parts: Range[] = [];
    for (const { steps } of blocks) {
      for (const { start, decoded } of steps) {
        const place = this.#placeOf(start);
        const here = Math.min(decoded.length, 0x1000 - (place & 0xfff));
        parts.push({ start: place, end: place + here });
        if (here === decoded.length) continue;
        const next = this.#placeOf(start + BigInt(here));
        parts.push({ start: next, end: next + decoded.length - here });
      }
    }
    const ranges: { start: number; end: number }[] = [];
    for (const { start, end } of parts.sort((a, b) => a.start - b.start)) {
      const last = ranges.at(-1);
      if (last !== undefined && start <= last.end && (start & ~0xfff) === (last.start & ~0xfff))
        last.end = Math.max(last.end, end);
      else ranges.push({ start, end });
    }
    return ranges;
  }

  #placeOf(rip: bigint): number {
    const { base, page } = this.#pane(rip)!;
    return page.place + Number(rip - base);
  }

  /** The pages of some ranges, the one that the region begins in first. */
  pages(ranges: readonly Range[]): MappedPage[] {
    return this.#panes
      .filter(({ page }, index) => index === 0 || ranges.some(({ start }) => (start & ~0xfff) === page.place))
      .map(({ base, page }) => ({ base, place: page.place }));
  }
}

/** Where a page of code lies in RAM. */
export interface MappedPage {
  /** rip of its first byte. */
  readonly base: bigint;
  readonly place: number;
}

/** Whether the pages of a region are where they were, given what the processor maps now. The cursor must be in a page. */
export function areMapped(pages: readonly MappedPage[], cursor: CodeCursor): boolean {
  return pages.every(({ base, place }) => (base === cursor.base ? cursor.place : cursor.placeOfCode(base)) === place);
}
