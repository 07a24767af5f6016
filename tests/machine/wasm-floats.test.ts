/** Floating point in regions and forms, where rounding is decided and where numbers stop being normal: as in the evaluator. */
import { describe, expect, it } from "vitest";
import * as at from "#machine/cpu/layout.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { formsEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
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

const shown = ({ cpu: { state, retired } }: ReturnType<typeof run>) => {
  const media = [...state.words.slice(at.XMM / 8, (at.XMM + 256) / 8)].map((word) => word.toString(16));
  return `${media} ${state.halves[at.MXCSR / 4]} ${state.rip} ${retired} ${state.words.slice(0, 16)}`;
};

/** Runs two engines in slices, with MXCSR as it was: exceptions that have been met would hide those that are. */
function compare(reference: ReturnType<typeof run>, translated: ReturnType<typeof run>, slices: number): void {
  const mxcsr = reference.cpu.state.halves[at.MXCSR / 4]!;
  for (let slice = 0; slice < slices; slice++) {
    const length = 19 + (slice % 23);
    expect(translated.engine.run(length)).toEqual(reference.engine.run(length));
    expect(shown(translated)).toBe(shown(reference));
    for (const { cpu } of [reference, translated]) cpu.state.halves[at.MXCSR / 4] = mxcsr;
  }
}

const MODES = [0x1f80, 0x1fa0, 0x1fb3, 0x9fa0, 0x5fa0, 0x1fc0];

describe.each([
  ["sd", 8, DOUBLES],
  ["ss", 4, SINGLES],
] as const)("arithmetic of %s", (suffix, bytes, table) => {
  const text = programOf(suffix, bytes);
  it.each(MODES)("with MXCSR %s", (mxcsr) => {
    compare(run(text, table, bytes, mxcsr, evaluatorEngine), run(text, table, bytes, mxcsr, wasmEngine), 400);
  });
  it("in forms", () => {
    compare(run(text, table, bytes, 0x1f80, evaluatorEngine), run(text, table, bytes, 0x1f80, formsEngine), 300);
  });
});

/** Whole numbers, halves and the edges of what integers hold, of both widths, and what has been an integer. */
const CONVERTED = [
  ...[0, -0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-3, 123456, 16777217, 2147483647, 2147483647.5, 2147483648, -2147483648],
  ...[-2147483648.5, -2147483649, 4294967295, 2 ** 53 - 1, 2 ** 63, 2 ** 63 - 1024, -(2 ** 63), 1e300],
].map((number) => new BigUint64Array(Float64Array.of(number).buffer)[0]!);
const PACKED = [
  ...CONVERTED,
  0x20000000000001n,
  0x7fffffffffffffffn,
  ...[0x3f8000003fc00000n, 0x4f000000cf000000n, 0x4effffffbf000000n, 0x0100000180000000n, 0x7fffffff7fffffffn],
  ...[0x3810000000000000n, 0x380fffffffffffffn, 0x7ff8000000000001n, 0xfffffffffffffffen, 0x47efffffe0000000n],
];

const CONVERSIONS = `again: inc ecx
    mov eax, ecx
    and eax, ${COUNT - 1}
    movq xmm0, [${TABLE} + rax*8]
    movhps xmm0, [${TABLE} + rcx*8]
    mov rdx, [${TABLE} + rax*8]
    cvtdq2pd xmm1, xmm0
    cvtdq2ps xmm2, xmm0
    cvtsi2sd xmm3, edx
    cvtsi2ss xmm4, edx
    cvtsi2sd xmm5, rdx
    cvtsi2ss xmm6, rdx
    cvttsd2si ebx, xmm0
    cvttsd2si rsi, xmm0
    cvtsd2si edi, xmm0
    cvtsd2si r8, xmm0
    cvttss2si r9d, xmm0
    cvttss2si r10, xmm0
    cvtss2si r11d, xmm0
    cvtss2si r12, xmm0
    cvtsd2ss xmm7, xmm0
    cvtss2sd xmm8, xmm0
    cvtps2pd xmm9, xmm0
    cvtpd2ps xmm10, xmm0
    cvttps2dq xmm11, xmm0
    cvtps2dq xmm12, xmm0
    cvttpd2dq xmm13, xmm0
    cvtpd2dq xmm14, xmm0
    and ecx, ${COUNT / 2 - 1}
    jmp again`;

const LANES = `again: inc ecx
    mov eax, ecx
    and eax, ${COUNT / 2 - 1}
    mov edx, ecx
    shr edx, 4
    and edx, ${COUNT / 2 - 1}
    add eax, eax
    add edx, edx
    movapd xmm0, [${TABLE} + rax*8]
    movapd xmm1, [${TABLE} + rdx*8]
    ${["add", "sub", "mul", "div", "min", "max"]
      .map((name, index) => {
        const to = `xmm${index + 2}`;
        return `movapd ${to}, xmm0\n ${name}pd ${to}, xmm1\n movaps ${to}, xmm0\n ${name}ps ${to}, xmm1`;
      })
      .join("\n")}
    sqrtpd xmm8, xmm0
    sqrtps xmm9, xmm0
    rcpps xmm10, xmm0
    rsqrtps xmm11, xmm0
    rcpss xmm12, xmm1
    rsqrtss xmm13, xmm1
    movapd xmm14, xmm0
    cmppd xmm14, xmm1, 3
    movaps xmm15, xmm0
    cmpps xmm15, xmm1, 7
    jmp again`;

describe.each([
  ["conversions", CONVERSIONS, PACKED],
  [
    "packed singles and doubles",
    LANES,
    [...PACKED, ...DOUBLES.slice(0, 10), ...SINGLES.map((word) => word * 0x100000001n)],
  ],
] as const)("%s", (_name, text, table) => {
  it.each([
    [0x1f80, wasmEngine],
    [0x1fa0, wasmEngine],
    [0x3fa0, wasmEngine],
    [0x9fc0, wasmEngine],
    [0x1f80, formsEngine],
    [0x1fa3, formsEngine],
    [0x1f81, wasmEngine],
  ] as const)("with MXCSR %s", (mxcsr, makeEngine) => {
    compare(run(text, table, 8, mxcsr, evaluatorEngine), run(text, table, 8, mxcsr, makeEngine), 250);
  });
});
