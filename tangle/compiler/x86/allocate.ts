/** Register allocation: colour the interference graph, put into the frame what found no colour, and try again. */
import { color } from "./coloring.ts";
import { analyseFlow, type Flow } from "./flow.ts";
import { buildInterference } from "./interference.ts";
import type { FrameObject, MachineFunction } from "./machine.ts";
import { FIRST_VIRTUAL, NONE, type Register } from "./registers.ts";
import { spill } from "./spilling.ts";

export interface Allocation {
  /** The hardware registers that the function's body writes. */
  readonly written: ReadonlySet<Register>;
  readonly flow: Flow;
}

/** More rounds than any program needs: asm that pins too many registers would go on for ever. */
const ROUNDS = 20;

/** Thrown where a function cannot get by with the hardware's registers: asm that pins or clobbers too many of them. */
export class OutOfRegisters extends Error {}

/** Replaces every virtual register of the function by one of these hardware registers. */
export function allocate(fn: MachineFunction, hardware: readonly Register[]): Allocation {
  const unspillable = new Set<Register>();
  for (let round = 0; round < ROUNDS; round++) {
    const flow = analyseFlow(fn);
    const graph = buildInterference(fn, flow);
    const coloring = color(graph, unspillable, hardware);
    if (coloring.spilled.length === 0) {
      return { written: applyColors(fn, coloring.color), flow };
    }
    if (coloring.spilled.some((register) => unspillable.has(register))) break;
    const slots = new Map<Register, FrameObject>();
    for (const register of coloring.spilled) slots.set(register, fn.object("spill", 8, 8));
    const made = spill(fn, (r) => (r < FIRST_VIRTUAL ? null : (slots.get(coloring.representative(r)) ?? null)));
    for (const register of made) unspillable.add(register);
  }
  throw new OutOfRegisters(`${fn.symbol} needs more registers than there are`);
}

function applyColors(fn: MachineFunction, color: Int8Array): Set<Register> {
  const written = new Set<Register>();
  for (const block of fn.blocks) {
    for (const instruction of block.instructions) {
      for (const operand of instruction.operands) {
        if (operand.kind === "register") {
          operand.register = color[operand.register]!;
        } else if (operand.kind === "memory") {
          if (operand.base !== NONE) operand.base = color[operand.base]!;
          if (operand.index !== NONE) operand.index = color[operand.index]!;
        }
      }
      instruction.operandsChanged();
      for (const register of instruction.definitions) written.add(register);
    }
  }
  return written;
}
