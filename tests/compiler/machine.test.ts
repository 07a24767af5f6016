/** Compiled kernels mean the same on the book's machine: random sources against the evaluator, and interrupt handlers. */

import { expect, test } from "vitest";
import { createMachine } from "../../machine/hosts/pc.ts";
import { compile } from "../../tangle/compiler/compile.ts";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { writeElf } from "../../tangle/image/elf.ts";
import fc from "../properties.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";

const PROGRAMS = 16;
const INSTRUCTIONS = 2_000_000;
/** Where the generated program leaves its checksum, and what its panic handler is changed to write there. */
const RESULT = "kernel/main:result";
const SILENT = "panicHandler((info) => {";
const TELLING = `${SILENT} result = (u64(info.line) << 32) | u64(info.column);`;

/** What the program leaves in `result`, or null where it takes too long. */
function runInMachine(source: string, chapter = 12): bigint | null {
  const file = { path: "kernel/main.ts", text: source };
  const { linked, diagnostics } = compile([file], { entryFile: file.path, chapter });
  expect(diagnostics).toEqual([]);
  const machine = createMachine({ image: writeElf(linked!), memory: 8 << 20 });
  const stop = machine.run(INSTRUCTIONS);
  if (stop.kind === "budget") return null;
  expect(stop.kind).toBe("halted");
  const { address } = linked!.symbols.find((symbol) => symbol.name === RESULT)!;
  const bytes = machine.readMemory(address, 8)!;
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

/** The same by the evaluator, or null where it gives up. */
function evaluate(source: string): bigint | null {
  const file = { path: "kernel/main.ts", text: source };
  const { program } = compile([file], { entryFile: file.path, chapter: 12 });
  const outcome = evaluateProgram(program!, RUN_SYMBOL);
  if (outcome.kind === "stopped") return null;
  if (outcome.kind === "value") return outcome.value;
  return (BigInt(outcome.place.line) << 32n) | BigInt(outcome.place.column);
}

test(`${PROGRAMS} random programs`, () => {
  const sources = fc.sample(arbitraryProgram(4, true), { seed: 4242, numRuns: PROGRAMS }).map(({ source }) => {
    expect(source).toContain(SILENT);
    return source.replace(SILENT, TELLING);
  });
  let compared = 0;
  for (const source of sources) {
    const expected = evaluate(source);
    const actual = runInMachine(source);
    if (expected === null || actual === null) continue;
    expect(actual, source).toBe(expected);
    compared++;
  }
  expect(compared).toBeGreaterThan(PROGRAMS / 2);
});

/**
 * A breakpoint (vector 3, no error code) and a general protection fault (vector 13, with one: the selector) in a loop that
 * keeps values in registers. The second handler steps over the two bytes of the instruction that faulted.
 */
const INTERRUPTS = `
export let result: u64 = 0;
let gates: FixedArray<u64, 64> = filled(0);
let descriptor: FixedArray<u16, 5> = filled(0);
let breakpoints: u64 = 0;
let errors: u64 = 0;

const wreck = noInline((a: u64, b: u64, c: u64, d: u64, e: u64, f: u64): u64 => {
  return (a ^ b) * (c ^ d) + (e ^ f) * breakpoints;
});
const onBreakpoint = interruptHandler((frame: InterruptFrame): void => {
  breakpoints += 1 + wreck(frame.rip, frame.rip, frame.rsp, 5, frame.rflags, frame.rflags) * 0;
});
const onProtection = interruptHandler((frame: InterruptFrame, error: u64): void => {
  errors += error;
  frame.rip += 2;
});

function gate(vector: usize, address: u64): void {
  gates[2 * vector] = (address & 0xffff) | (8 << 16) | (0x8e00 << 32) | (((address >> 16) & 0xffff) << 48);
  gates[2 * vector + 1] = address >> 32;
}

export function _start(): never {
  gate(3, onBreakpoint.address);
  gate(13, onProtection.address);
  const table = addressOf(gates).address;
  descriptor[0] = 511;
  descriptor[1] = u16(table);
  descriptor[2] = u16(table >> 16);
  descriptor[3] = u16(table >> 32);
  descriptor[4] = u16(table >> 48);
  loadIdt(addressOf(descriptor).address);
  let sum: u64 = 1;
  let other: u64 = 7;
  for (let i: u64 = 0; i < 10; i++) {
    sum = sum * 3 + other;
    breakpoint();
    other = other ^ (sum >> 3);
    const selector: u64 = 0x50;
    asm\`mov ds, \${selector}\`;
  }
  result = (sum ^ other) + (breakpoints << 32) + (errors << 40);
  for (;;) {
    halt();
  }
}
panicHandler((info) => {
  for (;;) {
    halt();
  }
});
`;

test("interrupt handlers, with and without error code, leave the interrupted loop as it was", () => {
  let [sum, other] = [1n, 7n];
  for (let i = 0; i < 10; i++) {
    sum = sum * 3n + other;
    other ^= sum >> 3n;
  }
  expect(runInMachine(INTERRUPTS, 5)).toBe((sum ^ other) + (10n << 32n) + ((10n * 0x50n) << 40n));
});
