/** Processors prepared for tests. */

import { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import {
  COMPARED_FLAGS,
  instructionOf,
  START,
  type UserMode,
  type VectorInputs,
  type VectorOutputs,
  WINDOW,
  WINDOW_SIZE,
} from "./vectors/cases.ts";
import { comparedMedia, loadMedia, readMedia } from "./vectors/media-state.ts";

export const MEBIBYTE = 0x100000;

/** A processor whose ports read as ones and whose interrupt line is quiet. */
export function bareCpu(size = 4 * MEBIBYTE): Cpu {
  return new Cpu(size, { portIn: () => 0xffffffff, portOut: () => {} }, { pending: () => false, acknowledge: () => 0 });
}

/** Code segments of privilege 3, by mode. */
const CODE = { 32: 0xc0fb, 64: 0xa0fb } as const;
const DATA_32 = 0xc0f3;

/** Puts a processor into long mode at privilege 3, in 64- or 32-bit code, the first 4 MiB mapped one to one, interrupts on. */
export function enterUserMode(cpu: Cpu, mode: UserMode = 64): void {
  const { state, memory } = cpu;
  memory.write64(0x1000, 0x2007n);
  memory.write64(0x2000, 0x3007n);
  memory.write64(0x3000, 0x0000e7n);
  memory.write64(0x3008, 0x2000e7n);
  state.cr3 = 0x1000n;
  state.cr4 = 0x620n;
  state.efer = 0xd00n;
  state.cr0 = 0x80010031n;
  for (const number of [0, 2, 3])
    state.setSegment(number, { selector: 0x23, base: 0n, limit: 0xffffffff, attributes: DATA_32 });
  for (const number of [4, 5]) state.setSegment(number, { selector: 0, base: 0n, limit: 0, attributes: 0x10000 });
  state.setSegment(1, { selector: 0x2b, base: 0n, limit: 0xffffffff, attributes: CODE[mode] });
  state.idtr = { base: 0n, limit: 0 };
  state.cpl = 3;
  cpu.mmu.flush();
}

/** A trap behind the instruction of a case, and wherever it may end. */
const INT3 = 0xcc;
/** Bytes from START on that an instruction of a case and what is decoded behind it may have. */
const CODE_SIZE = 32;

/** The bytes that stand at START. */
export function caseCode(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CODE_SIZE).fill(INT3);
  bytes.set(code);
  return bytes;
}

/** Puts all but the code of a case in its place. The processor is in user mode. */
export function loadCase(cpu: Cpu, { registers, flags, memory, media }: VectorInputs): void {
  const { state } = cpu;
  cpu.memory.writeBytes(WINDOW, memory);
  for (const [number, value] of registers.entries()) state.setGeneral(number, value);
  state.rflags = BigInt(flags | 0x202);
  state.rip = BigInt(START);
  loadMedia(cpu, media);
}

/** Runs the instruction at START, all rounds of it, and reads what it has made of the case. */
export function runCase(cpu: Cpu, engine: Engine, { mode, code, registers }: VectorInputs): VectorOutputs {
  const { state } = cpu;
  const instruction = instructionOf({ code, mode });
  const repeats = instruction.mnemonic !== null && instruction.repeat !== null;
  let stop = engine.run(1);
  while (repeats && stop.kind === "budget" && state.rip === BigInt(START)) stop = engine.run(1);
  return {
    registers: registers.map((_, number) => BigInt.asUintN(mode, state.general(number))),
    rip: Number(state.rip) - START,
    flags: Number(state.rflags) & COMPARED_FLAGS,
    memory: cpu.memory.readBytes(WINDOW, WINDOW_SIZE),
    media: comparedMedia(readMedia(cpu)),
    fault: stop.kind === "tripleFault" ? stop.story.chain[0]!.vector : null,
  };
}

/** Runs single instructions in the evaluator, as an ordinary program does. */
export function userProcessor(): { run(inputs: VectorInputs): VectorOutputs } {
  const cpu = bareCpu();
  const engine = evaluatorEngine(cpu);
  return {
    run(inputs) {
      enterUserMode(cpu, inputs.mode);
      cpu.memory.writeBytes(START, caseCode(inputs.code));
      loadCase(cpu, inputs);
      return runCase(cpu, engine, inputs);
    },
  };
}
