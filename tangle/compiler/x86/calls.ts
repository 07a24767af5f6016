/** Calls, parameters and results: the integer part of the System V AMD64 calling convention. */
import type { Place } from "../../place.ts";
import type { Instruction, Value } from "../ssa/ir.ts";
import { widthOf } from "./facts.ts";
import { MemoryOperand, RegisterOperand } from "./machine.ts";
import { ARGUMENTS, CALLER_SAVED, NONE, RESULTS, RSP } from "./registers.ts";
import type { Selection } from "./selection.ts";

type Call = Extract<Instruction, { kind: "call" | "callIndirect" }>;

/** Parameters arrive in registers, then in the caller's frame, right above the return address. */
export function lowerParameters(s: Selection, parameters: readonly Value[]): void {
  if (s.fn.convention !== "plain") {
    lowerInterruptParameters(s, parameters);
    return;
  }
  const inMemory = parameters.length > ARGUMENTS.length ? s.machine.object("incoming", 0, 8) : null;
  parameters.forEach((parameter, i) => {
    if (s.facts.useCount(parameter) === 0) return;
    const to = s.result(parameter);
    const register = ARGUMENTS[i];
    if (register !== undefined) {
      s.copy(to, register, widthOf(parameter.type));
    } else {
      const at = (i - ARGUMENTS.length) * 8;
      s.emit("mov", [new RegisterOperand(to, 64), new MemoryOperand(64, NONE, at, NONE, 1, null, inMemory)]);
    }
  });
}

/** The address of the frame that the processor pushed, rip first, and the error code below it where there is one. */
function lowerInterruptParameters(s: Selection, [frame, error]: readonly Value[]): void {
  const pushed = s.machine.object("incoming", 0, 8);
  const hasError = s.fn.convention === "interruptWithError";
  const at = (width: 0 | 64, offset: number) => new MemoryOperand(width, NONE, offset, NONE, 1, null, pushed);
  if (frame !== undefined && s.facts.useCount(frame) > 0) {
    s.emit("lea", [new RegisterOperand(s.result(frame), 64), at(0, hasError ? 8 : 0)]);
  }
  if (error !== undefined && s.facts.useCount(error) > 0) {
    s.emit("mov", [new RegisterOperand(s.result(error), 64), at(64, 0)]);
  }
}

export function lowerCall(s: Selection, instruction: Call): void {
  if (s.block.terminator.kind !== "unreachable") s.machine.calls = true;
  const callee = instruction.kind === "callIndirect" ? s.register(instruction.callee) : null;
  const values = instruction.arguments;
  const onStack = values.slice(ARGUMENTS.length);
  s.machine.outgoing = Math.max(s.machine.outgoing, onStack.length * 8);
  onStack.forEach((value, i) => {
    const operand = s.operand(value, 64);
    const slot = new MemoryOperand(64, RSP, i * 8);
    s.emit("mov", [slot, operand]);
  });
  const reads = ARGUMENTS.slice(0, values.length);
  reads.forEach((register, i) => {
    s.moveTo(register, values[i]!);
  });
  const extras = { reads, writes: CALLER_SAVED };
  if (instruction.kind === "call") s.emit("call", [], { ...extras, symbol: instruction.symbol });
  else s.emit("call", [new RegisterOperand(callee!, 64)], extras);
  takeResults(s, instruction.results);
}

function takeResults(s: Selection, results: readonly Value[]): void {
  results.forEach((result, i) => {
    if (s.facts.useCount(result) > 0) s.copy(s.result(result), RESULTS[i]!, widthOf(result.type));
  });
}

export function lowerReturn(s: Selection, values: readonly Value[], place: Place | null): void {
  values.forEach((value, i) => {
    s.moveTo(RESULTS[i]!, value);
  });
  s.current.terminator = { kind: "return", reads: RESULTS.slice(0, values.length), place };
}
