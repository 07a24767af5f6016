/** Programs at privilege 0 with descriptors, gates and a chip that interrupts, in the evaluator and in translating engines. */
import { expect } from "vitest";
import { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { eagerWasmEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { enterUserMode, MEBIBYTE } from "./processor.ts";

const START = 0x100000;
export const GDT = 0x5000;
const IDT = 0x6000;
const TSS = 0x7000;
const HANDLER = 0x8000;
export const RAISE = 0x70;
const LOWER = 0x71;

/** An event at a port: direction, port, value, count of instructions. */
type PortEvent = readonly [string, number, number, number];

function assembled(text: string, origin: number, mode: 32 | 64): Uint8Array {
  const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits ${mode}\norg ${origin}\n${text}\n` });
  expect(diagnostics).toEqual([]);
  return bytes;
}

/** A program at privilege 0 with descriptors for both privileges, handlers, and a chip that asks for vector 0x20. */
export function program(text: string, mode: 32 | 64, makeEngine: EngineFactory) {
  const events: PortEvent[] = [];
  let asked = false;
  const ports = {
    portIn: (port: number) => {
      events.push(["in", port, 0, cpu.retired]);
      return (port * 7 + cpu.retired) & 0xff;
    },
    portOut: (port: number, _width: number, value: number) => {
      events.push(["out", port, value, cpu.retired]);
      if (port === RAISE) asked = true;
      if (port === LOWER) asked = false;
    },
  };
  const cpu: Cpu = new Cpu(4 * MEBIBYTE, ports, { pending: () => asked, acknowledge: () => 0x20 });
  enterUserMode(cpu, mode);
  const { state, memory } = cpu;
  if (mode === 32) {
    state.efer = 0n;
    state.cr0 = 0x31n;
    cpu.mmu.flush();
  }
  const code = mode === 64 ? 0xa09bn : 0xc09bn;
  const descriptors = [0n, descriptor(code), descriptor(0xc093n), descriptor(0xc0fbn), descriptor(0xc0f3n)];
  const tables = [...descriptors, descriptor(mode === 64 ? 0xa0fbn : 0xc0fbn), descriptor(0xc0f3n)];
  for (const [index, value] of tables.entries()) memory.write64(GDT + index * 8, value);
  state.gdtr = { base: BigInt(GDT), limit: 0x7f };
  state.idtr = { base: BigInt(IDT), limit: 0xfff };
  const gate = (vector: number, target: number, attributes: bigint) => {
    const low = (BigInt(target) & 0xffffn) | (8n << 16n) | (attributes << 40n) | ((BigInt(target) >> 16n) << 48n);
    const size = state.longMode ? 16 : 8;
    memory.write64(IDT + vector * size, low);
    if (size === 16) memory.write64(IDT + vector * size + 8, 0n);
  };
  gate(0x20, HANDLER, 0x8en);
  gate(0x80, HANDLER + 0x100, 0xeen);
  for (const vector of [11, 12, 13, 14]) {
    const handler = HANDLER + vector * 0x100;
    gate(vector, handler, 0x8en);
    memory.writeBytes(handler, assembled(faultHandler(vector, mode), handler, mode));
  }
  state.setSegment(7, { selector: 0x40, base: BigInt(TSS), limit: 0x67, attributes: 0x8b });
  memory.write64(TSS + 4, mode === 64 ? 0x208000n : 0x1000208000n);
  state.setSegment(1, { selector: 8, base: 0n, limit: 0xffffffff, attributes: Number(code) });
  state.setSegment(2, { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc093 });
  state.cpl = 0;
  if (mode === 64) state.efer |= 1n;
  const ret = mode === 64 ? "iretq" : "iretd";
  memory.writeBytes(HANDLER, assembled(`inc ebp\nout ${LOWER}, al\n${ret}`, HANDLER, mode));
  memory.writeBytes(HANDLER + 0x100, assembled(`inc ebp\nxor eax, ebp\n${ret}`, HANDLER + 0x100, mode));
  memory.writeBytes(START, assembled(text, START, mode));
  state.rip = BigInt(START);
  state.rflags = 0x202n;
  state.setGeneral(4, 0x208000n);
  return { cpu, engine: makeEngine(cpu), events };
}

/** Notes a fault with an error code in ebp, and goes on at the address in edi. */
function faultHandler(vector: number, mode: 32 | 64): string {
  const [error, top, target] = mode === 64 ? ["rdx", "rsp", "rdi"] : ["edx", "esp", "edi"];
  return `pop ${error}\nrol ebp, 3\nlea ebp, [ebp + edx + ${vector}]\nmov [${top}], ${target}\niret${mode === 64 ? "q" : "d"}`;
}

/** A flat segment with these attributes. */
export function descriptor(attributes: bigint): bigint {
  return 0xffffn | ((attributes & 0xffn) << 40n) | (((attributes & 0xf000n) | 0xf00n) << 40n);
}

type Running = ReturnType<typeof program>;

function shown({ cpu, events }: Running) {
  const { state } = cpu;
  return {
    registers: Array.from({ length: 16 }, (_, number) => state.general(number)),
    segments: [0, 1, 2, 3, 4, 5].map((number) => state.segment(number)),
    privilege: state.cpl,
    rip: state.rip,
    flags: state.rflags,
    retired: cpu.retired,
    events: events.splice(0),
    stack: [...cpu.memory.readBytes(0x207f00, 0x100)],
  };
}

/** Runs a program in the evaluator and in another engine in slices, and compares after each. `prepare` adds to both. */
export function agree(
  text: string,
  { mode = 64 as 32 | 64, engine = wasmEngine, slices = SLICES, prepare = (_: Cpu) => {} } = {},
): Running {
  const reference = program(text, mode, evaluatorEngine);
  const translated = program(text, mode, engine);
  for (const { cpu } of [reference, translated]) prepare(cpu);
  for (const slice of slices) {
    const stop = reference.engine.run(slice);
    expect(translated.engine.run(slice)).toEqual(stop);
    expect(shown(translated)).toEqual(shown(reference));
    expect(stop).toEqual({ kind: "budget" });
  }
  return translated;
}

export const SLICES = Array.from({ length: 60 }, (_, index) => 61 + index * 29);
export const ENGINES = [
  ["hot code", wasmEngine],
  ["all code", eagerWasmEngine],
] as const;
