/** y × log2 x and y × log2 (1 + x) for plain numbers, quickly: see quick-series.ts. */
import { logarithmOfTwo } from "#machine/cpu/x87/series.ts";
import { OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { giveTimes } from "./extended-logarithms.ts";
import {
  add,
  and,
  BIAS,
  c,
  INTEGER_BIT,
  isBelow,
  isNegative,
  leadingZeros,
  left,
  multiply,
  or,
  right,
  SIGN,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import { type Fixed, fixed, flipped, movedDown, movedUp } from "./fixed-point.ts";
import {
  fractionOf,
  giveBelow,
  giveFoundBelow,
  type Operand,
  operandPair,
  placesOf,
  zeroLike,
} from "./function-frame.ts";
import { FACTOR_PLACES, LOGARITHM_BYTES, LOGARITHM_PLACES, numberAt, TABLE } from "./function-tables.ts";
import { type Distance, distanceFrom, ERROR, halfOf, nearEntry, normal } from "./quick-series.ts";
import { float, floatOf, plus, polynomial, times } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** What is added to 1 has exponents within these. */
const LEAST = -7;
const MOST = -2;

/** The inverse of the logarithm of 2, in units of 2^-126. */
const INVERSE = fixed((1n << 252n) / logarithmOfTwo(126));
const COEFFICIENTS = [3, 4, 5, 6, 7, 8, 9].map((n) => (((n & 1) === 0 ? -1 : 1) / n / Math.LN2) * 2 ** 62);

/** The upper word of a product with a factor, which is short. */
function upperProduct(value: Value, factor: Value): Value {
  const back = right(multiply(wide(and(value, c(0xffffffffn))), factor), c(32));
  return right(add(multiply(right(value, c(32)), factor), back), c(32));
}

/** A number in units of 2^-127 times a factor, less 1: of 139 bits, those from the 2^-71 on and the others. */
function distanceFromOne(w: RoutineWriter, { high, low }: Fixed, factor: Value): Distance {
  const carried = w.let(wide(upperProduct(low, factor)));
  const middle = w.let(add(multiply(high, factor), carried));
  const upper = w.let(add(upperProduct(high, factor), wide(isBelow(middle, carried))));
  const dropped = FACTOR_PLACES - 8;
  const digits = w.let(or(left(upper, c(64 - dropped)), right(middle, c(dropped))));
  const lost = times(floatOf(and(middle, c((1 << dropped) - 1))), float(2 ** -(63 + FACTOR_PLACES)));
  const behind = times(halfOf(multiply(low, factor)), float(2 ** -(126 + FACTOR_PLACES)));
  return distanceFrom(w, digits, plus(lost, behind));
}

/** y × log2 of significand × 2^exponent, exponents being signed words. */
function giveProduct(w: RoutineWriter, tables: number, y: Operand, exponent: Value, number: Fixed): void {
  const entry = and(right(number.high, c(63 - LOGARITHM_PLACES)), c((1 << LOGARITHM_PLACES) - 1));
  const place = w.let(x.as32(multiply(wide(entry), wide(c(LOGARITHM_BYTES)))));
  const factor = w.let(x.loaded(OP.i64Load, place, tables + TABLE.logarithms));
  const f = distanceFromOne(w, number, factor);
  const square = w.let(times(f.float, f.float));
  const tail = times(times(f.float, square), polynomial(f.float, COEFFICIENTS));
  const { value } = nearEntry(w, f, {
    base: numberAt(w, place, tables + TABLE.logarithms + 8),
    linear: INVERSE,
    square: INVERSE.high,
    isPlus: false,
    small: plus(tail, times(f.rest, float(2 ** 62 / Math.LN2))),
  });
  // Fourteen places more for what is whole.
  const fraction = movedDown(w, value, 14, true);
  const high = w.let(add(fraction.high, left(exponent, c(48))));
  const mask = w.let(x.shift("ShrS", high, c(63)));
  const logarithm = normal(w, {
    sign: w.let(and(x.as32(mask), c(SIGN))),
    value: flipped(w, mask, { high, low: fraction.low }),
    error: wide(c(ERROR >> 13n)),
  });
  const { digits, zeros, sign, error } = logarithm;
  giveTimes(w, y, { digits, place: w.let(subtract(c(15), x.as32(zeros))), sign }, w.let(left(error, c(1))));
}

/** y × a signed whole number below 2^15, which is the logarithm of a power of two. */
function giveMultiple(w: RoutineWriter, y: Operand, factor: Value): void {
  w.if(x.isZero(factor), () => giveBelow(w, y.address, zeroLike(y.sign)));
  const mask = w.let(x.shift("ShrS", factor, c(63)));
  const size = w.let(subtract(xor(factor, mask), mask));
  const zeros = w.let(leadingZeros(size));
  const whole = product(w, y.significand, w.let(left(size, zeros)));
  const isShort = w.let(x.isZero(isNegative(whole.high)));
  const { high, low } = movedUp(w, whole, wide(isShort));
  giveFoundBelow(w, y, {
    sign: w.let(xor(y.sign, and(x.as32(mask), c(SIGN)))),
    exponent: w.let(subtract(add(y.exponent, subtract(c(64), x.as32(zeros))), isShort)),
    significand: high,
    rest: low,
  });
}

/** fyl2x. */
export function giveQuickLogarithm(w: RoutineWriter, tables: number): void {
  const { top, below } = operandPair(w);
  w.giveUpIf(x.isNonZero(top.sign));
  const exponent = placesOf(w, top);
  w.if(x.compare("Eq", top.significand, wide(c(INTEGER_BIT))), () => giveMultiple(w, below, exponent));
  giveProduct(w, tables, below, exponent, { high: top.significand, low: wide(c(0)) });
}

/** fyl2xp1. */
export function giveQuickLogarithmPlusOne(w: RoutineWriter, tables: number): void {
  const { top, below } = operandPair(w);
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(top.exponent, c(BIAS + LEAST))), c(MOST - LEAST + 1))));
  const mask = w.let(subtract(wide(c(0)), wide(x.isNonZero(top.sign))));
  const fraction = flipped(w, mask, fractionOf(w, top));
  const all: Fixed = { high: w.let(xor(fraction.high, c(INTEGER_BIT))), low: fraction.low };
  const isBelowOne = w.let(wide(x.isZero(isNegative(all.high))));
  giveProduct(w, tables, below, w.let(subtract(wide(c(0)), isBelowOne)), movedUp(w, all, isBelowOne));
}
