/** Sum, product, quotient and square root of plain 80-bit numbers, exactly, then rounded: see float/arithmetic.ts in the book. */
import { I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import {
  add,
  and,
  BIAS,
  c,
  DOWN,
  type Extended,
  exponentOf,
  giveExact,
  giveRounded,
  isBelow,
  isNegative,
  leadingZeros,
  left,
  multiply,
  or,
  right,
  roundingMode,
  SIGN,
  signOf,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import { float, floatOf, over, rootOf, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter, Variable } from "./routine-writer.ts";

/** What follows the significand where bits are missing: below, at and above one half. */
const BELOW_HALF = 1n << 62n;
const HALF = 1n << 63n;
const ABOVE_HALF = 3n << 62n;

const upper = (value: Value) => wide(right(value, c(32)));
const lower = (value: Value) => wide(and(value, c(0xffffffffn)));

/** A result of zero that comes from opposite signs. */
function giveCancelled(w: RoutineWriter, place: Value): void {
  const sign = x.select(x.compare("Eq", roundingMode(), c(DOWN)), c(SIGN), c(0));
  giveExact(w, place, { head: sign, significand: wide(c(0)) });
}

export function giveSum(w: RoutineWriter, place: Value, a: Extended, b: Extended): void {
  giveWithZero(w, place, a, b);
  const isLess = w.let(isBelow(exponentOf(a), exponentOf(b)));
  const order = (first: Value, second: Value) => w.let(x.select(isLess, second, first));
  const high = { head: order(a.head, b.head), significand: order(a.significand, b.significand) };
  const low = { head: order(b.head, a.head), significand: order(b.significand, a.significand) };
  const distance = w.let(subtract(exponentOf(high), exponentOf(low)));
  const { whole, rest } = shifted(w, low.significand, wide(distance));
  const exponent = w.let(exponentOf(high));
  const sign = w.let(signOf(high));
  w.if(x.isZero(and(xor(a.head, b.head), c(SIGN))), () => {
    const sum = w.let(add(high.significand, whole));
    const isLong = w.let(isBelow(sum, whole));
    const moved = or(or(left(sum, c(63)), right(rest, c(1))), and(rest, c(1)));
    giveRounded(w, place, {
      sign,
      exponent: w.let(add(exponent, isLong)),
      significand: w.let(or(right(sum, wide(isLong)), left(isLong, c(63)))),
      rest: w.let(x.select(isLong, moved, rest)),
    });
  });
  giveDifference(w, place, { sign, exponent, whole, rest }, high.significand, low);
}

function giveWithZero(w: RoutineWriter, place: Value, a: Extended, b: Extended): void {
  const only = (number: Extended) =>
    giveRounded(w, place, {
      sign: w.let(signOf(number)),
      exponent: w.let(exponentOf(number)),
      significand: number.significand,
      rest: wide(c(0)),
    });
  w.if(x.isZero(a.significand), () => {
    w.if(x.isZero(b.significand), () => {
      w.if(x.compare("Eq", a.head, b.head), () => giveExact(w, place, a));
      giveCancelled(w, place);
    });
    only(b);
  });
  w.if(x.isZero(b.significand), () => only(a));
}

/** A significand shifted right into two words, the last bit also for all that follow. */
function shifted(w: RoutineWriter, significand: Value, by: Value): { whole: Value; rest: Value } {
  const whole = w.variable(significand);
  const rest = w.variable(wide(c(0)));
  w.if(x.isNonZero(by), () => {
    whole.set(wide(c(0)));
    w.if(
      isBelow(by, wide(c(64))),
      () => {
        whole.set(right(significand, by));
        rest.set(left(significand, subtract(wide(c(64)), by)));
      },
      () => {
        rest.set(wide(c(1)));
        w.if(isBelow(by, wide(c(128))), () => {
          // Shifts count modulo 64.
          const lost = and(significand, subtract(left(wide(c(1)), by), wide(c(1))));
          rest.set(or(right(significand, by), wide(x.isNonZero(lost))));
        });
      },
    );
  });
  return { whole: w.let(whole.value), rest: w.let(rest.value) };
}

interface Aligned {
  readonly sign: Value;
  readonly exponent: Value;
  readonly whole: Value;
  readonly rest: Value;
}

/** The higher number minus the lower one, which has been shifted. */
function giveDifference(w: RoutineWriter, place: Value, aligned: Aligned, high: Value, low: Extended): void {
  const sign = w.variable(aligned.sign);
  const top = w.variable(aligned.exponent);
  const borrow = wide(x.isNonZero(aligned.rest));
  const whole = w.variable(subtract(subtract(high, aligned.whole), borrow));
  const rest = w.variable(subtract(wide(c(0)), aligned.rest));
  // Only where both had the same exponent, and nothing was shifted.
  w.if(isBelow(high, aligned.whole), () => {
    whole.set(subtract(aligned.whole, high));
    sign.set(signOf(low));
  });
  w.if(x.isZero(whole.value), () => {
    w.if(x.isZero(rest.value), () => giveCancelled(w, place));
    whole.set(rest.value);
    rest.set(wide(c(0)));
    top.set(subtract(top.value, c(64)));
  });
  const zeros = w.let(leadingZeros(whole.value));
  w.if(x.isNonZero(zeros), () => {
    whole.set(or(left(whole.value, zeros), right(rest.value, subtract(wide(c(64)), zeros))));
    rest.set(left(rest.value, zeros));
    top.set(subtract(top.value, x.as32(zeros)));
  });
  giveRounded(w, place, { sign: sign.value, exponent: top.value, significand: whole.value, rest: rest.value });
}

/** The 128 bits of a product. */
export function product(w: RoutineWriter, a: Value, b: Value): { high: Value; low: Value } {
  const [lowA, highA, lowB, highB] = [lower(a), upper(a), lower(b), upper(b)].map((value) => w.let(value));
  const first = w.let(add(multiply(highA!, lowB!), upper(multiply(lowA!, lowB!))));
  const second = w.let(add(multiply(lowA!, highB!), lower(first)));
  const high = w.let(add(add(multiply(highA!, highB!), upper(first)), upper(second)));
  return { high, low: w.let(multiply(a, b)) };
}

const oppositeSign = (a: Extended, b: Extended) => and(xor(a.head, b.head), c(SIGN));

export function giveProduct(w: RoutineWriter, place: Value, a: Extended, b: Extended): void {
  const sign = w.let(oppositeSign(a, b));
  w.if(or(x.isZero(a.significand), x.isZero(b.significand)), () =>
    giveExact(w, place, { head: sign, significand: wide(c(0)) }),
  );
  const { high, low } = product(w, a.significand, b.significand);
  const isShort = w.let(x.isZero(isNegative(high)));
  const significand = w.let(or(left(high, isShort), and(right(low, c(63)), wide(isShort))));
  const exponent = w.let(subtract(subtract(add(exponentOf(a), exponentOf(b)), c(BIAS - 1)), isShort));
  giveRounded(w, place, { sign, exponent, significand, rest: w.let(left(low, isShort)) });
}

export function giveQuotient(w: RoutineWriter, place: Value, a: Extended, b: Extended): void {
  w.giveUpIf(x.isZero(b.significand));
  const sign = w.let(oppositeSign(a, b));
  w.if(x.isZero(a.significand), () => giveExact(w, place, { head: sign, significand: wide(c(0)) }));
  const isLess = w.let(isBelow(a.significand, b.significand));
  const exponent = w.let(subtract(add(subtract(exponentOf(a), exponentOf(b)), c(BIAS)), isLess));
  const high = w.let(x.select(isLess, a.significand, right(a.significand, c(1))));
  const low = w.let(x.select(isLess, wide(c(0)), left(a.significand, c(63))));
  const first = digit(w, high, upper(low), b.significand);
  const second = digit(w, first.remainder, lower(low), b.significand);
  const significand = w.let(or(left(first.digit, c(32)), second.digit));
  const { remainder } = second;
  const half = w.let(subtract(b.significand, remainder));
  const more = x.select(isBelow(half, remainder), c(ABOVE_HALF), c(BELOW_HALF));
  const tail = x.select(x.compare("Eq", half, remainder), c(HALF), more);
  const rest = w.let(x.select(x.isZero(remainder), wide(c(0)), tail));
  giveRounded(w, place, { sign, exponent, significand, rest });
}

/** A digit of 32 bits in long division, by a divisor whose first bit is set (Knuth, volume 2, section 4.3.1). */
function digit(w: RoutineWriter, high: Value, next: Value, divisor: Value): { digit: Value; remainder: Value } {
  const [front, back] = [w.let(upper(divisor)), w.let(lower(divisor))];
  const guess = w.variable(x.make(OP.i64DivU, I64, [high, front], 64));
  const over = w.variable(subtract(high, multiply(guess.value, front)));
  const isHigh = () =>
    and(
      x.isZero(upper(over.value)),
      or(
        x.isNonZero(upper(guess.value)),
        isBelow(or(left(over.value, c(32)), next), wide(multiply(guess.value, back))),
      ),
    );
  w.while(isHigh, () => {
    guess.set(subtract(guess.value, wide(c(1))));
    over.set(add(over.value, front));
  });
  const remainder = subtract(or(left(high, c(32)), next), multiply(guess.value, divisor));
  return { digit: w.let(guess.value), remainder: w.let(remainder) };
}

export function giveRoot(w: RoutineWriter, place: Value, value: Extended): void {
  w.if(x.isZero(value.significand), () => giveExact(w, place, value));
  w.giveUpIf(x.isNonZero(signOf(value)));
  // The square: the significand times 2^63 or 2^64, so that what is left of the exponent is even.
  const isOdd = w.let(x.isZero(and(value.head, c(1))));
  const high = w.let(x.select(isOdd, value.significand, right(value.significand, c(1))));
  const low = w.let(x.select(isOdd, wide(c(0)), left(value.significand, c(63))));
  const exponent = w.let(right(subtract(add(value.head, c(BIAS)), isOdd), c(1)));
  const half = w.let(halfEstimate(high));
  const root = w.variable(left(half, c(1)));
  const guess = product(w, root.value, root.value);
  improve(w, root, half, subtract(subtract(high, guess.high), wide(isBelow(low, guess.low))));
  const square = product(w, root.value, root.value);
  const above = w.variable(subtract(subtract(high, square.high), wide(isBelow(low, square.low))));
  const below = w.variable(subtract(low, square.low));
  const one = wide(c(1));
  w.while(
    () => isNegative(above.value),
    () => {
      root.set(subtract(root.value, one));
      below.set(add(below.value, or(left(root.value, c(1)), one)));
      const carry = isBelow(below.value, or(left(root.value, c(1)), one));
      above.set(add(add(above.value, one), wide(carry)));
    },
  );
  const twice = () => left(root.value, c(1));
  const isLow = () =>
    or(isBelow(one, above.value), and(x.compare("Eq", above.value, one), isBelow(twice(), below.value)));
  w.while(isLow, () => {
    above.set(subtract(subtract(above.value, one), wide(isBelow(below.value, or(twice(), one)))));
    below.set(subtract(below.value, or(twice(), one)));
    root.set(add(root.value, one));
  });
  const beyond = or(x.isNonZero(above.value), isBelow(root.value, below.value));
  const tail = x.select(beyond, c(ABOVE_HALF), c(BELOW_HALF));
  const isExact = x.isZero(or(above.value, below.value));
  const rest = w.let(x.select(isExact, wide(c(0)), tail));
  giveRounded(w, place, { sign: c(0), exponent, significand: root.value, rest });
}

/** Half the root of high × 2^64, good to 52 bits. Signed conversions are the cheap ones. */
function halfEstimate(high: Value): Value {
  return truncated(times(rootOf(floatOf(right(high, c(2)))), float(2 ** 32)));
}

/** One step of Newton's method, given the upper half of what the square lacks; what it leaves is a unit or two. */
function improve(w: RoutineWriter, root: Variable, half: Value, lacking: Value): void {
  const scaled = times(floatOf(lacking), float(2 ** 62));
  const step = w.let(truncated(over(scaled, floatOf(half))));
  const better = w.let(add(root.value, step));
  const wrapped = and(x.isZero(isNegative(better)), x.isZero(isNegative(step)));
  root.set(x.select(wrapped, c(0xffffffffffffffffn), better));
}
