/** Sine, cosine and tangent of zero and of numbers so small that they are, but for a little, the number or 1. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type ANGLE, givePair, giveTangent } from "./extended-angles.ts";
import { add, BIAS, c, INTEGER_BIT, isBelow, left, right, subtract, wide } from "./extended-values.ts";
import { difference, type Fixed, normalised, settledDigits, sum } from "./fixed-point.ts";
import { giveResult, type Operand, roundedFully, zeroLike } from "./function-frame.ts";
import { float, floatFrom, floatOf, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Numbers below 2^-21. */
export const TINY = BIAS - 21;
/** Below 2^-76 the book's routine, too, sees no more than the number. */
const LEAST = BIAS - 76;
const PLACES = 40;

/** A part of the number's square, in units of 2^-128: it lies less than `error` above or below, and is not 0. */
interface Little {
  readonly value: Fixed;
  readonly error: Value;
}

/** The square divided by 2, 3 or 6, and where `bySize` times the number's significand. */
function littleOf(w: RoutineWriter, { exponent, significand }: Operand, divisor: number, bySize: boolean): Little {
  const scale = floatFrom(left(add(left(exponent, c(1)), wide(c(1023 - 2 * BIAS))), c(52)));
  const size = w.let(times(floatOf(right(significand, c(1))), float(2 ** -62)));
  const square = times(times(size, size), scale);
  const part = bySize ? times(square, times(size, float(0.5))) : square;
  const found = w.let(truncated(times(part, float(2 ** (64 + PLACES) / divisor))));
  const half = 1n << BigInt(63 - PLACES);
  return {
    value: {
      high: w.let(right(found, c(PLACES))),
      low: w.let(add(left(found, c(64 - PLACES)), wide(c(half)))),
    },
    error: w.let(add(right(found, c(16)), wide(c(half - 1n)))),
  };
}

const ONE: Fixed = { high: wide(c(0)), low: wide(c(0)) };

/** Somewhat more, or less, than a number with its first bit at the top, or than 1. */
function rounded(w: RoutineWriter, sign: Value, exponent: Value, near: Fixed, little: Little, isLess: boolean) {
  const all = isLess ? difference(w, near, little.value) : sum(w, near, little.value);
  if (!isLess) w.giveUpIf(isBelow(all.high, near.high));
  const { digits, zeros } = normalised(w, all);
  const places = w.let(subtract(exponent, x.as32(zeros)));
  return roundedFully(w, { sign, exponent: places, ...settledDigits(w, digits, w.let(left(little.error, zeros))) });
}

/** Ends the function. */
export function giveTinyAngle(w: RoutineWriter, which: keyof typeof ANGLE, number: Operand): void {
  const { address, sign, exponent, significand } = number;
  const one = { head: c(BIAS), significand: wide(c(INTEGER_BIT)), flags: c(0) };
  w.if(x.isZero(significand), () => {
    const zero = zeroLike(sign);
    if (which === "sineAndCosine" || which === "tangent") givePair(w, address, zero, one);
    giveResult(w, address, which === "cosine" ? one : zero);
  });
  w.giveUpIf(isBelow(exponent, c(LEAST)));
  const near: Fixed = { high: significand, low: wide(c(0)) };
  const sine = () => rounded(w, sign, exponent, near, littleOf(w, number, 6, true), true);
  const cosine = () => rounded(w, c(0), c(BIAS - 1), ONE, littleOf(w, number, 2, false), true);
  if (which === "sine") giveResult(w, address, sine());
  else if (which === "cosine") giveResult(w, address, cosine());
  else if (which === "sineAndCosine") givePair(w, address, sine(), cosine());
  else giveTangent(w, address, rounded(w, sign, exponent, near, littleOf(w, number, 3, true), false));
}
