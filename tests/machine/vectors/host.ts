/** Runs cases on the host's own processor, through harness.c. Needs gcc and an x86-64 host. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMPARED_FLAGS, START, type UserMode, type VectorInputs, type VectorOutputs, WINDOW_SIZE } from "./cases.ts";
import { comparedMedia, MEDIA_SIZE } from "./media-state.ts";

const REQUEST_SIZE = 8 + 16 + 16 * 8 + 8 + WINDOW_SIZE + MEDIA_SIZE;
const RESULT_SIZE = 16 * 8 + 3 * 8 + WINDOW_SIZE + MEDIA_SIZE;
const BREAKPOINT = 3;

function requestBytes(inputs: VectorInputs): Uint8Array {
  const bytes = new Uint8Array(REQUEST_SIZE).fill(0xcc, 8, 24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(inputs.mode), true);
  bytes.set(inputs.code, 8);
  for (const [number, value] of inputs.registers.entries()) view.setBigUint64(24 + number * 8, value, true);
  view.setBigUint64(152, BigInt(inputs.flags), true);
  bytes.set(inputs.memory, 160);
  bytes.set(inputs.media, 160 + WINDOW_SIZE);
  return bytes;
}

function readResult(bytes: Uint8Array, mode: UserMode): VectorOutputs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number) => view.getBigUint64(index * 8, true);
  const registers = Array.from({ length: 16 }, (_, number) => BigInt.asUintN(mode, word(number)));
  const trap = Number(word(18));
  const fault = trap === BREAKPOINT ? null : trap;
  const memory = bytes.slice(152, 152 + WINDOW_SIZE);
  const media = comparedMedia(bytes.subarray(152 + WINDOW_SIZE));
  const rip = fault === null ? Number(word(16)) - 1 - START : 0;
  return { registers, rip, flags: Number(word(17)) & COMPARED_FLAGS, memory, media, fault };
}

let harness: string | null = null;

/** The compiled harness; it goes with this process. */
function compiled(): string {
  if (harness !== null) return harness;
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const program = join(folder, "harness");
  const source = join(import.meta.dirname, "harness.c");
  execFileSync("gcc", ["-O1", "-Wall", "-mno-red-zone", "-pie", "-fPIE", "-o", program, source]);
  harness = program;
  return program;
}

/** What the processor makes of each case, in their order. */
export function runOnHost(cases: readonly VectorInputs[]): VectorOutputs[] {
  const input = Buffer.concat(cases.map(requestBytes));
  const output = execFileSync(compiled(), { input, maxBuffer: cases.length * RESULT_SIZE + 1 });
  return cases.map(({ mode }, index) =>
    readResult(output.subarray(index * RESULT_SIZE, (index + 1) * RESULT_SIZE), mode),
  );
}
