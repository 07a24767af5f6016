/**
 * Values of the emitter: trees of WebAssembly operations without side effects, simplified as they are built. A value
 * stands for an unsigned number of up to 64 bits; one of at most 32 bits may be computed in i32.
 */
import type { Width } from "#machine/cpu/semantics.ts";
import { type ByteWriter, F32, F64, I32, I64, OP, V128, type ValueType } from "./encoder.ts";

export interface Value {
  readonly op: number;
  readonly type: ValueType;
  readonly operands: readonly Value[];
  /** Of a constant. */
  readonly constant: bigint;
  /** Of a local or an access to the processor's state: which one. */
  readonly index: number;
  /** How many of the low bits may be other than 0. */
  readonly bits: number;
  /** Of a vector operation: what follows its opcode. */
  readonly immediate: readonly number[];
  /** Nesting of conditions where it was built. */
  readonly scope: number;
  uses: number;
  /** The local that holds it once it has been computed; -1 before. */
  local: number;
}

/** The scope that values are built in now. */
export const scope = { depth: 0 };

const NONE: readonly Value[] = [];
const NO_BYTES: readonly number[] = [];

export function make(
  op: number,
  type: ValueType,
  operands: readonly Value[],
  bits: number,
  index = 0,
  immediate = NO_BYTES,
): Value {
  for (const operand of operands) operand.uses++;
  return { op, type, operands, constant: 0n, index, bits, immediate, scope: scope.depth, uses: 0, local: -1 };
}

/** Bits that a number has. */
function bitsOf(value: bigint): number {
  const high = Number(value >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(value)) : 64 - Math.clz32(high);
}

export function constant(value: bigint): Value {
  const bits = bitsOf(value);
  const wide = bits > 32;
  return {
    op: wide ? OP.i64Const : OP.i32Const,
    type: wide ? I64 : I32,
    operands: NONE,
    constant: value,
    index: 0,
    bits,
    immediate: NO_BYTES,
    scope: 0,
    uses: 0,
    local: -1,
  };
}

function wideConstant(value: bigint): Value {
  return { ...constant(value), op: OP.i64Const, type: I64 };
}

export function local(index: number, type: ValueType, bits = type === I32 ? 32 : 64): Value {
  return make(OP.localGet, type, NONE, bits, index);
}

/** A word of the processor's state, at a fixed place in memory. */
export function stateWord(offset: number, type: typeof I32 | typeof I64): Value {
  return make(type === I32 ? OP.i32Load : OP.i64Load, type, NONE, type === I32 ? 32 : 64, offset);
}

export function isConstant(value: Value): boolean {
  return value.op === OP.i32Const || value.op === OP.i64Const;
}

/** A choice between vectors. */
export function selectVector(condition: Value, whenTrue: Value, whenFalse: Value): Value {
  if (isConstant(condition)) return condition.constant !== 0n ? whenTrue : whenFalse;
  return make(OP.select, V128, [whenTrue, whenFalse, as32(condition)], 128);
}

