/** What the status word tells after x87 exceptions that the program wants to know of: as the host's processor does. */
import { describe, expect, it } from "vitest";
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { eagerWasmEngine, formsEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu, enterUserMode } from "./processor.ts";

const START = 0x100000;
const DATA = 0x200000;
const ENGINES: readonly (readonly [string, EngineFactory])[] = [
  ["the evaluator", evaluatorEngine],
  ["regions", eagerWasmEngine],
  ["forms", formsEngine],
];

/** Status bits (Intel SDM vol. 1, figure 8-4). */
const [ZERO_DIVIDE, OVERFLOW, UNDERFLOW, INEXACT, SUMMARY, C1, BUSY] = [4, 8, 0x10, 0x20, 0x80, 0x200, 0x8000];
/** Control words: 64 bits, to nearest; all exceptions masked but one. */
const ALL_MASKED = 0x37f;
const [OVERFLOW_OPEN, UNDERFLOW_OPEN] = [ALL_MASKED & ~OVERFLOW, ALL_MASKED & ~UNDERFLOW];

/** Loads 80-bit numbers, runs an instruction, and gives the status word without the top's number, and eight bytes of memory. */
function run(engine: EngineFactory, control: number, numbers: readonly bigint[], instruction: string) {
  const loads = numbers.map((_, index) => `fld tword [${DATA + 16 * (index + 1)}]`);
  const steps = [`fninit`, `fldcw [${DATA}]`, ...loads, instruction, "fnstsw ax"];
  const { bytes, diagnostics } = assemble({ path: "t.asm", text: `bits 64\norg ${START}\n${steps.join("\n")}\nnop\n` });
  expect(diagnostics).toEqual([]);
  const cpu = bareCpu();
  enterUserMode(cpu);
  cpu.memory.writeBytes(START, bytes);
  cpu.memory.write32(DATA, control);
  for (const [index, number] of numbers.entries()) {
    cpu.memory.write64(DATA + 16 * (index + 1), BigInt.asUintN(64, number));
    cpu.memory.write64(DATA + 16 * (index + 1) + 8, number >> 64n);
  }
  cpu.state.rip = BigInt(START);
  engine(cpu).run(steps.length);
  return { status: Number(cpu.state.general(0) & 0xffffn) & ~0x3800, stored: cpu.memory.read64(DATA + 0x100) };
}

const extended = (exponent: number, significand: bigint) => (BigInt(exponent) << 64n) | significand;
const ODD = 0xffff_ffff_ffff_fffdn;
const STORED = `[${DATA + 0x100}]`;

describe.each(ENGINES)("in %s", (_, engine) => {
  it.each(["dword", "qword"])("a store of a %s that is not done says nothing of inexactness", (size) => {
    const large = run(engine, OVERFLOW_OPEN, [extended(0x7000, ODD)], `fst ${size} ${STORED}`);
    expect(large).toEqual({ status: OVERFLOW | SUMMARY | BUSY, stored: 0n });
    const small = run(engine, UNDERFLOW_OPEN, [extended(0x1000, ODD)], `fst ${size} ${STORED}`);
    expect(small).toEqual({ status: UNDERFLOW | SUMMARY | BUSY, stored: 0n });
  });

  it("a store of infinity for what is too large is inexact", () => {
    const { status, stored } = run(engine, ALL_MASKED, [extended(0x7000, ODD)], `fst qword ${STORED}`);
    expect([status, stored]).toEqual([OVERFLOW | INEXACT | C1, 0x7ff0_0000_0000_0000n]);
  });

  it("fscale beyond all exponents gives infinity, which is rounded up, or zero, which is not", () => {
    const large = run(engine, OVERFLOW_OPEN, [extended(0x4010, 1n << 63n), extended(0x7ffe, ODD)], "fscale");
    expect(large.status).toBe(OVERFLOW | INEXACT | C1 | SUMMARY | BUSY);
    const small = run(engine, UNDERFLOW_OPEN, [extended(0xc010, 1n << 63n), extended(0x0001, ODD)], "fscale");
    expect(small.status).toBe(UNDERFLOW | INEXACT | SUMMARY | BUSY);
  });

  it("fyl2x of zero and a denormal number is a division by zero, and nothing else", () => {
    expect(run(engine, ALL_MASKED, [extended(0, 1n), 0n], "fyl2x").status).toBe(ZERO_DIVIDE);
  });
});
