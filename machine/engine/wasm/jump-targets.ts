/** Where computed jumps and calls have led, as the evaluator has seen them. */
import type { CodePage } from "../code-cache.ts";

/** More targets than these are not kept of one jump. */
const MOST_TARGETS = 300;

export class JumpTargets {
  readonly #pages = new WeakMap<CodePage, Map<number, Set<bigint>>>();

  /** The jump at an offset of a page has led to `rip`. */
  note(page: CodePage, offset: number, rip: bigint): void {
    let jumps = this.#pages.get(page);
    if (jumps === undefined) {
      jumps = new Map();
      this.#pages.set(page, jumps);
    }
    const targets = jumps.get(offset);
    if (targets === undefined) jumps.set(offset, new Set([rip]));
    else if (targets.size < MOST_TARGETS) targets.add(rip);
  }

  of(page: CodePage, offset: number): readonly bigint[] {
    return [...(this.#pages.get(page)?.get(offset) ?? [])];
  }
}
