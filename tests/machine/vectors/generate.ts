/**
 * Makes vectors.txt.gz: for every user-mode integer instruction form of 64-bit and 32-bit mode, cases with random and edge values, and what the
 * host's own processor makes of them. Needs gcc and an x86-64 host: `npx tsx tests/machine/vectors/generate.ts [CASES PER FORM]`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { randomNumbers } from "../../isa/random.ts";
import {
  COMPARED_FLAGS,
  inputsOf,
  START,
  type UserMode,
  type Vector,
  type VectorInputs,
  WINDOW_SIZE,
  writeVector,
} from "./cases.ts";
import { type Draft, draftsOf, userPlans } from "./drafts.ts";
import { undefinedFlags } from "./undefined-flags.ts";

const REQUEST_SIZE = 8 + 16 + 16 * 8 + 8 + WINDOW_SIZE;
const RESULT_SIZE = 16 * 8 + 3 * 8 + WINDOW_SIZE;
const BREAKPOINT = 3;

function requestBytes(inputs: VectorInputs): Uint8Array {
  const bytes = new Uint8Array(REQUEST_SIZE).fill(0xcc, 8, 24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(inputs.mode), true);
  bytes.set(inputs.code, 8);
  for (const [number, value] of inputs.registers.entries()) view.setBigUint64(24 + number * 8, value, true);
  view.setBigUint64(152, BigInt(inputs.flags), true);
  bytes.set(inputs.memory, 160);
  return bytes;
}

function readResult(bytes: Uint8Array, mode: UserMode): Vector["outputs"] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number) => view.getBigUint64(index * 8, true);
  const registers = Array.from({ length: 16 }, (_, number) => BigInt.asUintN(mode, word(number)));
  const trap = Number(word(18));
  const fault = trap === BREAKPOINT ? null : trap;
  const rip = fault === null ? Number(word(16)) - 1 - START : 0;
  return { registers, rip, flags: Number(word(17)) & COMPARED_FLAGS, memory: bytes.slice(152), fault };
}

function runOnHost(drafts: readonly Draft[]): Vector["outputs"][] {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  try {
    const program = join(folder, "harness");
    execFileSync("gcc", [
      "-O1",
      "-Wall",
      "-mno-red-zone",
      "-pie",
      "-fPIE",
      "-o",
      program,
      join(import.meta.dirname, "harness.c"),
    ]);
    const input = Buffer.concat(drafts.map((draft) => requestBytes(inputsOf(draft))));
    const output = execFileSync(program, { input, maxBuffer: drafts.length * RESULT_SIZE + 1 });
    return drafts.map(({ mode }, index) =>
      readResult(output.subarray(index * RESULT_SIZE, (index + 1) * RESULT_SIZE), mode),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const casesPerForm = Number(process.argv[2] ?? 24);
const next = randomNumbers(20);
const plans = [...userPlans(64), ...userPlans(32)];
const drafts = plans.flatMap((plan) => draftsOf(plan, casesPerForm, next));
const outputs = runOnHost(drafts);
const lines = drafts.map((draft, index) => {
  return writeVector({ ...draft, undefinedFlags: undefinedFlags(inputsOf(draft)), outputs: outputs[index]! });
});
const packed = gzipSync(`${lines.join("\n")}\n`, { level: 9 });
writeFileSync(join(import.meta.dirname, "vectors.txt.gz"), packed);
console.log(`${plans.length} forms, ${lines.length} vectors, ${packed.length} bytes`);