export function maskOf(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

/** The same number in i64. */
export function as64(value: Value): Value {
  if (value.type === I64) return value;
  if (isConstant(value)) return wideConstant(value.constant);
  const [inner] = value.operands;
  if (value.op === OP.i32WrapI64 && inner!.bits <= 32) return inner!;
  return make(OP.i64ExtendI32U, I64, [value], value.bits);
}

/** i64 operations whose low half depends on the low halves of their operands alone, with their i32 twins. */
const NARROW = new Map<number, number>([
  [OP.i64Add, OP.i32Add],
  [OP.i64Sub, OP.i32Sub],
  [OP.i64Mul, OP.i32Mul],
  [OP.i64And, OP.i32And],
  [OP.i64Or, OP.i32Or],
  [OP.i64Xor, OP.i32Xor],
]);

/** The low 32 bits, in i32. */
export function as32(value: Value): Value {
  if (value.type === I32) return value;
  if (isConstant(value)) return constant(value.constant & 0xffffffffn);
  const [left, right] = value.operands;
  const bits = Math.min(32, value.bits);
  if (value.op === OP.i64ExtendI32U || value.op === OP.i64ExtendI32S) return left!;
  const narrow = value.uses === 0 ? NARROW.get(value.op) : undefined;
  if (narrow !== undefined) return make(narrow, I32, [as32(left!), as32(right!)], bits);
  if (value.op === OP.i64Shl && isConstant(right!)) {
    if (right!.constant >= 32n) return constant(0n);
    return make(OP.i32Shl, I32, [as32(left!), as32(right!)], bits);
  }
  if (value.op === OP.i64ShrU && isConstant(right!) && left!.bits <= 32)
    return make(OP.i32ShrU, I32, [as32(left!), as32(right!)], bits);
  return make(OP.i32WrapI64, I32, [value], bits);
}

export function truncate(width: Width, value: Value): Value {
  if (value.bits <= width) return value;
  if (isConstant(value)) return constant(value.constant & maskOf(width));
  const low = as32(value);
  if (width === 32 || low.bits <= width) return low;
  return make(OP.i32And, I32, [low, constant(maskOf(width))], width);
}

type Arithmetic = "Add" | "Sub" | "Mul" | "And" | "Or" | "Xor";

const FOLD: Record<Arithmetic, (left: bigint, right: bigint) => bigint> = {
  Add: (left, right) => left + right,
  Sub: (left, right) => left - right,
  Mul: (left, right) => left * right,
  And: (left, right) => left & right,
  Or: (left, right) => left | right,
  Xor: (left, right) => left ^ right,
};

function resultBits(operation: Arithmetic, left: Value, right: Value, width: number): number {
  if (operation === "And") return Math.min(left.bits, right.bits);
  if (operation === "Or" || operation === "Xor") return Math.max(left.bits, right.bits);
  if (operation === "Add") return Math.min(width, Math.max(left.bits, right.bits) + 1);
  if (operation === "Mul") return Math.min(width, left.bits + right.bits);
  return width;
}

/** Arithmetic in `width` bits. */
export function arithmetic(operation: Arithmetic, width: Width, left: Value, right: Value): Value {
  if (isConstant(left) && isConstant(right))
    return constant(BigInt.asUintN(width, FOLD[operation](left.constant, right.constant)));
  const simple = simplified(operation, width, left, right);
  if (simple !== null) return simple;
  const narrow = width <= 32;
  const raw = resultBits(operation, left, right, narrow ? 32 : 64);
  const op = narrow ? OP[`i32${operation}`] : OP[`i64${operation}`];
  const operands = narrow ? [as32(left), as32(right)] : [as64(left), as64(right)];
  return truncate(width, make(op, narrow ? I32 : I64, operands, raw));
}

/** The rules for constants on the right; on the left where the order does not matter. */
function simplified(operation: Arithmetic, width: Width, left: Value, right: Value): Value | null {
  if (operation !== "Sub" && isConstant(left)) return simplified(operation, width, right, left);
  if (!isConstant(right)) return null;
  const value = right.constant;
  if (value === 0n) return operation === "And" || operation === "Mul" ? constant(0n) : left;
  if (operation === "Mul" && (value & (value - 1n)) === 0n)
    return truncate(width, shift("Shl", left, constant(BigInt(bitsOf(value) - 1))));
  if (operation === "And" && value === maskOf(left.bits)) return left;
  return null;
}

/** Logic on whole values, in i32 where that holds the result. */
export function logic(operation: "And" | "Or" | "Xor", left: Value, right: Value): Value {
  return arithmetic(operation, resultBits(operation, left, right, 64) <= 32 ? 32 : 64, left, right);
}

const SHIFTED: Record<string, number> = { Shl: OP.i64Shl, ShrU: OP.i64ShrU };

/** A shift of 64 bits; counts count modulo 64. */
export function shift(direction: "Shl" | "ShrU" | "ShrS", value: Value, count: Value): Value {
  if (!isConstant(count)) {
    const bits = direction === "ShrU" ? value.bits : 64;
    return make(OP[`i64${direction}`], I64, [as64(value), as64(count)], bits);
  }
  const by = Number(count.constant & 63n);
  if (by === 0) return value;
  if (direction === "ShrU" && by >= value.bits) return constant(0n);
  if (direction === "Shl" && isConstant(value)) return constant(BigInt.asUintN(64, value.constant << BigInt(by)));
  if (direction === "ShrU" && isConstant(value)) return constant(value.constant >> BigInt(by));
  const [inner, before] = value.operands;
  const repeated = value.op === SHIFTED[direction] || (direction === "ShrU" && value.op === OP.i32ShrU);
  if (repeated && isConstant(before!) && Number(before!.constant) + by < 64)
    return shift(direction, inner!, constant(before!.constant + BigInt(by)));
  if (direction === "Shl") {
    const bits = Math.min(64, value.bits + by);
    if (bits <= 32) return make(OP.i32Shl, I32, [as32(value), constant(BigInt(by))], bits);
    return make(OP.i64Shl, I64, [as64(value), wideConstant(BigInt(by))], bits);
  }
  if (direction === "ShrU" && value.type === I32)
    return make(OP.i32ShrU, I32, [value, constant(BigInt(by))], value.bits - by);
  const bits = direction === "ShrU" ? value.bits - by : 64;
  return make(OP[`i64${direction}`], I64, [as64(value), wideConstant(BigInt(by))], bits);
}

/** The value of width `from`, its sign spread to 64 bits or to i32: `wide` says which. */
export function signed(from: Width, value: Value, wide: boolean): Value {
  if (isConstant(value)) {
    const number = BigInt.asIntN(from, value.constant);
    return wide ? wideConstant(BigInt.asUintN(64, number)) : constant(BigInt.asUintN(32, number));
  }
  if (from === 64) return as64(value);
  if (wide) {
    if (from === 32) return make(OP.i64ExtendI32S, I64, [as32(value)], 64);
    return make(from === 16 ? OP.i64Extend16S : OP.i64Extend8S, I64, [as64(value)], 64);
  }
  if (from === 32) return as32(value);
  return make(from === 16 ? OP.i32Extend16S : OP.i32Extend8S, I32, [as32(value)], 32);
}

export function signExtend(from: Width, to: Width, value: Value): Value {
  return truncate(to, signed(from, value, to === 64));
}

export function isZero(value: Value): Value {
  if (isConstant(value)) return constant(value.constant === 0n ? 1n : 0n);
  return make(value.type === I32 ? OP.i32Eqz : OP.i64Eqz, I32, [value], 1);
}

export function isNonZero(value: Value): Value {
  if (isConstant(value)) return constant(value.constant === 0n ? 0n : 1n);
  if (value.bits === 1) return as32(value);
  return value.type === I32
    ? make(OP.i32Ne, I32, [value, constant(0n)], 1)
    : make(OP.i64Ne, I32, [value, wideConstant(0n)], 1);
}

/** An unsigned or equality comparison of two values; a signed one where both are given sign-extended. */
export function compare(operation: "Eq" | "Ne" | "LtU" | "LeU" | "LtS" | "LeS", left: Value, right: Value): Value {
  if (isConstant(left) && isConstant(right) && (operation === "Eq" || operation === "LtU")) {
    const holds = operation === "Eq" ? left.constant === right.constant : left.constant < right.constant;
    return constant(holds ? 1n : 0n);
  }
  if (left.type === I32 && right.type === I32) return make(OP[`i32${operation}`], I32, [left, right], 1);
  return make(OP[`i64${operation}`], I32, [as64(left), as64(right)], 1);
}

export function select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
  if (isConstant(condition)) return condition.constant !== 0n ? whenTrue : whenFalse;
  const bits = Math.max(whenTrue.bits, whenFalse.bits);
  const narrow = bits <= 32;
  const operands = narrow ? [as32(whenTrue), as32(whenFalse)] : [as64(whenTrue), as64(whenFalse)];
  return make(OP.select, narrow ? I32 : I64, [...operands, as32(condition)], bits);
}

