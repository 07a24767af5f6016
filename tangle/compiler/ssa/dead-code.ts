/** Removes computations, loads and block parameters that nothing needs. */
import { incomingEdges } from "./flow.ts";
import type { Block, Instruction, IrFunction, Value } from "./ir.ts";
import { operands, terminatorOperands } from "./operands.ts";
import { removeParameters } from "./parameters.ts";

/** Whether the instruction does more than give a value. */
export function hasEffect(i: Instruction): boolean {
  switch (i.kind) {
    case "store":
    case "call":
    case "callIndirect":
    case "intrinsic":
    case "asm":
      return true;
    case "load":
      return i.volatile;
    default:
      return false;
  }
}

export function removeDeadCode(f: IrFunction): void {
  const incoming = incomingEdges(f);
  const definitions = new Map<Value, Instruction>();
  const parameters = new Map<Value, { block: Block; at: number }>();
  const live = new Set<Value>();
  const work: Value[] = [];
  const use = (value: Value): void => {
    if (live.has(value)) return;
    live.add(value);
    work.push(value);
  };
  for (const block of f.blocks) {
    block.parameters.forEach((parameter, at) => {
      parameters.set(parameter, { block, at });
    });
    for (const instruction of block.instructions) {
      for (const result of instruction.results) definitions.set(result, instruction);
      if (hasEffect(instruction)) operands(instruction).forEach(use);
    }
    terminatorOperands(block.terminator).forEach(use);
  }
  for (let value = work.pop(); value; value = work.pop()) {
    const instruction = definitions.get(value);
    if (instruction) operands(instruction).forEach(use);
    const parameter = parameters.get(value);
    if (!parameter) continue;
    for (const { edge } of incoming.get(parameter.block)!) use(edge.arguments[parameter.at]!);
  }
  const dead = new Map<Block, Set<number>>();
  for (const block of f.blocks.slice(1)) {
    const positions = block.parameters.flatMap((parameter, at) => (live.has(parameter) ? [] : [at]));
    if (positions.length > 0) dead.set(block, new Set(positions));
  }
  if (dead.size > 0) removeParameters(f, dead);
  for (const block of f.blocks) {
    block.instructions = block.instructions.filter((i) => hasEffect(i) || i.results.some((result) => live.has(result)));
  }
}
