/**
 * Instructions with their registers and numbers left open. Those that differ in nothing else are of one form, and share
 * the code of one function, which takes what is open from a record.
 */
import type { Instruction, MemoryOperand, Operand } from "#isa/instruction.ts";
import { RSP } from "#machine/cpu/state.ts";
import type { Context } from "./context.ts";

/** Numbers of registers that are open begin here. */
export const OPEN_REGISTER = 32;
const INSTRUCTION_POINTER = 16;

/** Mnemonics that use an immediate only as a value. */
const OPEN_IMMEDIATES = new Set([
  ..."mov add or adc sbb and sub xor cmp test imul push bt bts btr btc".split(" "),
  ..."shl shr sar rol ror shld shrd".split(" "),
]);

/** A hole of an open instruction, where the record has a number. */
export type Hole = "immediate" | "displacement";

export interface OpenInstruction {
  /** The same for all instructions of the form. */
  readonly key: string;
  /** Numbers of the registers that are left open, in the order in which they are first named. */
  readonly registers: readonly number[];
  readonly immediate: bigint;
  readonly displacement: bigint;
}

/** Gives the parts of one instruction that are open; null where it has no form. `closed`: registers stay as they are. */
export function openInstruction(instruction: Instruction, context: Context, closed: boolean): OpenInstruction | null {
  const { mnemonic, operands, operandWidth, addressWidth, lock, repeat, mode } = instruction;
  if (mode === 16 || addressWidth === 16) return null;
  const registers: number[] = [];
  let [immediate, displacement] = [0n, 0n];
  let key = `${mnemonic} ${operandWidth} ${addressWidth}${lock ? "l" : ""}${repeat ?? ""}`;
  const register = (number: number) => {
    if (closed) return `${number}`;
    return `r${orderOf(registers, number)}`;
  };
  for (const operand of operands) {
    switch (operand.kind) {
      case "register":
        if (operand.file !== "general") return null;
        key += ` ${operand.width}${operand.high ? "h" : ""}${register(operand.number)}`;
        break;
      case "memory":
        key += ` ${memoryKey(operand, context, register)}`;
        displacement = BigInt.asUintN(operand.addressWidth, operand.displacement);
        if (BigInt.asIntN(32, displacement) !== BigInt.asIntN(operand.addressWidth, displacement)) return null;
        break;
      case "immediate":
        if (OPEN_IMMEDIATES.has(mnemonic)) immediate = operand.value;
        key += ` i${operand.width}${OPEN_IMMEDIATES.has(mnemonic) ? "" : operand.value}`;
        break;
      case "relative":
        if (operandWidth === 16) return null;
        key += " j";
        displacement = operand.displacement;
        break;
      case "media":
        key += ` ${operand.file}${operand.number}`;
        break;
      default:
        return null;
    }
  }
  return { key, registers, immediate, displacement };
}

/** The place of a register among those that have been named; one that has not is the next. */
function orderOf(registers: number[], number: number): number {
  const known = registers.indexOf(number);
  return known >= 0 ? known : registers.push(number) - 1;
}

function memoryKey(
  { width, segment, base, index, scale, addressWidth }: MemoryOperand,
  context: Context,
  register: (number: number) => string,
): string {
  const flat = context.mode === 64 ? segment < 4 : context.segments[segment]!.flat;
  const pointer = base < 0 || base === INSTRUCTION_POINTER || base === RSP ? `${base}` : register(base);
  const factor = index < 0 ? "" : `+${register(index)}*${scale}`;
  return `[${width} ${flat ? "" : segment}:${pointer}${factor} ${addressWidth}]`;
}

/**
 * The instruction as its form has it. `expect` is called where the next constant will be the number in a hole, and says
 * whether it is one.
 */
export function withHoles(
  instruction: Instruction,
  closed: boolean,
  expect: (hole: Hole, addressWidth: number) => boolean,
): Instruction {
  const registers: number[] = [];
  const register = (number: number) => (closed ? number : OPEN_REGISTER + orderOf(registers, number));
  const operands = instruction.operands.map((operand): Operand => {
    switch (operand.kind) {
      case "register":
        return { ...operand, number: register(operand.number) };
      case "memory": {
        const { base, index } = operand;
        const pointer = base < 0 || base === INSTRUCTION_POINTER || base === RSP ? base : register(base);
        const open = { ...operand, base: pointer, index: index < 0 ? index : register(index) };
        return holed(open, "displacement", () => expect("displacement", operand.addressWidth));
      }
      case "immediate":
        if (!OPEN_IMMEDIATES.has(instruction.mnemonic)) return operand;
        return holed({ ...operand }, "value", () => expect("immediate", 0));
      default:
        return operand;
    }
  });
  return { ...instruction, operands };
}

/** The operand with a property that tells when it is read, and is not 0 then if that gives true. */
function holed<T extends Operand>(operand: T, name: keyof T & string, tell: () => boolean): T {
  const own = operand[name];
  return Object.defineProperty(operand, name, {
    get: () => {
      return tell() ? 1n : own;
    },
  });
}
