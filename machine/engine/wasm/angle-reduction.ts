/** What is left of an angle beside the quarters of the circle that lie nearest to it. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { add, BIAS, c, isBelow, left, multiply, right, wide } from "./extended-values.ts";
import { difference, type Fixed, flipped, pick } from "./fixed-point.ts";
import { fractionOf, type Operand, placesOf } from "./function-frame.ts";
import { float, floatFrom, floatOf, nearestWhole, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** The processor's π in units of 2^-66, in two parts: a quarter of the circle is as much in units of 2^-67. */
const PI_HIGH = 0xc90fdaa22168c234cn >> 34n;
const PI_LOW = 0xc90fdaa22168c234cn & 0x3ffffffffn;

export interface Reduced {
  readonly quarters: Value;
  /** A word of ones where the rest is below 0. */
  readonly isLess: Value;
  /** The rest's size in units of 2^-127. */
  readonly rest: Fixed;
}

/** How many quarters of the circle lie nearest to a number of size significand × 2^(places - 63). */
function quartersIn(w: RoutineWriter, significand: Value, places: Value): Value {
  const scale = floatFrom(left(add(places, wide(c(1023 - 62))), c(52)));
  const number = times(floatOf(right(significand, c(1))), times(scale, float(2 / Math.PI)));
  return w.let(truncated(nearestWhole(number)));
}

/** Of a number from 2^-60 on, below 2^16. */
export function reduced(w: RoutineWriter, number: Operand): Reduced {
  const places = placesOf(w, number);
  const quarters = quartersIn(w, number.significand, places);
  // In units of 2^-127, without what is a multiple of 2.
  const isBelowOne = w.let(isBelow(number.exponent, c(BIAS)));
  const below = fractionOf(w, number);
  const size = pick(w, isBelowOne, below, { high: below.low, low: wide(c(0)) });
  const [upper, lower] = [PI_HIGH, PI_LOW].map((part) => w.let(multiply(quarters, wide(c(part)))));
  const taken: Fixed = {
    high: w.let(add(left(upper!, c(30)), right(lower!, c(4)))),
    low: w.let(left(lower!, c(60))),
  };
  const rest = difference(w, size, taken);
  const isLess = w.let(x.shift("ShrS", rest.high, c(63)));
  return { quarters, isLess, rest: flipped(w, isLess, rest) };
}
