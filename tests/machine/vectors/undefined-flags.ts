/** Which flags the manual leaves undefined for a case (Intel SDM vol. 2, "Flags affected" of each instruction). */
import { instructionOf, type VectorInputs } from "./cases.ts";

const CF = 0x001;
const PF = 0x004;
const AF = 0x010;
const ZF = 0x040;
const SF = 0x080;
const OF = 0x800;
const STATUS = CF | PF | AF | ZF | SF | OF;

const ALWAYS: Readonly<Record<string, number>> = {
  and: AF,
  or: AF,
  xor: AF,
  test: AF,
  mul: PF | AF | ZF | SF,
  imul: PF | AF | ZF | SF,
  div: STATUS,
  idiv: STATUS,
  bt: OF | SF | AF | PF,
  bts: OF | SF | AF | PF,
  btr: OF | SF | AF | PF,
  btc: OF | SF | AF | PF,
  bsf: STATUS & ~ZF,
  bsr: STATUS & ~ZF,
  daa: OF,
  das: OF,
  aaa: OF | SF | ZF | PF,
  aas: OF | SF | ZF | PF,
  aam: OF | AF | CF,
  aad: OF | AF | CF,
};

/** Shifts by zero change nothing; shifts by one define the overflow flag; longer ones than the operand lose the carry. */
function afterShift(mnemonic: string, width: number, count: number): number {
  if (count === 0) return 0;
  const overflow = count === 1 ? 0 : OF;
  if (mnemonic === "rol" || mnemonic === "ror" || mnemonic === "rcl" || mnemonic === "rcr") return overflow;
  const carry = mnemonic !== "sar" && count >= width ? CF : 0;
  return overflow | carry | AF;
}

export function undefinedFlags(inputs: VectorInputs): number {
  const instruction = instructionOf(inputs);
  if (instruction.mnemonic === null) throw new Error("a vector's code does not decode");
  const { mnemonic, operands } = instruction;
  if (ALWAYS[mnemonic] !== undefined) return ALWAYS[mnemonic];
  if (!/^(ro[lr]|rc[lr]|sh[lr]|sar|sh[lr]d)$/.test(mnemonic)) return 0;
  const count = operands[operands.length - 1]!;
  const width = operands[0]!.width;
  const amount = count.kind === "immediate" ? count.value : inputs.registers[1]!;
  return afterShift(mnemonic, width, Number(amount & (width === 64 ? 63n : 31n)));
}
