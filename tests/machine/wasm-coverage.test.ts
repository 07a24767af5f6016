/** Instructions that kernels and their programs are full of: as in the evaluator, which does none of them once they are known. */
import { describe, expect, it, vi } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { FORMS_ONLY, type Tiers } from "../../machine/engine/wasm/tiers.ts";
import { WasmEngine } from "../../machine/engine/wasm-engine.ts";
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

  it("save and restore all of the floating-point state, also in pages that lie apart in RAM", () => {
    const prepare = (cpu: Cpu) => {
      cpu.memory.write64(0x3008, 0x9067n);
      for (let page = 0x200; page < 0x400; page++)
        cpu.memory.write64(0x9000 + (page & 0x1ff) * 8, BigInt(page === 0x203 ? 0x390 : page) * 0x1000n + 0x67n);
      cpu.mmu.flush();
    };
    check(
      `again: mov r9d, 0x202f00
      mov r10d, 0x202df0
      mov r11d, 64
      inc ebx
      movq xmm3, rbx
      pinsrw xmm15, ebx, 3
      fninit
      fldpi
      mov [0x201000], ebx
      fild dword [0x201000]
      mov dword [r10 + 24], 0x1fa0
      fxsave64 [r9]
      add [r10 + 32], ebx
      fxrstor [r10]
      fxsave [r10]
      fxrstor64 [r9]
sum:  add rdi, [r9]
      add rdi, [r10]
      rol rdi, 3
      add r9, 8
      add r10, 8
      dec r11d
      jnz sum
      jmp again`,
      prepare,
    );
  });

  it("open interrupts one instruction late, wherever the run ends and an interrupt comes", () => {
    const text = `again: cli
      inc ebx
      sti
inner: lea edi, [rdi + rbp]
      test bl, 1
      jz again
      sti
      inc ebx
      jmp inner`;
    check(text);
    const engines = [evaluatorEngine, (cpu: Cpu) => new WasmEngine(cpu, tiers)];
    const runs = engines.map((engine) => {
      const { cpu, engine: running } = program(text, 64, engine);
      let isAsked = false;
      vi.spyOn(cpu.interrupts, "pending").mockImplementation(() => isAsked);
      vi.spyOn(cpu.interrupts, "acknowledge").mockImplementation(() => {
        isAsked = false;
        return 0x20;
      });
      running.run(20_000);
      return Array.from({ length: 60 }, (_, index) => {
        running.run(1 + (index % 11));
        isAsked = true;
        running.run(1 + (index % 3));
        return [cpu.state.rip, cpu.state.general(7), cpu.retired];
      });
    });
    expect(runs[1]).toEqual(runs[0]);
  });

  it("jump where shared libraries lie", () => {
    const libraries = 0x7f0000000000n;
    const prepare = (cpu: Cpu) => {
      const tables = Number(cpu.state.cr3);
      cpu.memory.write64(tables + Number(libraries >> 39n) * 8, cpu.memory.read64(tables));
      cpu.state.rip += libraries;
    };
    check("again: inc ebx\ntest bl, 3\njnz odd\ncall leaf\nodd: add esi, ebx\njmp again\nleaf: ret", prepare);
  });

  it("shift by numbers that a record has", () => {
    check(
      "again: add rax, 0x1234567\nshl eax, 3\nror rsi, 9\nshrd ebp, eax, 5\nsbb ebp, 1\nbts rbx, 41\nsar cl, 9\nrol dx, 17\njmp again",
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

it("regions return from interrupts to a stack without a segment", () => {
  const text = `xor eax, eax
      mov ss, eax
again: mov rdx, rsp
      mov esi, back
      push rax
      push rdx
      pushfq
      push 8
      push rsi
      iretq
back: inc ebx
      jmp again`;
  agree(text);
  expect(evaluatedIn(text, undefined, () => {})).toBeLessThan(100);
});

it("needs no further forms for other counts of shifts, registers named twice, and other contexts", () => {
  const shifts = (count: number) =>
    `shl eax, ${count}\nror rsi, ${count}\nshrd ebp, eax, ${count}\nbts rbx, ${count}\nsar cl, ${count}`;
  const twice = (name: string) =>
    `lea ${name}, [${name} + ${name} * 4 + 3]\nimul ${name}, ${name}\nxor ${name}, ${name}`;
  const formsOf = (counts: readonly number[], names: readonly string[], more = "nop") => {
    const lines = [...counts.map(shifts), ...names.map(twice)].join("\n");
    const text = `mov r8, cr4\nagain: add rax, 0x1234567\n${lines}\n${more}\njmp again`;
    agree(text, { engine: (cpu) => new WasmEngine(cpu, FORMS_ONLY) });
    const { engine } = program(text, 64, (cpu) => new WasmEngine(cpu, FORMS_ONLY));
    const add = vi.spyOn((engine as Engine & WasmEngine).translations, "addForms");
    engine.run(10_000);
    return add.mock.calls.reduce((sum, [functions]) => sum + functions.length, 0);
  };
  const few = formsOf([3], ["rdx"]);
  expect(formsOf([1, 2, 5, 7, 8, 31, 32, 64], ["rdx", "rdi", "r9", "r14"])).toBeLessThan(few + 6);
  expect(formsOf([3], ["rdx"], "xor r8, 0x200\nmov cr4, r8")).toBeLessThan(few + 6);
});

it("regions go on to others where an instruction lies beyond the pages that they know", () => {
  const text = `again: inc ebx
      jmp end
      times 0x1ffb - ($ - $$) db 0x90
end: inc edi
      add ebx, 0x12345678
      add esi, ebx
      jmp back
      times 0x3100 - ($ - $$) db 0x90
back: jmp again`;
  agree(text);
  expect(evaluatedIn(text, undefined, () => {})).toBeLessThan(100);
});
