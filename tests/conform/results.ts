/** What became of a program: the results that harness.asm leaves in memory, and how two of them differ. */
import { COPIES, PAGE, PUSHED, RESULT, RESULT_SIZE } from "./layout.ts";
import type { HarnessRun } from "./machines.ts";

export interface Result {
  readonly registers: readonly bigint[];
  readonly vector: number;
  readonly error: bigint;
  readonly rip: bigint;
  readonly cs: bigint;
  readonly flags: bigint;
  readonly ss: bigint;
  readonly cr2: bigint;
  /** Of the traps that were served on the way. */
  readonly log: bigint;
  /** ds, es, fs, gs, 16 bits each. */
  readonly segments: bigint;
  /** Accessed and dirty bits of the five pages. */
  readonly marks: bigint;
  /** The five pages; null for those that are not marked as written. */
  readonly pages: readonly (Uint8Array | null)[];
  /** As FXSAVE writes it; empty where x87 and XMM registers took no part. */
  readonly media: Uint8Array;
}

/** The result of slot `slot` in what a run left behind. */
export function readResult({ results: bytes, copies }: HarnessRun, slot: number, media: boolean): Result {
  const start = slot * RESULT_SIZE;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, RESULT_SIZE);
  const word = (at: number) => view.getBigUint64(at, true);
  const registers: bigint[] = [];
  PUSHED.forEach((number, index) => {
    registers[number] = word(RESULT.registers + index * 8);
  });
  registers[4] = word(RESULT.rsp);
  const marks = word(RESULT.marks);
  const first = Number(word(RESULT.firstCopy)) - COPIES;
  let place = first;
  const pages = [32n, 24n, 16n, 8n, 0n].map((page) => {
    if (((marks >> page) & 0x40n) === 0n) return null;
    place += PAGE;
    return copies.subarray(place - PAGE, place);
  });
  return {
    registers,
    vector: Number(word(RESULT.vector)),
    error: word(RESULT.error),
    rip: word(RESULT.rip),
    cs: word(RESULT.cs),
    flags: word(RESULT.flags),
    ss: word(RESULT.ss),
    cr2: word(RESULT.cr2),
    log: word(RESULT.log),
    segments: word(RESULT.segments),
    marks,
    pages,
    media: media ? bytes.slice(start + RESULT.fx, start + RESULT.fx + 512) : new Uint8Array(0),
  };
}

/** RF is set in the flags that a fault pushes, or not, as an implementation likes. */
const RESUME = 0x10000n;
const NAMES = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");

/** A part of the state that two runs ended differently: of memory and FXSAVE's bytes, the first that differ. */
export interface Difference {
  readonly part: string;
  readonly expected: bigint;
  readonly found: bigint;
  readonly text: string;
}

/** What differs: expected first. `ignoredFlags` are undefined where the program ended. */
export function differences(expected: Result, found: Result, ignoredFlags: number, exact: boolean): Difference[] {
  const list: Difference[] = [];
  const compare = (part: string, left: bigint, right: bigint) => {
    if (left === right) return;
    list.push({ part, expected: left, found: right, text: `${part} ${left.toString(16)} ≠ ${right.toString(16)}` });
  };
  const compareBytes = (part: string, left: Uint8Array, right: Uint8Array, ignored: ReadonlySet<number>) => {
    const at =
      Buffer.compare(left, right) === 0 ? -1 : left.findIndex((byte, n) => byte !== right[n] && !ignored.has(n));
    if (at < 0) return;
    const text = `${part} ${hex(left, at)} ≠ ${hex(right, at)} at ${at.toString(16)}`;
    list.push({ part, expected: BigInt(left[at]!), found: BigInt(right[at]!), text });
  };
  compare("vector", BigInt(expected.vector), BigInt(found.vector));
  compare("error", expected.error, found.error);
  compare("rip", expected.rip, found.rip);
  compare("cr2", expected.cr2, found.cr2);
  const mask = exact ? -1n : ~(BigInt(ignoredFlags) | RESUME);
  compare("flags", expected.flags & mask, found.flags & mask);
  NAMES.forEach((name, number) => {
    // SYSCALL puts the flags into r11.
    const part = number === 11 && expected.vector === 0x100 ? mask : -1n;
    compare(name, expected.registers[number]! & part, found.registers[number]! & part);
  });
  for (const name of ["cs", "ss", "segments", "log", "marks"] as const) compare(name, expected[name], found[name]);
  expected.pages.forEach((page, number) => {
    const other = found.pages[number];
    // Pages that only one of the two wrote are told by the marks.
    if (page != null && other != null) compareBytes(`page ${number}`, page, other, NOTHING);
  });
  compareBytes("fxsave", expected.media, found.media, IGNORED_MEDIA);
  return list;
}

const NOTHING: ReadonlySet<number> = new Set();
/** Last instruction's opcode and addresses, which processors keep differently, and what is reserved. */
const IGNORED_MEDIA = new Set(
  Array.from({ length: 512 }, (_, at) => at).filter(
    (at) => (at >= 5 && at < 24) || at >= 416 || (at >= 28 && at < 32) || (at >= 32 && at < 160 && (at & 15) > 9),
  ),
);

function hex(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at & ~7, (at & ~7) + 16)).toString("hex");
}
