/** The shape of a machine function's control flow: order, dominators, loops, and how often each block runs. */
import type { MachineBlock, MachineFunction } from "./machine.ts";

/** A natural loop: the blocks from which control gets back to the header without leaving it. */
export interface Loop {
  readonly header: MachineBlock;
  readonly blocks: ReadonlySet<MachineBlock>;
}

export interface Flow {
  /** Reachable blocks in reverse postorder, the entry first. */
  readonly order: readonly MachineBlock[];
  /** Innermost first. */
  readonly loops: readonly Loop[];
}

/** Analyses the flow, and sets each block's weight: ten times more a loop, nearly nothing where cold. */
export function analyseFlow(fn: MachineFunction): Flow {
  const order = reversePostorder(fn.blocks[0]!);
  const position = new Int32Array(fn.blockCount).fill(-1);
  order.forEach((block, i) => {
    position[block.id] = i;
  });
  const predecessors: number[][] = order.map(() => []);
  order.forEach((block, i) => {
    for (const successor of block.successors) predecessors[position[successor.id]!]!.push(i);
  });
  const dominator = dominators(predecessors);
  for (const block of order) block.depth = 0;
  const loops: Loop[] = [];
  for (let header = 0; header < order.length; header++) {
    const body = loopBody(header, predecessors, dominator);
    if (body.size === 0) continue;
    loops.push({ header: order[header]!, blocks: new Set([...body].map((i) => order[i]!)) });
    for (const i of body) order[i]!.depth++;
  }
  for (const block of order) {
    const weight = 10 ** Math.min(block.depth, 6);
    block.weight = block.cold ? weight / 1000 : weight;
  }
  return { order, loops: loops.sort((a, b) => a.blocks.size - b.blocks.size) };
}

function reversePostorder(entry: MachineBlock): MachineBlock[] {
  const seen = new Set<MachineBlock>([entry]);
  const postorder: MachineBlock[] = [];
  const stack = [{ block: entry, next: [...entry.successors] }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const block = top.next.pop();
    if (block === undefined) {
      postorder.push(top.block);
      stack.pop();
    } else if (!seen.has(block)) {
      seen.add(block);
      stack.push({ block, next: [...block.successors] });
    }
  }
  return postorder.reverse();
}

/** Immediate dominators by position (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"). */
function dominators(predecessors: readonly number[][]): Int32Array {
  const dominator = new Int32Array(predecessors.length).fill(-1);
  dominator[0] = 0;
  const meet = (a: number, b: number) => {
    while (a !== b) {
      while (a > b) a = dominator[a]!;
      while (b > a) b = dominator[b]!;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < predecessors.length; i++) {
      let found = -1;
      for (const p of predecessors[i]!) if (dominator[p] !== -1) found = found === -1 ? p : meet(p, found);
      if (dominator[i] !== found) {
        dominator[i] = found;
        changed = true;
      }
    }
  }
  return dominator;
}

/** Positions of the natural loop with this header; empty where no edge leads back to it. */
function loopBody(header: number, predecessors: readonly number[][], dominator: Int32Array): Set<number> {
  const dominates = (block: number) => {
    while (block > header) block = dominator[block]!;
    return block === header;
  };
  const latches = predecessors[header]!.filter((p) => p >= header && dominates(p));
  const body = new Set<number>();
  if (latches.length === 0) return body;
  body.add(header);
  const stack = [...latches];
  while (stack.length > 0) {
    const block = stack.pop()!;
    if (body.has(block)) continue;
    body.add(block);
    stack.push(...predecessors[block]!);
  }
  return body;
}
