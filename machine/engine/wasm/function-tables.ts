/**
 * Tables that elementary functions start from: their values at numbers so close to each other that a short series does
 * the rest, and the coefficients of long series. They are made when the functions are, and stand in the machine's memory.
 */
import { exponentialMinusOne, logarithmOfTwo, pi, sineAndCosine } from "#machine/cpu/x87/series.ts";
import { OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { c, subtract } from "./extended-values.ts";
import { difference, FIXED_BITS, type Fixed, pick, productOf, sum } from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Entries of all tables but one are 2^-7 apart. */
export const PLACES = 7;
const STEPS = 1 << PLACES;
/** Values have 128 bits, in units of 2^-127 or 2^-126; they are made with more. */
const BITS = 160;
const ONE = 1n << BigInt(BITS);
const times = (a: bigint, b: bigint) => (a * b) >> BigInt(BITS);

/** Sine and cosine, each in units of 2^-127, up to a little more than π/4. */
const ANGLES = Math.ceil((Math.PI / 4) * STEPS) + 1;
/** Powers of 2 from 2^-1 to 2^1, in units of 2^-126. */
const POWERS = 2 * STEPS + 1;
/** Arctangents of 0 to 1, in units of 2^-126. */
const ARCTANGENTS = STEPS + 1;
/** By the eight bits behind a significand's first: a factor, and the logarithm of its inverse in units of 2^-126. */
export const LOGARITHM_PLACES = 8;
const LOGARITHMS = 1 << LOGARITHM_PLACES;
/** The factor is in units of 2^-11. */
export const FACTOR_PLACES = 11;

/** How many coefficients of each series are taken. */
const TERMS = { sine: 15, cosine: 15, power: 31, arctangent: 50, logarithm: 27 } as const;

const NUMBER_BYTES = 16;
export const LOGARITHM_BYTES = 24;
let bytes = 0;
const next = (count: number, size = NUMBER_BYTES): number => {
  bytes += count * size;
  return bytes - count * size;
};
/** Coefficients in units of 2^-128: where they begin, and how many there are. */
export interface Series {
  readonly offset: number;
  readonly terms: number;
}
const seriesOf = (terms: number): Series => ({ offset: next(terms), terms });

/** Offsets of the tables from where they begin, and how many bytes they take. */
export const TABLE = {
  angles: next(2 * ANGLES),
  powers: next(POWERS),
  arctangents: next(ARCTANGENTS),
  logarithms: next(LOGARITHMS, LOGARITHM_BYTES),
} as const;
/**
 * Of sin x / x, cos x and arctan x / x, without their first terms and with signs left out; of (2^x - 1) / x; of
 * log2 ((1 + s) / (1 - s)) / 4s.
 */
export const SERIES = {
  sine: seriesOf(TERMS.sine),
  cosine: seriesOf(TERMS.cosine),
  power: seriesOf(TERMS.power),
  arctangent: seriesOf(TERMS.arctangent),
  logarithm: seriesOf(TERMS.logarithm),
} as const;
export const TABLE_BYTES = bytes;

/** The two words of a number, the upper one first. */
const wordsOf = (value: bigint, places: number): bigint[] => {
  const all = value >> BigInt(BITS - places);
  return [all >> 64n, BigInt.asUintN(64, all)];
};

function angles(): bigint[] {
  const step = sineAndCosine(ONE / BigInt(STEPS), BITS);
  const words: bigint[] = [];
  let [sine, cosine] = [0n, ONE];
  for (let k = 0; k < ANGLES; k++) {
    words.push(...wordsOf(sine, 127), ...wordsOf(cosine, 127));
    [sine, cosine] = [
      times(sine, step.cosine) + times(cosine, step.sine),
      times(cosine, step.cosine) - times(sine, step.sine),
    ];
  }
  return words;
}

function powers(): bigint[] {
  const factor = ONE + exponentialMinusOne(logarithmOfTwo(BITS) / BigInt(STEPS), BITS);
  const words: bigint[] = [];
  let power = ONE / 2n;
  for (let k = 0; k < POWERS; k++) {
    // Those that are known take no errors along.
    if (k === STEPS) power = ONE;
    words.push(...wordsOf(power, 126));
    power = times(power, factor);
  }
  return words;
}

/** The sum of x^k / k for odd k, with alternating signs or without. */
function oddSeries(ratio: bigint, sign: bigint): bigint {
  const square = sign * times(ratio, ratio);
  let sum = 0n;
  let power = ratio;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = times(power, square);
  }
  return sum;
}

