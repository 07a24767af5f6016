/** Integer arithmetic and conversions. */
import type { BinaryOperation, Instruction, Value } from "../ssa/ir.ts";
import { addition, foldableLoad } from "./addresses.ts";
import { widthOf } from "./facts.ts";
import { ImmediateOperand, MemoryOperand, type Operand, RegisterOperand } from "./machine.ts";
import { RAX, RCX, RDX, type Register } from "./registers.ts";
import { operationWidth, type Selection } from "./selection.ts";

type Binary = Extract<Instruction, { kind: "binary" }>;
type Arithmetic = Extract<
  Instruction,
  { kind: "binary" | "negate" | "complement" | "zeroExtend" | "signExtend" | "truncate" }
>;

export function lowerArithmetic(s: Selection, instruction: Arithmetic): void {
  const result = instruction.results[0]!;
  const to = s.result(result);
  switch (instruction.kind) {
    case "binary":
      lowerBinary(s, instruction, result, to);
      break;
    case "negate":
    case "complement": {
      const width = operationWidth(result.type);
      s.copy(to, s.register(instruction.operand), width);
      if (instruction.kind === "negate") s.emit("neg", [new RegisterOperand(to, width)]);
      else if (result.type === "i1") s.emit("xor", [new RegisterOperand(to, 32), new ImmediateOperand(1n, 32)]);
      else s.emit("not", [new RegisterOperand(to, width)]);
      return;
    }
    case "zeroExtend":
      zeroExtend(s, to, instruction.operand);
      break;
    case "signExtend":
      signExtend(s, to, instruction.operand, operationWidth(result.type));
      break;
    case "truncate":
      // Only to one bit: all other cuts share their operand's register.
      s.copy(to, s.register(instruction.operand), 32);
      s.emit("and", [new RegisterOperand(to, 32), new ImmediateOperand(1n, 32)]);
      return;
  }
}

function lowerBinary(s: Selection, instruction: Binary, result: Value, to: Register): void {
  const { operation } = instruction;
  const width = operationWidth(result.type);
  switch (operation) {
    case "add": {
      const sum = addition(s, result);
      if (sum !== null) s.emit("lea", [new RegisterOperand(to, width), sum]);
      else twoOperands(s, "add", instruction, to);
      break;
    }
    case "mul":
      multiply(s, instruction, to);
      break;
    case "or":
      if (!rotate(s, instruction, to)) twoOperands(s, operation, instruction, to);
      break;
    case "sub":
    case "and":
    case "xor":
      twoOperands(s, operation, instruction, to);
      break;
    case "shl":
    case "shr":
    case "sar":
      shift(s, instruction, to);
      break;
    case "umulh":
    case "smulh":
      multiplyHigh(s, instruction, to);
      break;
    case "udiv":
    case "urem":
    case "sdiv":
    case "srem":
      divide(s, instruction, to);
      break;
  }
}

const COMMUTATIVE: ReadonlySet<BinaryOperation> = new Set(["add", "mul", "umulh", "smulh", "and", "or", "xor"]);

/** Left and right, swapped where that lets the right one be a constant or a load, or the left one be overwritten. */
function ordered(s: Selection, { operation, left, right }: Binary): [Value, Value] {
  if (!COMMUTATIVE.has(operation) || s.constantOf(right) !== null) return [left, right];
  if (s.constantOf(left) !== null) return [right, left];
  const isLoad = (v: Value) => s.facts.definition(v)?.instruction.kind === "load" && s.facts.useCount(v) === 1;
  if (isLoad(left) && !isLoad(right)) return [right, left];
  if (isLoad(right) || s.facts.useCount(right) > 1) return [left, right];
  if (s.facts.useCount(left) > 1) return [right, left];
  // Both end here: what was computed last is likelier to be where the result goes, as a call's result is.
  const [first, last] = [s.facts.definition(left), s.facts.definition(right)];
  const isLater = last !== null && last.block === s.block && (first?.block !== s.block || first.index < last.index);
  return isLater && last.instruction.kind === "call" ? [right, left] : [left, right];
}

/** The right operand: immediate, memory or register. Bits above an and, or, xor of bytes must stay predictable. */
function rightOperand(s: Selection, operation: BinaryOperation, value: Value): Operand {
  const width = operationWidth(value.type);
  const bitwise = operation === "and" || operation === "or" || operation === "xor";
  return foldableLoad(s, value, width) ?? s.operand(value, width, bitwise ? "unsigned" : "signed");
}

function twoOperands(s: Selection, mnemonic: string, instruction: Binary, to: Register): void {
  const width = operationWidth(instruction.results[0]!.type);
  const [left, right] = ordered(s, instruction);
  const operand = rightOperand(s, instruction.operation, right);
  s.moveTo(to, left);
  s.emit(mnemonic, [new RegisterOperand(to, width), operand]);
}

/** `x << n | x >> (width - n)`. */
function rotate(s: Selection, { left, right }: Binary, to: Register): boolean {
  const shiftOf = (value: Value) => {
    const definition = s.facts.definition(value);
    const { instruction } = definition ?? {};
    if (instruction?.kind !== "binary" || definition!.block !== s.block || s.facts.useCount(value) !== 1) return null;
    const count = s.constantOf(instruction.right);
    return count === null ? null : { operation: instruction.operation, value: instruction.left, count };
  };
  const [a, b] = [shiftOf(left), shiftOf(right)];
  const bits = widthOf(left.type);
  if (a === null || b === null || a.value !== b.value || a.count + b.count !== BigInt(bits)) return false;
  const up = a.operation === "shl" ? a : b;
  const down = a.operation === "shl" ? b : a;
  if (up.operation !== "shl" || down.operation !== "shr" || up.count === 0n) return false;
  s.moveTo(to, a.value);
  s.emit("rol", [new RegisterOperand(to, bits), new ImmediateOperand(up.count, 8)]);
  return true;
}

