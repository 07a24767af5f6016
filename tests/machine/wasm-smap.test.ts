/** Supervisor access to programs' pages, which SMAP keeps closed unless AC is set, in translated code as in the evaluator. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine } from "#machine/cpu/engine.ts";
import { formsEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, ENGINES, program, RAISE } from "./privileged.ts";
import { WatchedEngine } from "./vectors/translated.ts";

const SMAP = 1n << 21n;
/** A page of 2 MiB that belongs to a program; its frame is the second of RAM. */
const USER = 0x600000;

/** The supervisor's own pages are closed to programs; a program has one. */
function guard(cpu: Cpu): void {
  cpu.memory.write64(0x3000, 0x0000e3n);
  cpu.memory.write64(0x3008, 0x2000e3n);
  cpu.memory.write64(0x3018, 0x200087n);
  cpu.state.cr4 |= SMAP;
  cpu.mmu.flush();
}

describe.each([...ENGINES, ["forms", formsEngine] as const])("%s", (_, engine) => {
  it("may touch a program's page between stac and clac only", () => {
    agree(
      `mov esi, ${USER}
      lea rdi, [rel closed]
again: inc ebx
      stac
      add eax, [rsi + 0x100]
      inc dword [rsi + 0x104]
      mov ecx, [0x200110]
      test bl, 3
      jz open
      clac
      mov edx, [rsi + 0x100]
      add eax, edx
closed: lea rdi, [rel closed]
open: mov [0x200118], eax
      clac
      jmp again`,
      { engine, prepare: guard },
    );
  });

  it("finds pages open and closed as popf and iret leave AC, and interrupts with it", () => {
    agree(
      `mov esi, ${USER}
again: inc ebx
      test bl, 7
      jnz quiet
      mov al, 1
      stac
      out ${RAISE}, al
      sti
      nop
      nop
      cli
quiet: mov eax, ebx
      and eax, 1
      shl eax, 18
      or eax, 2
      push rax
      popfq
      lea rdi, [rel first]
      mov edx, [rsi + 0x100]
first: xor eax, ${1 << 18}
      mov rcx, rsp
      push 0x10
      push rcx
      push rax
      push 8
      lea rdx, [rel back]
      push rdx
      lea rdi, [rel last]
      iretq
back: add edx, [rsi + 0x104]
last: clac
      jmp again`,
      { engine, prepare: guard },
    );
  });
});

it("is no work for the evaluator", () => {
  const text = `mov esi, ${USER}\nagain: stac\nmov eax, [rsi]\nadd [rsi + 8], eax\nclac\nmov eax, [0x200100]\njmp again`;
  const { engine, cpu } = program(text, 64, (of) => new WatchedEngine(of));
  guard(cpu);
  const watched = engine as Engine & WatchedEngine;
  engine.run(40_000);
  const { evaluated } = watched;
  engine.run(40_000);
  expect(watched.evaluated - evaluated).toBeLessThan(100);
});
