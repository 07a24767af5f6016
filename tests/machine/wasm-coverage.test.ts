/** Instructions that kernels and their programs are full of: as in the evaluator, which does none of them once they are known. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine } from "#machine/cpu/engine.ts";
import { FORMS_ONLY, type Tiers, WasmEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, descriptor, GDT, program } from "./privileged.ts";
import { WatchedEngine } from "./vectors/translated.ts";

/** Instructions of 40,000 that the evaluator does once the program has run for a while. */
function evaluatedIn(text: string, tiers: Tiers | undefined, prepare: (cpu: Cpu) => void): number {
  const { cpu, engine } = program(text, 64, (one) => new WatchedEngine(one, tiers));
  prepare(cpu);
  const watched = engine as Engine & WatchedEngine;
  engine.run(40_000);
  const { evaluated } = watched;
  engine.run(40_000);
  return watched.evaluated - evaluated;
}

describe.each([
  ["regions", undefined],
  ["forms", FORMS_ONLY],
] as const)("%s", (_, tiers) => {
  const check = (text: string, prepare: (cpu: Cpu) => void = () => {}) => {
    agree(text, { engine: (cpu) => new WasmEngine(cpu, tiers), prepare });
    expect(evaluatedIn(text, tiers, prepare)).toBeLessThan(100);
  };

  it("divide 128 by 64 bits", () => {
    check(`mov rbx, 0x9e3779b97f4a7c15
      mov rsi, 0xc2b2ae3d27d4eb4f
again: imul rsi, rbx
      add rsi, rdx
      mov rcx, rsi
      shr cl, 3
      mov r8, rsi
      shr r8, cl
      or r8, 1
      mov rax, rbx
      xor rax, rsi
      mov rdx, r8
      shr rdx, 1
      test cl, 1
      jz wide
      lea rdx, [r8 - 1]
wide: div r8
      add rbx, rax
      jmp again`);
  });

  it("ask whether a selector may be read and written", () => {
    const types = [0xc091n, 0xc093n, 0xc0f1n, 0xc099n, 0xc09bn, 0xc09fn, 0xc089n, 0x0082n];
    const prepare = (cpu: Cpu) => {
      for (const [index, type] of types.entries()) cpu.memory.write64(GDT + 0x40 + index * 8, descriptor(type));
    };
    check(
      `xor ebx, ebx
again: add ebx, 3
      mov eax, ebx
      and eax, 0x7b
      verw ax
      setz cl
      adc esi, ecx
      verr ax
      setz cl
      rol esi, 1
      add esi, ecx
      mov [0x201000], eax
      verw [0x201000]
      lahf
      add edi, eax
      jmp again`,
      prepare,
    );
  });

  it("read the time", () => {
    check("again: rdtsc\nadd esi, eax\nadd edi, edx\nrol esi, 3\njmp again");
  });
});

it("regions take in an instruction of two pages, though these have not been fetched from since addresses changed", () => {
  const text = `mov rdi, cr3
again: mov cr3, rdi
      jmp end
      times 0xffd - ($ - $$) db 0x90
end: add ebx, 0x12345678
      add esi, ebx
      jmp again`;
  agree(text);
  expect(evaluatedIn(text, undefined, () => {})).toBeLessThan(100);
});
