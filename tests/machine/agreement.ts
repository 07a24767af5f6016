/** One program in the evaluator and in translating engines, compared slice by slice. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { EngineFactory, EngineStop } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { formsEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu, enterUserMode } from "./processor.ts";

export const START = 0x100000;
export const DATA = 0x200000;

/** Numbers of instructions, such that slices end everywhere. */
export const SLICES = Array.from({ length: 40 }, (_, index) => 97 + index * 13);

/** A program at privilege 3, in 64-bit code, the first 4 MiB mapped one to one. */
export function program(text: string, makeEngine: EngineFactory, mode: 32 | 64 = 64) {
  const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits ${mode}\norg ${START}\n${text}\n` });
  expect(diagnostics).toEqual([]);
  const cpu = bareCpu();
  enterUserMode(cpu, mode);
  cpu.memory.writeBytes(START, bytes);
  cpu.state.rip = BigInt(START);
  cpu.state.setGeneral(4, BigInt(DATA + 0x8000));
  return { cpu, engine: makeEngine(cpu) };
}

export type Running = ReturnType<typeof program>;

/** All that a program can see, and the count. */
export function shown({ cpu }: Running) {
  const { state } = cpu;
  return {
    registers: Array.from({ length: 16 }, (_, number) => state.general(number)),
    rip: state.rip,
    flags: state.rflags,
    retired: cpu.retired,
    vectors: [...state.words.slice(0x300 / 8, 0x400 / 8)],
    memory: createHash("sha1").update(cpu.memory.readBytes(0, cpu.memory.size)).digest("hex"),
  };
}

/** Runs a program in the evaluator, in an engine and in forms alone, in slices of the same lengths, and compares after each. */
export function agree(
  text: string,
  slices: readonly number[],
  { mode = 64 as 32 | 64, engine = wasmEngine } = {},
): EngineStop {
  const reference = program(text, evaluatorEngine, mode);
  const others = [engine, formsEngine].map((factory) => program(text, factory, mode));
  let stop: EngineStop = { kind: "budget" };
  for (const slice of slices) {
    stop = reference.engine.run(slice);
    for (const other of others) {
      expect(other.engine.run(slice)).toEqual(stop);
      expect(shown(other)).toEqual(shown(reference));
    }
    if (stop.kind !== "budget") break;
  }
  return stop;
}
