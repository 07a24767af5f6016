/** Conversions of lanes, and what must hold for WebAssembly's own to be the processor's. */
import type { Conversion, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { and, FORMATS, isOrdered, isZero, or, outside } from "./float-lanes.ts";
import { bitsOf, floatValue, lowest } from "./scalar-floats.ts";
import { replace, shuffled, simd, spread, vectorConstant } from "./simd.ts";

export interface Converted {
  readonly result: Value;
  /** Whether the operands are plain numbers, whose results are in range. */
  readonly plain: Value;
  /** Whether nothing was rounded; null where nothing ever is. */
  readonly exact: Value | null;
  /** The result is right for operands out of range, too, if only "invalid" has been met before. */
  readonly answersInvalid?: true;
}

type Hold = (value: Value) => Value;
const always = () => x.constant(1n);

export function converted({ from, to, lanes, truncate }: Conversion, value: Value, hold: Hold): Converted {
  if (from === "i32" || from === "i64") {
    if (to === "i32" || to === "i64") throw new Error("no conversion from integer to integer");
    return lanes === 1 ? integer(from, to, value, hold) : integers(to, lanes, hold(value), hold);
  }
  if (to === "f32" || to === "f64") return resized(from, lanes, hold(value), hold);
  return lanes === 1 ? whole(from, to, truncate, value, hold) : wholes(from, lanes, truncate, hold(value), hold);
}

const INTEGER = {
  i32f64: OP.f64ConvertI32S,
  i64f64: OP.f64ConvertI64S,
  i32f32: OP.f32ConvertI32S,
  i64f32: OP.f32ConvertI64S,
} as const;
const widthOf = (format: "f32" | "f64"): FloatWidth => (format === "f64" ? 64 : 32);

/** One signed integer. It is exact if it has few enough digits between its first and its last. */
function integer(from: "i32" | "i64", to: "f32" | "f64", value: Value, hold: Hold): Converted {
  const word = lowest(64, value, hold).bits;
  const bits = from === "i64" ? word : x.as32(word);
  const number = x.make(INTEGER[`${from}${to}`], x.FLOAT[to], [bits], widthOf(to));
  const result = replace(widthOf(to), 0, vectorConstant(0n, 0n), bitsOf(widthOf(to), number));
  if (from === "i32" && to === "f64") return { result, plain: always(), exact: null };
  const signed = hold(from === "i64" ? x.as64(bits) : x.signed(32, bits, true));
  const sign = x.shift("ShrS", signed, x.constant(63n));
  const size = hold(x.arithmetic("Sub", 64, x.logic("Xor", signed, sign), sign));
  const digits = x.shift("ShrU", size, x.make(OP.i64Ctz, I64, [size], 7));
  return { result, plain: always(), exact: x.compare("LtU", digits, x.constant(to === "f64" ? 1n << 53n : 1n << 24n)) };
}

const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const upper = (value: Value) => shuffled(value, value, UPPER_HALF);
const promoted = (value: Value) => simd("f64x2.promote_low_f32x4", value);
/** The low `lanes` lanes of 32 bits, and zeros. */
const low = (lanes: number, value: Value) =>
  lanes === 2 ? simd("v128.and", value, vectorConstant(x.maskOf(64), 0n)) : value;

/** Two or four integers of 32 bits; those of single precision are exact if they are the same as double ones. */
function integers(to: "f32" | "f64", lanes: number, value: Value, hold: Hold): Converted {
  const doubled = (lane: Value) => simd("f64x2.convert_low_i32x4_s", lane);
  if (to === "f64") return { result: doubled(value), plain: always(), exact: null };
  const result = hold(low(lanes, simd("f32x4.convert_i32x4_s", value)));
  const same = (part: (whole: Value) => Value) =>
    x.isZero(outside(64, 2, simd("f64x2.eq", promoted(part(result)), doubled(part(value)))));
  const first = same((whole) => whole);
  return { result, plain: always(), exact: lanes === 2 ? first : x.logic("And", first, same(upper)) };
}

/** From single to double or back. */
function resized(from: "f32" | "f64", lanes: number, value: Value, hold: Hold): Converted {
  const format = FORMATS[widthOf(from)];
  if (from === "f32") {
    const plain = x.isZero(outside(32, lanes, isOrdered(format, value)));
    const result = hold(promoted(value));
    return { result: lanes === 1 ? replace(64, 1, result, x.constant(0n)) : result, plain, exact: null };
  }
  const result = hold(simd("f32x4.demote_f64x2_zero", value));
  const back = hold(promoted(result));
  return {
    result: lanes === 1 ? replace(32, 1, result, x.constant(0n)) : result,
    plain: x.isZero(outside(64, lanes, or(isSingle(back), isZero(format, value)))),
    exact: x.isZero(outside(64, lanes, simd("f64x2.eq", back, value))),
  };
}

/** The smallest normal number of single precision as a double. */
const LEAST_SINGLE = 0x3810000000000000n;

function isSingle(value: Value): Value {
  const size = simd("f64x2.abs", value);
  const above = simd("f64x2.lt", spread(64, LEAST_SINGLE), size);
  return and(above, simd("f64x2.lt", size, spread(64, FORMATS[64].infinity)));
}

/** 2^31 and 2^63 as numbers. */
const LIMITS = {
  f32: { i32: 0x4f000000n, i64: 0x5f000000n },
  f64: { i32: 0x41e0000000000000n, i64: 0x43e0000000000000n },
} as const;
/** Conversions that trap nowhere. */
const SATURATING = { f32i32: 0, f64i32: 2, f32i64: 4, f64i64: 6 } as const;
const VECTOR_SATURATING = { f32: "i32x4.trunc_sat_f32x4_s", f64: "i32x4.trunc_sat_f64x2_s_zero" } as const;

const negative = (width: FloatWidth, bits: bigint) => bits | (1n << BigInt(width - 1));

function whole(from: "f32" | "f64", to: "i32" | "i64", truncate: boolean, value: Value, hold: Hold): Converted {
  const width = widthOf(from);
  const { number } = lowest(width, value, hold);
  const rounded = hold(x.make(OP[`${from}${truncate ? "Trunc" : "Nearest"}`], x.FLOAT[from], [number], width));
  const limit = LIMITS[from][to];
  const fromLeast = x.make(OP[`${from}Le`], I32, [floatValue(width, x.constant(negative(width, limit))), rounded], 1);
  const belowMost = x.make(OP[`${from}Lt`], I32, [rounded, floatValue(width, x.constant(limit))], 1);
  const target = to === "i64" ? 64 : 32;
  const kind = SATURATING[`${from}${to}`];
  const found = x.make(x.SATURATING, to === "i64" ? I64 : I32, [rounded], target, 0, [kind]);
  const plain = hold(x.logic("And", fromLeast, belowMost));
  const indefinite = x.constant(1n << BigInt(target - 1));
  return {
    result: replace(target, 0, vectorConstant(0n, 0n), x.select(plain, found, indefinite)),
    plain,
    exact: x.make(OP[`${from}Eq`], I32, [rounded, number], 1),
    answersInvalid: true,
  };
}

/** Two or four lanes as integers of 32 bits. */
function wholes(from: "f32" | "f64", lanes: number, truncate: boolean, value: Value, hold: Hold): Converted {
  const { shape, width } = FORMATS[widthOf(from)];
  const rounded = hold(simd(`${shape}.${truncate ? "trunc" : "nearest"}`, value));
  const limit = LIMITS[from].i32;
  const fromLeast = simd(`${shape}.le`, spread(width, negative(width, limit)), rounded);
  const inRange = and(fromLeast, simd(`${shape}.lt`, rounded, spread(width, limit)));
  const found = simd(VECTOR_SATURATING[from], rounded);
  return {
    result: from === "f32" ? low(lanes, found) : found,
    plain: x.isZero(outside(width, lanes, inRange)),
    exact: x.isZero(outside(width, lanes, simd(`${shape}.eq`, rounded, value))),
  };
}
