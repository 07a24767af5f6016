/**
 * The short series of quick elementary functions. What is large of a result is computed in fixed point, what is small in
 * doubles: that is good for some 76 bits. Where they do not settle how the 64 bits of the result are rounded, a careful
 * function is called.
 */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import {
  add,
  and,
  BIAS,
  c,
  isBelow,
  leadingZeros,
  left,
  multiply,
  or,
  right,
  subtract,
  type Unrounded,
  wide,
  xor,
} from "./extended-values.ts";
import { difference, type Fixed, movedDown, normalised, settledDigits, sum } from "./fixed-point.ts";
import { PLACES } from "./function-tables.ts";
import { float, floatOf, plus, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** By how much a number differs from that of the next entry of a table: from -2^-8 to 2^-8. */
export interface Distance {
  /** In units of 2^-71, rounded down. */
  readonly digits: Value;
  /** What that leaves, and all of it: doubles. */
  readonly rest: Value;
  readonly float: Value;
}

const DIGIT_PLACES = 71;

/** From a number in units of 2^-127, its whole part being lost. */
export function distanceOf(w: RoutineWriter, { high, low }: Fixed): Distance {
  const shift = PLACES + 1;
  const digits = w.let(or(left(high, c(shift)), right(low, c(64 - shift))));
  return distanceFrom(w, digits, times(floatOf(and(low, c((1n << BigInt(64 - shift)) - 1n))), float(2 ** -127)));
}

export const distanceFrom = (w: RoutineWriter, digits: Value, rest: Value): Distance => ({
  digits,
  rest: w.let(rest),
  float: w.let(times(floatOf(digits), float(2 ** -DIGIT_PLACES))),
});

/** The upper 32 bits, signed or not, and the lower ones, which are not. */
const upper = (value: Value) => wide(right(value, c(32)));
const signedUpper = (value: Value) => x.shift("ShrS", wide(value), c(32));
const lower = (value: Value) => wide(and(value, c(0xffffffffn)));

/** The 128 bits of a product of a signed number and one that is not, which is at most 2^63. */
export function signedProduct(w: RoutineWriter, signed: Value, plain: Value): Fixed {
  const [lowA, highA, lowB, highB] = [lower(signed), signedUpper(signed), lower(plain), upper(plain)].map((value) =>
    w.let(value),
  );
  const first = w.let(add(multiply(highA!, lowB!), upper(multiply(lowA!, lowB!))));
  const second = w.let(add(multiply(lowA!, highB!), lower(first)));
  const high = w.let(add(add(multiply(highA!, highB!), signedUpper(first)), upper(second)));
  return { high, low: w.let(multiply(signed, plain)) };
}

/** The upper half of a product of numbers that are at most 2^63, short of up to two units. */
function roughProduct(w: RoutineWriter, a: Value, b: Value): Value {
  const [lowA, highA, lowB, highB] = [lower(a), upper(a), lower(b), upper(b)].map((value) => w.let(value));
  return add(multiply(highA!, highB!), upper(add(multiply(highA!, lowB!), multiply(lowA!, highB!))));
}

/** The square of a distance, in units of 2^-78, short of up to three. */
function squareOf(w: RoutineWriter, { digits }: Distance): Value {
  const size = w.let(xor(digits, x.shift("ShrS", digits, c(63))));
  const [low, high] = [w.let(lower(size)), w.let(upper(size))];
  return w.let(add(multiply(high, high), right(multiply(high, low), c(31))));
}

/** A number of 128 bits, and what has been added to it in the end: its upper half's 2^-26 are the units. */
export interface Found {
  readonly value: Fixed;
  readonly small: Value;
}

const SMALL_PLACES = 26;

/** Adds a double, in units of the upper half, which is below 2^37. */
export function withSmall(w: RoutineWriter, value: Fixed, double: Value): Found {
  const small = w.let(truncated(times(double, float(2 ** SMALL_PLACES))));
  const part = { high: x.shift("ShrS", small, c(SMALL_PLACES)), low: left(small, c(64 - SMALL_PLACES)) };
  return { value: sum(w, value, { high: w.let(part.high), low: w.let(part.low) }), small };
}

/** base + linear × d ± square × d² / 2 + a double in units of the upper half. The first three have the same units. */
export function nearEntry(
  w: RoutineWriter,
  d: Distance,
  parts: { base: Fixed; linear: Fixed; square: Value; isPlus: boolean; small: Value },
): Found {
  const { base, linear, square, small } = parts;
  const first = movedDown(w, signedProduct(w, d.digits, linear.high), DIGIT_PLACES - 64, true);
  const half = w.let(roughProduct(w, square, squareOf(w, d)));
  const moved = 2 * (DIGIT_PLACES - 64) + 1;
  const second = { high: w.let(right(half, c(moved))), low: w.let(left(half, c(64 - moved))) };
  const both = sum(w, base, first);
  const rest = times(halfOf(linear.low), times(d.float, float(2 ** -63)));
  return withSmall(w, parts.isPlus ? sum(w, both, second) : difference(w, both, second), plus(small, rest));
}

/** Half of a number that is not signed, as a double. */
export const halfOf = (value: Value) => floatOf(right(value, c(1)));

/** What a number may be wrong by that comes from `nearEntry`, in units of its last bit. */
export const ERROR = 1n << 52n;

/** The same where the entry was 0, and next to it nothing was lost. */
export const errorNextToZero = ({ small }: Found): Value => {
  const size = x.select(x.compare("LtS", small, wide(c(0))), subtract(wide(c(0)), small), small);
  return left(add(right(size, c(49)), wide(c(2))), c(64 - SMALL_PLACES));
};

/** What has been found: its size, its sign, and how many units of the last bit it may be wrong by. */
export interface Estimate {
  readonly sign: Value;
  readonly value: Fixed;
  readonly error: Value;
}

/** The same with the first bit at the top, moved there by so many places. */
export interface Normal extends Omit<Estimate, "value"> {
  readonly digits: Fixed;
  readonly zeros: Value;
}

/** Gives up where too many of the last bits are lost. */
export function normal(w: RoutineWriter, { sign, value, error }: Estimate): Normal {
  const { digits, zeros } = normalised(w, value);
  w.giveUpIf(isBelow(leadingZeros(error), add(zeros, wide(c(3)))));
  return { sign, digits, zeros, error: w.let(left(error, zeros)) };
}

/** As it is rounded, where the highest bit stands for 2^top. Gives up where that may go either way. */
export const unrounded = (w: RoutineWriter, { sign, digits, zeros, error }: Normal, top: number): Unrounded => ({
  sign,
  exponent: w.let(subtract(c(BIAS + top), x.as32(zeros))),
  ...settledDigits(w, digits, error),
});