function arctangents(): bigint[] {
  const steps = BigInt(STEPS);
  const words: bigint[] = [];
  let angle = 0n;
  for (let k = 0n; k < ARCTANGENTS; k++) {
    words.push(...wordsOf(angle, 126));
    angle += oddSeries((ONE * steps) / (steps * steps + k * (k + 1n)), -1n);
  }
  return words;
}

/** The first and the last factor are such that numbers close to 1 lose no digits. */
function factorOf(k: number): bigint {
  if (k === 0) return 1n << BigInt(FACTOR_PLACES);
  if (k === LOGARITHMS - 1) return 1n << BigInt(FACTOR_PLACES - 1);
  return BigInt(Math.round(2 ** FACTOR_PLACES / (1 + (k + 0.5) / LOGARITHMS)));
}

function logarithms(): bigint[] {
  const words: bigint[] = [];
  let sum = 0n;
  let before = factorOf(0);
  for (let k = 0; k < LOGARITHMS; k++) {
    const factor = factorOf(k);
    sum += 2n * oddSeries((ONE * (before - factor)) / (before + factor), 1n);
    before = factor;
    const logarithm = k === LOGARITHMS - 1 ? ONE : (sum << BigInt(BITS)) / logarithmOfTwo(BITS);
    words.push(factor, ...wordsOf(logarithm, 126));
  }
  return words;
}

const UNIT = 1n << FIXED_BITS;
const factorial = (n: number): bigint => (n < 2 ? 1n : BigInt(n) * factorial(n - 1));

function coefficients(): bigint[] {
  const logarithm = logarithmOfTwo(Number(FIXED_BITS));
  const list = (count: number, make: (k: number) => bigint) => Array.from({ length: count }, (_, k) => make(k));
  let power = UNIT;
  const all = [
    ...list(TERMS.sine, (k) => UNIT / factorial(2 * k + 3)),
    ...list(TERMS.cosine, (k) => UNIT / factorial(2 * k + 2)),
    ...list(TERMS.power, (k) => {
      power = ((power * logarithm) >> FIXED_BITS) / BigInt(k + 1);
      return power;
    }),
    ...list(TERMS.arctangent, (k) => UNIT / BigInt(2 * k + 3)),
    ...list(TERMS.logarithm, (k) => (UNIT * UNIT) / (2n * logarithm * BigInt(2 * k + 1))),
  ];
  return all.flatMap((value) => [value >> 64n, BigInt.asUintN(64, value)]);
}

export const functionTables = (): BigUint64Array =>
  BigUint64Array.from([...angles(), ...powers(), ...arctangents(), ...logarithms(), ...coefficients()]);

/** The number that stands at a place in memory. */
export const numberAt = (w: RoutineWriter, address: Value, offset: number): Fixed => ({
  high: w.let(x.loaded(OP.i64Load, address, offset)),
  low: w.let(x.loaded(OP.i64Load, address, offset + 8)),
});

/** c0 ± u (c1 ± u (c2 ± …)): all minus where the condition holds. Each coefficient is above what is taken from it. */
export function longSeries(
  w: RoutineWriter,
  tables: number,
  { offset, terms }: Series,
  u: Fixed,
  isMinus: Value,
): Fixed {
  const first = tables + offset;
  const place = w.variable(c(NUMBER_BYTES * (terms - 1)));
  const last = numberAt(w, place.value, first);
  const [high, low] = [w.variable(last.high), w.variable(last.low)];
  w.while(
    () => place.value,
    () => {
      place.set(subtract(place.value, c(NUMBER_BYTES)));
      const part = productOf(w, u, { high: high.value, low: low.value });
      const one = numberAt(w, place.value, first);
      const all = pick(w, isMinus, difference(w, one, part), sum(w, one, part));
      high.set(all.high);
      low.set(all.low);
    },
  );
  return { high: w.let(high.value), low: w.let(low.value) };
}

/** The quarter of the circle: π/2, and π, in units of 2^-126. */
export const turns = { quarter: pi(125), half: pi(126) };
