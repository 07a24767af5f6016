/** asm`…`: operands get registers, clobbers lose theirs, the text stays text until emission. */
import type { Instruction } from "../ssa/ir.ts";
import { widthOf } from "./facts.ts";
import { type Operand, RegisterOperand } from "./machine.ts";
import { type Register, RSP, registerNumber } from "./registers.ts";
import type { Selection } from "./selection.ts";

type Assembly = Extract<Instruction, { kind: "asm" }>;

/**
 * The text may write its outputs before it has read its inputs. So outputs and clobbered registers start to live before
 * it, and what is both input and output is touched once more after its copy: no other input can share their registers.
 */
export function lowerAssembly(s: Selection, instruction: Assembly): void {
  const { operands, inputs, results } = instruction;
  const clobbered = instruction.clobbers.map(registerNumber).filter((r) => r !== null && r !== RSP) as Register[];
  const pinned = operands.map((operand) => (operand.register === null ? null : registerNumber(operand.register)));
  const outputs = results[Symbol.iterator]();
  const outputOf = operands.map((operand) => (operand.mode === "in" ? null : outputs.next().value!));

  const registers = operands.map((operand, i) => {
    if (pinned[i] !== null) return pinned[i]!;
    if (operand.mode !== "in") return s.result(outputOf[i]!);
    return s.register(inputs[i]!);
  });
  const written = registers.filter((_, i) => operands[i]!.mode === "out");
  const started = [...new Set([...clobbered, ...written])];
  if (started.length > 0)
    s.emit(
      "define",
      started.map((register) => new RegisterOperand(register, 64)),
    );
  for (const wantsPin of [false, true]) {
    operands.forEach((operand, i) => {
      const copied = operand.mode === "inout" || (operand.mode === "in" && pinned[i] !== null);
      if (copied && (pinned[i] !== null) === wantsPin) s.moveTo(registers[i]!, inputs[i]!);
    });
  }
  const both = registers.filter((_, i) => operands[i]!.mode === "inout");
  if (both.length > 0)
    s.emit(
      "keep",
      both.map((register) => new RegisterOperand(register, 64)),
    );
  const asOperands: Operand[] = operands.map((o, i) => new RegisterOperand(registers[i]!, widthOf(o.type)));
  const roles = operands.map((operand) => (operand.mode === "in" ? "r" : "m")).join("");
  s.emit("asm", asOperands, { reads: clobbered, writes: clobbered, assembly: { text: instruction.text, roles } });
  operands.forEach((operand, i) => {
    const output = outputOf[i];
    if (!output || pinned[i] === null || s.facts.useCount(output) === 0) return;
    s.copy(s.result(output), pinned[i]!, widthOf(operand.type));
  });
}
