/** Sine and cosine of plain numbers that are neither small nor large: see x87/transcendental.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { F64, I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { product } from "./extended-arithmetic.ts";
import { fill, needRoom, plainAt, turn } from "./extended-stack.ts";
import {
  add,
  and,
  BIAS,
  c,
  exponentOf,
  isBelow,
  left,
  or,
  right,
  rounded,
  SIGN,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import {
  alternating,
  differenceOf,
  FIXED_BITS,
  type Fixed,
  negated,
  productOf,
  settled,
  sumOf,
  turnedIf,
} from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

const C2 = 0x400n;
/** Exponents of the numbers that are taken: from 2^-20 on, below 2^16. */
const LEAST = BIAS - 20;
const MOST = BIAS + 15;

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
  const pick = (yes: Value, no: Value) => w.let(x.select(isBelowOne, yes, no));
  const lost = x.select(x.isZero(places), none, left(significand, subtract(wide(c(64)), down)));
  return {
    whole: pick(none, right(significand, subtract(wide(c(64)), places))),
    fraction: { high: pick(right(significand, down), left(significand, places)), low: pick(lost, none) },
  };
}

/** How many quarters of the circle lie nearest to a number. */
function quartersIn(w: RoutineWriter, { whole, fraction }: Mixed): Value {
  const number = or(left(whole, c(32)), right(fraction.high, c(32)));
  const float = x.make(OP.f64ConvertI64S, F64, [wide(number)], 64);
  const factor = x.make(OP.f64ReinterpretI64, F64, [wide(c(bitsOf(2 / Math.PI / 2 ** 32)))], 64);
  const nearest = x.make(OP.f64Nearest, F64, [x.make(OP.f64Mul, F64, [float, factor], 64)], 64);
  return w.let(x.make(x.SATURATING, I64, [nearest], 64, 0, [TRUNCATE]));
}

/** `i64.trunc_sat_f64_s`. */
const TRUNCATE = 6;
const bitsOf = (number: number): bigint => new BigUint64Array(Float64Array.of(number).buffer)[0]!;

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

/** 0 for the sine, 1 for the cosine, 2 for both. */
export function giveAngle(w: RoutineWriter, which: Value): void {
  const isBoth = w.let(x.compare("Eq", which, wide(c(2))));
  const { address, value } = plainAt(w, c(0));
  w.if(isBoth, () => needRoom(w));
  const exponent = w.let(exponentOf(value));
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(exponent, c(LEAST))), c(MOST - LEAST + 1))));
  const number = sizeOf(w, exponent, value.significand);
  const quarters = quartersIn(w, number);
  const { rest, isLess } = restOf(w, number, quarters);
  w.giveUpIf(isBelow(rest.high, wide(c(1n << 44n))));
  const square = productOf(w, rest, rest);
  const isOdd = w.let(x.as32(and(quarters, wide(c(1)))));
  const turns = w.let(x.as32(and(quarters, wide(c(2)))));
  const [sine, cosine] = [variable(w), variable(w)];
  const needs = (other: number) => or(isBoth, x.compare("Eq", and(xor(x.as32(which), isOdd), c(1)), c(other)));
  w.if(needs(0), () => {
    const lost = productOf(w, rest, productOf(w, square, alternating(w, square, inverses(1))));
    sine.set(differenceOf(w, rest, lost).rest);
  });
  w.if(needs(1), () => cosine.set(negated(w, productOf(w, square, alternating(w, square, inverses(0))))));
  const pick = (odd: Fixed, even: Fixed): Fixed => ({
    high: w.let(x.select(isOdd, odd.high, even.high)),
    low: w.let(x.select(isOdd, odd.low, even.low)),
  });
  const turned = (condition: Value) => w.let(x.select(condition, c(SIGN), c(0)));
  const restSign = turned(isLess);
  const evenly = (odd: boolean) => x.select(xor(isOdd, c(odd ? 1 : 0)), c(0), restSign);
  const ofSine: Found = {
    sign: w.let(xor(xor(signOf(value), turned(x.isNonZero(turns))), evenly(false))),
    size: pick(cosine.value(), sine.value()),
  };
  const crossed = x.isNonZero(xor(turns, left32(isOdd)));
  const ofCosine: Found = {
    sign: w.let(xor(turned(crossed), evenly(true))),
    size: pick(sine.value(), cosine.value()),
  };
  w.atSuccess = () => w.storeState(at.FPU_STATUS, and(x.stateWord(at.FPU_STATUS, I32), c(0xffffffffn & ~C2)));
  const give = ({ head, significand, flags }: ReturnType<typeof rounded>, more: () => void = () => {}) => {
    storeExtended(w, address, { head, significand });
    more();
    setStatus(w, flags);
    w.succeed();
  };
  w.if(x.isZero(which), () => give(roundedPart(w, ofSine)));
  const other = roundedPart(w, ofCosine);
  w.if(isBoth, () =>
    give(roundedPart(w, ofSine), () => {
      turn(w, 7);
      fill(w, c(0), other);
    }),
  );
  give(other);
}

const left32 = (bit: Value) => x.as32(left(bit, c(1)));

function variable(w: RoutineWriter) {
  const [high, low] = [w.variable(wide(c(0))), w.variable(wide(c(0)))];
  return {
    set: (value: Fixed) => {
      high.set(value.high);
      low.set(value.low);
    },
    value: (): Fixed => ({ high: high.value, low: low.value }),
  };
}

function roundedPart(w: RoutineWriter, { sign, size }: Found) {
  const { significand, rest, zeros } = settled(w, size);
  const exponent = w.let(subtract(c(BIAS - 1), x.as32(zeros)));
  return rounded(w, { sign, exponent, significand, rest }, true);
}
