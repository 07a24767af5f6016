/** 2^x - 1 for plain numbers between -1 and 1 that are not small: see x87/transcendental.ts in the book. */
import { logarithmOfTwo } from "#machine/cpu/x87/series.ts";
import * as x from "./expressions.ts";
import { sizeOf } from "./extended-angles.ts";
import { BIAS, c, subtract } from "./extended-values.ts";
import { FIXED_BITS, fixed, productOf, settled, sum, turnedIf } from "./fixed-point.ts";
import { giveFound, operandWithin } from "./function-frame.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Numbers from 2^-20 on, below 1. */
const LEAST = -20;
const MOST = -1;
const TERMS = 31;

/** Of (2^x - 1) / x: powers of the logarithm of 2 over factorials. */
function coefficients(): bigint[] {
  const logarithm = logarithmOfTwo(Number(FIXED_BITS));
  const found: bigint[] = [];
  let next = logarithm;
  for (let k = 1; k <= TERMS; k++) {
    found.push(next);
    next = ((next * logarithm) >> FIXED_BITS) / BigInt(k + 1);
  }
  return found;
}

/** f2xm1. */
export function givePower(w: RoutineWriter): void {
  const number = operandWithin(w, LEAST, MOST);
  const { sign } = number;
  const size = sizeOf(w, number.exponent, number.significand).fraction;
  const isLess = w.let(x.isNonZero(sign));
  const series = coefficients()
    .map(fixed)
    .reduceRight((all, one) => sum(w, one, turnedIf(w, isLess, productOf(w, size, all))));
  const { significand, rest, zeros } = settled(w, productOf(w, size, series));
  const exponent = w.let(subtract(c(BIAS - 1), x.as32(zeros)));
  giveFound(w, number, { sign, exponent, significand, rest });
}
