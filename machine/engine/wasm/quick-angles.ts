/** Sine, cosine and tangent of plain numbers, quickly: see quick-series.ts. */
import { type Reduced, reduced } from "./angle-reduction.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type ANGLE, clearIncomplete, givePair, giveTangent } from "./extended-angles.ts";
import { needRoom } from "./extended-stack.ts";
import {
  add,
  and,
  BIAS,
  c,
  isBelow,
  leadingZeros,
  left,
  or,
  right,
  SIGN,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import { type Fixed, flipped, ratioOf, settledDigits } from "./fixed-point.ts";
import { giveResult, type Operand, roundedFully, topOperand } from "./function-frame.ts";
import { numberAt, PLACES, TABLE } from "./function-tables.ts";
import {
  distanceOf,
  ERROR,
  type Estimate,
  errorNextToZero,
  halfOf,
  type Normal,
  nearEntry,
  normal,
  unrounded,
} from "./quick-series.ts";
import { float, plus, polynomial, times } from "./routine-floats.ts";
import type { RoutineWriter } from "./routine-writer.ts";
import { giveTinyAngle, TINY } from "./tiny-angles.ts";

/** Numbers are below 2^16. */
const MOST = BIAS + 15;

/** An angle: quarters of the circle, and the rest with an entry of the table that is close to its size. */
interface Angle extends Reduced {
  readonly sign: Value;
  readonly entry: Value;
  /** The rest's size without the entry, in units of 2^-127. */
  readonly beside: Fixed;
}

function angleOf(w: RoutineWriter, number: Operand): Angle {
  const found = reduced(w, number);
  const { high, low } = found.rest;
  const entry = w.let(right(add(high, wide(c(1n << BigInt(62 - PLACES)))), c(63 - PLACES)));
  const beside = { high: w.let(subtract(high, left(entry, c(63 - PLACES)))), low };
  return { ...found, sign: number.sign, entry, beside };
}

/**
 * The sine of so many quarters and the rest. Beside an entry with sine a and cosine b it is a cos d + b sin d, or, where
 * the quarters are odd, b cos d - a sin d.
 */
function partOf(w: RoutineWriter, tables: number, angle: Angle, quarters: Value): Estimate {
  const isOdd = w.let(and(x.as32(quarters), c(1)));
  const mask = w.let(subtract(wide(c(0)), wide(isOdd)));
  const d = distanceOf(w, flipped(w, mask, angle.beside));
  const place = w.let(or(x.as32(left(angle.entry, c(5))), x.as32(left(isOdd, c(4)))));
  const near = numberAt(w, place, tables + TABLE.angles);
  const across = numberAt(w, w.let(xor(place, c(16))), tables + TABLE.angles);
  const square = w.let(times(d.float, d.float));
  const cosineTail = times(times(square, square), polynomial(square, [2 / 24, -2 / 720]));
  const sineTail = times(times(d.float, square), polynomial(square, [-2 / 6, 2 / 120, -2 / 5040]));
  const small = plus(
    times(halfOf(near.high), cosineTail),
    times(halfOf(across.high), plus(sineTail, times(d.rest, float(2)))),
  );
  const found = nearEntry(w, d, { base: near, linear: across, square: near.high, isPlus: false, small });
  const isNextToZero = w.let(x.isZero(or(x.as32(angle.entry), isOdd)));
  const turned = x.as32(left(and(x.as32(quarters), c(2)), c(14)));
  const less = x.select(isOdd, c(0), and(x.as32(angle.isLess), c(SIGN)));
  return {
    sign: w.let(xor(turned, less)),
    value: found.value,
    error: w.let(x.select(isNextToZero, errorNextToZero(found), wide(c(ERROR)))),
  };
}

/** Sines are in units of 2^-127. */
const rounded = (w: RoutineWriter, sine: Normal) => roundedFully(w, unrounded(w, sine, 0));

function roundedTangent(w: RoutineWriter, sine: Normal, cosine: Normal) {
  const { digits, isOver } = ratioOf(w, sine.digits, cosine.digits, 2);
  const places = add(x.as32(subtract(cosine.zeros, sine.zeros)), isOver);
  const error = w.let(left(add(sine.error, cosine.error), c(1)));
  w.giveUpIf(isBelow(leadingZeros(error), wide(c(3))));
  return roundedFully(w, {
    sign: w.let(xor(sine.sign, cosine.sign)),
    exponent: w.let(add(c(BIAS - 1), places)),
    ...settledDigits(w, digits, error),
  });
}

/** fsin, fcos, fsincos and fptan. */
export function giveQuickAngle(w: RoutineWriter, which: keyof typeof ANGLE, tables: number): void {
  const number = topOperand(w);
  if (which === "sineAndCosine" || which === "tangent") needRoom(w);
  w.atSuccess = clearIncomplete(w);
  w.if(isBelow(number.exponent, c(TINY)), () => giveTinyAngle(w, which, number));
  w.giveUpIf(isBelow(c(MOST), number.exponent));
  const angle = angleOf(w, number);
  const sine = () => {
    const part = partOf(w, tables, angle, angle.quarters);
    return normal(w, { ...part, sign: w.let(xor(part.sign, angle.sign)) });
  };
  const cosine = () => normal(w, partOf(w, tables, angle, w.let(add(angle.quarters, wide(c(1))))));
  if (which === "sine") giveResult(w, number.address, rounded(w, sine()));
  else if (which === "cosine") giveResult(w, number.address, rounded(w, cosine()));
  else if (which === "sineAndCosine") givePair(w, number.address, rounded(w, sine()), rounded(w, cosine()));
  else giveTangent(w, number.address, roundedTangent(w, sine(), cosine()));
}
