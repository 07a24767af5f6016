/** Packed integers: the book's operations in WebAssembly's. */
import type { LaneWidth, PackedOperation } from "#machine/cpu/vector-semantics.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { SHAPE, shiftLanes, shuffled, simd, spread } from "./simd.ts";

/** Operations that WebAssembly has under another name. */
const DIRECT: Partial<Record<PackedOperation, string>> = {
  add: "add",
  subtract: "sub",
  addSigned: "add_sat_s",
  addUnsigned: "add_sat_u",
  subtractSigned: "sub_sat_s",
  subtractUnsigned: "sub_sat_u",
  multiply: "mul",
  average: "avgr_u",
  minimum: "min_s",
  maximum: "max_s",
  minimumUnsigned: "min_u",
  maximumUnsigned: "max_u",
  equal: "eq",
  greater: "gt_s",
};

/** The upper half of each 16-bit lane of two vectors with lanes of 32 bits. */
const UPPER_HALVES = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];
/** The even lanes of 32 bits, next to each other. */
const EVEN_LANES = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

export function packedValue(operation: PackedOperation, width: LaneWidth, left: Value, right: Value): Value {
  switch (operation) {
    case "and":
    case "or":
    case "xor":
      return simd(`v128.${operation}`, left, right);
    case "andNot":
      return simd("v128.andnot", right, left);
    case "narrow":
      return simd(width === 16 ? "i8x16.narrow_i16x8_s" : "i16x8.narrow_i32x4_s", left, right);
    case "narrowUnsigned":
      return simd("i8x16.narrow_i16x8_u", left, right);
    case "multiplyHigh":
    case "multiplyHighUnsigned":
      return productHigh(operation === "multiplyHigh" ? "s" : "u", left, right);
    case "multiplyAdd":
      return simd("i32x4.dot_i16x8_s", left, right);
    case "multiplyEven": {
      const [a, b] = [left, right].map((value) => shuffled(value, value, EVEN_LANES));
      return simd("i64x2.extmul_low_i32x4_u", a!, b!);
    }
    case "differences":
      return differences(left, right);
    default:
      return simd(`${SHAPE[width]}.${DIRECT[operation]}`, left, right);
  }
}

function productHigh(sign: "s" | "u", left: Value, right: Value): Value {
  const [low, high] = ["low", "high"].map((half) => simd(`i32x4.extmul_${half}_i16x8_${sign}`, left, right));
  return shuffled(low!, high!, UPPER_HALVES);
}

function differences(left: Value, right: Value): Value {
  const distance = simd("v128.or", simd("i8x16.sub_sat_u", left, right), simd("i8x16.sub_sat_u", right, left));
  const fours = simd("i32x4.extadd_pairwise_i16x8_u", simd("i16x8.extadd_pairwise_i8x16_u", distance));
  const both = simd("i64x2.add", fours, shiftLanes("right", 64, fours, x.constant(32n)));
  return simd("v128.and", both, spread(64, 0xffffffffn));
}
