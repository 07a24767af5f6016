/** Elementary functions with 120 bits against the long way with many more: what they may be wrong by. */
import { describe, expect, it } from "vitest";
import {
  QUICK_BITS,
  QUICK_ERROR,
  quickArctangent,
  quickLogarithm,
  quickPowerMinusOne,
  quickSine,
} from "#machine/cpu/x87/quick.ts";
import {
  arctangent,
  exponentialMinusOne,
  logarithmOfOnePlus,
  logarithmOfTwo,
  pi,
  sineAndCosine,
} from "#machine/cpu/x87/series.ts";

const MORE = 80;
const BITS = QUICK_BITS + MORE;
const ONE = 1n << BigInt(BITS);
const ROUNDS = 200;

/** Numbers in fixed point with 120 bits that repeat with the seed (xorshift). */
function randomFixed(seed: number) {
  let x = seed;
  const half = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return BigInt(x >>> 0);
  };
  /** From `low` to `high`, which are in thousandths; often near to zero. */
  return (low: number, high: number): bigint => {
    const any = (half() << 88n) | (half() << 56n) | (half() << 24n) | (half() >> 8n);
    const small = any >> (half() % 4n === 0n ? half() % 60n : 0n);
    const limit = (BigInt(half() % 2n === 0n ? low : high) << BigInt(QUICK_BITS)) / 1000n;
    return (small * limit) >> BigInt(QUICK_BITS);
  };
}

/** The largest error of a quick function, in units of its last place. */
function worst(quick: (x: bigint) => bigint, long: (x: bigint) => bigint, low: number, high: number): bigint {
  const random = randomFixed(19910630);
  let most = 0n;
  for (let round = 0; round < ROUNDS; round++) {
    const x = round === 0 ? 0n : random(low, high);
    const exact = long(x << BigInt(MORE)) >> BigInt(MORE);
    const difference = quick(x) - exact;
    const size = difference < 0n ? -difference : difference;
    if (size > most) most = size;
  }
  return most;
}

const sine = (x: bigint): bigint => (x < 0n ? -sine(-x) : sineAndCosine(x, BITS).sine);
const cosine = (x: bigint): bigint => sineAndCosine(x < 0n ? -x : x, BITS).cosine;
const power = (x: bigint): bigint => exponentialMinusOne((x * logarithmOfTwo(BITS)) >> BigInt(BITS), BITS);
const logarithm = (x: bigint): bigint => (logarithmOfOnePlus(x, BITS) << BigInt(BITS)) / logarithmOfTwo(BITS);
const angle = (x: bigint): bigint =>
  x <= ONE ? arctangent(x, BITS) : (pi(BITS) >> 1n) - arctangent((ONE << BigInt(BITS)) / x, BITS);

describe("elementary functions with 120 bits", () => {
  it.each([
    ["sine", (x: bigint) => quickSine(0n, x), sine, -785, 785],
    ["cosine", (x: bigint) => quickSine(1n, x), cosine, -785, 785],
    ["sine beyond half a circle", (x: bigint) => -quickSine(6n, x), sine, -785, 785],
    ["power", quickPowerMinusOne, power, -1000, 1000],
    ["logarithm", quickLogarithm, logarithm, -300, 400],
    ["arctangent", quickArctangent, angle, 1, 2000],
  ])("have an error of less than seven bits: %s", (_, quick, long, low, high) => {
    expect(worst(quick, long, low, high)).toBeLessThan(QUICK_ERROR / 2n);
  });
});
