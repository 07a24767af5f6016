/** The approximations rcp and rsqrt: the book's quotients of doubles, two lanes at a time. */
import type { Value } from "./expressions.ts";
import { and, type FloatResult, FORMATS, or, outside } from "./float-lanes.ts";
import { shuffled, simd, spread } from "./simd.ts";

type Hold = (value: Value) => Value;
const SINGLE = FORMATS[32];
const ONE = 0x3ff0000000000000n;
const SIGN = 0x80000000n;
const HIGH_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const BOTH_LOW = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** What is below the normal range is zero. */
function flushed(value: Value): Value {
  const normal = simd("f32x4.le", spread(32, SINGLE.least), simd("f32x4.abs", value));
  return and(value, or(normal, spread(32, SIGN)));
}

/** Lanes of four numbers of single precision; NaNs and roots of negative numbers are unusual. */
export function approximated(
  operation: "reciprocal" | "reciprocalRoot",
  lanes: number,
  value: Value,
  hold: Hold,
): FloatResult {
  const source = hold(flushed(value));
  const half = (pair: Value) => {
    const doubled = simd("f64x2.promote_low_f32x4", pair);
    const divisor = operation === "reciprocal" ? doubled : simd("f64x2.sqrt", doubled);
    return simd("f32x4.demote_f64x2_zero", simd("f64x2.div", spread(64, ONE), divisor));
  };
  const low = half(source);
  const all = lanes === 1 ? low : shuffled(low, half(shuffled(source, source, HIGH_HALF)), BOTH_LOW);
  const numbers = simd("f32x4.eq", value, value);
  const fine = operation === "reciprocal" ? numbers : and(numbers, simd("f32x4.le", spread(32, 0n), source));
  return { result: flushed(hold(all)), unusual: outside(32, lanes, fine), rounds: false };
}
