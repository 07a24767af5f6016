/** Instruction vectors: how a case's inputs follow from its seed, and how cases are written as text. */

import { vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import { decode } from "../../../machine/isa/index.ts";
import { randomNumbers } from "../../isa/random.ts";
import { comparedMedia, mediaMemory, mediaOf, quietMedia } from "./media-state.ts";

/** Where the instruction stands, and the bytes of memory that it may use (harness.c has the same numbers). */
export const START = 0x210800;
export const WINDOW = 0x200400;
export const WINDOW_SIZE = 640;
/** CF, PF, AF, ZF, SF, DF, OF: the flags that cases set and compare. */
export const COMPARED_FLAGS = 0xcd5;

/** The mode in which an instruction runs: 64-bit, or 32-bit code under the same kernel (compatibility mode). */
export type UserMode = 32 | 64;

/** An instruction, and all that its inputs follow from. */
export interface VectorCase {
  readonly mode: UserMode;
  readonly code: Uint8Array;
  readonly seed: number;
  /** What does not come from the seed: by register number, and by 16 + n for the n-th eight bytes of memory. */
  readonly overrides: ReadonlyMap<number, bigint>;
}

export interface VectorInputs {
  readonly mode: UserMode;
  readonly code: Uint8Array;
  readonly registers: readonly bigint[];
  readonly flags: number;
  readonly memory: Uint8Array;
  /** x87, MMX and SSE state as fxsave lays it out. */
  readonly media: Uint8Array;
}

export interface VectorOutputs {
  readonly registers: readonly bigint[];
  /** Offset of rip from the instruction's start; for a fault, of the faulting instruction: 0. */
  readonly rip: number;
  readonly flags: number;
  readonly memory: Uint8Array;
  readonly media: Uint8Array;
  /** Exception vector, or null. */
  readonly fault: number | null;
}

export interface Vector extends VectorCase {
  /** Flags that the manual leaves undefined for this case. */
  readonly undefinedFlags: number;
  readonly outputs: VectorOutputs;
}

const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
];
const WIDE_EDGES = [0x100000000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn];

/** Half of all values are random, a third edges of some width, the rest small. */
function randomValue(next: () => number): bigint {
  const wide = (BigInt(next()) << 32n) | BigInt(next());
  const choice = next() % 6;
  const edges = [...EDGES, ...WIDE_EDGES];
  if (choice < 3) return wide;
  if (choice === 5) return wide & 0x3fn;
  const edge = edges[next() % edges.length]!;
  return choice === 3 ? edge : (wide & ~0xffff_ffffn) | (edge & 0xffff_ffffn);
}

/** The inputs of a case. 32-bit code does not see the upper halves of registers; they are zero. */
export function inputsOf(vector: VectorCase): VectorInputs {
  const { mode, code, seed, overrides } = vector;
  const next = randomNumbers(seed);
  const registers = Array.from({ length: 16 }, () => randomValue(next));
  const flags = next() & (next() % 4 === 0 ? COMPARED_FLAGS : COMPARED_FLAGS & ~0x400);
  const memory = new Uint8Array(WINDOW_SIZE);
  for (let at = 0; at < WINDOW_SIZE; at++) memory[at] = next();
  const usesMedia = isMedia(vector);
  if (usesMedia) mediaMemory(seed, memory);
  const view = new DataView(memory.buffer);
  for (const [number, value] of overrides) {
    if (number < 16) registers[number] = value;
    else view.setBigUint64((number - 16) * 8, value, true);
  }
  const media = usesMedia ? mediaOf(seed, mode) : quietMedia();
  return { mode, code, registers: registers.map((value) => BigInt.asUintN(mode, value)), flags, memory, media };
}

const DECODED = new WeakMap<Uint8Array, ReturnType<typeof decode>>();

/** The instruction of a case. Many cases share their code. */
export function instructionOf({ code, mode }: Pick<VectorCase, "code" | "mode">): ReturnType<typeof decode> {
  let found = DECODED.get(code);
  if (found === undefined) {
    found = decode(code, 0, mode);
    DECODED.set(code, found);
  }
  return found;
}

/** Whether code uses the x87, MMX or XMM registers. */
function isMedia(of: Pick<VectorCase, "code" | "mode">): boolean {
  const { mnemonic } = instructionOf(of);
  return mnemonic !== null && vectorMeaningOf(mnemonic) !== null;
}

const hex = (value: bigint | number) => value.toString(16);
const bytesToHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesFromHex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

function pairs(entries: readonly (readonly [number, string])[]): string {
  return entries.length === 0 ? "-" : entries.map(([key, value]) => `${hex(key)}=${value}`).join(",");
}

function readPairs(text: string): [number, string][] {
  if (text === "-") return [];
  return text.split(",").map((pair) => {
    const [key, value] = pair.split("=");
    return [Number.parseInt(key!, 16), value!];
  });
}

/** Runs of bytes that differ. */
function changedRuns(before: Uint8Array, after: Uint8Array): [number, string][] {
  const runs: [number, string][] = [];
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue;
    let end = at;
    while (end < after.length && before[end] !== after[end]) end++;
    runs.push([at, bytesToHex(after.subarray(at, end))]);
    at = end;
  }
  return runs;
}

/** One line: mode, code, seed, overrides, outcome, flags, undefined flags, changed registers, memory, media state. */
export function writeVector(vector: Vector): string {
  const { mode, code, seed, overrides, undefinedFlags, outputs } = vector;
  const inputs = inputsOf(vector);
  const changed = outputs.registers.flatMap((value, number): [number, string][] =>
    value === inputs.registers[number] ? [] : [[number, hex(value)]],
  );
  return [
    String(mode),
    bytesToHex(code),
    hex(seed),
    pairs([...overrides].map(([number, value]) => [number, hex(value)])),
    outputs.fault === null ? String(outputs.rip) : `!${outputs.fault}`,
    hex(outputs.flags),
    hex(undefinedFlags),
    pairs(changed),
    pairs(changedRuns(inputs.memory, outputs.memory)),
    pairs(changedRuns(comparedMedia(inputs.media), outputs.media)),
  ].join(" ");
}

/** The inverse of `writeVector`. */
export function readVector(line: string): Vector {
  const [modeText, codeText, seedText, overrideText, outcome, flags, undefinedText, changed, runs, mediaRuns] =
    line.split(" ");
  const mode = Number(modeText) as UserMode;
  const code = bytesFromHex(codeText!);
  const seed = Number.parseInt(seedText!, 16);
  const overrides = new Map(readPairs(overrideText!).map(([number, value]) => [number, BigInt(`0x${value}`)]));
  const inputs = inputsOf({ mode, code, seed, overrides });
  const registers = [...inputs.registers];
  for (const [number, value] of readPairs(changed!)) registers[number] = BigInt(`0x${value}`);
  const memory = inputs.memory.slice();
  for (const [at, bytes] of readPairs(runs!)) memory.set(bytesFromHex(bytes), at);
  const media = comparedMedia(inputs.media);
  for (const [at, bytes] of readPairs(mediaRuns!)) media.set(bytesFromHex(bytes), at);
  const fault = outcome!.startsWith("!") ? Number(outcome!.slice(1)) : null;
  const rip = fault === null ? Number(outcome) : 0;
  const outputs = { registers, rip, flags: Number.parseInt(flags!, 16), memory, media, fault };
  return { mode, code, seed, overrides, undefinedFlags: Number.parseInt(undefinedText!, 16), outputs };
}
