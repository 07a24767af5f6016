/** Sine, cosine and tangent of plain numbers that are neither small nor large: see x87/transcendental.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { reduced } from "./angle-reduction.ts";
import { I32 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { fill, needRoom, turn } from "./extended-stack.ts";
import { add, and, BIAS, c, INTEGER_BIT, isBelow, left, SIGN, subtract, wide, xor } from "./extended-values.ts";
import {
  difference,
  doubled,
  type Fixed,
  negated,
  normalised,
  pick,
  productOf,
  ratioOf,
  settled,
  settledDigits,
} from "./fixed-point.ts";
import { giveResult, type Operand, operandWithin, roundedFully } from "./function-frame.ts";
import { longSeries, SERIES, type Series } from "./function-tables.ts";
import type { RoutineWriter } from "./routine-writer.ts";

const C2 = 0x400n;
/** Numbers from 2^-20 on, below 2^16. */
const LEAST = -20;
const MOST = 15;
/** Of what is left beside the quarters of a circle: 2^-20. */
const LEAST_REST = 1n << 44n;

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
export function giveAngle(w: RoutineWriter, which: Value, tables: number): void {
  const isPair = w.let(x.isNonZero(and(which, c(2))));
  const number = operandWithin(w, LEAST, MOST);
  w.if(isPair, () => needRoom(w));
  const { sine, cosine } = pointAt(w, tables, number);
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

function pointAt(w: RoutineWriter, tables: number, number: Operand): Point {
  const { quarters, isLess, rest: half } = reduced(w, number);
  const rest = doubled(w, half);
  w.giveUpIf(isBelow(rest.high, wide(c(LEAST_REST))));
  const square = productOf(w, rest, rest);
  const lost = (series: Series) => productOf(w, square, longSeries(w, tables, series, square, c(1)));
  const sine = difference(w, rest, productOf(w, rest, lost(SERIES.sine)));
  const cosine = negated(w, lost(SERIES.cosine));
  const isOdd = w.let(x.as32(and(quarters, wide(c(1)))));
  const turns = w.let(x.as32(and(quarters, wide(c(2)))));
  const turned = (condition: Value) => w.let(x.select(condition, c(SIGN), c(0)));
  const restSign = w.let(and(x.as32(isLess), c(SIGN)));
  const evenly = (odd: boolean) => x.select(xor(isOdd, c(odd ? 1 : 0)), c(0), restSign);
  const crossed = x.isNonZero(xor(turns, x.as32(left(isOdd, c(1)))));
  return {
    sine: {
      sign: w.let(xor(xor(number.sign, turned(x.isNonZero(turns))), evenly(false))),
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
