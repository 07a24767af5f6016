/** The angle whose tangent is a ratio of plain numbers, of which none is far larger: see x87/transcendental.ts in the book. */
import { pi } from "#machine/cpu/x87/series.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { and, BIAS, c, isBelow, left, or, right, subtract, wide } from "./extended-values.ts";
import {
  difference,
  FIXED_BITS,
  type Fixed,
  fixed,
  movedDown,
  pick,
  productOf,
  quotientOf,
  settled,
  sum,
} from "./fixed-point.ts";
import { giveFoundBelow, type Operand, operandPair } from "./function-frame.ts";
import { longSeries, SERIES } from "./function-tables.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** By how much exponents may differ. */
const FARTHEST = 18;
/** The tangent of π/8: steeper angles are taken from π/4. */
const EIGHTH = 0x6a09e667f3bcc908n;
const PI = pi(Number(FIXED_BITS));

/** A significand as a fraction below 1/2, moved down by up to 62 places more. */
function shifted(w: RoutineWriter, significand: Value, places: Value): Fixed {
  const down = w.let(wide(x.as32(x.arithmetic("Add", 32, places, c(1)))));
  return { high: w.let(right(significand, down)), low: w.let(left(significand, subtract(wide(c(64)), down))) };
}

/** A quarter of the angle whose tangent is a ratio below 1. */
function acuteQuarter(w: RoutineWriter, tables: number, above: Fixed, below: Fixed): Fixed {
  const isSteep = w.let(isBelow(product(w, below.high, wide(c(EIGHTH))).high, above.high));
  const opposite = pick(w, isSteep, difference(w, below, above), above);
  const ratio = quotientOf(w, opposite, pick(w, isSteep, sum(w, below, above), below));
  const square = productOf(w, ratio, ratio);
  const lost = productOf(w, ratio, productOf(w, square, longSeries(w, tables, SERIES.arctangent, square, c(1))));
  const angle = movedDown(w, difference(w, ratio, lost), 2);
  return pick(w, isSteep, difference(w, fixed(PI >> 4n), angle), angle);
}

/** Two numbers by their size. */
export interface Ordered {
  readonly small: Value;
  readonly large: Value;
  /** By how much their exponents differ. */
  readonly distance: Value;
  /** The one that is opposite to the angle is the larger one. */
  readonly isTall: Value;
}

export function ordered(w: RoutineWriter, adjacent: Operand, opposite: Operand): Ordered {
  const [wideness, height] = [adjacent.exponent, opposite.exponent];
  const isTied = x.compare("Eq", wideness, height);
  const isTall = w.let(or(isBelow(wideness, height), and(isTied, isBelow(adjacent.significand, opposite.significand))));
  const choose = (yes: Value, no: Value) => w.let(x.select(isTall, yes, no));
  return {
    small: choose(adjacent.significand, opposite.significand),
    large: choose(opposite.significand, adjacent.significand),
    distance: w.let(subtract(choose(height, wideness), choose(wideness, height))),
    isTall,
  };
}

/** fpatan. */
export function giveArctangent(w: RoutineWriter, tables: number): void {
  const { top: adjacent, below: opposite } = operandPair(w);
  const { small, large, distance, isTall } = ordered(w, adjacent, opposite);
  w.giveUpIf(isBelow(c(FARTHEST), distance));
  w.giveUpIf(and(x.isZero(distance), x.compare("Eq", large, small)));
  const least = acuteQuarter(w, tables, shifted(w, small, distance), shifted(w, large, c(0)));
  const acute = pick(w, isTall, difference(w, fixed(PI >> 3n), least), least);
  const isBehind = w.let(x.isNonZero(adjacent.sign));
  const angle = pick(w, isBehind, difference(w, fixed(PI >> 2n), acute), acute);
  const { significand, rest, zeros } = settled(w, angle);
  const exponent = w.let(subtract(c(BIAS + 1), x.as32(zeros)));
  giveFoundBelow(w, opposite, { sign: opposite.sign, exponent, significand, rest });
}
