/** The runtime's functions for one number of SSE against the book's: what they call plain is, and nothing plain is given up. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { convertLanes, floatLanes, type Vector } from "#machine/cpu/float/lanes.ts";
import * as at from "#machine/cpu/layout.ts";
import type { FloatOperation, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import { NARROW_ROUTINE, scalarRoutine } from "../../machine/engine/wasm/float-routines.ts";
import { Routines } from "../../machine/engine/wasm/runtime.ts";
import { type Random, randomBits } from "./random-bits.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const regions = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
const functions = new Routines({ memory, regions }, 0).with([NARROW_ROUTINE]);
const routines = functions as Record<string, (first: bigint, second: bigint) => number>;
const halves = new Uint32Array(memory.buffer);
/** The book's functions have a register of their own; faults of what is not masked are no matter here. */
const cpu = { state: { halves: new Uint32Array(memory.buffer.byteLength / 4), cr4: 0n } } as unknown as Cpu;

const view = new DataView(new ArrayBuffer(8));
function numberOf(width: FloatWidth, bits: bigint): number {
  view.setBigUint64(0, bits);
  return width === 64 ? view.getFloat64(0) : view.getFloat32(4);
}
function bitsOf(width: FloatWidth, number: number): bigint {
  if (width === 64) view.setFloat64(0, number);
  else view.setFloat32(0, number);
  return width === 64 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}

const FIELDS = { 32: { fraction: 23n, bias: 127 }, 64: { fraction: 52n, bias: 1023 } } as const;

/** A number with few or many digits, often near one, sometimes at the edges of the range. */
function operand({ half, pick }: Random, width: FloatWidth): bigint {
  const { fraction, bias } = FIELDS[width];
  const ones = (1n << fraction) - 1n;
  const any = ((BigInt(half()) << 32n) | BigInt(half())) & ones;
  const digits = BigInt(half()) % (fraction + 1n);
  const significand = pick([0n, any, any & ~(ones >> digits), ones, 1n, ones - 1n, ones & ~(ones >> digits)]);
  const near = bias + (half() % 64) - 32;
  const half0 = bias >> 1;
  const edge = pick([0, 0, 1, 2, 2 * bias, 2 * bias + 1, half0, half0 + 1, bias + half0, 23, 24, 52, 53, 54]);
  const exponent = pick([near, near, near, edge, half() % (2 * bias + 2)]);
  const sign = BigInt(half() & 1) << BigInt(width - 1);
  if (half() % 12 === 0) return sign;
  if (half() % 4 === 0) return bitsOf(width, (half() % 4096) - 2048);
  return sign | (BigInt(exponent) << fraction) | significand;
}

const COMPUTE: Partial<Record<FloatOperation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  squareRoot: (_a, b) => Math.sqrt(b),
};

/** What the book makes of it: the result, and MXCSR after. */
function inTheBook(mxcsr: number, compute: () => Vector): { result: bigint; after: number } | null {
  cpu.state.halves[at.MXCSR / 4] = mxcsr;
  try {
    return { result: compute()[0], after: cpu.state.halves[at.MXCSR / 4]! };
  } catch {
    return null;
  }
}

const isDenormal = (width: FloatWidth, bits: bigint) => {
  const size = bits & ((1n << BigInt(width - 1)) - 1n);
  return size !== 0n && size >> FIELDS[width].fraction === 0n;
};
/** The smallest normal number may have been rounded up to. */
const isLeast = (width: FloatWidth, bits: bigint) =>
  (bits & ((1n << BigInt(width - 1)) - 1n)) === 1n << FIELDS[width].fraction;

const FLAGS = [0, 0, 0x20, 0x20, 0x02, 0x22, 0x32, 0x28, 0x3f];

function settings({ half, pick }: Random): number {
  const control = half() % 8 === 0 ? pick([0x3f80, 0x5f80, 0x7f80, 0x9f80, 0x1fc0, 0x0f80, 0x1f00, 0x1b80]) : 0x1f80;
  return control | pick(FLAGS);
}

interface Trial {
  readonly from: FloatWidth;
  readonly to: FloatWidth;
  readonly mxcsr: number;
  readonly operands: readonly bigint[];
  readonly done: number;
  readonly ours: bigint;
  readonly book: ReturnType<typeof inTheBook>;
}

function check({ from, to, mxcsr, operands, done, ours, book }: Trial, told: string): void {
  if (done === 1) {
    expect(book, told).not.toBeNull();
    expect([book!.result, book!.after], told).toEqual([ours, mxcsr]);
    return;
  }
  const isPlain = (mxcsr & 0xffc0) === 0x1f80 && book !== null && book.after === mxcsr;
  if (!isPlain || Number.isNaN(numberOf(to, book.result))) return;
  const small = isDenormal(to, book.result) || isLeast(to, book.result);
  const known = (mxcsr & 0x02) !== 0 && (!small || (mxcsr & 0x30) === 0x30);
  const isEdge = small || operands.some((bits) => isDenormal(from, bits));
  expect(known || !isEdge, `given up: ${told}`).toBe(false);
}

const ROUNDS = 4000;

describe.each([32, 64] as const)("numbers of %s bits", (width) => {
  it.each(Object.keys(COMPUTE) as FloatOperation[])("%s", (operation) => {
    const random = randomBits(width + operation.length);
    for (let round = 0; round < ROUNDS; round++) {
      const mxcsr = settings(random);
      const [a, b] = [operand(random, width), operand(random, width)];
      halves[at.MXCSR / 4] = mxcsr;
      const done = routines[scalarRoutine(operation, width)]!(a, b);
      expect(halves[at.MXCSR / 4]).toBe(mxcsr);
      const ours = bitsOf(width, COMPUTE[operation]!(numberOf(width, a), numberOf(width, b)));
      const book = inTheBook(mxcsr, () => floatLanes(cpu, operation, width, 1, [a, 0n], [b, 0n]));
      const operands = operation === "squareRoot" ? [b] : [a, b];
      const told = `${a.toString(16)} ${b.toString(16)} mxcsr ${mxcsr.toString(16)} after ${book?.after.toString(16)}`;
      check({ from: width, to: width, mxcsr, operands, done, ours, book }, told);
    }
  });
});

it("from double to single", () => {
  const random = randomBits(7);
  const conversion = { from: "f64", to: "f32", lanes: 1, truncate: false } as const;
  for (let round = 0; round < ROUNDS; round++) {
    const mxcsr = settings(random);
    const single = numberOf(32, operand(random, 32));
    const nearby = bitsOf(64, single) + BigInt((random.half() % 3) - 1);
    const bits = BigInt.asUintN(64, random.pick([nearby, operand(random, 64)]));
    halves[at.MXCSR / 4] = mxcsr;
    const done = routines[NARROW_ROUTINE]!(bits, 0n);
    const ours = bitsOf(32, numberOf(64, bits));
    const book = inTheBook(mxcsr, () => convertLanes(cpu, conversion, [bits, 0n]));
    check(
      { from: 64, to: 32, mxcsr, operands: [bits], done, ours, book },
      `${bits.toString(16)} ${mxcsr.toString(16)}`,
    );
  }
});
