/** The loops of a function. */
import { type Dominators, type Incoming, incomingEdges } from "./flow.ts";
import type { Block, IrFunction } from "./ir.ts";
import { withEdges } from "./operands.ts";

/** A natural loop: the blocks between a header and the edges back to it. */
export interface Loop {
  readonly header: Block;
  readonly blocks: Set<Block>;
  /** The ways into the header from outside. */
  readonly entries: readonly Incoming[];
  /** The blocks that lead back to the header. */
  readonly latches: readonly Block[];
}

/** All loops, inner ones before those around them. */
export function findLoops(f: IrFunction, dominators: Dominators): Loop[] {
  const incoming = incomingEdges(f);
  const loops: Loop[] = [];
  for (const header of dominators.order) {
    const ways = incoming.get(header)!;
    const isBack = ({ from }: Incoming): boolean => dominators.dominates(header, from);
    const latches = ways.filter(isBack).map(({ from }) => from);
    if (latches.length === 0) continue;
    const blocks = new Set<Block>([header, ...latches]);
    for (const block of blocks) {
      if (block === header) continue;
      for (const { from } of incoming.get(block)!) blocks.add(from);
    }
    loops.push({ header, blocks, entries: ways.filter((way) => !isBack(way)), latches });
  }
  // Headers come in reverse postorder, an outer one before its inner ones.
  return loops.reverse();
}

/** The block that runs once before a loop; made where there is none yet. */
export function preheaderOf(f: IrFunction, { header, entries }: Loop): Block {
  const only = entries.length === 1 ? entries[0]!.from : null;
  if (only?.terminator.kind === "jump") return only;
  const preheader = f.block();
  preheader.cold = header.cold;
  preheader.parameters = header.parameters.map((parameter) => f.value(parameter.type));
  preheader.terminator = { kind: "jump", to: { block: header, arguments: preheader.parameters }, place: null };
  for (const { from } of entries) {
    from.terminator = withEdges(from.terminator, (edge) =>
      edge.block === header ? { block: preheader, arguments: edge.arguments } : edge,
    );
  }
  f.blocks.splice(f.blocks.indexOf(header), 0, preheader);
  return preheader;
}
