/** 2^x - 1 for plain numbers between -1 and 1 that are not small, quickly: see quick-series.ts. */
import { logarithmOfTwo } from "#machine/cpu/x87/series.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { add, and, BIAS, c, INTEGER_BIT, isBelow, left, or, right, subtract, wide } from "./extended-values.ts";
import { flipped } from "./fixed-point.ts";
import { fractionOf, giveFound, giveResult, topOperand, zeroLike } from "./function-frame.ts";
import { numberAt, PLACES, TABLE } from "./function-tables.ts";
import {
  type Distance,
  distanceFrom,
  distanceOf,
  ERROR,
  halfOf,
  nearEntry,
  normal,
  signedProduct,
  unrounded,
} from "./quick-series.ts";
import { float, floatOf, plus, polynomial, times } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Numbers from 2^-7 on, below 1. */
const LEAST = BIAS - 7;
const MOST = BIAS - 1;

/** The logarithm of 2 in units of 2^-63, and what that lacks. */
const LN2 = logarithmOfTwo(63);
const LN2_REST = Number(logarithmOfTwo(127) - (LN2 << 64n)) / 2 ** 127;

/** A distance times the logarithm of 2. */
function natural(w: RoutineWriter, d: Distance): Distance {
  const { high, low } = signedProduct(w, d.digits, wide(c(LN2)));
  const lost = times(floatOf(and(low, c(INTEGER_BIT - 1n))), float(2 ** -134));
  const more = plus(times(d.rest, float(Math.LN2)), times(d.float, float(LN2_REST)));
  return distanceFrom(w, w.let(or(left(high, c(1)), right(low, c(63)))), plus(lost, more));
}

/** The entry nearest to a number in units of 2^-127, from -128 to 128. */
const entryOf = (w: RoutineWriter, high: Value): Value =>
  w.let(x.shift("ShrS", add(x.shift("ShrS", high, c(62 - PLACES)), wide(c(1))), c(1)));

/** f2xm1. */
export function giveQuickPower(w: RoutineWriter, tables: number): void {
  const number = topOperand(w);
  w.if(x.isZero(number.significand), () => giveResult(w, number.address, zeroLike(number.sign)));
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(number.exponent, c(LEAST))), c(MOST - LEAST + 1))));
  const mask = w.let(subtract(wide(c(0)), wide(x.isNonZero(number.sign))));
  const { high, low } = flipped(w, mask, fractionOf(w, number));
  const entry = entryOf(w, high);
  const d = distanceOf(w, { high: w.let(subtract(high, left(entry, c(63 - PLACES)))), low });
  const z = natural(w, d);
  const power = numberAt(w, w.let(x.as32(left(add(entry, wide(c(1 << PLACES))), c(4)))), tables + TABLE.powers);
  const square = w.let(times(z.float, z.float));
  const series = polynomial(z.float, [2 / 6, 2 / 24, 2 / 120, 2 / 720, 2 / 5040]);
  const tail = plus(times(times(z.float, square), series), times(z.rest, float(2)));
  const { value } = nearEntry(w, z, {
    base: { high: w.let(subtract(power.high, wide(c(1n << 62n)))), low: power.low },
    linear: power,
    square: power.high,
    isPlus: true,
    small: times(halfOf(power.high), tail),
  });
  const found = normal(w, { sign: number.sign, value: flipped(w, mask, value), error: wide(c(ERROR)) });
  giveFound(w, number, unrounded(w, found, 1));
}
