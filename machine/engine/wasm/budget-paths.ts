/** Where a region looks at its budget: not before each block, but before paths of blocks that lead to no other look. */
import { type Block, successorsOf } from "./region.ts";

/** Instructions between two looks: what is left of a slice is not worth more. */
const LONGEST_PATH = 256;

export class BudgetPaths {
  /** The most instructions that may be retired from the beginning of each block to the next look. */
  readonly #lengths: number[];
  readonly #looks = new Set<string>();
  /** Blocks whose paths are being followed. */
  readonly #open = new Set<number>();

  constructor(readonly blocks: readonly Block[]) {
    this.#lengths = blocks.map(() => -1);
    this.#follow(0);
  }

  /** What the budget must have for a path that begins with a block, all of its instructions included. */
  need(block: number): number {
    return this.#lengths[block]!;
  }

  /** Whether the budget is looked at between two blocks. */
  looks(from: number, to: number): boolean {
    return this.#looks.has(`${from}:${to}`);
  }

  /** Edges that lead back are looked at, and those after repeated instructions: these take what they like. */
  #follow(number: number): number {
    const { steps } = this.blocks[number]!;
    const isGreedy = steps.some(({ decoded }) => decoded.instruction.repeat !== null);
    let rest = 0;
    this.#open.add(number);
    for (const next of successorsOf(this.blocks[number]!)) {
      const known = this.#lengths[next]!;
      const length = known >= 0 ? known : this.#open.has(next) ? null : this.#follow(next);
      if (isGreedy || length === null || steps.length + length > LONGEST_PATH) this.#looks.add(`${number}:${next}`);
      else rest = Math.max(rest, length);
    }
    this.#open.delete(number);
    this.#lengths[number] = steps.length + rest;
    return steps.length + rest;
  }
}
