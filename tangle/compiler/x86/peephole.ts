/** Shorter instructions for the same thing, found once registers are known. */
import {
  ImmediateOperand,
  type MachineBlock,
  MachineInstruction,
  MemoryOperand,
  type Operand,
  RegisterOperand,
} from "./machine.ts";
import { NONE, type Register, RSP } from "./registers.ts";

const READS_FLAGS: ReadonlySet<string> = new Set(["set", "cmov", "pushfq"]);
const KEEPS_FLAGS: ReadonlySet<string> = new Set([
  "copy",
  "mov",
  "movzx",
  "movsx",
  "movsxd",
  "lea",
  "push",
  "pop",
  "not",
  "xchg",
]);

/** The block's instructions, improved; their meaning is the same but for flags that nobody reads. */
export function shorten(block: MachineBlock): readonly MachineInstruction[] {
  return flagWriters(block, additions(withoutRepeatedCopies(block.instructions.map(plainAddress))));
}

/** The address of the frame's first byte is rsp itself. */
function plainAddress(instruction: MachineInstruction): MachineInstruction {
  const [to, from] = instruction.operands;
  if (instruction.mnemonic !== "lea" || from?.kind !== "memory" || from.frame === null) return instruction;
  if (from.index !== NONE || from.frame.offset + from.displacement !== 0) return instruction;
  return new MachineInstruction("copy", [to!, new RegisterOperand(RSP, 64)], instruction.place);
}

/** Leaves out copies between registers that hold the same value already, because of a copy before. */
function withoutRepeatedCopies(instructions: readonly MachineInstruction[]): readonly MachineInstruction[] {
  /** By register: the one it was copied from, and how many bits. */
  const origin = new Map<Register, { readonly from: Register; readonly width: number }>();
  const isSame = (a: Register, b: Register, width: number) => {
    const found = origin.get(a);
    return found !== undefined && found.from === b && found.width >= width;
  };
  return instructions.filter((instruction) => {
    const [to, from] = instruction.operands;
    const isCopy = instruction.mnemonic === "copy" && to?.kind === "register" && from?.kind === "register";
    if (isCopy && (isSame(to.register, from.register, to.width) || isSame(from.register, to.register, to.width))) {
      return false;
    }
    for (const register of instruction.definitions) {
      origin.delete(register);
      for (const [other, { from: source }] of origin) if (source === register) origin.delete(other);
    }
    if (isCopy) origin.set(to.register, { from: from.register, width: to.width });
    return true;
  });
}

/** `copy d, a; add d, b` is `lea d, [a + b]`, and twice a is a + a. Nobody reads the flags of an addition. */
function additions(instructions: readonly MachineInstruction[]): readonly MachineInstruction[] {
  const result: MachineInstruction[] = [];
  for (const instruction of instructions) {
    const before = result[result.length - 1];
    const joined = before?.mnemonic === "copy" ? join(before, instruction) : null;
    if (joined === null) {
      result.push(instruction);
    } else {
      result.pop();
      result.push(joined);
    }
  }
  return result;
}

function join(
  copy: MachineInstruction,
  { mnemonic, operands, extras, place }: MachineInstruction,
): MachineInstruction | null {
  if ((mnemonic !== "add" && mnemonic !== "sub" && mnemonic !== "shl") || extras?.lock) return null;
  const [to, from] = copy.operands;
  const [target, term] = operands;
  if (to?.kind !== "register" || from?.kind !== "register" || target?.kind !== "register") return null;
  if (to.register !== target.register || to.width < target.width) return null;
  if (mnemonic === "shl") {
    if (term?.kind !== "immediate" || term.value !== 1n) return null;
    return new MachineInstruction("lea", [target, new MemoryOperand(0, from.register, 0, from.register)], place);
  }
  if (term?.kind === "immediate") {
    const displacement = mnemonic === "add" ? term.value : -term.value;
    if (displacement > 0x7fff_ffffn) return null;
    return new MachineInstruction("lea", [target, new MemoryOperand(0, from.register, Number(displacement))], place);
  }
  if (term?.kind !== "register" || mnemonic !== "add" || term.register === to.register) return null;
  return new MachineInstruction("lea", [target, new MemoryOperand(0, from.register, 0, term.register)], place);
}

/** Shorter instructions that write the flags, where nobody waits for those of an earlier one. */
function flagWriters(block: MachineBlock, instructions: readonly MachineInstruction[]): readonly MachineInstruction[] {
  let awaited = block.terminator.kind === "branch";
  const result = [...instructions];
  for (let i = result.length - 1; i >= 0; i--) {
    const instruction = result[i]!;
    if (!awaited) result[i] = zeroIdiom(instruction) ?? addInPlace(instruction) ?? instruction;
    if (READS_FLAGS.has(instruction.mnemonic)) awaited = true;
    else if (!KEEPS_FLAGS.has(instruction.mnemonic)) awaited = false;
  }
  return result;
}

/** `mov r, 0` is `xor r, r`. */
function zeroIdiom({ mnemonic, operands, place }: MachineInstruction): MachineInstruction | null {
  const [to, value] = operands;
  if (mnemonic !== "mov" || to?.kind !== "register" || value?.kind !== "immediate" || value.value !== 0n) return null;
  const register = new RegisterOperand(to.register, 32);
  return new MachineInstruction("xor", [register, new RegisterOperand(to.register, 32)], place);
}

/** `lea d, [d + b]` is `add d, b`, and `lea d, [d + 5]` is `add d, 5`. */
function addInPlace({ mnemonic, operands, place }: MachineInstruction): MachineInstruction | null {
  const [to, sum] = operands;
  if (mnemonic !== "lea" || to?.kind !== "register" || sum?.kind !== "memory") return null;
  const { base, index, scale, displacement, symbol, frame } = sum;
  if (symbol !== null || frame !== null || base === NONE || scale !== 1) return null;
  const make = (name: string, operand: Operand) => new MachineInstruction(name, [to, operand], place);
  if (index === NONE && base === to.register) {
    // As short as can be: an immediate byte reaches from -128 to 127.
    const isSubtraction = displacement < 0 && displacement !== -128 && displacement !== -0x8000_0000;
    const bytes = BigInt(isSubtraction ? -displacement : displacement);
    return make(isSubtraction ? "sub" : "add", new ImmediateOperand(bytes, to.width));
  }
  if (displacement !== 0) return null;
  if (base === to.register) return make("add", new RegisterOperand(index, to.width));
  if (index === to.register) return make("add", new RegisterOperand(base, to.width));
  return null;
}
