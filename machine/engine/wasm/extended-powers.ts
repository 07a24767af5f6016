/** 2^x - 1 for plain numbers between -1 and 1 that are not small: see x87/transcendental.ts in the book. */
import * as x from "./expressions.ts";
import { BIAS, c, subtract } from "./extended-values.ts";
import { doubled, productOf, settled } from "./fixed-point.ts";
import { fractionOf, giveFound, operandWithin } from "./function-frame.ts";
import { longSeries, SERIES } from "./function-tables.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Numbers from 2^-20 on, below 1. */
const LEAST = -20;
const MOST = -1;

/** f2xm1. */
export function givePower(w: RoutineWriter, tables: number): void {
  const number = operandWithin(w, LEAST, MOST);
  const { sign } = number;
  const size = doubled(w, fractionOf(w, number));
  const isLess = w.let(x.isNonZero(sign));
  const series = longSeries(w, tables, SERIES.power, size, isLess);
  const { significand, rest, zeros } = settled(w, productOf(w, size, series));
  const exponent = w.let(subtract(c(BIAS - 1), x.as32(zeros)));
  giveFound(w, number, { sign, exponent, significand, rest });
}