function isLoad(op: number): boolean {
  return op === OP.i32Load || op === OP.i64Load || op === OP.i32Load8U || op === OP.i32Load16U;
}

/** What stands at a computed place in the machine's memory, `offset` bytes further on. */
export function loaded(op: number, place: Value, offset: number): Value {
  const bits = op === OP.i64Load ? 64 : op === OP.i32Load ? 32 : op === OP.i32Load16U ? 16 : 8;
  return make(op, op === OP.i64Load ? I64 : I32, [as32(place)], bits, offset);
}

/** Operations on vectors: their number in the specification follows a prefix. */
export const VECTOR_OPERATIONS = 0x1000;
/** Conversions that saturate: which one follows another prefix. */
export const SATURATING = OP.prefixBulk;
/** Types of floating-point numbers. */
export const FLOAT = { f32: F32, f64: F64 } as const;

function emitVector(out: ByteWriter, { op, immediate }: Value): void {
  out.byte(OP.prefixVector);
  out.unsigned(op - VECTOR_OPERATIONS);
  for (const byte of immediate) out.byte(byte);
}

/** Locals for intermediate results, to be used again and again. */
export interface Temporaries {
  take(type: ValueType): number;
}

/** Writes the code that leaves `value` on WebAssembly's stack. `depth` is the nesting of conditions here. */
export function emit(out: ByteWriter, value: Value, temporaries: Temporaries, depth: number): void {
  if (value.local >= 0) {
    out.get(value.local);
    return;
  }
  switch (value.op) {
    case OP.i32Const:
      out.i32(Number(value.constant));
      return;
    case OP.i64Const:
      out.i64(value.constant);
      return;
    case OP.localGet:
      out.get(value.index);
      return;
    case OP.i32Load:
    case OP.i64Load:
      if (value.operands.length > 0) break;
      out.i32(0);
      out.memory(value.op, value.index);
      return;
  }
  for (const operand of value.operands) emit(out, operand, temporaries, depth);
  if (isLoad(value.op)) out.memory(value.op, value.index);
  else if (value.op >= VECTOR_OPERATIONS) emitVector(out, value);
  else out.byte(value.op);
  if (value.op === SATURATING) out.unsigned(value.immediate[0]!);
  if (value.op === OP.call) out.unsigned(value.index);
  if (value.uses < 2 || value.scope !== depth) return;
  value.local = temporaries.take(value.type);
  out.tee(value.local);
}
