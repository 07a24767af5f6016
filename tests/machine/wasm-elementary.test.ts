/** Sines, powers and logarithms of the runtime, the quick and the careful ones, against the routines of the book. */
import { describe, expect, it } from "vitest";
import * as at from "#machine/cpu/layout.ts";
import { ANGLE } from "../../machine/engine/wasm/extended-angles.ts";
import { type Random, randomBits } from "./random-bits.ts";
import { callsOf, compareCall, encodings, fillState, significand, state } from "./x87-routines.ts";

interface Function {
  /** What share the runtime must do, of operands whose exponents lie between these. */
  readonly least: number;
  readonly exponents: readonly [number, number];
  readonly careful: string;
  readonly first?: number;
  /** The exponents of the second operand. */
  readonly second?: readonly [number, number];
  readonly positive?: boolean;
}

const angle = (first: number): Function => ({ least: 0.65, exponents: [-60, 15], careful: "carefulAngle", first });
const FUNCTIONS: Record<string, Function> = {
  fsin: angle(ANGLE.sine),
  fcos: angle(ANGLE.cosine),
  fsincos: angle(ANGLE.sineAndCosine),
  fptan: angle(ANGLE.tangent),
  f2xm1: { least: 0.95, exponents: [-20, -1], careful: "carefulPower" },
  fyl2x: { least: 0.55, exponents: [-20, 20], second: [-99, 99], careful: "carefulLogarithm", positive: true },
  fyl2xp1: { least: 0.55, exponents: [-20, -2], second: [-99, 99], careful: "carefulLogarithmPlusOne" },
  fpatan: { least: 0.55, exponents: [-9, 9], second: [-9, 9], careful: "carefulArctangent" },
};

const SHORT_PI = 0xc90fdaa22168c234cn;

/** An angle is now and then close to a multiple of a quarter of the circle, too close for the runtime or nearly. */
function operand(random: Random, [low, high]: readonly [number, number]): { digits: bigint; exponent: number } {
  const { pick, half } = random;
  const number = { digits: significand(random), exponent: low + (half() % (high - low + 1)) };
  if (high !== ANGLES_END || half() % 4 !== 0) return number;
  const multiple = SHORT_PI * BigInt(1 + (half() % pick([4, 64, 60000])));
  const length = multiple.toString(2).length;
  const beside = BigInt(half() % pick([2, 2000, 2 ** 31])) * pick([1n, -1n]);
  return {
    digits: BigInt.asUintN(64, (multiple >> BigInt(length - 64)) + beside) | (1n << 63n),
    exponent: length - 68,
  };
}
const ANGLES_END = 15;

function fill(random: Random, { exponents, second, positive }: Function): void {
  fillState(random);
  state.halves[at.FPU_CONTROL / 4]! |= 0x3f;
  const top = state.halves[at.FPU_TOP / 4]!;
  state.halves[at.FPU_TAGS / 4] = second === undefined ? 1 << top : 0xff;
  for (const [index, within] of [exponents, second ?? exponents].entries()) {
    const place = (at.X87 + ((top + index) & 7) * at.X87_SIZE) / 8;
    const { digits, exponent } = operand(random, within);
    const sign = index === 0 && positive ? 0n : random.pick([0n, 0x8000n]);
    const isZero = random.half() % 16 === 0;
    state.words[place] = isZero ? 0n : digits;
    state.words[place + 1] = sign | (isZero ? 0n : BigInt(0x3fff + exponent));
  }
}

describe("elementary functions of the runtime", () => {
  const instructions = encodings();
  const rounds = Number(process.env.ROUNDS ?? 250);

  it.each(Object.keys(FUNCTIONS))("%s is what the book says, found quickly or with care", (mnemonic) => {
    const wanted = FUNCTIONS[mnemonic]!;
    const instruction = instructions.find((other) => other.mnemonic === mnemonic)!;
    const random = randomBits(20261123);
    const values = [BigInt(wanted.first ?? 0)];
    let done = 0;
    for (let round = 0; round < rounds; round++) {
      fill(random, wanted);
      const [call] = callsOf(instruction, 0n);
      if (compareCall(instruction, call!)) done++;
      fill(random, wanted);
      compareCall(instruction, call!, { name: wanted.careful, values, answers: false });
    }
    expect(done).toBeGreaterThan(rounds * wanted.least);
  });
});
