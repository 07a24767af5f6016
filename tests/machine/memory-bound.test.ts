/** A machine takes the guest's memory and at most 64 MiB, whatever it runs and however long. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import type { Weighed } from "./memory-bound.ts";

const MOST = 64 << 20;

/** What a machine takes in a process of its own that runs so many millions of instructions. */
function weigh(engine: EngineName, program: string, millions: number): Weighed {
  const script = join(import.meta.dirname, "memory-bound.ts");
  const flags = ["--expose-gc", "--max-semi-space-size=1", "--import", "tsx"];
  const output = execFileSync(process.execPath, [...flags, script, engine, program, String(millions)]);
  return JSON.parse(output.toString()) as Weighed;
}

test.each(["evaluator", "wasm", "wasm-eager"] as const)("random code from a large disk, in %s", (engine) => {
  const { held, resident } = weigh(engine, "random", 0.8);
  expect(held).toBeLessThan(MOST);
  expect(resident).toBeLessThan(MOST);
});

test.each([
  ["evaluator", 4],
  ["wasm", 500],
  ["wasm-eager", 6],
  ["wasm-forms", 40],
] as const)("code that is written without end, in %s", (engine, millions) => {
  const { held, resident, instructions, isFull } = weigh(engine, "endless", millions);
  expect(instructions).toBeGreaterThanOrEqual(millions * 1_000_000);
  expect(isFull).toBe(engine === "wasm" || engine === "wasm-eager");
  expect(held).toBeLessThan(MOST);
  expect(resident).toBeLessThan(MOST);
});

test.skipIf(lacks("nasm")).each([
  ["cold", 160, false],
  ["codegen", 100, false],
  ["patch", 100, false],
] as const)("the bench's workload %s", (program, millions, evicts) => {
  const { held, resident, instructions, isFull } = weigh("wasm", program, millions);
  expect(instructions).toBeGreaterThanOrEqual(millions * 1_000_000);
  if (evicts) expect(isFull).toBe(true);
  expect(held).toBeLessThan(MOST);
  expect(resident).toBeLessThan(MOST);
});
