/** Operands as written to operands as the encoder takes them, once the values of their expressions are known. */
import type { MemoryOperand, Mode, Operand, RegisterOperand } from "#isa/instruction.ts";
import { defaultSegment, FS, immediate, RIP, registerName } from "#isa/registers.ts";
import { evaluate, isScalar, type RegisterTerm, type Surroundings, type Value } from "./expression.ts";
import { SyntaxProblem } from "./lexer.ts";
import type { InstructionSyntax, OperandSyntax, Size } from "./statement.ts";

/** An operand with what is still open about it. */
export interface ResolvedOperand {
  readonly operand: Operand;
  readonly column: number;
  /** The value of its displacement, immediate, branch target or far offset; null for registers. */
  readonly value: Value | null;
  /** True where the displacement counts from the end of the instruction. */
  readonly ripRelative: boolean;
  /** Displacement size in bytes that must be used, or 0. */
  readonly displacementSize: 0 | 1 | 2 | 4;
  /** `[qword x]` without registers: an address of 64 bits, which only the accumulator can be moved to and from. */
  readonly whole: boolean;
  readonly segment: number | null;
  readonly far: boolean;
  /** Size written before an immediate or target, and whether it is binding. */
  readonly size: Size | 0;
  readonly strict: boolean;
  readonly distance: "short" | "near" | null;
}

const PLAIN = {
  value: null,
  ripRelative: false,
  displacementSize: 0,
  whole: false,
  segment: null,
  far: false,
  size: 0,
  strict: false,
  distance: null,
} as const;

/** True for a value that a relocation or the layout decides, so its field has to be of full width. */
export function isAddress(value: Value): boolean {
  return !value.pending && value.bases.size > 0;
}

/** Resolves one operand. Throws SyntaxProblem. */
export function resolveOperand(
  syntax: OperandSyntax,
  instruction: InstructionSyntax,
  around: Surroundings,
): ResolvedOperand {
  const { column } = syntax;
  switch (syntax.kind) {
    case "register":
    case "media":
      return { ...PLAIN, column, operand: syntax.register };
    case "expression": {
      const { size, strict, distance } = syntax;
      const value = evaluate(syntax.expression, around);
      if (value.registers.length > 0) {
        throw new SyntaxProblem("AS2012", "registers can be added only inside brackets", column);
      }
      // The width is the plan's affair: 64 bits hold every value.
      const operand: Operand = { kind: "immediate", width: 64, value: value.pending ? 0n : value.number };
      return { ...PLAIN, column, operand, value, size, strict, distance };
    }
    case "far": {
      const selector = evaluate(syntax.selector, around);
      const value = evaluate(syntax.offset, around);
      if (!isScalar(selector) || selector.number < 0n || selector.number > 0xffffn) {
        throw new SyntaxProblem("AS2013", "a selector is a number from 0 to 0xffff", syntax.selector.column);
      }
      const width = syntax.size === 16 || syntax.size === 32 ? syntax.size : instruction.mode === 16 ? 16 : 32;
      const offset = BigInt.asUintN(width, value.number);
      return {
        ...PLAIN,
        column,
        value,
        far: true,
        operand: { kind: "far", width, selector: Number(selector.number), offset },
      };
    }
    case "memory":
      return resolveMemory(syntax, instruction, around);
  }
}

function resolveMemory(
  syntax: OperandSyntax & { kind: "memory" },
  instruction: InstructionSyntax,
  around: Surroundings,
): ResolvedOperand {
  const { mode } = instruction;
  const { column } = syntax.address;
  const value = evaluate(syntax.address, around);
  const parts = { ...PLAIN, column: syntax.column, value, far: syntax.far, segment: syntax.segment };
  const { registers } = value;
  const shape = registers.length === 0 ? NO_REGISTERS : arrange(registers, column);
  // As nasm does: without registers, 64-bit code knows only 64-bit addresses.
  const writtenWidth = syntax.addressSize === 8 || mode === 64 ? 0 : syntax.addressSize;
  const addressWidth = shape.width || writtenWidth || instruction.addressSize || mode;
  if (!fitsMode(addressWidth, mode)) {
    throw new SyntaxProblem("AS2012", `${mode}-bit code has no ${addressWidth}-bit addresses`, column);
  }

  const isLocal = syntax.segment === null || syntax.segment < FS;
  const byDefault =
    instruction.defaultRelative && syntax.relative !== "abs" && isLocal && (value.pending || !isScalar(value));
  if (mode === 64 && registers.length === 0 && (syntax.relative === "rel" || byDefault)) {
    const operand = memoryOperand(syntax.size, RIP, -1, 1, 0n, addressWidth);
    return { ...parts, operand, ripRelative: true };
  }
  const number = value.pending ? 0n : value.number;
  const displacement = BigInt.asIntN(addressWidth, number);
  if (number >> BigInt(addressWidth) > 0n || number < -(1n << BigInt(addressWidth - 1))) {
    throw new SyntaxProblem("AS2013", `the address ${value.number} does not fit into ${addressWidth} bits`, column);
  }
  const whole = registers.length === 0 && mode === 64 && syntax.addressSize === 64;
  if (addressWidth === 64 && !whole && BigInt.asIntN(32, displacement) !== displacement) {
    const hint = "put it into a register, or move eax or rax with [qword address]";
    throw new SyntaxProblem(
      "AS2013",
      `0x${number.toString(16)} is not reached by the signed 32 bits of an address`,
      column,
      hint,
    );
  }
  const full = addressWidth === 16 ? 2 : 4;
  const written = syntax.addressSize === 8 ? 1 : full;
  const isFull = isAddress(value) && !whole;
  const displacementSize = isFull ? full : registers.length > 0 && syntax.addressSize !== 0 ? written : 0;
  const { base, index, scale } = shape;
  const operand = memoryOperand(syntax.size, base, index, scale, displacement, addressWidth);
  return { ...parts, operand, displacementSize, whole };
}

