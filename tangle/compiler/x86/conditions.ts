/** Comparisons: as flags for a branch, select or set, or as a value. */
import type { Instruction, Predicate, Value } from "../ssa/ir.ts";
import { foldableLoad } from "./addresses.ts";
import { widthOf } from "./facts.ts";
import { type Condition, ImmediateOperand, INVERSE, type Operand, RegisterOperand, SWAPPED } from "./machine.ts";
import { operationWidth, type Selection } from "./selection.ts";

type Compare = Extract<Instruction, { kind: "compare" }>;
type Select = Extract<Instruction, { kind: "select" }>;

const CONDITIONS: Readonly<Record<Predicate, Condition>> = {
  eq: "e",
  ne: "ne",
  ult: "b",
  ule: "be",
  ugt: "a",
  uge: "ae",
  slt: "l",
  sle: "le",
  sgt: "g",
  sge: "ge",
};

/** Emits what sets the flags for a bool, and says which condition then means true. */
export function lowerCondition(s: Selection, value: Value): Condition {
  const instruction = s.facts.definition(value)?.instruction;
  if (s.facts.useCount(value) === 1) {
    if (instruction?.kind === "compare") return compareFlags(s, instruction);
    if (instruction?.kind === "complement") return INVERSE[lowerCondition(s, instruction.operand)];
    if (isLeftInFlags(s, value)) {
      s.inFlags.add(value);
      return "e";
    }
  }
  const register = s.register(value);
  s.emit("test", [new RegisterOperand(register, 8), new RegisterOperand(register, 8)]);
  return "ne";
}

/** True for the result of a compare-exchange that ends the block: cmpxchg leaves it in the zero flag. */
function isLeftInFlags(s: Selection, value: Value): boolean {
  const definition = s.facts.definition(value);
  if (definition === null || definition.block !== s.block || s.position !== s.block.instructions.length) return false;
  const { instruction, index } = definition;
  if (instruction.kind !== "intrinsic" || instruction.name !== "atomicCompareExchange") return false;
  const after = s.block.instructions.slice(index + 1);
  return after.every(({ kind }) => kind === "constant" || kind === "symbol" || kind === "slot");
}

export function lowerCompare(s: Selection, instruction: Compare): void {
  const to = s.result(instruction.results[0]!);
  s.constant(to, 0n);
  const condition = compareFlags(s, instruction);
  s.emit("set", [new RegisterOperand(to, 8)], { condition });
}

/** `copy; compare; cmov`: bytes and words are moved as 32 bits. */
export function lowerSelect(s: Selection, instruction: Select): void {
  const to = s.result(instruction.results[0]!);
  const width = operationWidth(instruction.results[0]!.type);
  const then = foldableLoad(s, instruction.then, width) ?? s.registerOperand(instruction.then, width);
  s.moveTo(to, instruction.otherwise);
  const condition = lowerCondition(s, instruction.condition);
  s.emit("cmov", [new RegisterOperand(to, width), then], { condition });
}

function compareFlags(s: Selection, { predicate, left, right }: Compare): Condition {
  if (s.constantOf(left) !== null && s.constantOf(right) === null) {
    return SWAPPED[compare(s, predicate, right, left)];
  }
  return compare(s, predicate, left, right);
}

function compare(s: Selection, predicate: Predicate, left: Value, right: Value): Condition {
  const width = widthOf(left.type);
  const condition = CONDITIONS[predicate];
  if (s.constantOf(right) === 0n) {
    if (condition === "e" || condition === "ne") {
      if (testBits(s, left)) return condition;
    }
    const memory = foldableLoad(s, left, width);
    if (memory === null) {
      const register = s.register(left);
      s.emit("test", [new RegisterOperand(register, width), new RegisterOperand(register, width)]);
    } else {
      s.emit("cmp", [memory, new ImmediateOperand(0n, width)]);
    }
    return condition;
  }
  const memory = foldableLoad(s, left, width);
  const first: Operand = memory ?? s.registerOperand(left, width);
  const loaded = memory === null ? foldableLoad(s, right, width) : null;
  s.emit("cmp", [first, loaded ?? s.operand(right, width)]);
  return condition;
}

/** `(a & b) == 0` as a test of a and b. */
function testBits(s: Selection, value: Value): boolean {
  const definition = s.facts.definition(value);
  const instruction = definition?.instruction;
  if (instruction?.kind !== "binary" || instruction.operation !== "and") return false;
  if (s.facts.useCount(value) !== 1) return false;
  const width = widthOf(value.type);
  const right = s.operand(instruction.right, width);
  const left = foldableLoad(s, instruction.left, width) ?? s.registerOperand(instruction.left, width);
  if (right.kind === "symbol") return false;
  s.emit("test", [left, right]);
  return true;
}
