/** Moves registers that found no colour into the frame: read and written there where the instruction allows, else through a temporary. */
import {
  type FrameObject,
  type MachineFunction,
  MachineInstruction,
  MemoryOperand,
  RegisterOperand,
} from "./machine.ts";
import { NONE, type Register } from "./registers.ts";

/** Operand positions that may be memory instead of a register that is only read. */
const READS_MEMORY: Readonly<Record<string, readonly number[]>> = {
  mov: [1],
  movzx: [1],
  movsx: [1],
  movsxd: [1],
  add: [1],
  sub: [1],
  and: [1],
  or: [1],
  xor: [1],
  cmp: [0, 1],
  test: [0],
  imul: [1],
  imul3: [1],
  mul: [0],
  imul1: [0],
  div: [0],
  idiv: [0],
  cmov: [1],
  call: [0],
};

/** Instructions whose first operand may be memory that is read and written, or only written. */
const WRITES_MEMORY: ReadonlySet<string> = new Set([
  "mov",
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "neg",
  "not",
  "shl",
  "shr",
  "sar",
  "rol",
]);

/**
 * Rewrites the function so that no register with a slot is left. A slot always holds all 64 bits. Returns the temporaries
 * made: they live for one instruction, so spilling them would not help.
 */
export function spill(fn: MachineFunction, slotOf: (register: Register) => FrameObject | null): Register[] {
  const temporaries: Register[] = [];
  const temporary = () => {
    const made = fn.register();
    temporaries.push(made);
    return made;
  };
  for (const block of fn.blocks) {
    const before = block.instructions;
    if (!before.some((instruction) => mentions(instruction, slotOf))) continue;
    block.instructions = [];
    for (const instruction of before) {
      if (mentions(instruction, slotOf)) block.instructions.push(...rewrite(instruction, slotOf, temporary));
      else block.instructions.push(instruction);
    }
  }
  return temporaries;
}

type Slots = (register: Register) => FrameObject | null;

function mentions(instruction: MachineInstruction, slotOf: Slots): boolean {
  return instruction.uses.some((r) => slotOf(r) !== null) || instruction.definitions.some((r) => slotOf(r) !== null);
}

function inFrame(slot: FrameObject, width: 8 | 16 | 32 | 64): MemoryOperand {
  return new MemoryOperand(width, NONE, 0, NONE, 1, null, slot);
}

function rewrite(instruction: MachineInstruction, slotOf: Slots, temporary: () => Register): MachineInstruction[] {
  const { operands, mnemonic, place } = instruction;
  if (mnemonic === "copy") return rewriteCopy(instruction, slotOf, temporary);
  if (mnemonic === "define" || mnemonic === "keep") {
    const kept = operands.filter((o) => o.kind !== "register" || slotOf(o.register) === null);
    // Spilled operands of asm get their own temporaries, which the asm instruction itself keeps apart.
    return kept.length === 0 ? [] : [new MachineInstruction(mnemonic, kept, place, instruction.extras)];
  }
  const loads: MachineInstruction[] = [];
  const stores: MachineInstruction[] = [];
  const stands = new Map<Register, Register>();
  let hasMemory = operands.some((operand) => operand.kind === "memory");
  const standIn = (register: Register, isRead: boolean, isWritten: boolean): Register => {
    const slot = slotOf(register);
    if (slot === null) return register;
    let made = stands.get(register);
    const isNew = made === undefined;
    if (made === undefined) {
      made = temporary();
      stands.set(register, made);
    }
    if (isRead && isNew)
      loads.push(new MachineInstruction("mov", [new RegisterOperand(made, 64), inFrame(slot, 64)], place));
    if (isWritten)
      stores.push(new MachineInstruction("mov", [inFrame(slot, 64), new RegisterOperand(made, 64)], place));
    return made;
  };
  const roles = instruction.roles;
  const mentioned = (register: Register) =>
    operands.filter((o) => o.kind === "register" && o.register === register).length;
  operands.forEach((operand, i) => {
    if (operand.kind === "memory") {
      if (operand.base !== NONE) operand.base = standIn(operand.base, true, false);
      if (operand.index !== NONE) operand.index = standIn(operand.index, true, false);
      return;
    }
    if (operand.kind !== "register") return;
    const slot = slotOf(operand.register);
    if (slot === null) return;
    const role = roles[i];
    const once = mentioned(operand.register) === 1;
    const readable = role === "r" && READS_MEMORY[mnemonic]?.includes(i);
    const other = operands[1 - i];
    const writable =
      i === 0 &&
      role !== "r" &&
      operand.width === 64 &&
      WRITES_MEMORY.has(mnemonic) &&
      other?.kind !== "symbol" &&
      other?.kind !== "memory";
    if (!hasMemory && once && (readable || writable) && isMovOfFittingImmediate(instruction)) {
      operands[i] = inFrame(slot, operand.width);
      hasMemory = true;
      return;
    }
    operand.register = standIn(operand.register, role !== "w", role !== "r");
  });
  instruction.operandsChanged();
  return [...loads, instruction, ...stores];
}

/** False for a mov of more than 32 bits, which only registers take. */
function isMovOfFittingImmediate({ mnemonic, operands }: MachineInstruction): boolean {
  const source = operands[1];
  if (mnemonic !== "mov" || source?.kind !== "immediate") return true;
  const signed = BigInt.asIntN(64, source.value);
  return signed >= -0x8000_0000n && signed <= 0x7fff_ffffn;
}

function rewriteCopy(
  { operands, place }: MachineInstruction,
  slotOf: Slots,
  temporary: () => Register,
): MachineInstruction[] {
  const [to, from] = operands as [RegisterOperand, RegisterOperand];
  const [toSlot, fromSlot] = [slotOf(to.register), slotOf(from.register)];
  const mov = (a: RegisterOperand | MemoryOperand, b: RegisterOperand | MemoryOperand) =>
    new MachineInstruction("mov", [a, b], place);
  const whole = (register: Register) => new RegisterOperand(register, 64);
  if (toSlot === fromSlot) return [];
  if (toSlot === null) return [mov(whole(to.register), inFrame(fromSlot!, 64))];
  if (fromSlot === null) return [mov(inFrame(toSlot, 64), whole(from.register))];
  const through = temporary();
  return [mov(whole(through), inFrame(fromSlot, 64)), mov(inFrame(toSlot, 64), whole(through))];
}