function multiply(s: Selection, instruction: Binary, to: Register): void {
  const width = operationWidth(instruction.results[0]!.type);
  const [left, right] = ordered(s, instruction);
  const factor = s.constantOf(right);
  if (factor === 3n || factor === 5n || factor === 9n) {
    const register = s.register(left);
    const scale = (Number(factor) - 1) as 2 | 4 | 8;
    s.emit("lea", [new RegisterOperand(to, width), new MemoryOperand(0, register, 0, register, scale)]);
    return;
  }
  const found = rightOperand(s, "mul", right);
  const operand = found.kind === "symbol" ? s.registerOperand(right, width) : found;
  if (operand.kind === "immediate") {
    const source = foldableLoad(s, left, width) ?? s.registerOperand(left, width);
    s.emit("imul3", [new RegisterOperand(to, width), source, operand]);
    return;
  }
  s.moveTo(to, left);
  s.emit("imul", [new RegisterOperand(to, width), operand]);
}

/** The upper half of the product of rax and an operand comes out in rdx. */
function multiplyHigh(s: Selection, instruction: Binary, to: Register): void {
  const [left, right] = ordered(s, instruction);
  const factor = foldableLoad(s, left, 64) ?? s.registerOperand(left, 64);
  s.moveTo(RAX, right);
  s.emit(instruction.operation === "umulh" ? "mul" : "imul1", [factor], { reads: [RAX], writes: [RAX, RDX] });
  s.copy(to, RDX, 64);
}

/** Shifts look at the count modulo 32 or 64; narrower ones must cut it themselves. Right shifts need all bits right. */
function shift(s: Selection, instruction: Binary, to: Register): void {
  const { left, right } = instruction;
  const bits = widthOf(left.type);
  const width = operationWidth(left.type);
  const mnemonic = instruction.operation;
  const start = () => {
    if (mnemonic === "shl" || bits >= 32) s.moveTo(to, left);
    else extend(s, to, left, mnemonic === "sar");
  };
  const count = s.constantOf(right);
  if (count !== null) {
    start();
    s.emit(mnemonic, [new RegisterOperand(to, width), new ImmediateOperand(count & BigInt(bits - 1), 8)]);
    return;
  }
  const by = shiftCount(s, right, bits);
  start();
  s.moveTo(RCX, by);
  if (bits < 32) s.emit("and", [new RegisterOperand(RCX, 32), new ImmediateOperand(BigInt(bits - 1), 32)]);
  s.emit(mnemonic, [new RegisterOperand(to, width), new RegisterOperand(RCX, 8)]);
}

/** The count without a mask that the processor applies by itself. */
function shiftCount(s: Selection, count: Value, bits: number): Value {
  const instruction = s.facts.definition(s.facts.root(count))?.instruction;
  if (bits < 32 || instruction?.kind !== "binary" || instruction.operation !== "and") return count;
  const mask = s.constantOf(instruction.right);
  return mask !== null && (mask & BigInt(bits - 1)) === BigInt(bits - 1) ? instruction.left : count;
}

/** Division wants rdx:rax; narrow operands are extended to 32 bits first. */
function divide(s: Selection, instruction: Binary, to: Register): void {
  const { operation, left, right } = instruction;
  const signed = operation === "sdiv" || operation === "srem";
  const bits = widthOf(left.type);
  const width = operationWidth(left.type);
  let divisor: Operand;
  if (bits >= 32) {
    divisor = foldableLoad(s, right, width) ?? s.registerOperand(right, width);
    s.moveTo(RAX, left);
  } else {
    const extended = s.machine.register();
    extend(s, extended, right, signed);
    divisor = new RegisterOperand(extended, width);
    extend(s, RAX, left, signed);
  }
  if (signed) s.emit(width === 64 ? "cqo" : "cdq", [], { reads: [RAX], writes: [RDX] });
  else s.constant(RDX, 0n);
  s.emit(signed ? "idiv" : "div", [divisor], { reads: [RAX, RDX], writes: [RAX, RDX] });
  s.copy(to, operation === "udiv" || operation === "sdiv" ? RAX : RDX, width);
}

/** All 32 bits of a register from a narrower value. */
function extend(s: Selection, to: Register, value: Value, signed: boolean): void {
  if (signed) signExtend(s, to, value, 32);
  else if (s.facts.isZeroExtended(value)) s.moveTo(to, value);
  else zeroExtend(s, to, value);
}

function zeroExtend(s: Selection, to: Register, value: Value): void {
  const bits = widthOf(value.type);
  const from = new RegisterOperand(s.register(value), bits);
  if (bits === 32) s.emit("mov", [new RegisterOperand(to, 32), from]);
  else s.emit("movzx", [new RegisterOperand(to, 32), from]);
}

function signExtend(s: Selection, to: Register, value: Value, width: 32 | 64): void {
  if (value.type === "i1") {
    extend(s, to, value, false);
    s.emit("neg", [new RegisterOperand(to, width)]);
    return;
  }
  const bits = widthOf(value.type);
  const from = foldableLoad(s, value, bits) ?? s.registerOperand(value, bits);
  s.emit(bits === 32 ? "movsxd" : "movsx", [new RegisterOperand(to, width), from]);
}
