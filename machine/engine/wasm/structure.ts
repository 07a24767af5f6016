/**
 * From a graph of blocks to WebAssembly's nested blocks and loops. A set of blocks that can all reach each other is a
 * loop; with one way in it becomes a `loop` whose first block is that way in, with several, a loop around a table.
 */
import { OP } from "./encoder.ts";
import { type FunctionWriter, type Label, LOCAL } from "./function-writer.ts";

/** Nodes are numbers from 0; node 0 is where the function begins. */
export interface FlowGraph {
  readonly successors: readonly (readonly number[])[];
}

/** A label that is open, and the nodes that branching to it can reach. */
interface Target {
  readonly label: Label;
  readonly nodes: readonly number[];
}

/** Writes the code of one node; it ends with branches made by `Structure.branch`, or leaves the function. */
type WriteNode = (node: number) => void;

export class Structure {
  readonly #targets: Target[] = [];
  #loops = 0;

  constructor(
    readonly graph: FlowGraph,
    readonly fn: FunctionWriter,
    readonly write: WriteNode,
    /** Called before a node that begins a loop. */
    readonly enterLoop: (nodes: readonly number[]) => void,
  ) {}

  /** Whether the node being written is part of a loop. */
  get inLoop(): boolean {
    return this.#loops > 0;
  }

  /** The whole function, from node 0. */
  emit(): void {
    const all = this.graph.successors.map((_, node) => node);
    this.#sequence(components(this.graph, all, new Set()), []);
  }

  /** Branches from the node being written to another. */
  branch(node: number): void {
    for (let index = this.#targets.length - 1; index >= 0; index--) {
      const { label, nodes } = this.#targets[index]!;
      const place = nodes.indexOf(node);
      if (place < 0) continue;
      if (nodes.length > 1) {
        this.fn.out.i32(place);
        this.fn.out.set(LOCAL.label);
      }
      this.fn.branch(label);
      return;
    }
    throw new Error(`block ${node} cannot be reached from here`);
  }

  /** Components in an order in which all edges but those to `heads` lead forward; several heads are entered by a table. */
  #sequence(order: readonly number[][], heads: readonly number[]): void {
    const { fn } = this;
    const first = heads.length < 2 ? 1 : 0;
    const entries = order.map((nodes) => this.#entries(nodes));
    for (let index = order.length - 1; index >= first; index--)
      this.#targets.push({ label: fn.open(OP.block), nodes: entries[index]! });
    if (heads.length > 1) this.#table(heads);
    for (const [index, nodes] of order.entries()) {
      if (index >= first) {
        fn.end();
        this.#targets.pop();
      }
      this.#component(nodes, entries[index]!, heads);
    }
  }

  #table(heads: readonly number[]): void {
    const { fn } = this;
    fn.out.get(LOCAL.label);
    fn.out.byte(OP.brTable);
    fn.out.unsigned(heads.length - 1);
    for (const head of heads) {
      const target = this.#targets.findLast(({ nodes }) => nodes.includes(head))!;
      fn.out.unsigned(fn.level - target.label);
    }
  }

  /** The nodes of a component that edges from outside lead to. */
  #entries(nodes: readonly number[]): readonly number[] {
    if (nodes.length === 1) return nodes;
    const inside = new Set(nodes);
    const entered = new Set<number>();
    if (inside.has(0)) entered.add(0);
    for (const [from, successors] of this.graph.successors.entries()) {
      if (inside.has(from)) continue;
      for (const to of successors) if (inside.has(to)) entered.add(to);
    }
    return [...entered];
  }

  #component(nodes: readonly number[], entries: readonly number[], heads: readonly number[]): void {
    const [only] = nodes;
    const isLoop = nodes.length > 1 || (this.graph.successors[only!]!.includes(only!) && !heads.includes(only!));
    if (!isLoop) {
      this.write(only!);
      return;
    }
    const label = this.fn.open(OP.loop);
    this.#targets.push({ label, nodes: entries });
    this.enterLoop(entries);
    this.#loops++;
    const inner = components(this.graph, nodes, new Set(entries));
    this.#sequence(inner, entries);
    this.#loops--;
    this.#targets.pop();
    this.fn.end();
  }
}

/**
 * Strongly connected components of a part of the graph, edges to `heads` left out, in topological order (Tarjan's
 * algorithm, which finds them backwards).
 */
function components(graph: FlowGraph, nodes: readonly number[], heads: ReadonlySet<number>): number[][] {
  const inside = new Set(nodes);
  const order = new Map<number, number>();
  const lowest = new Map<number, number>();
  const stack: number[] = [];
  const waiting = new Set<number>();
  const found: number[][] = [];
  const visit = (node: number): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    stack.push(node);
    waiting.add(node);
    for (const next of graph.successors[node]!) {
      if (!inside.has(next) || heads.has(next)) continue;
      if (!order.has(next)) {
        visit(next);
        lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
      } else if (waiting.has(next)) lowest.set(node, Math.min(lowest.get(node)!, order.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const component: number[] = [];
    for (let last = -1; last !== node; ) {
      last = stack.pop()!;
      waiting.delete(last);
      component.push(last);
    }
    found.push(component.reverse());
  };
  const roots = [...heads].filter((head) => inside.has(head));
  for (const node of [...roots, ...nodes]) if (!order.has(node)) visit(node);
  return found.reverse();
}
