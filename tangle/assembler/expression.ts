/** Expressions: parsed to a tree, evaluated to a number plus what it is relative to. */
import type { RegisterOperand } from "#isa/instruction.ts";
import { registerName, registerNamed } from "#isa/registers.ts";
import { SyntaxProblem } from "./lexer.ts";
import type { TokenReader } from "./reader.ts";

export type Expression = { readonly column: number } & (
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "register"; readonly register: RegisterOperand }
  | { readonly kind: "here" | "sectionStart" }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
);

/** A register in an address, with its factor. `multiplied` where the factor is written, even `*1`. */
export interface RegisterTerm {
  readonly register: RegisterOperand;
  readonly factor: bigint;
  readonly multiplied: boolean;
}

export interface Value {
  /** With the addresses of sections already in it; external symbols count 0. */
  readonly number: bigint;
  /** How often the start of a section, or an external symbol, is in it. Empty for plain numbers. */
  readonly bases: ReadonlyMap<string, number>;
  readonly registers: readonly RegisterTerm[];
  /** True where a symbol of it has no value yet in this pass. */
  readonly pending: boolean;
}

/** What an expression may ask of the program around it. */
export interface Surroundings {
  symbol(name: string): Value | null;
  here(): Value;
  sectionStart(): Value;
}

/** Levels of binary operators, the loosest first, as in nasm. */
const LEVELS: readonly (readonly string[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%", "//", "%%"],
];

export function parseExpression(reader: TokenReader, level = 0): Expression {
  const operators = LEVELS[level];
  if (!operators) return parseUnary(reader);
  let left = parseExpression(reader, level + 1);
  for (;;) {
    const token = reader.peek();
    if (token.kind !== "mark" || !operators.includes(token.text)) return left;
    reader.next();
    const right = parseExpression(reader, level + 1);
    left = { kind: "binary", operator: token.text, left, right, column: token.column };
  }
}

function parseUnary(reader: TokenReader): Expression {
  const token = reader.next();
  const { column } = token;
  switch (token.kind) {
    case "number":
      return { kind: "number", value: token.value, column };
    case "string":
      return { kind: "number", value: characterConstant(token.text), column };
    case "placeholder": {
      const name = reader.substitute(token);
      const register = registerNamed(name);
      return register ? { kind: "register", register, column } : { kind: "symbol", name, column };
    }
    case "word": {
      if (token.text === "$") return { kind: "here", column };
      if (token.text === "$$") return { kind: "sectionStart", column };
      const register = registerNamed(token.text.toLowerCase(), reader.mode);
      if (register) return { kind: "register", register, column };
      return { kind: "symbol", name: reader.symbolName(token), column };
    }
    case "mark":
      if (["-", "+", "~", "!"].includes(token.text)) {
        return { kind: "unary", operator: token.text, operand: parseUnary(reader), column };
      }
      if (token.text === "(") {
        const inner = parseExpression(reader);
        reader.expect(")");
        return inner;
      }
  }
  throw new SyntaxProblem(
    "AS2003",
    token.kind === "end"
      ? "the line ends where a number or name should stand"
      : `${token.text} is not a number or name`,
    column,
  );
}

/** `'ab'` is 0x6261: the first character in the lowest byte. */
export function characterConstant(text: string): bigint {
  return encodeText(text).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The bytes of a string in data: UTF-8. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const NO_BASES: ReadonlyMap<string, number> = new Map();

export function numberValue(number: bigint, pending = false): Value {
  return { number, bases: NO_BASES, registers: [], pending };
}

/** True for a value that no section, symbol or register is part of. */
export function isScalar(value: Value): boolean {
  return value.bases.size === 0 && value.registers.length === 0;
}

/** left + right * factor. */
function sum(left: Value, right: Value, factor: bigint): Value {
  const bases = new Map(left.bases);
  for (const [name, count] of right.bases) {
    const total = (bases.get(name) ?? 0) + count * Number(factor);
    if (total === 0) bases.delete(name);
    else bases.set(name, total);
  }
  const registers = [...left.registers];
  for (const term of right.registers) {
    const name = registerName(term.register);
    const index = registers.findIndex((known) => registerName(known.register) === name);
    const known = registers[index];
    if (!known) registers.push({ ...term, factor: term.factor * factor });
    else if (known.factor + term.factor * factor === 0n) registers.splice(index, 1);
    else registers[index] = { ...known, factor: known.factor + term.factor * factor };
  }
  const pending = left.pending || right.pending;
  return { number: left.number + right.number * factor, bases, registers, pending };
}

const unsigned = (value: bigint) => BigInt.asUintN(64, value);
const signed = (value: bigint) => BigInt.asIntN(64, value);

/** Operators on plain numbers, 64 bits wide as nasm's. */
const OPERATORS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "&": (a, b) => a & b,
  "<<": (a, b) => unsigned(a) << (unsigned(b) & 63n),
  ">>": (a, b) => unsigned(a) >> (unsigned(b) & 63n),
  "*": (a, b) => a * b,
  "/": (a, b) => unsigned(a) / unsigned(b),
  "%": (a, b) => unsigned(a) % unsigned(b),
  "//": (a, b) => signed(a) / signed(b),
  "%%": (a, b) => signed(a) % signed(b),
};

/** The value of an expression. Throws SyntaxProblem for unknown names, division by zero, and sums that make no address. */
export function evaluate(expression: Expression, around: Surroundings): Value {
  switch (expression.kind) {
    case "number":
      return numberValue(expression.value);
    case "here":
      return around.here();
    case "sectionStart":
      return around.sectionStart();
    case "register":
      return { ...numberValue(0n), registers: [{ register: expression.register, factor: 1n, multiplied: false }] };
    case "symbol": {
      const value = around.symbol(expression.name);
      if (value) return value;
      throw new SyntaxProblem("AS2006", `${expression.name} is defined nowhere`, expression.column);
    }
    case "unary": {
      const operand = evaluate(expression.operand, around);
      if (expression.operator === "+") return operand;
      if (expression.operator === "-") return sum(numberValue(0n), operand, -1n);
      requireScalars(expression.operator, expression.column, operand);
      if (expression.operator === "!") return numberValue(operand.number === 0n ? 1n : 0n, operand.pending);
      return numberValue(~operand.number, operand.pending);
    }
    case "binary": {
      const left = evaluate(expression.left, around);
      const right = evaluate(expression.right, around);
      return combine(expression.operator, left, right, expression.column);
    }
  }
}

function combine(operator: string, left: Value, right: Value, column: number): Value {
  if (operator === "+") return sum(left, right, 1n);
  if (operator === "-") return sum(left, right, -1n);
  if (operator === "*" && (left.registers.length > 0 || right.registers.length > 0)) {
    const [scaled, factor] = left.registers.length > 0 ? [left, right] : [right, left];
    if (isScalar(factor) && scaled.bases.size === 0) {
      const product = sum(numberValue(0n), scaled, factor.number);
      const registers = product.registers.map((term) => ({ ...term, multiplied: true }));
      return { ...product, registers, pending: left.pending || right.pending };
    }
  }
  requireScalars(operator, column, left, right);
  const pending = left.pending || right.pending;
  if (["/", "%", "//", "%%"].includes(operator) && right.number === 0n) {
    if (pending) return numberValue(0n, true);
    throw new SyntaxProblem("AS2007", "this divides by zero", column);
  }
  return numberValue(OPERATORS[operator]!(left.number, right.number), pending);
}

function requireScalars(operator: string, column: number, ...values: Value[]): void {
  if (values.every(isScalar)) return;
  throw new SyntaxProblem(
    "AS2008",
    `${operator} takes plain numbers, not addresses or registers`,
    column,
    "the difference of two labels is a plain number: (label - $$)",
  );
}