function fitsMode(addressWidth: number, mode: Mode): boolean {
  return mode === 64 ? addressWidth !== 16 : addressWidth !== 64;
}

function memoryOperand(
  width: number,
  base: number,
  index: number,
  scale: MemoryOperand["scale"],
  displacement: bigint,
  addressWidth: 16 | 32 | 64,
): MemoryOperand {
  return { kind: "memory", width, segment: defaultSegment(base), base, index, scale, displacement, addressWidth };
}

interface AddressShape {
  readonly base: number;
  readonly index: number;
  readonly scale: MemoryOperand["scale"];
  readonly width: 0 | 16 | 32 | 64;
}
const NO_REGISTERS: AddressShape = { base: -1, index: -1, scale: 1, width: 0 };
const STACK_POINTER = 4;

/** Decides which register is base and which index, as nasm does, so that both give the same bytes. */
function arrange(terms: readonly RegisterTerm[], column: number): AddressShape {
  const refuse = (message: string, hint?: string) => new SyntaxProblem("AS2012", message, column, hint);
  for (const { register } of terms) {
    if (register.file !== "general" || register.width === 8) {
      throw refuse(`${registerName(register)} cannot be part of an address`);
    }
  }
  const width = terms[0]!.register.width as 16 | 32 | 64;
  if (terms.some((term) => term.register.width !== width))
    throw refuse("the registers of an address must have one width");
  if (terms.length > 2) throw refuse("an address has at most two registers", "add one of them beforehand");

  const single = terms.length === 1;
  let base = terms.find((term) => term.factor === 1n && !term.multiplied);
  base ??= terms.length === 2 ? terms.findLast((term) => term.factor === 1n) : terms.find((term) => term.factor === 1n);
  const indexTerm = terms.find((term) => term !== base);
  let baseNumber = base ? base.register.number : -1;
  let index = indexTerm ? indexTerm.register.number : -1;
  let scale = Number(indexTerm?.factor ?? 1n);
  if (single && index >= 0 && (scale === 3 || scale === 5 || scale === 9 || (scale === 2 && index !== STACK_POINTER))) {
    [baseNumber, scale] = [index, scale - 1]; // [eax*3] is [eax+eax*2], [eax*2] is [eax+eax]: shorter
  }
  if (scale === 1 && index === STACK_POINTER) [baseNumber, index] = [index, baseNumber];
  if (index === STACK_POINTER)
    throw refuse("the stack pointer cannot be an index", "make it the base: without a factor");
  if (scale !== 1 && scale !== 2 && scale !== 4 && scale !== 8) {
    throw refuse(`an index cannot be multiplied by ${scale}`, "the processor knows the factors 1, 2, 4 and 8");
  }
  if (width === 16 && !isWordAddress(baseNumber, index, scale)) {
    throw refuse("16-bit addresses are bx or bp, plus si or di, or one of the four alone", "use 32-bit registers");
  }
  return { base: baseNumber, index, scale, width };
}

function isWordAddress(base: number, index: number, scale: number): boolean {
  const [bx, bp, si, di] = [3, 5, 6, 7];
  if (index < 0) return [bx, bp, si, di].includes(base);
  const pair = [base, index];
  return scale === 1 && pair.some((n) => n === bx || n === bp) && pair.some((n) => n === si || n === di);
}

/** An immediate that replaces the value as written, for instructions with an implied one. */
export function impliedImmediate(value: bigint, column: number): ResolvedOperand {
  return { ...PLAIN, column, operand: immediate(value, 8) };
}

/** The register as another width of itself. */
export function withWidth(resolved: ResolvedOperand, width: 16 | 32): ResolvedOperand {
  return { ...resolved, operand: { ...(resolved.operand as RegisterOperand), width } };
}
