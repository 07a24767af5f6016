/** y × log2 x for plain numbers: see x87/transcendental.ts in the book. */
import { logarithmOfTwo } from "#machine/cpu/x87/series.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { plainAt, pop } from "./extended-stack.ts";
import {
  add,
  BIAS,
  c,
  type Extended,
  exponentOf,
  isBelow,
  isNegative,
  leadingZeros,
  left,
  or,
  right,
  rounded,
  SIGN,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import {
  differenceOf,
  doubled,
  FIXED_BITS,
  type Fixed,
  fixed,
  needSettled,
  negated,
  productOf,
  quotientOf,
  sumOf,
} from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

const TERMS = 27;
/** Significands above are halved: 1.4. */
const HIGH = (7n << 63n) / 5n;

/** Of log2 ((1 + s) / (1 - s)) / 4s, in s². */
function coefficients(): bigint[] {
  const logarithm = logarithmOfTwo(Number(FIXED_BITS));
  return Array.from({ length: TERMS }, (_, k) => (1n << (2n * FIXED_BITS - 1n)) / (logarithm * BigInt(2 * k + 1)));
}

/** The size of log2 (1 ± f), for f below 0.4. */
function logarithmOf(w: RoutineWriter, f: Value, isLess: Value): Fixed {
  const quarter: Fixed = { high: w.let(right(f, wide(c(2)))), low: w.let(left(f, c(62))) };
  const half = fixed(1n << (FIXED_BITS - 1n));
  const [more, less] = [sumOf(w, half, quarter).sum, differenceOf(w, half, quarter).rest];
  const pick = (yes: Value, no: Value) => w.let(x.select(isLess, yes, no));
  const s = quotientOf(w, quarter, { high: pick(less.high, more.high), low: pick(less.low, more.low) });
  const square = productOf(w, s, s);
  const series = coefficients()
    .map(fixed)
    .reduceRight((all, one) => sumOf(w, one, productOf(w, square, all)).sum);
  return doubled(w, doubled(w, productOf(w, s, series)));
}

/** A number with 128 bits, of which the first is set, and the place of that bit. */
interface Long {
  readonly digits: Fixed;
  readonly place: Value;
}

/** Brings the first bit of a whole number with a fraction to the top. */
function normalised(w: RoutineWriter, whole: Value, { high, low }: Fixed): Long {
  const hasWhole = w.let(x.isNonZero(whole));
  const pick = (yes: Value, no: Value) => w.let(x.select(hasWhole, yes, no));
  const first = pick(whole, high);
  const second = pick(high, low);
  const third = pick(low, wide(c(0)));
  const zeros = w.let(leadingZeros(first));
  const moved = (upper: Value, lower: Value) => {
    const below = x.select(x.isZero(zeros), wide(c(0)), right(lower, subtract(wide(c(64)), zeros)));
    return w.let(or(left(upper, zeros), below));
  };
  const top = x.select(hasWhole, c(63), c(0xffffffffn));
  return {
    digits: { high: moved(first, second), low: moved(second, third) },
    place: w.let(subtract(top, x.as32(zeros))),
  };
}

/** log2 of a positive number that is no power of two: its size, and its sign. */
function binaryLogarithm(w: RoutineWriter, value: Extended): Long & { readonly sign: Value } {
  const { significand } = value;
  const isHigh = w.let(isBelow(wide(c(HIGH)), significand));
  const exponent = w.let(add(subtract(exponentOf(value), c(BIAS)), isHigh));
  const f = w.let(x.select(isHigh, subtract(wide(c(0)), significand), left(significand, c(1))));
  w.giveUpIf(x.isZero(f));
  const fraction = logarithmOf(w, f, isHigh);
  w.giveUpIf(isBelow(fraction.high, wide(c(1n << 44n))));
  const isZero = w.let(x.isZero(exponent));
  const isBelowOne = w.let(x.compare("LtS", exponent, c(0)));
  const size = w.let(wide(x.as32(x.select(isBelowOne, subtract(c(0), exponent), exponent))));
  const opposes = w.let(x.select(isZero, c(0), xor(isHigh, isBelowOne)));
  const other = negated(w, fraction);
  const pick = (yes: Value, no: Value) => w.let(x.select(opposes, yes, no));
  const long = normalised(w, w.let(subtract(size, wide(opposes))), {
    high: pick(other.high, fraction.high),
    low: pick(other.low, fraction.low),
  });
  const isNegative = x.select(isZero, isHigh, isBelowOne);
  return { ...long, sign: w.let(x.select(isNegative, c(SIGN), c(0))) };
}

/** fyl2x. */
export function giveLogarithm(w: RoutineWriter): void {
  const top = plainAt(w, c(0)).value;
  const { address, value } = plainAt(w, c(1));
  w.giveUpIf(or(x.isZero(top.significand), x.isZero(value.significand)));
  w.giveUpIf(x.isNonZero(signOf(top)));
  const logarithm = binaryLogarithm(w, top);
  const whole = product(w, logarithm.digits.high, value.significand);
  const small = product(w, logarithm.digits.low, value.significand).high;
  const all = sumOf(w, whole, { high: wide(c(0)), low: small }).sum;
  const isLong = w.let(isNegative(all.high));
  const twice = doubled(w, all);
  const pick = (yes: Value, no: Value) => w.let(x.select(isLong, yes, no));
  const digits = { high: pick(all.high, twice.high), low: pick(all.low, twice.low) };
  needSettled(w, digits.low);
  const found = rounded(
    w,
    {
      sign: w.let(xor(signOf(value), logarithm.sign)),
      exponent: w.let(add(add(exponentOf(value), logarithm.place), isLong)),
      significand: digits.high,
      rest: w.let(or(digits.low, wide(c(1)))),
    },
    true,
  );
  storeExtended(w, address, found);
  setStatus(w, found.flags);
  pop(w);
  w.succeed();
}
