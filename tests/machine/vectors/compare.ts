/** A vector's outcome beside a processor's: what differs, in words. */
import type { Instruction, MemoryOperand } from "../../../machine/isa/instruction.ts";
import {
  COMPARED_FLAGS,
  inputsOf,
  instructionOf,
  START,
  type Vector,
  type VectorInputs,
  type VectorOutputs,
  WINDOW,
} from "./cases.ts";
import { mediaDifferences } from "./media-compare.ts";

const hex = (value: bigint | number) => value.toString(16);

/** Operands for which the manual leaves the result undefined: of f2xm1 beyond 1, of fyl2xp1 beyond 1 - √½. */
function isOutOfRange(mnemonic: string, { media }: VectorInputs): boolean {
  const exponent = (media[40]! | (media[41]! << 8)) & 0x7fff;
  if (mnemonic === "f2xm1") return exponent >= 0x3fff;
  return mnemonic === "fyl2xp1" && exponent >= 0x3ffd;
}

/** Offset in the window of what a memory operand names. */
function placeOf(operand: MemoryOperand, length: number, inputs: VectorInputs): number {
  const part = (number: number) =>
    number < 0 ? 0n : number === 16 ? BigInt(START + length) : inputs.registers[number]!;
  const address = part(operand.base) + part(operand.index) * BigInt(operand.scale) + operand.displacement;
  return Number(BigInt.asUintN(operand.addressWidth, address)) - WINDOW;
}

/** Bits of MXCSR that every processor with SSE2 has, and bit 17, which AMD's have (APM vol. 1, section 4.2.2) and ours not. */
const MXCSR_BITS = 0xffff;
const MISALIGNED_MASK = 0x20000;

/** Whether a value for MXCSR can be loaded on AMD's processors only. */
function isAmdMxcsr({ mnemonic, operands, length }: Instruction, inputs: VectorInputs): boolean {
  const [operand] = operands;
  if (!/^(ldmxcsr|fxrstor(64)?)$/.test(mnemonic) || operand?.kind !== "memory") return false;
  const place = placeOf(operand, length, inputs) + (mnemonic === "ldmxcsr" ? 0 : 24);
  const value = new DataView(inputs.memory.buffer).getUint32(place, true);
  return (value & ~MXCSR_BITS) >>> 0 === MISALIGNED_MASK;
}

/** Where fnstenv and fnsave put the pointers of the last instruction, which no two makes of processor keep alike. */
function pointerBytes(instruction: Instruction, inputs: VectorInputs): (at: number) => boolean {
  const [operand] = instruction.operands;
  if (!/^(fnstenv|fnsave|fxsave(64)?)$/.test(instruction.mnemonic) || operand?.kind !== "memory") return () => false;
  const start = placeOf(operand, instruction.length, inputs);
  const [first, last] = instruction.mnemonic.startsWith("fx")
    ? [6, 24]
    : instruction.operandWidth === 16
      ? [6, 14]
      : [12, 28];
  // AMD's mask of MXCSR has one bit more.
  const isMask = (at: number) => instruction.mnemonic.startsWith("fx") && at >= start + 28 && at < start + 32;
  return (at) => (at >= start + first && at < start + last) || isMask(at);
}

/** Empty where nothing differs. */
export function differences(
  vector: Vector,
  run: (inputs: VectorInputs) => VectorOutputs,
  inputs = inputsOf(vector),
): string[] {
  const instruction = instructionOf(vector);
  if (instruction.mnemonic === null) return ["the code does not decode"];
  const { mnemonic } = instruction;
  if (isAmdMxcsr(instruction, inputs)) return [];
  const found = run(inputs);
  const { outputs } = vector;
  const wrong: string[] = [];
  if (found.fault !== outputs.fault) return [`fault ${found.fault}, not ${outputs.fault}`];
  if (isOutOfRange(mnemonic, inputs)) return [];
  if (outputs.fault === null && found.rip !== outputs.rip) wrong.push(`rip +${found.rip}, not +${outputs.rip}`);
  outputs.registers.forEach((value, number) => {
    if (found.registers[number] !== value) wrong.push(`r${number} ${hex(found.registers[number]!)}, not ${hex(value)}`);
  });
  const flags = (found.flags ^ outputs.flags) & COMPARED_FLAGS & ~vector.undefinedFlags;
  if (flags !== 0) wrong.push(`flags ${hex(found.flags)}, not ${hex(outputs.flags)} (differ in ${hex(flags)})`);
  const unkept = pointerBytes(instruction, inputs);
  const byte = found.memory.findIndex((value, at) => value !== outputs.memory[at] && !unkept(at));
  if (byte >= 0) wrong.push(`memory differs at ${byte}`);
  return [...wrong, ...mediaDifferences(mnemonic, found.media, outputs.media)];
}
