/**
 * Floating-point lanes where nothing unusual happens: operands and results are zero or normal numbers. WebAssembly's
 * arithmetic is then that of the processor, and no exception flag would change that is not set already. Where more is
 * to be looked at, float-routines.ts does.
 */
import type { FloatOperation, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { bitmask, simd, spread, vectorConstant } from "./simd.ts";

/** Of MXCSR: all exceptions masked, to nearest, denormals as they are. */
export const SETTINGS = { mask: 0xffc0n, value: 0x1f80n };
/** The same, and inexact before, so that the flag stays. */
export const EXACT_ROUNDING = { mask: 0xffe0n, value: 0x1fa0n };
/** The same with invalid operations instead. */
export const INVALID_BEFORE = { mask: 0xffc1n, value: 0x1f81n };

export interface Format {
  readonly shape: "f32x4" | "f64x2";
  readonly width: FloatWidth;
  /** The smallest normal number and infinity, as bits. */
  readonly least: bigint;
  readonly infinity: bigint;
}

export const FORMATS: Record<FloatWidth, Format> = {
  32: { shape: "f32x4", width: 32, least: 0x00800000n, infinity: 0x7f800000n },
  64: { shape: "f64x2", width: 64, least: 0x0010000000000000n, infinity: 0x7ff0000000000000n },
};

export interface FloatResult {
  readonly result: Value;
  /** True where a look at the lanes does not settle that this is what the evaluator would compute. */
  readonly unusual: Value;
  /** The result may be inexact. */
  readonly rounds: boolean;
}

export const and = (left: Value, right: Value) => simd("v128.and", left, right);
export const or = (left: Value, right: Value) => simd("v128.or", left, right);

export function isZero(format: Format, value: Value): Value {
  return simd(`${format.shape}.eq`, value, vectorConstant(0n, 0n));
}

/** Lanes with a number that has all its digits: `strictly` leaves out the smallest, where rounding may have helped. */
export function isNormal({ shape, width, least, infinity }: Format, value: Value, strictly: boolean): Value {
  const size = simd(`${shape}.abs`, value);
  const above = simd(strictly ? `${shape}.lt` : `${shape}.le`, spread(width, least), size);
  return and(above, simd(`${shape}.lt`, size, spread(width, infinity)));
}

function isUsual(format: Format, value: Value): Value {
  return or(isNormal(format, value, false), isZero(format, value));
}

/** What may be compared: all but denormal numbers and NaNs. */
export function isOrdered(format: Format, value: Value): Value {
  const { shape, width, least } = format;
  const above = simd(`${shape}.le`, spread(width, least), simd(`${shape}.abs`, value));
  return or(above, isZero(format, value));
}

/** Whether one of the low lanes is not among those marked. */
export function outside(width: FloatWidth, lanes: number, marked: Value): Value {
  const all = x.constant((1n << BigInt(lanes)) - 1n);
  return x.compare("Ne", x.logic("And", bitmask(width, marked), all), all);
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

/** An operation on the low lanes. */
export function computedFloat(
  operation: Exclude<FloatOperation, "reciprocal" | "reciprocalRoot">,
  width: FloatWidth,
  lanes: number,
  left: Value,
  right: Value,
  hold: (value: Value) => Value,
): FloatResult {
  const format = FORMATS[width];
  const { shape } = format;
  const name = ARITHMETIC[operation];
  if (name !== undefined) {
    const unary = operation === "squareRoot";
    const result = hold(unary ? simd(`${shape}.sqrt`, right) : simd(`${shape}.${name}`, left, right));
    const operands = unary ? isUsual(format, right) : and(isUsual(format, left), isUsual(format, right));
    const fine = or(isNormal(format, result, true), zeroAllowed(format, operation, left, right, result));
    return { result, unusual: outside(width, lanes, and(operands, fine)), rounds: true };
  }
  const unusual = outside(width, lanes, and(isOrdered(format, left), isOrdered(format, right)));
  if (operation === "minimum" || operation === "maximum") {
    const less = operation === "minimum" ? [left, right] : [right, left];
    const chosen = simd(`${shape}.lt`, less[0]!, less[1]!);
    const result = simd("v128.bitselect", left, right, chosen);
    return { result, unusual, rounds: false };
  }
  if (operation === "unordered" || operation === "ordered") {
    const all = operation === "ordered" ? x.maskOf(64) : 0n;
    return { result: vectorConstant(all, all), unusual, rounds: false };
  }
  const [compare, inverted] = COMPARISONS[operation]!;
  const holds = simd(`${shape}.${compare}`, left, right);
  const result = inverted ? simd("v128.not", holds) : holds;
  return { result, unusual, rounds: false };
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
  return { unusual: outside(width, 1, and(isOrdered(format, left), isOrdered(format, right))), bits };
}
