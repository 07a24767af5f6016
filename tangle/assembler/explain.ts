/** Why the instruction table has nothing for an instruction as written. */

import type { Operand } from "#isa/instruction.ts";
import { plansOf } from "#isa/matching.ts";
import { registerName } from "#isa/registers.ts";
import { SyntaxProblem } from "./lexer.ts";
import { matching, type Request } from "./request.ts";

const KIND_NAMES: Readonly<Record<Operand["kind"], string>> = {
  register: "register",
  media: "register",
  memory: "memory",
  immediate: "number",
  relative: "target",
  far: "far pointer",
};

function operandText(operand: Operand): string {
  if (operand.kind === "register" || operand.kind === "media") return registerName(operand);
  if (operand.kind === "memory") return operand.width === 0 ? "memory" : `${operand.width}-bit memory`;
  return KIND_NAMES[operand.kind];
}

/** The reason why no row of the table takes these operands, as far as it can be told. */
export function explain(request: Request, operands: readonly Operand[]): SyntaxProblem {
  const { syntax, column } = request;
  if (plansOf(request.mnemonic, syntax.mode).length === 0) {
    return new SyntaxProblem("AS2016", `${syntax.mnemonic} does not exist in ${syntax.mode}-bit code`, column);
  }
  const zeroed = operands.map((operand) => (operand.kind === "immediate" ? { ...operand, value: 0n } : operand));
  const large = operands.findIndex((operand) => operand.kind === "immediate");
  if (large >= 0 && matching(request, zeroed).length > 0) {
    const value = (operands[large] as { value: bigint }).value;
    const message = `${value < 0n ? value : `0x${value.toString(16)}`} is too large for this operand`;
    return new SyntaxProblem("AS2013", message, request.operands[large]!.column);
  }
  if (matching(request, operands).length > 0) {
    return new SyntaxProblem(
      "AS2017",
      "these operands cannot be encoded together",
      column,
      "ah, ch, dh and bh exclude r8 to r15, sil, dil and 64-bit operands; addresses have 32 bits, sign-extended",
    );
  }
  const texts = operands.map(operandText).join(", ");
  const missing = operands.length === 0 ? "without operands" : `with operands ${texts}`;
  const registers = operands.filter((operand) => operand.kind === "register");
  const differ = new Set(registers.map((operand) => operand.width)).size > 1;
  const hint = differ ? "the operands have different widths" : undefined;
  return new SyntaxProblem(
    "AS2017",
    `${syntax.mnemonic} does not exist ${missing} in ${syntax.mode}-bit code`,
    column,
    hint,
  );
}
