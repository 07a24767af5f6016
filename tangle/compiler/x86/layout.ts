/** The order of blocks in memory: control falls through where it can, what is cold lies behind. */
import type { Flow } from "./flow.ts";
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

/** All reachable blocks, the entry first, cold ones last. */
export function layOut(fn: MachineFunction, flow: Flow): MachineBlock[] {
  const placed = new Set<MachineBlock>();
  const order: MachineBlock[] = [];
  const waiting = { hot: [fn.blocks[0]!], cold: [] as MachineBlock[] };
  const depth = (block: MachineBlock) => flow.depth[block.id]!;
  const follow = (start: MachineBlock) => {
    let block: MachineBlock | undefined = start;
    while (block !== undefined && !placed.has(block)) {
      placed.add(block);
      order.push(block);
      // Stay in the loop; the other ways wait, the innermost on top.
      const ways = block.successors.filter((s) => !placed.has(s)).sort((a, b) => depth(a) - depth(b));
      for (const way of ways) (way.cold ? waiting.cold : waiting.hot).push(way);
      const isCold: boolean = block.cold;
      block = ways.filter((way) => !way.cold || isCold).pop();
    }
  };
  for (;;) {
    const next = waiting.hot.pop() ?? waiting.cold.pop();
    if (next === undefined) return order;
    follow(next);
  }
}
