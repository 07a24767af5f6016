/** The order of blocks in memory: control falls through where it can, what is cold lies behind. */
import type { Flow, Loop } from "./flow.ts";
import type { MachineBlock, MachineFunction, MachineInstruction } from "./machine.ts";

/** Drops instructions that do nothing now that registers are known, and leads jumps past blocks that only jump. */
export function tidy(fn: MachineFunction): void {
  for (const block of fn.blocks) block.instructions = block.instructions.filter((i) => !isNothing(i));
  const final = (block: MachineBlock): MachineBlock => {
    let at = block;
    for (let steps = 0; steps < fn.blockCount; steps++) {
      if (at.instructions.length > 0 || at.terminator.kind !== "jump" || at.terminator.to === at) break;
      at = at.terminator.to;
    }
    return at;
  };
  for (const block of fn.blocks) {
    const t = block.terminator;
    if (t.kind === "jump") {
      t.to = final(t.to);
    } else if (t.kind === "branch") {
      t.then = final(t.then);
      t.otherwise = final(t.otherwise);
      if (t.then === t.otherwise) block.terminator = { kind: "jump", to: t.then, place: t.place };
    } else if (t.kind === "table") {
      t.targets.forEach((target, i) => {
        t.targets[i] = final(target);
      });
    }
  }
}

function isNothing({ mnemonic, operands }: MachineInstruction): boolean {
  if (mnemonic === "define" || mnemonic === "keep") return true;
  const [to, from] = operands;
  return mnemonic === "copy" && to!.kind === "register" && from!.kind === "register" && to!.register === from!.register;
}

/** All reachable blocks: the entry first, loops in one piece with their test at the end, cold blocks last. */
export function layOut(fn: MachineFunction, flow: Flow): MachineBlock[] {
  const order = new Placement(flow).run(fn.blocks[0]!);
  // Inner loops first: turning an outer one then moves them whole.
  for (const loop of flow.loops) rotate(order, loop);
  return returnAtOnce(order);
}

/** Follows control from block to block; what it passes by waits, and is taken up again innermost loop first. */
class Placement {
  private readonly placed = new Set<MachineBlock>();
  private readonly order: MachineBlock[] = [];
  private readonly waiting: MachineBlock[] = [];
  constructor(private readonly flow: Flow) {}

  run(entry: MachineBlock): MachineBlock[] {
    for (let block: MachineBlock | null = entry; block !== null; block = this.next(block)) {
      this.placed.add(block);
      this.order.push(block);
      for (const successor of block.successors) if (!this.placed.has(successor)) this.waiting.push(successor);
    }
    return this.order;
  }

  private next(last: MachineBlock): MachineBlock | null {
    const waits = (block: MachineBlock) => !this.placed.has(block);
    // Into an inner loop before past it.
    const ways = last.successors.filter(waits).sort((a, b) => a.depth - b.depth);
    const isHot = (block: MachineBlock) => waits(block) && !block.cold;
    for (const { blocks } of this.flow.loops) {
      if (!blocks.has(last)) continue;
      const inside = (block: MachineBlock) => isHot(block) && blocks.has(block);
      const found = ways.findLast(inside) ?? this.waiting.findLast(inside);
      if (found !== undefined) return found;
    }
    return (
      ways.findLast(isHot) ??
      this.waiting.findLast(isHot) ??
      ways.findLast(waits) ??
      this.waiting.findLast(waits) ??
      null
    );
  }
}

/**
 * Moves the header behind the rest of its loop where it decides whether to leave: then a round takes one jump instead of
 * two. Loops that are not in one piece, or end otherwise, stay as they are.
 */
function rotate(order: MachineBlock[], { header, blocks }: Loop): void {
  const first = order.indexOf(header);
  if (first === 0 || header.terminator.kind !== "branch") return;
  let end = first + 1;
  while (end < order.length && blocks.has(order[end]!)) end++;
  const last = order[end - 1]!;
  const leaves = header.successors.some((block) => !blocks.has(block));
  if (end === first + 1 || !leaves || last.terminator.kind !== "jump" || last.terminator.to !== header) return;
  order.splice(end, 0, header);
  order.splice(first, 1);
}

/** Instructions that may be repeated to save a jump to a return. */
const SHORT = 1;

/** Lets blocks that would jump to a short block with a return, return themselves; drops what nobody jumps to then. */
function returnAtOnce(order: readonly MachineBlock[]): MachineBlock[] {
  order.forEach((block, i) => {
    if (block.terminator.kind !== "jump" || block.terminator.to === order[i + 1]) return;
    const { terminator, instructions } = block.terminator.to;
    if (terminator.kind !== "return" || instructions.length > SHORT) return;
    block.instructions.push(...instructions);
    block.terminator = terminator;
  });
  const reached = new Set(order.flatMap((block) => block.successors));
  return order.filter((block, i) => i === 0 || reached.has(block));
}
