/** y × log2 x and y × log2 (1 + x) for plain numbers: see x87/transcendental.ts in the book. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { add, BIAS, c, isBelow, isNegative, left, or, right, SIGN, subtract, wide, xor } from "./extended-values.ts";
import {
  difference,
  doubled,
  type Fixed,
  HALF,
  movedDown,
  negated,
  normalised,
  pick,
  productOf,
  quotientOf,
  settledDigits,
  sum,
} from "./fixed-point.ts";
import { fractionOf, giveFoundBelow, type Operand, operandPair } from "./function-frame.ts";
import { longSeries, SERIES } from "./function-tables.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Significands above are halved: 1.4. */
const HIGH = (7n << 63n) / 5n;
/** Fractions whose logarithm is found: from 2^-20 on, and so far up where 1 is added to them, or taken from 1. */
const LEAST = 1n << 44n;
const MOST_ADDED = (2n << 64n) / 5n;
const MOST_TAKEN = (3n << 64n) / 10n;

/** The size of log2 (1 ± f), for f up to 0.4 or 0.3. */
function logarithmOf(w: RoutineWriter, tables: number, f: Fixed, isLess: Value): Fixed {
  const quarter = movedDown(w, f, 2);
  const s = quotientOf(w, quarter, pick(w, isLess, difference(w, HALF, quarter), sum(w, HALF, quarter)));
  const square = productOf(w, s, s);
  const series = longSeries(w, tables, SERIES.logarithm, square, c(0));
  const found = doubled(w, doubled(w, productOf(w, s, series)));
  w.giveUpIf(isBelow(found.high, wide(c(LEAST))));
  return found;
}

/** A logarithm: 128 bits, of which the first is set, the place of that bit, and the sign. */
interface Logarithm {
  readonly digits: Fixed;
  readonly place: Value;
  readonly sign: Value;
}

const signIf = (w: RoutineWriter, condition: Value) => w.let(x.select(condition, c(SIGN), c(0)));

/** Of a whole number with a fraction. */
function longOf(w: RoutineWriter, sign: Value, whole: Value, { high, low }: Fixed): Logarithm {
  const hasWhole = w.let(x.isNonZero(whole));
  const choose = (yes: Value, no: Value) => w.let(x.select(hasWhole, yes, no));
  // The fraction's last bits make room for the whole.
  const { digits, zeros } = normalised(w, { high: choose(whole, high), low: choose(high, low) });
  const lost = right(right(low, c(1)), subtract(wide(c(63)), zeros));
  const lower = w.let(x.select(hasWhole, or(digits.low, lost), digits.low));
  const top = x.select(hasWhole, c(63), c(0xffffffffn));
  return { digits: { high: digits.high, low: lower }, place: w.let(subtract(top, x.as32(zeros))), sign };
}

/** log2 of a positive number that is no power of two. */
function binaryLogarithm(w: RoutineWriter, tables: number, number: Operand): Logarithm {
  const { significand } = number;
  const isHigh = w.let(isBelow(wide(c(HIGH)), significand));
  const exponent = w.let(add(subtract(number.exponent, c(BIAS)), isHigh));
  const f = w.let(x.select(isHigh, subtract(wide(c(0)), significand), left(significand, c(1))));
  w.giveUpIf(x.isZero(f));
  const fraction = logarithmOf(w, tables, { high: f, low: wide(c(0)) }, isHigh);
  const isZero = w.let(x.isZero(exponent));
  const isBelowOne = w.let(x.compare("LtS", exponent, c(0)));
  const size = w.let(wide(x.as32(x.select(isBelowOne, subtract(c(0), exponent), exponent))));
  const opposes = w.let(x.select(isZero, c(0), xor(isHigh, isBelowOne)));
  const whole = w.let(subtract(size, wide(opposes)));
  const sign = signIf(w, x.select(isZero, isHigh, isBelowOne));
  return longOf(w, sign, whole, pick(w, opposes, negated(w, fraction), fraction));
}

/** fyl2x. */
export function giveLogarithm(w: RoutineWriter, tables: number): void {
  const { top, below } = operandPair(w);
  w.giveUpIf(x.isNonZero(top.sign));
  giveTimes(w, below, binaryLogarithm(w, tables, top));
}

/** fyl2xp1. */
export function giveLogarithmPlusOne(w: RoutineWriter, tables: number): void {
  const { top, below } = operandPair(w);
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(top.exponent, c(BIAS - 20))), c(19))));
  const fraction = doubled(w, fractionOf(w, top));
  const isLess = w.let(x.isNonZero(top.sign));
  w.giveUpIf(isBelow(x.select(isLess, c(MOST_TAKEN), c(MOST_ADDED)), fraction.high));
  const { digits, zeros } = normalised(w, logarithmOf(w, tables, fraction, isLess));
  const place = w.let(subtract(c(0xffffffffn), x.as32(zeros)));
  giveTimes(w, below, { digits, place, sign: top.sign });
}

/** A number times a logarithm takes that number's place. */
export function giveTimes(w: RoutineWriter, factor: Operand, logarithm: Logarithm, error?: Value): void {
  const whole = product(w, logarithm.digits.high, factor.significand);
  const small = product(w, logarithm.digits.low, factor.significand).high;
  const all = sum(w, whole, { high: wide(c(0)), low: small });
  const isLong = w.let(isNegative(all.high));
  const digits = pick(w, isLong, all, doubled(w, all));
  giveFoundBelow(w, factor, {
    sign: w.let(xor(factor.sign, logarithm.sign)),
    exponent: w.let(add(add(factor.exponent, logarithm.place), isLong)),
    ...settledDigits(w, digits, error),
  });
}
