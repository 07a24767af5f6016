/** 2^x - 1 for plain numbers between -1 and 1 that are not small: see x87/transcendental.ts in the book. */
import { logarithmOfTwo } from "#machine/cpu/x87/series.ts";
import * as x from "./expressions.ts";
import { sizeOf } from "./extended-angles.ts";
import { plainAt } from "./extended-stack.ts";
import {
  BIAS,
  c,
  exponentOf,
  isBelow,
  rounded,
  setStatus,
  signOf,
  storeExtended,
  subtract,
} from "./extended-values.ts";
import { FIXED_BITS, fixed, productOf, settled, sumOf, turnedIf } from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Exponents of the numbers that are taken: from 2^-20 on, below 1. */
const LEAST = BIAS - 20;
const MOST = BIAS - 1;
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
  const { address, value } = plainAt(w, c(0));
  const exponent = w.let(exponentOf(value));
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(exponent, c(LEAST))), c(MOST - LEAST + 1))));
  const size = sizeOf(w, exponent, value.significand).fraction;
  const sign = w.let(signOf(value));
  const isLess = w.let(x.isNonZero(sign));
  const sum = coefficients()
    .map(fixed)
    .reduceRight((all, one) => sumOf(w, one, turnedIf(w, isLess, productOf(w, size, all))).sum);
  const { significand, rest, zeros } = settled(w, productOf(w, size, sum));
  const place = w.let(subtract(c(BIAS - 1), x.as32(zeros)));
  const { head, significand: kept, flags } = rounded(w, { sign, exponent: place, significand, rest }, true);
  storeExtended(w, address, { head, significand: kept });
  setStatus(w, flags);
  w.succeed();
}
