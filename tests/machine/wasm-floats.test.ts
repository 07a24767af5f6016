/** Scalar floating point in regions, where rounding is decided and where numbers stop being normal: as in the evaluator. */
import { describe, expect, it } from "vitest";
import * as at from "#machine/cpu/layout.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu, enterUserMode } from "./processor.ts";

const START = 0x100000;
const TABLE = 0x200000;
const COUNT = 32;

const DOUBLES = [
  0n,
  1n << 63n,
  1n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x0010000000000001n,
  0x001fffffffffffffn,
  0x0020000000000000n,
  0x3ff0000000000000n,
  0x3ff0000000000001n,
  0xbfefffffffffffffn,
  0x4000000000000000n,
  0x3cb0000000000000n,
  0x5fe0000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000001n,
  0x7ff0000000000001n,
  0x1ff0000000000000n,
  0x2000000000000000n,
];
const SINGLES = [
  0n,
  1n << 31n,
  1n,
  0x7fffffn,
  0x800000n,
  0x800001n,
  0xffffffn,
  0x1000000n,
  0x3f800000n,
  0x3f800001n,
  0xbf7fffffn,
  0x20000000n,
  0x1f800000n,
  0x7f7fffffn,
  0x7f800000n,
  0xff800000n,
  0x7fc00001n,
  0x7f800001n,
];

/** All pairs of numbers of a table, with every operation, over and over. */
function programOf(suffix: "sd" | "ss", bytes: 4 | 8): string {
  const move = `mov${suffix}`;
  return `again: inc ecx
      mov eax, ecx
      and eax, ${COUNT - 1}
      mov edx, ecx
      shr edx, 5
      and edx, ${COUNT - 1}
      ${move} xmm0, [${TABLE} + rax*${bytes}]
      ${move} xmm1, [${TABLE} + rdx*${bytes}]
      movaps xmm2, xmm0
      add${suffix} xmm2, xmm1
      movaps xmm3, xmm2
      sub${suffix} xmm3, xmm1
      mul${suffix} xmm0, [${TABLE} + rdx*${bytes}]
      ${move} xmm4, xmm0
      div${suffix} xmm4, xmm1
      sqrt${suffix} xmm5, xmm4
      ${move} xmm6, xmm5
      mul${suffix} xmm6, xmm5
      add${suffix} xmm7, xmm6
      jmp again`;
}

function run(text: string, table: readonly bigint[], bytes: 4 | 8, mxcsr: number, makeEngine: typeof wasmEngine) {
  const { bytes: code, diagnostics } = assemble({ path: "test.asm", text: `bits 64\norg ${START}\n${text}\n` });
  expect(diagnostics).toEqual([]);
  const cpu = bareCpu();
  enterUserMode(cpu);
  cpu.memory.writeBytes(START, code);
  for (let index = 0; index < COUNT; index++) {
    const value = table[index % table.length]!;
    if (bytes === 8) cpu.memory.write64(TABLE + index * 8, value);
    else cpu.memory.writeBytes(TABLE + index * 4, new Uint8Array(Uint32Array.of(Number(value)).buffer));
  }
  cpu.state.rip = BigInt(START);
  cpu.state.halves[at.MXCSR / 4] = mxcsr;
  return { cpu, engine: makeEngine(cpu) };
}

describe.each([
  ["sd", 8, DOUBLES],
  ["ss", 4, SINGLES],
] as const)("arithmetic of %s", (suffix, bytes, table) => {
  it.each([0x1f80, 0x1fa0, 0x9fa0, 0x5fa0])("with MXCSR %s", (mxcsr) => {
    const text = programOf(suffix, bytes);
    const reference = run(text, table, bytes, mxcsr, evaluatorEngine);
    const translated = run(text, table, bytes, mxcsr, wasmEngine);
    for (let slice = 0; slice < 600; slice++) {
      const length = 19 + (slice % 23);
      expect(translated.engine.run(length)).toEqual(reference.engine.run(length));
      const shown = ({ cpu: { state, retired } }: typeof reference) => {
        const media = [...state.words.slice(at.XMM / 8, (at.XMM + 256) / 8)].map((word) => word.toString(16));
        return `${media} ${state.halves[at.MXCSR / 4]} ${state.rip} ${retired}`;
      };
      expect(shown(translated)).toBe(shown(reference));
      // Exceptions that have been met would hide those that are.
      for (const { cpu } of [reference, translated]) cpu.state.halves[at.MXCSR / 4] = mxcsr;
    }
  });
});
