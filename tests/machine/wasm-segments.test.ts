/** Loads of segment registers, and far jumps, inside regions: as in the evaluator. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine } from "#machine/cpu/engine.ts";
import { Contexts } from "../../machine/engine/wasm/context.ts";
import { agree, ENGINES, GDT, program } from "./privileged.ts";
import { WatchedEngine } from "./vectors/translated.ts";

it.each([32, 64] as const)("segment loads that change the context are no work for the evaluator in %i bits", (mode) => {
  const text = "again: xor eax, eax\nmov fs, eax\ninc ebx\nmov eax, 0x10\nmov fs, eax\ninc ebx\njmp again";
  const { engine } = program(text, mode, (cpu) => new WatchedEngine(cpu));
  const watched = engine as Engine & WatchedEngine;
  engine.run(40_000);
  const { evaluated } = watched;
  engine.run(40_000);
  expect(watched.evaluated - evaluated).toBeLessThan(100);
});

it("what fs and gs hold tells no contexts apart in protected mode", () => {
  const { cpu } = program("nop", 32, ENGINES[0][1]);
  const contexts = new Contexts();
  const found = [
    { selector: 0, attributes: 0x10000 },
    { selector: 0x10, attributes: 0xc093 },
  ].map((segment) => {
    for (const number of [4, 5]) cpu.state.setSegment(number, { base: 0n, limit: 0xffffffff, ...segment });
    return contexts.of(cpu.state);
  });
  expect(found[0]).not.toBeNull();
  expect(found[1]).toBe(found[0]);
});

describe.each(ENGINES)("a region of %s", (_, engine) => {
  it.each([32, 64] as const)("loads segment registers in %i-bit code, also where the context changes", (mode) => {
    const places = `mov dword [0x201000], 5
      mov word [0x201004], 0x10
      mov dword [0x201008], 6
      mov word [0x20100c], 0x23`;
    const far = mode === 32 ? "lss esi, [0x201000]\nlds edi, [0x201008]\nadd edx, esi" : "nop";
    agree(
      `${places}
      mov esi, 0x208000
again: inc ebx
      mov eax, 0x10
      mov ds, ax
      test bl, 3
      jnz flat
      mov eax, 0x23
      mov ds, ax
flat: mov es, ax
      mov fs, ax
      mov gs, eax
      test bl, 7
      jnz other
      xor eax, eax
      mov fs, ax
      mov eax, 3
      mov gs, ax
      mov eax, 8
      mov es, ax
      mov ecx, es
other: mov ecx, ds
      add edx, ecx
      push fs
      pop gs
      mov eax, 0x10
      mov ss, ax
      mov edi, [0x201000]
      ${far}
      mov eax, 0x10
      mov ds, ax
      mov esi, 0x208000
      jmp again`,
      { engine, mode },
    );
  });

  it("asks at each access what fs and gs hold", () => {
    const lines = [0x38, 0x48, 0x50, 0x58, 0x60, 0x10, 0, 0x38].map(
      (selector, index) => `mov word [${0x201000 + index * 2}], ${selector}`,
    );
    const prepare = ({ memory }: Cpu) => {
      const limited = (attributes: bigint) => 0x2010200000fffn | (attributes << 40n);
      for (const [selector, attributes] of [
        [0x38, 0x4093n],
        [0x48, 0x4091n],
        [0x50, 0x4097n],
        [0x58, 0x4099n],
        [0x60, 0x409bn],
      ] as const)
        memory.write64(GDT + selector, limited(attributes));
    };
    agree(
      `${lines.join("\n")}
again: inc ebx
      mov eax, ebx
      and eax, 7
      mov edi, again
      mov fs, [0x201000 + eax * 2]
      mov edi, written
      add edx, [fs:ebx]
      mov [fs:ebx + 4], edx
written: mov edi, again
      mov gs, [0x201002 + eax * 2]
      xor [gs:0x20], ebx
      add edx, [gs:0xffe]
      jmp again`,
      { engine, mode: 32, prepare },
    );
  });

  it("jumps, calls and returns far within its segment", () => {
    agree(
      `mov dword [0x201000], inner
      mov word [0x201004], 8
again: inc ebx
      db 0x9a
      dd callee
      dw 8
      add edx, ebx
      call far [0x201000]
      db 0xea
      dd again
      dw 8
callee: add esi, 3
      retf
inner: push edx
      pop edi
      retf`,
      { engine, mode: 32 },
    );
  });
});
