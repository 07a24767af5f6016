/** Fractions below 1 with 128 bits, as routines of the runtime compute with them. Results may be wrong in their last bits. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import {
  add,
  c,
  INTEGER_BIT,
  isBelow,
  isNegative,
  leadingZeros,
  left,
  multiply,
  or,
  right,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import { float, floatOf, over, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** A fraction: bits 64 to 127, and the lower ones. */
export interface Fixed {
  readonly high: Value;
  readonly low: Value;
}

export const FIXED_BITS = 128n;
const WORD = 0xffffffffffffffffn;
const word = (value: bigint): Value => wide(c(value));

/** A constant, in units of 2^-128. */
export const fixed = (value: bigint): Fixed => ({ high: word(value >> 64n), low: word(value & WORD) });

/** The sum without what goes beyond 1. */
export const sum = (w: RoutineWriter, a: Fixed, b: Fixed): Fixed => {
  const low = w.let(add(a.low, b.low));
  return { high: w.let(add(add(a.high, b.high), wide(isBelow(low, b.low)))), low };
};

/** The difference without what is below 0. */
export const difference = (w: RoutineWriter, a: Fixed, b: Fixed): Fixed => ({
  high: w.let(subtract(subtract(a.high, b.high), wide(isBelow(a.low, b.low)))),
  low: w.let(subtract(a.low, b.low)),
});

export const negated = (w: RoutineWriter, value: Fixed): Fixed => difference(w, fixed(0n), value);

/** One of two fractions. */
export const pick = (w: RoutineWriter, condition: Value, yes: Fixed, no: Fixed): Fixed => ({
  high: w.let(x.select(x.as32(condition), yes.high, no.high)),
  low: w.let(x.select(x.as32(condition), yes.low, no.low)),
});

/** The size of a difference; the condition says that it is below 0. */
export const turnedIf = (w: RoutineWriter, condition: Value, value: Fixed): Fixed =>
  pick(w, condition, negated(w, value), value);

/** All bits turned where the mask's are set: the negative, less one unit of the last bit. */
export const flipped = (w: RoutineWriter, mask: Value, { high, low }: Fixed): Fixed => ({
  high: w.let(xor(high, mask)),
  low: w.let(xor(low, mask)),
});

/** Moved up by fewer than 64 places; what goes beyond is lost. */
export function movedUp(w: RoutineWriter, { high, low }: Fixed, places: Value): Fixed {
  const into = right(right(low, c(1)), subtract(wide(c(63)), wide(places)));
  return { high: w.let(or(left(high, places), into)), low: w.let(left(low, places)) };
}

/** Moved down by 1 to 63 places that are known; signed where `arithmetic`. */
export const movedDown = (w: RoutineWriter, { high, low }: Fixed, places: number, arithmetic = false): Fixed => ({
  high: w.let(arithmetic ? x.shift("ShrS", high, c(places)) : right(high, c(places))),
  low: w.let(or(right(low, c(places)), left(high, c(64 - places)))),
});

/** Moved up by one place; the highest bit is lost. */
export const doubled = (w: RoutineWriter, { high, low }: Fixed): Fixed => ({
  high: w.let(or(left(high, c(1)), right(low, wide(c(63))))),
  low: w.let(left(low, c(1))),
});

/** A product, short of up to three units of the last bit. */
export function productOf(w: RoutineWriter, a: Fixed, b: Fixed): Fixed {
  const whole = product(w, a.high, b.high);
  const first = product(w, a.high, b.low).high;
  const second = product(w, a.low, b.high).high;
  const zero = wide(c(0));
  return sum(w, sum(w, whole, { high: zero, low: first }), { high: zero, low: second });
}

/** Bits that a step of the division finds, and by how much its operands are moved down so that nothing goes beyond. */
const STEP = 48;
const ROOM = 4;

/**
 * A quotient below 1, by a divisor from 1/4 on, in so many steps of 48 bits: each divides the first bits of what is left
 * as doubles, and takes away that many times the divisor, exactly. It may be wrong by 2^-124 or a few units of its last step.
 */
export function quotientOf(w: RoutineWriter, dividend: Fixed, divisor: Fixed, steps = 3): Fixed {
  const by = movedDown(w, divisor, ROOM);
  const inverse = w.let(over(float(2 ** STEP), floatOf(by.high)));
  let rest = movedDown(w, dividend, ROOM);
  let found: Fixed | null = null;
  for (let step = 1; step <= steps; step++) {
    const digit = w.let(truncated(times(floatOf(rest.high), inverse)));
    const up = 128 - STEP * step;
    const sign = w.let(x.shift("ShrS", digit, c(63)));
    const part: Fixed =
      up >= 64
        ? { high: w.let(left(digit, c(up - 64))), low: wide(c(0)) }
        : up >= 0
          ? { high: w.let(x.shift("ShrS", digit, c(64 - up))), low: w.let(left(digit, c(up))) }
          : { high: sign, low: w.let(x.shift("ShrS", digit, c(-up))) };
    found = found === null ? part : sum(w, found, part);
    if (step < steps) rest = difference(w, movedUp(w, rest, c(STEP)), timesSigned(w, by, digit, sign));
  }
  return found!;
}

/** A fraction times a signed number of 64 bits, without what goes beyond 1; `sign` is spread over a word. */
export function timesSigned(w: RoutineWriter, { high, low }: Fixed, by: Value, sign: Value): Fixed {
  const lower = product(w, low, by);
  const upper = subtract(add(lower.high, multiply(high, by)), x.logic("And", low, sign));
  return { high: w.let(upper), low: lower.low };
}

/** What results may be wrong by, once their first bit is brought to the top: 2^36 units of the last. */
const ERROR = 1n << 36n;

/** A fraction with its first bit at the top. */
export interface Normal {
  readonly digits: Fixed;
  /** The places that it was moved by. */
  readonly zeros: Value;
}

/** Brings the first bit to the top; gives up where that is far below. */
export function normalised(w: RoutineWriter, value: Fixed): Normal {
  w.giveUpIf(x.isZero(value.high));
  const zeros = w.let(leadingZeros(value.high));
  return { digits: movedUp(w, value, zeros), zeros };
}

/** A fraction as significand, what follows it, and the places that it was moved by. Gives up where it may round either way. */
export function settled(w: RoutineWriter, value: Fixed): { significand: Value; rest: Value; zeros: Value } {
  const { digits, zeros } = normalised(w, value);
  return { ...settledDigits(w, digits), zeros };
}

/** The same for one whose first bit is at the top, and that may be wrong by so many units of the last. */
export function settledDigits(w: RoutineWriter, { high, low }: Fixed, error: Value = word(ERROR)) {
  w.giveUpIf(isBelow(left(add(low, error), c(1)), left(error, c(2))));
  return { significand: high, rest: w.let(or(low, wide(c(1)))) };
}

/** A quotient of two that have their first bit at the top, as such a one, and whether it is above 1. */
export function ratioOf(w: RoutineWriter, above: Fixed, below: Fixed, steps = 3): { digits: Fixed; isOver: Value } {
  const isTied = x.compare("Eq", above.high, below.high);
  const isLess = or(isBelow(above.high, below.high), x.logic("And", isTied, isBelow(above.low, below.low)));
  const isOver = w.let(x.isZero(isLess));
  const dividend = pick(w, isOver, movedDown(w, above, 1), above);
  const found = quotientOf(w, dividend, below, steps);
  w.giveUpIf(x.isZero(isNegative(found.high)));
  return { digits: found, isOver };
}

export const HALF: Fixed = fixed(INTEGER_BIT << 64n);
