/** Sine, cosine and tangent of plain numbers that are neither small nor large: see x87/transcendental.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { I32 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { fill, needRoom, turn } from "./extended-stack.ts";
import {
  add,
  and,
  BIAS,
  c,
  INTEGER_BIT,
  isBelow,
  left,
  or,
  right,
  SIGN,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import {
  alternating,
  difference,
  differenceOf,
  FIXED_BITS,
  type Fixed,
  negated,
  normalised,
  pick,
  productOf,
  ratioOf,
  settled,
  settledDigits,
  sumOf,
  turnedIf,
} from "./fixed-point.ts";
import { giveResult, operandWithin, roundedFully } from "./function-frame.ts";
import { float, floatOf, nearestWhole, times, truncated } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";

const C2 = 0x400n;
/** Numbers from 2^-20 on, below 2^16. */
const LEAST = -20;
const MOST = 15;
/** Of what is left beside the quarters of a circle: 2^-20. */
const LEAST_REST = 1n << 44n;

/** A quarter of the circle, less 1: half of the processor's π, which has 66 bits behind the point. */
const QUARTER = ((0xc90fdaa22168c234cn - (1n << 67n)) << (FIXED_BITS - 67n)) as bigint;
const TERMS = 15;

const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1));
const inverses = (offset: number): bigint[] =>
  Array.from({ length: TERMS }, (_, k) => (1n << FIXED_BITS) / factorial(2 * (k + 1) + offset));

/** A whole number and a fraction. */
interface Mixed {
  readonly whole: Value;
  readonly fraction: Fixed;
}

/** The size of a number from its exponent and significand. */
export function sizeOf(w: RoutineWriter, exponent: Value, significand: Value): Mixed {
  const places = w.let(wide(subtract(exponent, c(BIAS - 1))));
  const isBelowOne = w.let(isBelow(exponent, c(BIAS)));
  const down = w.let(subtract(wide(c(0)), places));
  const none = wide(c(0));
  const choose = (yes: Value, no: Value) => w.let(x.select(isBelowOne, yes, no));
  const lost = x.select(x.isZero(places), none, left(significand, subtract(wide(c(64)), down)));
  return {
    whole: choose(none, right(significand, subtract(wide(c(64)), places))),
    fraction: { high: choose(right(significand, down), left(significand, places)), low: choose(lost, none) },
  };
}

/** How many quarters of the circle lie nearest to a number. */
function quartersIn(w: RoutineWriter, { whole, fraction }: Mixed): Value {
  const number = or(left(whole, c(32)), right(fraction.high, c(32)));
  return w.let(truncated(nearestWhole(times(floatOf(number), float(2 / Math.PI / 2 ** 32)))));
}

/** What is left of a number without so many quarters: its size, and whether it is below 0. */
function restOf(w: RoutineWriter, number: Mixed, quarters: Value): { rest: Fixed; isLess: Value } {
  const high = product(w, quarters, wide(c(QUARTER >> 64n)));
  const low = product(w, quarters, wide(c(QUARTER & 0xffffffffffffffffn)));
  const { sum, carry } = sumOf(w, { high: high.low, low: low.low }, { high: low.high, low: wide(c(0)) });
  const whole = add(add(quarters, high.high), carry);
  const { rest, borrow } = differenceOf(w, number.fraction, sum);
  const left = w.let(subtract(subtract(number.whole, whole), borrow));
  const isLess = w.let(x.isNonZero(left));
  w.giveUpIf(x.isNonZero(and(left, add(left, wide(c(1))))));
  return { rest: turnedIf(w, isLess, rest), isLess };
}

interface Found {
  readonly sign: Value;
  readonly size: Fixed;
}

/** Sine and cosine of a number. */
interface Point {
  readonly sine: Found;
  readonly cosine: Found;
}

/** By what the functions are told; the last also stands for the first two at once. */
export const ANGLE = { sine: 0, cosine: 1, sineAndCosine: 2, tangent: 3 } as const;
const isWhich = (which: Value, name: keyof typeof ANGLE) => x.compare("Eq", which, wide(c(ANGLE[name])));

