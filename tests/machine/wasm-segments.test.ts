/** Loads of segment registers, and far jumps, inside regions: as in the evaluator. */
import { describe, expect, it } from "vitest";
import type { Engine } from "#machine/cpu/engine.ts";
import { agree, ENGINES, program } from "./privileged.ts";
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
