/** The angle whose tangent is a ratio of plain numbers, of which none is far larger, quickly: see quick-series.ts. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type Ordered, ordered } from "./extended-arctangents.ts";
import { add, and, c, isBelow, left, multiply, or, right, subtract, wide, xor } from "./extended-values.ts";
import { difference, type Fixed, fixed, flipped, movedDown, movedUp, pick, sum, timesSigned } from "./fixed-point.ts";
import { giveBelow, giveFoundBelow, hasZero, type Pair, pairOf, zeroLike } from "./function-frame.ts";
import { numberAt, PLACES, TABLE, turns } from "./function-tables.ts";
import { ERROR, errorNextToZero, type Found, normal, unrounded, withSmall } from "./quick-series.ts";
import { float, floatOf, nearestWhole, over, plus, polynomial, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** By how much exponents may differ. */
const FARTHEST = 18;

/** Bits below a significand: sums and multiples of two keep all of theirs. */
const BELOW = 56;
/** Bits of a small ratio that the first division finds, in units of 2^-58. */
const RATIO_PLACES = 58;

/** A number of 120 bits times one of 8. */
function timesSmall(w: RoutineWriter, { high, low }: Fixed, by: Value): Fixed {
  const carried = right(multiply(wide(and(low, c(0xffffffffn))), by), c(32));
  const upper = right(add(multiply(right(low, c(32)), by), carried), c(32));
  return { high: w.let(add(multiply(high, by), upper)), low: w.let(multiply(low, by)) };
}

/** The two numbers by their size, with bits below them; the entry of the table that is nearest to their ratio. */
function entryOf(w: RoutineWriter, { small, large, distance }: Ordered) {
  const down = w.let(wide(add(distance, c(64 - BELOW))));
  const above: Fixed = { high: w.let(right(small, down)), low: w.let(left(small, subtract(wide(c(64)), down))) };
  const below: Fixed = { high: w.let(right(large, c(64 - BELOW))), low: w.let(left(large, c(BELOW))) };
  const ratio = over(floatOf(above.high), floatOf(below.high));
  return { above, below, entry: w.let(truncated(nearestWhole(times(ratio, float(2 ** PLACES))))) };
}

/** The arctangent of a ratio up to 1: with a = entry / 128, that of a and of (above - a below) / (below + a above). */
function acute(w: RoutineWriter, tables: number, numbers: Ordered): Found & { readonly entry: Value } {
  const { above, below, entry } = entryOf(w, numbers);
  const dividend = difference(w, above, timesSmall(w, movedDown(w, below, PLACES), entry));
  const divisor = sum(w, below, movedDown(w, timesSmall(w, above, entry), PLACES));
  const inverse = w.let(over(float(2 ** (RATIO_PLACES - 14)), floatOf(divisor.high)));
  const front = or(left(dividend.high, c(14)), right(dividend.low, c(50)));
  const ratio = w.let(truncated(times(floatOf(front), inverse)));
  const taken = timesSigned(w, divisor, ratio, w.let(x.shift("ShrS", ratio, c(63))));
  const rest = difference(w, movedUp(w, dividend, c(RATIO_PLACES)), taken);
  const more = w.let(times(times(floatOf(rest.high), inverse), float(2 ** (14 - RATIO_PLACES))));
  const t = w.let(times(plus(floatOf(ratio), more), float(2 ** -RATIO_PLACES)));
  const square = w.let(times(t, t));
  const tail = times(
    times(t, square),
    polynomial(
      square,
      [-1 / 3, 1 / 5, -1 / 7, 1 / 9].map((one) => one * 2 ** 62),
    ),
  );
  const known = numberAt(w, w.let(x.as32(left(entry, c(4)))), tables + TABLE.arctangents);
  const value = sum(w, known, { high: w.let(left(ratio, c(62 - RATIO_PLACES))), low: wide(c(0)) });
  return { ...withSmall(w, value, plus(tail, times(more, float(2 ** (62 - RATIO_PLACES))))), entry };
}

/** Where one is zero: 0, a quarter or half of the circle. */
function giveOnAxis(w: RoutineWriter, { top: adjacent, below: opposite }: Pair): void {
  const isFlat = w.let(x.isZero(opposite.significand));
  w.if(and(isFlat, x.isZero(adjacent.sign)), () => giveBelow(w, opposite.address, zeroLike(opposite.sign)));
  const value = pick(w, isFlat, fixed(turns.half), fixed(turns.quarter));
  const angle = normal(w, { sign: opposite.sign, value, error: wide(c(ERROR)) });
  giveFoundBelow(w, opposite, unrounded(w, angle, 1));
}

/** fpatan. */
export function giveQuickArctangent(w: RoutineWriter, tables: number): void {
  const pair = pairOf(w);
  w.if(hasZero(pair), () => giveOnAxis(w, pair));
  const { top: adjacent, below: opposite } = pair;
  const numbers = ordered(w, adjacent, opposite);
  w.giveUpIf(isBelow(c(FARTHEST), numbers.distance));
  const found = acute(w, tables, numbers);
  const isBehind = w.let(x.isNonZero(adjacent.sign));
  const base = (word: (value: Fixed) => Value) => {
    const upright = x.select(numbers.isTall, word(fixed(turns.quarter)), word(fixed(0n)));
    return w.let(x.select(and(isBehind, x.isZero(numbers.isTall)), word(fixed(turns.half)), upright));
  };
  const mask = w.let(subtract(wide(c(0)), wide(xor(numbers.isTall, isBehind))));
  const start: Fixed = { high: base(({ high }) => high), low: base(({ low }) => low) };
  const angle = normal(w, {
    sign: opposite.sign,
    value: sum(w, start, flipped(w, mask, found.value)),
    error: w.let(x.select(x.isZero(found.entry), errorNextToZero(found), wide(c(ERROR)))),
  });
  giveFoundBelow(w, opposite, unrounded(w, angle, 1));
}
