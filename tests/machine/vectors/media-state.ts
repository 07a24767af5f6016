/** The floating-point and vector state of a case, in the layout of fxsave: how it follows from a seed, and in a processor. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import * as at from "#machine/cpu/layout.ts";
import { randomNumbers } from "../../isa/random.ts";

/** The bytes of fxsave's image that mean something. */
export const MEDIA_SIZE = 416;
const STACK = 32;
const VECTORS = 160;
const MXCSR_AT = 24;

type Random = () => number;
const pick = <T>(list: readonly T[], next: Random): T => list[next() % list.length]!;
const wide = (next: Random) => (BigInt(next()) << 32n) | BigInt(next());

const SINGLES = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
  0x7f800001, 0xff9fffff, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000000,
  0x4effffff, 0x3f000000, 0x3effffff, 0x5f000000, 0xdf000000, 0x4b000000, 0x4b800001, 0x40490fdb,
];
const DOUBLES = [
  0n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x4000000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000123n,
  0x7ff0000000000001n,
  0xfff7ffffffffffffn,
  0x0000000000000001n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0x41e0000000000000n,
  0xc1e0000000200000n,
  0x41dfffffffc00000n,
  0x43e0000000000000n,
  0xc3e0000000000000n,
  0x3fe0000000000000n,
  0x4330000000000001n,
  0x47efffffe0000000n,
  0x3690000000000000n,
  0x400921fb54442d18n,
];
const WORDS = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];

/** A single whose exponent is near 1 in most cases, so that sums and products stay in range. */
function single(next: Random): bigint {
  if (next() % 3 === 0) return BigInt(pick(SINGLES, next));
  const exponent = next() % 4 === 0 ? next() & 0xff : 127 + (next() % 32) - 16;
  const fraction = next() % 3 === 0 ? (next() & 7) << 20 : next() & 0x7fffff;
  return BigInt((((next() & 1) << 31) | (exponent << 23) | fraction) >>> 0);
}

function double(next: Random): bigint {
  if (next() % 3 === 0) return pick(DOUBLES, next);
  const exponent = next() % 4 === 0 ? next() & 0x7ff : 1023 + (next() % 64) - 32;
  const fraction = next() % 3 === 0 ? BigInt(next() & 15) << 48n : wide(next) & 0xfffffffffffffn;
  return (BigInt(next() & 1) << 63n) | (BigInt(exponent) << 52n) | fraction;
}

const EXTENDED_EDGES: readonly (readonly [exponent: number, significand: bigint])[] = [
  [0, 0n],
  [0x3fff, 1n << 63n],
  [0x4000, 1n << 63n],
  [0x3ffe, 1n << 63n],
  [0x7fff, 1n << 63n],
  [0x7fff, 3n << 62n],
  [0x7fff, (3n << 62n) | 1n],
  [0x7fff, (1n << 63n) | 1n],
  [0x7fff, (1n << 63n) | 0xffffn],
  [0x7fff, 0n],
  [0x7fff, 1n << 62n],
  [0x3fff, 1n << 62n],
  [0, 1n],
  [0, 1n << 62n],
  [0, 1n << 63n],
  [1, 1n << 63n],
  [0x7ffe, 0xffffffffffffffffn],
  [0x403e, 1n << 63n],
  [0x403d, 0xffffffffffffffffn],
  [0x401e, 1n << 63n],
  [0x400e, 1n << 63n],
  [0x4000, 0xc90fdaa22168c235n],
  [0x3fff, 0xc90fdaa22168c235n],
  [0x3fff, 0xb504f333f9de6484n],
];

/** 80 bits. */
function extended(next: Random): bigint {
  const sign = BigInt(next() & 1) << 79n;
  if (next() % 4 === 0) {
    const [exponent, significand] = pick(EXTENDED_EDGES, next);
    return sign | (BigInt(exponent) << 64n) | significand;
  }
  const choice = next() % 8;
  const exponent = choice === 0 ? next() & 0x7fff : choice < 3 ? 0x3fff - (next() % 80) : 0x3fff + (next() % 70) - 8;
  const few = next() % 3 === 0;
  const fraction = few ? BigInt(next() & 0xff) << 55n : wide(next) & 0x7fffffffffffffffn;
  return sign | (BigInt(exponent) << 64n) | (1n << 63n) | fraction;
}

/** Eighteen decimal digits and a sign; now and then nonsense. */
function decimal(next: Random): bigint {
  if (next() % 16 === 0) return (wide(next) << 16n) | BigInt(next() & 0xffff);
  let digits = 0n;
  const count = next() % 19;
  for (let digit = 0; digit < count; digit++) digits = (digits << 4n) | BigInt(next() % 10);
  return (BigInt(next() & 1) << 79n) | digits;
}

/** Sixteen bytes of one of several kinds. */
function sixteen(view: DataView, offset: number, next: Random): void {
  const kind = next() % 6;
  for (let half = 0; half < 2; half++) {
    const place = offset + half * 8;
    if (kind < 2) {
      view.setUint32(place, Number(single(next)), true);
      view.setUint32(place + 4, Number(single(next)), true);
    } else if (kind < 4) view.setBigUint64(place, double(next), true);
    else if (kind === 4) view.setBigUint64(place, wide(next), true);
    else {
      const lanes = [0n, 1n, 2n, 3n].map((lane) => (pick(WORDS, next) & 0xffffn) << (lane * 16n));
      view.setBigUint64(place, next() % 2 === 0 ? lanes.reduce((a, b) => a | b) : pick(WORDS, next), true);
    }
  }
}

function setTen(view: DataView, offset: number, value: bigint): void {
  view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  view.setUint16(offset + 8, Number(value >> 64n), true);
}

