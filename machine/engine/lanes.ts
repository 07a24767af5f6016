/** Operations on the lanes of 128-bit vectors, for the evaluator. */
import type { Vector } from "#machine/cpu/float/lanes.ts";
import type { LaneShift, LaneWidth, PackedOperation } from "#machine/cpu/vector-semantics.ts";

/** 128 bits seen as lanes of each width, signed and unsigned. */
class Lanes {
  readonly words = new BigUint64Array(2);
  readonly bytes = new Uint8Array(this.words.buffer);
  readonly unsigned = {
    8: this.bytes,
    16: new Uint16Array(this.words.buffer),
    32: new Uint32Array(this.words.buffer),
  };
  readonly signed = {
    8: new Int8Array(this.words.buffer),
    16: new Int16Array(this.words.buffer),
    32: new Int32Array(this.words.buffer),
  };

  set([low, high]: Vector): void {
    this.words[0] = low;
    this.words[1] = high;
  }

  get(): Vector {
    return [this.words[0]!, this.words[1]!];
  }
}

const a = new Lanes();
const b = new Lanes();
const result = new Lanes();

type Narrow = 8 | 16 | 32;
const limited = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** Lane by lane, on signed or unsigned numbers; results are cut to the lane. */
function each(width: Narrow, signed: boolean, operation: (left: number, right: number) => number): void {
  const [left, right] = signed ? [a.signed[width], b.signed[width]] : [a.unsigned[width], b.unsigned[width]];
  const to = result.unsigned[width];
  for (let lane = 0; lane < to.length; lane++) to[lane] = operation(left[lane]!, right[lane]!);
}

function halves(operation: (left: bigint, right: bigint) => bigint): void {
  for (let half = 0; half < 2; half++) result.words[half] = operation(a.words[half]!, b.words[half]!);
}

const saturated = (width: Narrow, signed: boolean) => {
  const range = 2 ** width;
  const [low, high] = signed ? [-range / 2, range / 2 - 1] : [0, range - 1];
  return (value: number) => limited(value, low, high);
};

function narrow(width: 16 | 32, signed: boolean): void {
  const half = width === 16 ? 8 : 16;
  const fit = saturated(half, signed);
  const to = result.unsigned[half];
  const count = to.length / 2;
  for (let lane = 0; lane < count; lane++) {
    to[lane] = fit(a.signed[width][lane]!);
    to[lane + count] = fit(b.signed[width][lane]!);
  }
}

function multiplyAdd(): void {
  const [left, right] = [a.signed[16], b.signed[16]];
  for (let lane = 0; lane < 4; lane++) {
    result.signed[32][lane] = left[lane * 2]! * right[lane * 2]! + left[lane * 2 + 1]! * right[lane * 2 + 1]!;
  }
}

function differences(): void {
  for (let half = 0; half < 2; half++) {
    let sum = 0;
    for (let byte = half * 8; byte < half * 8 + 8; byte++) sum += Math.abs(a.bytes[byte]! - b.bytes[byte]!);
    result.words[half] = BigInt(sum);
  }
}

const saturating = (operation: "add" | "subtract", width: Narrow, signed: boolean) => {
  const fit = saturated(width, signed);
  each(width, signed, operation === "add" ? (x, y) => fit(x + y) : (x, y) => fit(x - y));
};

/** By operation; those on 64-bit lanes are in `wide`. */
const OPERATIONS: Readonly<Record<PackedOperation, (width: Narrow) => void>> = {
  and: () => halves((x, y) => x & y),
  or: () => halves((x, y) => x | y),
  xor: () => halves((x, y) => x ^ y),
  andNot: () => halves((x, y) => ~x & y),
  add: (width) => each(width, false, (x, y) => x + y),
  subtract: (width) => each(width, false, (x, y) => x - y),
  addSigned: (width) => saturating("add", width, true),
  addUnsigned: (width) => saturating("add", width, false),
  subtractSigned: (width) => saturating("subtract", width, true),
  subtractUnsigned: (width) => saturating("subtract", width, false),
  narrow: (width) => narrow(width as 16 | 32, true),
  narrowUnsigned: (width) => narrow(width as 16 | 32, false),
  multiply: (width) => each(width, true, Math.imul),
  multiplyHigh: (width) => each(width, true, (x, y) => (x * y) >> 16),
  multiplyHighUnsigned: (width) => each(width, false, (x, y) => (x * y) / 0x10000),
  multiplyAdd,
  multiplyEven: () => halves((x, y) => (x & 0xffffffffn) * (y & 0xffffffffn)),
  average: (width) => each(width, false, (x, y) => (x + y + 1) >> 1),
  differences,
  minimum: (width) => each(width, true, Math.min),
  maximum: (width) => each(width, true, Math.max),
  minimumUnsigned: (width) => each(width, false, Math.min),
  maximumUnsigned: (width) => each(width, false, Math.max),
  equal: (width) => each(width, false, (x, y) => (x === y ? -1 : 0)),
  greater: (width) => each(width, true, (x, y) => (x > y ? -1 : 0)),
};

export function packedLanes(operation: PackedOperation, width: LaneWidth, left: Vector, right: Vector): Vector {
  a.set(left);
  b.set(right);
  if (width === 64 && operation === "add") halves((x, y) => x + y);
  else if (width === 64 && operation === "subtract") halves((x, y) => x - y);
  else OPERATIONS[operation](width as Narrow);
  return result.get();
}

/** A shift of each lane; `count` is unsigned and may be as large as it likes. */
export function shiftedLanes(shift: LaneShift, width: LaneWidth, value: Vector, count: bigint): Vector {
  a.set(value);
  const beyond = count >= BigInt(width);
  if (shift === "rightSigned") {
    const by = beyond ? width - 1 : Number(count);
    each(width as Narrow, true, (x) => x >> by);
  } else if (beyond) return [0n, 0n];
  else if (width === 64) halves((x) => (shift === "left" ? x << count : x >> count));
  else each(width, false, (x) => (shift === "left" ? x << Number(count) : x >>> Number(count)));
  return result.get();
}

export function shuffledBytes(left: Vector, right: Vector, bytes: readonly number[]): Vector {
  a.set(left);
  b.set(right);
  for (let index = 0; index < 16; index++) {
    const from = bytes[index]!;
    result.bytes[index] = from < 16 ? a.bytes[from]! : b.bytes[from - 16]!;
  }
  return result.get();
}

export function laneOf(width: LaneWidth, index: number, value: Vector): bigint {
  const bit = index * width;
  return BigInt.asUintN(width, value[bit >> 6]! >> BigInt(bit & 63));
}

export function withLane(width: LaneWidth, index: number, value: Vector, lane: bigint): Vector {
  const bit = index * width;
  const shift = BigInt(bit & 63);
  const mask = ((1n << BigInt(width)) - 1n) << shift;
  const half = (value[bit >> 6]! & ~mask) | (lane << shift);
  return bit < 64 ? [half, value[1]] : [value[0], half];
}

/** The top bit of each lane, lane 0 in bit 0. */
export function signBitsOf(width: LaneWidth, value: Vector): bigint {
  let bits = 0n;
  for (let lane = 0; lane < 128 / width; lane++) {
    bits |= (laneOf(width, lane, value) >> BigInt(width - 1)) << BigInt(lane);
  }
  return bits;
}
