/**
 * Floating-point lanes where nothing unusual happens: operands and results are zero or normal numbers. WebAssembly's
 * arithmetic is then that of the processor, and no exception flag would change that is not set already.
 */
import type { Conversion, FloatOperation, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { bitmask, extract, replace, simd, spread, vectorConstant } from "./simd.ts";

/** Of MXCSR: all exceptions masked, to nearest, denormals as they are; and inexact before, so that the flag stays. */
export const EXACT_ROUNDING = { mask: 0xffe0n, value: 0x1fa0n };

interface Format {
  readonly shape: "f32x4" | "f64x2";
  readonly width: FloatWidth;
  /** The smallest normal number and infinity, as bits. */
  readonly least: bigint;
  readonly infinity: bigint;
}

const FORMATS: Record<FloatWidth, Format> = {
  32: { shape: "f32x4", width: 32, least: 0x00800000n, infinity: 0x7f800000n },
  64: { shape: "f64x2", width: 64, least: 0x0010000000000000n, infinity: 0x7ff0000000000000n },
};

export interface FloatResult {
  readonly result: Value;
  /** True where the lanes must be computed by the evaluator. */
  readonly unusual: Value;
  /** The result may be inexact. */
  readonly rounds: boolean;
}

const and = (left: Value, right: Value) => simd("v128.and", left, right);
const or = (left: Value, right: Value) => simd("v128.or", left, right);

function isZero(format: Format, value: Value): Value {
  return simd(`${format.shape}.eq`, value, vectorConstant(0n, 0n));
}

/** Lanes with a number that has all its digits: `strictly` leaves out the smallest, where rounding may have helped. */
function isNormal({ shape, width, least, infinity }: Format, value: Value, strictly: boolean): Value {
  const size = simd(`${shape}.abs`, value);
  const above = simd(strictly ? `${shape}.lt` : `${shape}.le`, spread(width, least), size);
  return and(above, simd(`${shape}.lt`, size, spread(width, infinity)));
}

function isUsual(format: Format, value: Value): Value {
  return or(isNormal(format, value, false), isZero(format, value));
}

/** Whether one of the low lanes is not among those marked. */
function outside(format: Format, lanes: number, marked: Value): Value {
  const all = x.constant((1n << BigInt(lanes)) - 1n);
  return x.compare("Ne", x.logic("And", bitmask(format.width, marked), all), all);
}

const ARITHMETIC: Partial<Record<FloatOperation, string>> = {
  add: "add",
  subtract: "sub",
  multiply: "mul",
  divide: "div",
  squareRoot: "sqrt",
};

/** Comparisons: WebAssembly's, and whether the result is inverted; none is unordered here. */
const COMPARISONS: Partial<Record<FloatOperation, readonly [name: string, inverted: boolean]>> = {
  equal: ["eq", false],
  less: ["lt", false],
  lessOrEqual: ["le", false],
  notEqual: ["eq", true],
  notLess: ["lt", true],
  notLessOrEqual: ["le", true],
};

/** An operation on the low lanes; null where it is always left to the evaluator. */
export function computedFloat(
  operation: FloatOperation,
  width: FloatWidth,
  lanes: number,
  left: Value,
  right: Value,
  hold: (value: Value) => Value,
): FloatResult | null {
  const format = FORMATS[width];
  const { shape } = format;
  const usual = () => and(isUsual(format, left), isUsual(format, right));
  const name = ARITHMETIC[operation];
  if (name !== undefined) {
    const unary = operation === "squareRoot";
    const result = hold(unary ? simd(`${shape}.sqrt`, right) : simd(`${shape}.${name}`, left, right));
    const operands = unary ? isUsual(format, right) : usual();
    const fine = or(isNormal(format, result, true), zeroAllowed(format, operation, left, right, result));
    return { result, unusual: outside(format, lanes, and(operands, fine)), rounds: true };
  }
  if (operation === "minimum" || operation === "maximum") {
    const less = operation === "minimum" ? [left, right] : [right, left];
    const chosen = simd(`${shape}.lt`, less[0]!, less[1]!);
    const result = simd("v128.bitselect", left, right, chosen);
    return { result, unusual: outside(format, lanes, usual()), rounds: false };
  }
  const comparison = COMPARISONS[operation];
  if (comparison === undefined) return null;
  const [compare, inverted] = comparison;
  const holds = simd(`${shape}.${compare}`, left, right);
  const result = inverted ? simd("v128.not", holds) : holds;
  return { result, unusual: outside(format, lanes, usual()), rounds: false };
}

/** Where a result of zero is exact: always for sums; for others where a zero went in. */
function zeroAllowed(format: Format, operation: FloatOperation, left: Value, right: Value, result: Value): Value {
  const zero = isZero(format, result);
  if (operation === "add" || operation === "subtract") return zero;
  if (operation === "squareRoot") return and(zero, isZero(format, right));
  const source = operation === "divide" ? isZero(format, left) : or(isZero(format, left), isZero(format, right));
  return and(zero, source);
}

/** ZF and CF after a comparison of the lowest lanes. */
export function comparedBits(width: FloatWidth, left: Value, right: Value): { unusual: Value; bits: Value } {
  const format = FORMATS[width];
  const lowest = (name: string) =>
    x.logic("And", bitmask(width, simd(`${format.shape}.${name}`, left, right)), x.constant(1n));
  const bits = x.logic("Or", lowest("lt"), x.as32(x.shift("Shl", lowest("eq"), x.constant(6n))));
  return { unusual: outside(format, 1, and(isUsual(format, left), isUsual(format, right))), bits };
}

const CONVERT = {
  i32f64: OP.f64ConvertI32S,
  i64f64: OP.f64ConvertI64S,
  i32f32: OP.f32ConvertI32S,
  i64f32: OP.f32ConvertI64S,
} as const;
const REINTERPRET = { f32: OP.i32ReinterpretF32, f64: OP.i64ReinterpretF64 } as const;
const F32_LANE = 31;
const F64_LANE = 33;

/** A conversion of the lowest lane; null for those of several, which are rare. */
export function converted(
  { from, to, lanes, truncate }: Conversion,
  value: Value,
  hold: (value: Value) => Value,
): FloatResult | null {
  if (lanes !== 1) return null;
  const never = x.constant(0n);
  if (from === "i32" || from === "i64") {
    if (to === "i32" || to === "i64") return null;
    const number = extract(from === "i64" ? 64 : 32, 0, value);
    return {
      result: asVector(to, x.make(CONVERT[`${from}${to}`], x.FLOAT[to], [number], 64)),
      unusual: never,
      rounds: true,
    };
  }
  if (to === "f32" || to === "f64") {
    const format = FORMATS[from === "f64" ? 64 : 32];
    const result = hold(simd(from === "f64" ? "f32x4.demote_f64x2_zero" : "f64x2.promote_low_f32x4", value));
    const target = FORMATS[to === "f64" ? 64 : 32];
    const fine = or(isNormal(target, result, true), and(isZero(target, result), isZero(format, value)));
    const unusual = x.logic("Or", outside(format, 1, isUsual(format, value)), outside(target, 1, fine));
    return { result: replace(64, 1, result, x.constant(0n)), unusual, rounds: from === "f64" };
  }
  if (!truncate) return null;
  const format = FORMATS[from === "f64" ? 64 : 32];
  const limit =
    from === "f64"
      ? to === "i64"
        ? 0x43e0000000000000n
        : 0x41e0000000000000n
      : to === "i64"
        ? 0x5f000000n
        : 0x4f000000n;
  const small = simd(`${format.shape}.lt`, simd(`${format.shape}.abs`, value), spread(format.width, limit));
  const lane = x.make(x.VECTOR_OPERATIONS + (from === "f64" ? F64_LANE : F32_LANE), x.FLOAT[from], [value], 64, 0, [0]);
  const unusual = outside(format, 1, small);
  return { result: truncated(from, to, lane), unusual, rounds: true };
}

/** The conversion itself traps out of range, so it must come after the check: as a saturating one, which never does. */
function truncated(from: "f32" | "f64", to: "i32" | "i64", lane: Value): Value {
  const number = x.make(x.SATURATING, to === "i64" ? I64 : I32, [lane], to === "i64" ? 64 : 32, 0, [
    SATURATING[`${from}${to}`],
  ]);
  return replace(to === "i64" ? 64 : 32, 0, vectorConstant(0n, 0n), number);
}

const SATURATING = { f32i32: 0, f64i32: 2, f32i64: 4, f64i64: 6 } as const;

function asVector(to: "f32" | "f64", number: Value): Value {
  const bits = x.make(REINTERPRET[to], to === "f64" ? I64 : I32, [number], to === "f64" ? 64 : 32);
  return replace(to === "f64" ? 64 : 32, 0, vectorConstant(0n, 0n), bits);
}
