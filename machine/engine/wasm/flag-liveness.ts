/** Which flags somebody will read: inside a block, and from block to block. */
import { type Block, successorsOf } from "./region.ts";
import type { Findings } from "./survey.ts";

/** Whether the flags that a step sets are replaced before anything reads them or leaves the translated code. */
export function flagsDie(steps: readonly { readonly findings: Findings }[], index: number): boolean {
  for (const { findings } of steps.slice(index + 1)) {
    if (findings.leaves || findings.readsFlags) return false;
    if (findings.setsFlags) return true;
  }
  return false;
}

/** By block: whether a flag from before it is read, in it or in one that follows. */
export function flagsLive(blocks: readonly Block[]): readonly boolean[] {
  const live = blocks.map(({ steps }) => readFirst(steps) === true);
  const passes = blocks.map(({ steps }) => readFirst(steps) === null);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [node, block] of blocks.entries()) {
      if (live[node] || !passes[node] || !successorsOf(block).some((next) => live[next])) continue;
      live[node] = true;
      changed = true;
    }
  }
  return live;
}

/** True where a flag is read before all are set, false where they are set first, null for neither. */
function readFirst(steps: Block["steps"]): boolean | null {
  for (const { findings } of steps) {
    if (findings.readsFlags) return true;
    if (findings.setsFlags) return false;
  }
  return null;
}