/** fsin, fcos, fsincos and fptan. */
export function giveAngle(w: RoutineWriter, which: Value): void {
  const isPair = w.let(x.isNonZero(and(which, c(2))));
  const number = operandWithin(w, LEAST, MOST);
  w.if(isPair, () => needRoom(w));
  const { sine, cosine } = pointAt(w, number.sign, sizeOf(w, number.exponent, number.significand));
  w.atSuccess = clearIncomplete(w);
  w.if(isWhich(which, "tangent"), () => giveTangent(w, number.address, tangentOf(w, sine, cosine)));
  w.if(isWhich(which, "sine"), () => giveResult(w, number.address, roundedPart(w, sine)));
  const other = roundedPart(w, cosine);
  w.if(isPair, () => givePair(w, number.address, roundedPart(w, sine), other));
  giveResult(w, number.address, other);
}

/** C2 says that a number was too large, which it was not. */
export const clearIncomplete = (w: RoutineWriter) => () =>
  w.storeState(at.FPU_STATUS, and(x.stateWord(at.FPU_STATUS, I32), c(0xffffffffn & ~C2)));

type Rounded = ReturnType<typeof roundedFully>;

/** fsincos: the sine, and the cosine above it. */
export const givePair = (
  w: RoutineWriter,
  address: Value,
  sine: Rounded,
  cosine: Pick<Rounded, "head" | "significand">,
) =>
  giveResult(w, address, sine, () => {
    turn(w, 7);
    fill(w, c(0), cosine);
  });

/** fptan: the tangent, and 1 above it. */
export const giveTangent = (w: RoutineWriter, address: Value, tangent: Rounded) =>
  givePair(w, address, tangent, { head: c(BIAS), significand: c(INTEGER_BIT) });

function pointAt(w: RoutineWriter, sign: Value, number: Mixed): Point {
  const quarters = quartersIn(w, number);
  const { rest, isLess } = restOf(w, number, quarters);
  w.giveUpIf(isBelow(rest.high, wide(c(LEAST_REST))));
  const square = productOf(w, rest, rest);
  const lost = productOf(w, rest, productOf(w, square, alternating(w, square, inverses(1))));
  const sine = difference(w, rest, lost);
  const cosine = negated(w, productOf(w, square, alternating(w, square, inverses(0))));
  const isOdd = w.let(x.as32(and(quarters, wide(c(1)))));
  const turns = w.let(x.as32(and(quarters, wide(c(2)))));
  const turned = (condition: Value) => w.let(x.select(condition, c(SIGN), c(0)));
  const restSign = turned(isLess);
  const evenly = (odd: boolean) => x.select(xor(isOdd, c(odd ? 1 : 0)), c(0), restSign);
  const crossed = x.isNonZero(xor(turns, x.as32(left(isOdd, c(1)))));
  return {
    sine: {
      sign: w.let(xor(xor(sign, turned(x.isNonZero(turns))), evenly(false))),
      size: pick(w, isOdd, cosine, sine),
    },
    cosine: { sign: w.let(xor(turned(crossed), evenly(true))), size: pick(w, isOdd, sine, cosine) },
  };
}

function roundedPart(w: RoutineWriter, { sign, size }: Found): Rounded {
  const { significand, rest, zeros } = settled(w, size);
  const exponent = w.let(subtract(c(BIAS - 1), x.as32(zeros)));
  return roundedFully(w, { sign, exponent, significand, rest });
}

function tangentOf(w: RoutineWriter, sine: Found, cosine: Found): Rounded {
  const [above, below] = [normalised(w, sine.size), normalised(w, cosine.size)];
  const { digits, isOver } = ratioOf(w, above.digits, below.digits);
  const places = add(x.as32(subtract(below.zeros, above.zeros)), isOver);
  const exponent = w.let(add(c(BIAS - 1), places));
  const { significand, rest } = settledDigits(w, digits);
  return roundedFully(w, { sign: w.let(xor(sine.sign, cosine.sign)), exponent, significand, rest });
}
