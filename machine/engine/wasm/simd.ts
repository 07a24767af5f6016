/** WebAssembly's operations on 128-bit vectors, as values (core specification, section 5.4.8). */
import { I32, I64, V128, type ValueType } from "./encoder.ts";
import { as32, as64, make, truncate, type Value, VECTOR_OPERATIONS } from "./expressions.ts";

/** Shapes by the width of their lanes. */
export const SHAPE = { 8: "i8x16", 16: "i16x8", 32: "i32x4", 64: "i64x2" } as const;

/** Numbers of operations with two vectors, or one, and a vector as result. */
const NUMBERS: Readonly<Record<string, number>> = {
  "i8x16.eq": 35,
  "i8x16.gt_s": 39,
  "i16x8.eq": 45,
  "i16x8.gt_s": 49,
  "i32x4.eq": 55,
  "i32x4.gt_s": 59,
  "f32x4.eq": 65,
  "f32x4.ne": 66,
  "f32x4.lt": 67,
  "f32x4.le": 69,
  "f64x2.eq": 71,
  "f64x2.ne": 72,
  "f64x2.lt": 73,
  "f64x2.le": 75,
  "v128.not": 77,
  "v128.and": 78,
  "v128.andnot": 79,
  "v128.or": 80,
  "v128.xor": 81,
  "v128.bitselect": 82,
  "f32x4.demote_f64x2_zero": 94,
  "f64x2.promote_low_f32x4": 95,
  "i8x16.narrow_i16x8_s": 101,
  "i8x16.narrow_i16x8_u": 102,
  "i16x8.narrow_i32x4_s": 133,
  "i8x16.add": 110,
  "i8x16.add_sat_s": 111,
  "i8x16.add_sat_u": 112,
  "i8x16.sub": 113,
  "i8x16.sub_sat_s": 114,
  "i8x16.sub_sat_u": 115,
  "i8x16.min_s": 118,
  "i8x16.min_u": 119,
  "i8x16.max_s": 120,
  "i8x16.max_u": 121,
  "i8x16.avgr_u": 123,
  "i16x8.extadd_pairwise_i8x16_u": 125,
  "i32x4.extadd_pairwise_i16x8_u": 127,
  "i16x8.add": 142,
  "i16x8.add_sat_s": 143,
  "i16x8.add_sat_u": 144,
  "i16x8.sub": 145,
  "i16x8.sub_sat_s": 146,
  "i16x8.sub_sat_u": 147,
  "i16x8.mul": 149,
  "i16x8.min_s": 150,
  "i16x8.min_u": 151,
  "i16x8.max_s": 152,
  "i16x8.max_u": 153,
  "i16x8.avgr_u": 155,
  "i32x4.add": 174,
  "i32x4.sub": 177,
  "i32x4.dot_i16x8_s": 186,
  "i32x4.extmul_low_i16x8_s": 188,
  "i32x4.extmul_high_i16x8_s": 189,
  "i32x4.extmul_low_i16x8_u": 190,
  "i32x4.extmul_high_i16x8_u": 191,
  "i64x2.add": 206,
  "i64x2.sub": 209,
  "i64x2.extmul_low_i32x4_u": 222,
  "f32x4.abs": 224,
  "f32x4.sqrt": 227,
  "f32x4.add": 228,
  "f32x4.sub": 229,
  "f32x4.mul": 230,
  "f32x4.div": 231,
  "f64x2.abs": 236,
  "f64x2.sqrt": 239,
  "f64x2.add": 240,
  "f64x2.sub": 241,
  "f64x2.mul": 242,
  "f64x2.div": 243,
  "f32x4.convert_i32x4_s": 250,
  "f64x2.convert_low_i32x4_s": 254,
  "i32x4.trunc_sat_f32x4_s": 248,
  "f32x4.trunc": 105,
  "f32x4.nearest": 106,
  "f64x2.trunc": 122,
  "f64x2.nearest": 148,
  "i32x4.trunc_sat_f64x2_s_zero": 252,
};

export function simd(name: string, ...operands: Value[]): Value {
  const number = NUMBERS[name];
  if (number === undefined) throw new Error(`no vector operation ${name}`);
  return make(VECTOR_OPERATIONS + number, V128, operands, 128);
}

/** 128 bits, given as two halves. */
export function vectorConstant(low: bigint, high: bigint): Value {
  const bytes = [low, high].flatMap((half) =>
    Array.from({ length: 8 }, (_, n) => Number((half >> BigInt(8 * n)) & 0xffn)),
  );
  return make(VECTOR_OPERATIONS + 12, V128, [], 128, 0, bytes);
}

/** The same number in each lane. */
export function spread(width: 32 | 64, value: bigint): Value {
  const half = width === 64 ? value : value | (value << 32n);
  return vectorConstant(half, half);
}

const EXTRACT = { 8: 22, 16: 25, 32: 27, 64: 29 } as const;
const REPLACE = { 8: 23, 16: 26, 32: 28, 64: 30 } as const;
const BITMASK = { 8: 100, 16: 132, 32: 164, 64: 196 } as const;
const SHIFTS = {
  left: { 8: 107, 16: 139, 32: 171, 64: 203 },
  rightSigned: { 8: 108, 16: 140, 32: 172, 64: 204 },
  right: { 8: 109, 16: 141, 32: 173, 64: 205 },
} as const;
type Width = 8 | 16 | 32 | 64;

const typeOf = (width: Width): ValueType => (width === 64 ? I64 : I32);

export function extract(width: Width, index: number, value: Value): Value {
  const [, lane] = value.operands;
  if (value.op === VECTOR_OPERATIONS + REPLACE[width] && value.immediate[0] === index)
    return width === 64 ? as64(lane!) : truncate(width, lane!);
  return make(VECTOR_OPERATIONS + EXTRACT[width], typeOf(width), [value], width, 0, [index]);
}

export function replace(width: Width, index: number, value: Value, lane: Value): Value {
  const fitting = width === 64 ? as64(lane) : as32(lane);
  return make(VECTOR_OPERATIONS + REPLACE[width], V128, [value, fitting], 128, 0, [index]);
}

export function bitmask(width: Width, value: Value): Value {
  return make(VECTOR_OPERATIONS + BITMASK[width], I32, [value], 128 / width);
}

/** By a count in i32, below the width. */
export function shiftLanes(shift: keyof typeof SHIFTS, width: Width, value: Value, count: Value): Value {
  return make(VECTOR_OPERATIONS + SHIFTS[shift][width], V128, [value, as32(count)], 128);
}

export function shuffled(left: Value, right: Value, bytes: readonly number[]): Value {
  return make(VECTOR_OPERATIONS + 13, V128, [left, right], 128, 0, bytes);
}
