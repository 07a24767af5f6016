/** The text of asm`…` to bytes, once its operands have registers. */
import { assembleInline, type InlineAssembly } from "../../assembler/assembler.ts";
import type { Diagnostic, Place } from "../../place.ts";
import type { MachineInstruction } from "./machine.ts";
import { registerName } from "./registers.ts";

export interface AssembledText extends Pick<InlineAssembly, "bytes" | "relocations"> {
  readonly lines: readonly { readonly offset: number; readonly place: Place }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Characters between the place of the expression and its text. */
const PREFIX = "asm`".length;
const NOWHERE: Place = { file: "", line: 1, column: 1 };

export function assembleText(instruction: MachineInstruction): AssembledText {
  const operands = instruction.operands.map((operand) => {
    if (operand.kind !== "register") throw new Error("an operand of asm has no register");
    return registerName(operand.register, operand.width);
  });
  const start = instruction.place ?? NOWHERE;
  const place = { ...start, column: start.column + PREFIX };
  const made = assembleInline(instruction.extras!.assembly!.text, { mode: 64, operands, place });
  const lines = made.lines.map(({ offset, line, column }) => ({
    offset,
    place: { file: start.file, line: start.line + line - 1, column: line === 1 ? place.column + column - 1 : column },
  }));
  return { bytes: made.bytes, relocations: made.relocations, lines, diagnostics: made.diagnostics };
}
