/** Compiled kernels mean the same on the book's machine: random sources, whose checksum must be the evaluator's. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMachine } from "../../machine/hosts/pc.ts";
import { compile } from "../../tangle/compiler/compile.ts";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { writeElf } from "../../tangle/image/elf.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";

const PROGRAMS = 16;
const INSTRUCTIONS = 2_000_000;
/** Where the generated program leaves its checksum, and what its panic handler is changed to write there. */
const RESULT = "kernel/main:result";
const SILENT = "panicHandler((info) => {";
const TELLING = `${SILENT} result = (u64(info.line) << 32) | u64(info.column);`;

/** What the program leaves in `result`, or null where it takes too long. */
function runInMachine(source: string): bigint | null {
  const file = { path: "kernel/main.ts", text: source };
  const { linked, diagnostics } = compile([file], { entryFile: file.path, chapter: 12 });
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
  const sources = fc.sample(arbitraryProgram(), { seed: 4242, numRuns: PROGRAMS }).map(({ source }) => {
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
