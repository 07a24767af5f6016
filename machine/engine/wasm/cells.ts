/** What engine and regions tell each other: words of the machine's memory between the processor's state and the TLB. */
import { LARGE_PAGES } from "#machine/cpu/layout.ts";
import { ENTRIES } from "#machine/memory/tlb.ts";

/** Offsets in bytes. */
export const CELL = {
  /** i64: numbers of the first and last page that may be part of a large one. */
  firstLargePage: LARGE_PAGES,
  lastLargePage: LARGE_PAGES + 8,
  /** i32: an interrupt waits. */
  pending: 0x1010,
  /** i32: the A20 line is open. */
  a20: 0x1014,
  /** i64: what a routine of the runtime answers, besides having been done. */
  routineAnswer: 0x1080,
  /** i32: the number of the running context, for regions that change it. */
  context: 0x1088,
  /** i64: the count of instructions when the budget of the run is used up. */
  end: 0x1090,
  /** i32: where the next record will lie, from the beginning of the records. */
  nextRecord: 0x1098,
  /** i32: a region was met that may no longer be where its address leads. */
  doubted: 0x10a0,
  /** i32: what a region has asked last of the table of next-contexts.ts. */
  contextAsked: 0x10b0,
  /** i32: translated code has left at an access that is worth a look. See missed-page.ts. */
  refused: 0x10a4,
  /**
   * i32: what was left of the budget at the last miss of a region, inverted if it was the second there; and how many
   * misses there were in this run.
   */
  missedAt: 0x10a8,
  misses: 0x10ac,
  /** i32: a block function is worth making: see shapes.ts. */
  shapeAsked: 0x109c,
  /** i32: the heat at which the engine is told of a place. */
  hot: 0x10b8,
  /** i32: what was left of the budget when interrupts were opened, which wait for one more instruction. */
  opened: 0x10bc,
  /** A copy of up to `MOST_CROSSING` bytes that lie in two pages: see page-crossing.ts. */
  crossing: 0x10c0,
} as const;

export const MOST_CROSSING = 64;

/** A byte for each entry that the TLB may have: not 0 where a page of that entry holds code that has been fetched. */
export const FETCHED = 0x2000;
export const FETCHED_SIZE = ENTRIES;
