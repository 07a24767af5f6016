/** Processors prepared for tests. */

import { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { decode } from "../../machine/isa/index.ts";
import {
  COMPARED_FLAGS,
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

/** Runs single instructions as an ordinary 64-bit program does. */
export function userProcessor(makeEngine: EngineFactory = evaluatorEngine): {
  run(inputs: VectorInputs): VectorOutputs;
} {
  const cpu = bareCpu();
  const engine = makeEngine(cpu);
  return {
    run({ mode, code, registers, flags, memory, media }) {
      enterUserMode(cpu, mode);
      const { state } = cpu;
      cpu.memory.writeBytes(START, new Uint8Array(32).fill(0xcc));
      cpu.memory.writeBytes(START, code);
      cpu.memory.writeBytes(WINDOW, memory);
      for (const [number, value] of registers.entries()) state.setGeneral(number, value);
      state.rflags = BigInt(flags | 0x202);
      state.rip = BigInt(START);
      loadMedia(cpu, media);
      const instruction = decode(code, 0, mode);
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
    },
  };
}
