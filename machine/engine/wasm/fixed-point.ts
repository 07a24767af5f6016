/** Fractions below 1 with 128 bits, as routines of the runtime compute with them. Results may be wrong in their last bits. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { add, c, isBelow, leadingZeros, left, or, right, subtract, wide } from "./extended-values.ts";
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

/** Adds two words and a carry of 0 or 1. */
export function sumOf(w: RoutineWriter, a: Fixed, b: Fixed): { readonly sum: Fixed; readonly carry: Value } {
  const low = w.let(add(a.low, b.low));
  const carried = w.let(wide(isBelow(low, b.low)));
  const high = w.let(add(a.high, b.high));
  const sum = w.let(add(high, carried));
  const carry = w.let(or(wide(isBelow(high, b.high)), wide(isBelow(sum, carried))));
  return { sum: { high: sum, low }, carry };
}

/** The difference, and 1 where it is below 0. */
export function differenceOf(w: RoutineWriter, a: Fixed, b: Fixed): { readonly rest: Fixed; readonly borrow: Value } {
  const borrowed = w.let(wide(isBelow(a.low, b.low)));
  const low = w.let(subtract(a.low, b.low));
  const high = w.let(subtract(a.high, b.high));
  const rest = w.let(subtract(high, borrowed));
  const borrow = w.let(or(wide(isBelow(a.high, b.high)), wide(isBelow(high, borrowed))));
  return { rest: { high: rest, low }, borrow };
}

export const negated = (w: RoutineWriter, value: Fixed): Fixed => differenceOf(w, fixed(0n), value).rest;

/** A product, short of up to three units of the last bit. */
export function productOf(w: RoutineWriter, a: Fixed, b: Fixed): Fixed {
  const whole = product(w, a.high, b.high);
  const first = product(w, a.high, b.low).high;
  const second = product(w, a.low, b.high).high;
  const zero = wide(c(0));
  const half = sumOf(w, whole, { high: zero, low: first }).sum;
  return sumOf(w, half, { high: zero, low: second }).sum;
}

/** c1 - u × (c2 - u × (c3 - …)), for coefficients each of which is larger than what is taken from it. */
export function alternating(w: RoutineWriter, u: Fixed, coefficients: readonly bigint[]): Fixed {
  return coefficients
    .map(fixed)
    .reduceRight((sum, coefficient) => differenceOf(w, coefficient, productOf(w, u, sum)).rest);
}

/** A quotient below 1, bit by bit. */
export function quotientOf(w: RoutineWriter, dividend: Fixed, divisor: Fixed): Fixed {
  const [high, low] = [w.variable(dividend.high), w.variable(dividend.low)];
  const [quotient, lower] = [w.variable(wide(c(0))), w.variable(wide(c(0)))];
  const todo = w.variable(c(FIXED_BITS));
  w.while(
    () => x.isNonZero(todo.value),
    () => {
      const carry = w.let(right(high.value, wide(c(63))));
      const twice = doubled(w, { high: high.value, low: low.value });
      const { rest, borrow } = differenceOf(w, twice, divisor);
      const fits = w.let(x.as32(or(carry, x.isZero(borrow))));
      high.set(x.select(fits, rest.high, twice.high));
      low.set(x.select(fits, rest.low, twice.low));
      const next = doubled(w, { high: quotient.value, low: lower.value });
      quotient.set(next.high);
      lower.set(or(next.low, wide(fits)));
      todo.set(subtract(todo.value, c(1)));
    },
  );
  return { high: w.let(quotient.value), low: w.let(lower.value) };
}

/** Moved up by one place; the highest bit is lost. */
export const doubled = (w: RoutineWriter, { high, low }: Fixed): Fixed => ({
  high: w.let(or(left(high, c(1)), right(low, wide(c(63))))),
  low: w.let(left(low, c(1))),
});

/** What results may be wrong by, once their first bit is brought to the top: 2^36 units of the last. */
const ERROR = 1n << 36n;

/** A fraction as significand, what follows it, and the places that it was moved by. Gives up where it may round either way. */
export function settled(w: RoutineWriter, value: Fixed): { significand: Value; rest: Value; zeros: Value } {
  w.giveUpIf(x.isZero(value.high));
  const zeros = w.let(leadingZeros(value.high));
  const below = x.select(x.isZero(zeros), wide(c(0)), right(value.low, subtract(wide(c(64)), zeros)));
  const significand = w.let(or(left(value.high, zeros), below));
  const rest = w.let(left(value.low, zeros));
  needSettled(w, rest);
  return { significand, rest: w.let(or(rest, wide(c(1)))), zeros };
}

/** Gives up where what follows a significand does not say how that is rounded. */
export function needSettled(w: RoutineWriter, rest: Value): void {
  w.giveUpIf(isBelow(left(add(rest, word(ERROR)), c(1)), word(ERROR << 2n)));
}

/** The size of a difference; the condition says that it is below 0. */
export const turnedIf = (w: RoutineWriter, condition: Value, value: Fixed): Fixed => {
  const other = negated(w, value);
  const pick = (yes: Value, no: Value) => w.let(x.select(x.as32(condition), yes, no));
  return { high: pick(other.high, value.high), low: pick(other.low, value.low) };
};
