/** The angle whose tangent is a ratio of plain numbers, of which none is far larger: see x87/transcendental.ts in the book. */
import { pi } from "#machine/cpu/x87/series.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { plainAt, pop } from "./extended-stack.ts";
import {
  and,
  BIAS,
  c,
  exponentOf,
  isBelow,
  left,
  or,
  right,
  rounded,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  wide,
} from "./extended-values.ts";
import {
  alternating,
  differenceOf,
  FIXED_BITS,
  type Fixed,
  fixed,
  productOf,
  quotientOf,
  settled,
  sumOf,
} from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** By how much exponents may differ. */
const FARTHEST = 18;
const TERMS = 50;
/** The tangent of π/8: steeper angles are taken from π/4. */
const EIGHTH = 0x6a09e667f3bcc908n;
const PI = pi(Number(FIXED_BITS));
const ODDS = Array.from({ length: TERMS }, (_, k) => (1n << FIXED_BITS) / BigInt(2 * k + 3));

/** A significand as a fraction below 1/2, moved down by up to 62 places more. */
function shifted(w: RoutineWriter, significand: Value, places: Value): Fixed {
  const down = w.let(wide(x.as32(x.arithmetic("Add", 32, places, c(1)))));
  return { high: w.let(right(significand, down)), low: w.let(left(significand, subtract(wide(c(64)), down))) };
}

/** One of two fractions. */
function pick(w: RoutineWriter, condition: Value, yes: Fixed, no: Fixed): Fixed {
  const choose = (a: Value, b: Value) => w.let(x.select(condition, a, b));
  return { high: choose(yes.high, no.high), low: choose(yes.low, no.low) };
}

const quartered = (w: RoutineWriter, { high, low }: Fixed): Fixed => ({
  high: w.let(right(high, wide(c(2)))),
  low: w.let(or(right(low, wide(c(2))), left(high, c(62)))),
});

/** A quarter of the angle whose tangent is a ratio below 1. */
function acuteQuarter(w: RoutineWriter, above: Fixed, below: Fixed): Fixed {
  const isSteep = w.let(isBelow(product(w, below.high, wide(c(EIGHTH))).high, above.high));
  const opposite = pick(w, isSteep, differenceOf(w, below, above).rest, above);
  const ratio = quotientOf(w, opposite, pick(w, isSteep, sumOf(w, below, above).sum, below));
  const square = productOf(w, ratio, ratio);
  const lost = productOf(w, ratio, productOf(w, square, alternating(w, square, ODDS)));
  const angle = quartered(w, differenceOf(w, ratio, lost).rest);
  return pick(w, isSteep, differenceOf(w, fixed(PI >> 4n), angle).rest, angle);
}

/** fpatan. */
export function giveArctangent(w: RoutineWriter): void {
  const adjacent = plainAt(w, c(0)).value;
  const { address, value: opposite } = plainAt(w, c(1));
  w.giveUpIf(or(x.isZero(adjacent.significand), x.isZero(opposite.significand)));
  const [wideness, height] = [adjacent, opposite].map((number) => w.let(exponentOf(number))) as [Value, Value];
  const isTied = x.compare("Eq", wideness, height);
  const isTall = w.let(or(isBelow(wideness, height), and(isTied, isBelow(adjacent.significand, opposite.significand))));
  const choose = (yes: Value, no: Value) => w.let(x.select(isTall, yes, no));
  const distance = w.let(subtract(choose(height, wideness), choose(wideness, height)));
  w.giveUpIf(isBelow(c(FARTHEST), distance));
  const large = choose(opposite.significand, adjacent.significand);
  const small = choose(adjacent.significand, opposite.significand);
  w.giveUpIf(and(x.isZero(distance), x.compare("Eq", large, small)));
  const zero = c(0);
  const least = acuteQuarter(w, shifted(w, small, distance), shifted(w, large, zero));
  const acute = pick(w, isTall, differenceOf(w, fixed(PI >> 3n), least).rest, least);
  const isBehind = w.let(x.isNonZero(signOf(adjacent)));
  const angle = pick(w, isBehind, differenceOf(w, fixed(PI >> 2n), acute).rest, acute);
  const { significand, rest, zeros } = settled(w, angle);
  const exponent = w.let(subtract(c(BIAS + 1), x.as32(zeros)));
  const found = rounded(w, { sign: w.let(signOf(opposite)), exponent, significand, rest }, true);
  storeExtended(w, address, found);
  setStatus(w, found.flags);
  pop(w);
  w.succeed();
}
