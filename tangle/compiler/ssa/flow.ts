/** The shape of a function's control flow: predecessors, orders, dominators. */
import type { Block, Edge, IrFunction } from "./ir.ts";
import { edges } from "./operands.ts";

/** One way into a block. A block may come from the same predecessor along two edges. */
export interface Incoming {
  readonly from: Block;
  readonly edge: Edge;
}

/** The ways into each block, in order of blocks and edges. */
export function incomingEdges(f: IrFunction): Map<Block, Incoming[]> {
  const incoming = new Map<Block, Incoming[]>(f.blocks.map((block) => [block, []]));
  for (const from of f.blocks) {
    for (const edge of edges(from.terminator)) incoming.get(edge.block)?.push({ from, edge });
  }
  return incoming;
}

/** The blocks that can be reached, each before the blocks it leads to but for loops (reverse postorder). */
export function reversePostorder(f: IrFunction): Block[] {
  const order: Block[] = [];
  const seen = new Set<Block>([f.blocks[0]!]);
  const path: { block: Block; rest: Block[] }[] = [{ block: f.blocks[0]!, rest: successors(f.blocks[0]!) }];
  while (path.length > 0) {
    const top = path[path.length - 1]!;
    const next = top.rest.pop();
    if (!next) {
      order.push(top.block);
      path.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      path.push({ block: next, rest: successors(next) });
    }
  }
  return order.reverse();
}

/** Drops the blocks that nothing leads to; says whether there were any. */
export function removeUnreachable(f: IrFunction): boolean {
  const reached = new Set(reversePostorder(f));
  if (reached.size === f.blocks.length) return false;
  f.blocks = f.blocks.filter((block) => reached.has(block));
  return true;
}

function successors(block: Block): Block[] {
  return edges(block.terminator).map((edge) => edge.block);
}

/** Which blocks lie on every way from the entry to a block. */
export class Dominators {
  /** Reachable blocks in reverse postorder. */
  readonly order: readonly Block[];
  /** Blocks that a block dominates immediately, in reverse postorder. */
  readonly children = new Map<Block, Block[]>();
  private readonly parent = new Map<Block, Block>();
  private readonly enter = new Map<Block, number>();
  private readonly leave = new Map<Block, number>();

  /** By Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001). */
  constructor(f: IrFunction) {
    this.order = reversePostorder(f);
    const entry = this.order[0]!;
    const number = new Map(this.order.map((block, i) => [block, i]));
    const incoming = incomingEdges(f);
    const parents: number[] = [0];
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = 1; i < this.order.length; i++) {
        let common = -1;
        for (const { from } of incoming.get(this.order[i]!)!) {
          const at = number.get(from);
          if (at === undefined || (at !== 0 && parents[at] === undefined)) continue;
          common = common < 0 ? at : intersect(parents, common, at);
        }
        if (parents[i] !== common) {
          parents[i] = common;
          changed = true;
        }
      }
    }
    for (const block of this.order) this.children.set(block, []);
    for (let i = 1; i < this.order.length; i++) {
      const parent = this.order[parents[i]!]!;
      this.parent.set(this.order[i]!, parent);
      this.children.get(parent)!.push(this.order[i]!);
    }
    this.numberTree(entry);
  }

  /** The closest dominator of a block other than itself; none for the entry. */
  parentOf(block: Block): Block | undefined {
    return this.parent.get(block);
  }

  /** Whether every way to `inner` goes through `outer`. A block dominates itself. */
  dominates(outer: Block, inner: Block): boolean {
    return this.enter.get(outer)! <= this.enter.get(inner)! && this.leave.get(inner)! <= this.leave.get(outer)!;
  }

  private numberTree(entry: Block): void {
    let clock = 0;
    const path: { block: Block; next: number }[] = [{ block: entry, next: 0 }];
    this.enter.set(entry, clock++);
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const child = this.children.get(top.block)![top.next++];
      if (child) {
        this.enter.set(child, clock++);
        path.push({ block: child, next: 0 });
      } else {
        this.leave.set(top.block, clock++);
        path.pop();
      }
    }
  }
}

function intersect(parents: readonly number[], a: number, b: number): number {
  let x = a;
  let y = b;
  while (x !== y) {
    while (x > y) x = parents[x]!;
    while (y > x) y = parents[y]!;
  }
  return x;
}
