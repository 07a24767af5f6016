/** The stack frame of a function, and the code that sets it up and takes it down. */
import { ImmediateOperand, type MachineFunction, MachineInstruction, RegisterOperand } from "./machine.ts";
import { type Register, RSP } from "./registers.ts";

export interface Frame {
  readonly prologue: readonly MachineInstruction[];
  /** Up to, not including, the return. */
  readonly epilogue: readonly MachineInstruction[];
}

/**
 * Gives every frame object its offset from rsp. From low to high addresses: stack arguments of calls, objects, saved
 * registers, return address, stack arguments of this function. There is no red zone: an interrupt writes below rsp.
 */
export function layOutFrame(fn: MachineFunction, saved: readonly Register[]): Frame {
  let size = fn.outgoing;
  let align = 8;
  const objects = fn.frame.filter((object) => object.kind === "slot" || object.kind === "spill");
  // Large alignments first: fewer gaps. Sorting is stable, so the order is the same every time.
  for (const object of [...objects].sort((a, b) => b.align - a.align)) {
    size = roundUp(size, Math.min(object.align, STACK_ALIGN));
    object.offset = size;
    size += object.size;
    align = Math.max(align, object.align);
  }
  size = roundUp(size, 8);
  const above = 8 + saved.length * 8;
  // At a call rsp is a multiple of 16, so it is 8 more than one at entry (System V AMD64 ABI, section 3.2.2).
  if (fn.calls || align > 8) size = roundUp(size + above, STACK_ALIGN) - above;
  for (const object of fn.frame) if (object.kind === "incoming") object.offset = size + above;

  const register = (r: Register) => new RegisterOperand(r, 64);
  const make = (mnemonic: string, operands: MachineInstruction["operands"]) =>
    new MachineInstruction(mnemonic, operands, fn.place);
  const adjust = (mnemonic: string) =>
    size === 0 ? [] : [make(mnemonic, [register(RSP), new ImmediateOperand(BigInt(size), 64)])];
  return {
    prologue: [...saved.map((r) => make("push", [register(r)])), ...adjust("sub")],
    epilogue: [...adjust("add"), ...[...saved].reverse().map((r) => make("pop", [register(r)]))],
  };
}

const STACK_ALIGN = 16;

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
