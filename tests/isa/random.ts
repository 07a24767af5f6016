/** Random machine code from a seed, so that every run sees the same. */
import type { Mode } from "../../machine/isa/index.ts";

/** A generator of unsigned 32-bit numbers (splitmix32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x26, 0x64, 0x40, 0x41, 0x44, 0x48, 0x4f];

/** 15 random bytes that start with some prefixes, and with 0f in every second case. */
export function randomCode(next: () => number): Uint8Array {
  const bytes = Uint8Array.from({ length: 15 }, () => next() & 0xff);
  let at = 0;
  while (at < 4 && next() % 3 === 0) bytes[at++] = PREFIXES[next() % PREFIXES.length]!;
  if (next() % 2 === 0) bytes[at] = 0x0f;
  return bytes;
}

/** Cases a mode; ISA_CASES=100000 makes the long run of the same test. */
export const CASES = Number(process.env.ISA_CASES ?? 2000);
export const MODES: readonly Mode[] = [16, 32, 64];

export const hexadecimal = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
