/** Shorter instructions for the same thing, found once registers are known. */
import { type MachineBlock, MachineInstruction, MemoryOperand, RegisterOperand } from "./machine.ts";
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
  return zeroIdioms(block, additions(withoutRepeatedCopies(block.instructions.map(plainAddress))));
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

/** `mov r, 0` is `xor r, r` where nobody waits for the flags. */
function zeroIdioms(block: MachineBlock, instructions: readonly MachineInstruction[]): readonly MachineInstruction[] {
  let awaited = block.terminator.kind === "branch";
  const result = [...instructions];
  for (let i = result.length - 1; i >= 0; i--) {
    const { mnemonic, operands, place } = result[i]!;
    const [to, value] = operands;
    if (
      mnemonic === "mov" &&
      to?.kind === "register" &&
      value?.kind === "immediate" &&
      value.value === 0n &&
      !awaited
    ) {
      result[i] = new MachineInstruction(
        "xor",
        [new RegisterOperand(to.register, 32), new RegisterOperand(to.register, 32)],
        place,
      );
    }
    if (READS_FLAGS.has(mnemonic)) awaited = true;
    else if (!KEEPS_FLAGS.has(mnemonic)) awaited = false;
  }
  return result;
}