/** All exceptions masked and nearest in most cases. */
function controlWord(next: Random): number {
  const choice = next() % 4;
  if (choice < 2) return 0x37f;
  const masks = choice === 2 ? 0x3f : next() & 0x3f;
  return 0x40 | masks | ((next() & 15) << 8);
}

function mxcsr(next: Random): number {
  const choice = next() % 8;
  if (choice < 3) return 0x1f80;
  const masks = choice === 7 ? next() & 0x1f80 : 0x1f80;
  return (
    masks | (next() & 0x3f & (choice === 7 ? 0 : 0x3f)) | (next() & 0x6000) | (next() % 4 === 0 ? next() & 0x8040 : 0)
  );
}

/** Empty registers in some cases; pending exceptions in few. */
function headOf(view: DataView, next: Random): void {
  const control = controlWord(next);
  view.setUint16(0, control, true);
  const flags = next() % 4 === 0 ? next() & (next() % 4 === 0 ? 0x7f : control & 0x3f) : 0;
  const pending = (flags & ~control & 0x3f) !== 0 ? 0x8080 : 0;
  view.setUint16(2, (next() & 0x7f00) | flags | pending, true);
  const choice = next() % 8;
  view.setUint8(4, choice < 4 ? 0xff : choice < 6 ? 0xff & ~(1 << (next() & 7)) : next() & 0xff);
  view.setUint32(MXCSR_AT, mxcsr(next), true);
}

/** A push needs room: half of the cases leave the register before the top empty. */
function makeRoom(view: DataView, next: Random): void {
  if (next() % 2 === 0) return;
  const before = (((view.getUint16(2, true) >> 11) & 7) + 7) & 7;
  view.setUint8(4, view.getUint8(4) & ~(1 << before));
}

/** The state that a seed gives; 32-bit code has eight XMM registers, and the others are zero. */
export function mediaOf(seed: number, mode: 32 | 64): Uint8Array {
  const next = randomNumbers(seed ^ 0x5eed);
  const image = new Uint8Array(MEDIA_SIZE);
  const view = new DataView(image.buffer);
  headOf(view, next);
  makeRoom(view, next);
  for (let index = 0; index < 8; index++) setTen(view, STACK + index * 16, extended(next));
  for (let index = 0; index < (mode === 64 ? 16 : 8); index++) sixteen(view, VECTORS + index * 16, next);
  return image;
}

/** Fills memory with what such instructions read. */
export function mediaMemory(seed: number, memory: Uint8Array): void {
  const next = randomNumbers(seed ^ 0xda7a);
  const view = new DataView(memory.buffer);
  for (let place = 0; place + 16 <= memory.length; place += 16) {
    const kind = next() % 4;
    sixteen(view, place, next);
    if (kind === 0) setTen(view, place, extended(next));
    if (kind === 1) setTen(view, place, decimal(next));
  }
}

/** The state of programs that do not use any of it. */
export function quietMedia(): Uint8Array {
  const image = new Uint8Array(MEDIA_SIZE);
  const view = new DataView(image.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(MXCSR_AT, 0x1f80, true);
  return image;
}

export function loadMedia({ state }: Cpu, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset);
  const { words, halves } = state;
  const status = view.getUint16(2, true);
  halves[at.FPU_CONTROL / 4] = view.getUint16(0, true);
  halves[at.FPU_STATUS / 4] = status & ~0x3800;
  halves[at.FPU_TOP / 4] = (status >> 11) & 7;
  halves[at.FPU_TAGS / 4] = view.getUint8(4);
  halves[at.MXCSR / 4] = view.getUint32(MXCSR_AT, true);
  for (let index = 0; index < 8; index++) {
    const word = (at.X87 + ((((status >> 11) & 7) + index) & 7) * at.X87_SIZE) / 8;
    words[word] = view.getBigUint64(STACK + index * 16, true);
    words[word + 1] = BigInt(view.getUint16(STACK + index * 16 + 8, true));
  }
  for (let half = 0; half < 32; half++) words[at.XMM / 8 + half] = view.getBigUint64(VECTORS + half * 8, true);
}

export function readMedia({ state }: Cpu): Uint8Array {
  const image = new Uint8Array(MEDIA_SIZE);
  const view = new DataView(image.buffer);
  const { words, halves } = state;
  const top = halves[at.FPU_TOP / 4]!;
  view.setUint16(0, halves[at.FPU_CONTROL / 4]!, true);
  view.setUint16(2, halves[at.FPU_STATUS / 4]! | (top << 11), true);
  view.setUint8(4, halves[at.FPU_TAGS / 4]!);
  view.setUint32(MXCSR_AT, halves[at.MXCSR / 4]!, true);
  for (let index = 0; index < 8; index++) {
    const word = (at.X87 + ((top + index) & 7) * at.X87_SIZE) / 8;
    view.setBigUint64(STACK + index * 16, words[word]!, true);
    view.setUint16(STACK + index * 16 + 8, Number(words[word + 1]! & 0xffffn), true);
  }
  for (let half = 0; half < 32; half++) view.setBigUint64(VECTORS + half * 8, words[at.XMM / 8 + half]!, true);
  return image;
}

/** An image without what is not compared: opcode, pointers, the mask of MXCSR, and six bytes of each x87 register. */
export function comparedMedia(image: Uint8Array): Uint8Array {
  const kept = image.slice(0, MEDIA_SIZE);
  kept.fill(0, 5, MXCSR_AT);
  kept.fill(0, MXCSR_AT + 4, STACK);
  for (let index = 0; index < 8; index++) kept.fill(0, STACK + index * 16 + 10, STACK + index * 16 + 16);
  return kept;
}
