/** Ways into the kernel and back inside regions: as in the evaluator, and at the same moments. */
import { describe, expect, it } from "vitest";
import type { Engine } from "#machine/cpu/engine.ts";
import { agree, ENGINES, program } from "./privileged.ts";
import { WatchedEngine } from "./vectors/translated.ts";

const SET_UP_SYSCALL = `
      mov ecx, 0xc0000081
      xor eax, eax
      mov edx, 0x00180008
      wrmsr
      inc ecx
      mov eax, kernel
      xor edx, edx
      wrmsr
      mov ecx, 0xc0000084
      mov eax, 0x301
      wrmsr`;

/** A return from an interrupt that has not come, to the next instruction, with ss null: a kernel serializes so. */
const RETURN_TO_ITSELF = `
      xor eax, eax
      mov ss, eax
again: inc ebx
      mov ecx, ss
      push rcx
      lea rdx, [rsp + 8]
      push rdx
      pushfq
      mov ecx, cs
      push rcx
      lea rdx, [rel next]
      push rdx
      iretq
next: add esi, ecx
      jmp again`;

it("a return to the same privilege, with ss null, is no work for the evaluator", () => {
  const { engine } = program(RETURN_TO_ITSELF, 64, (cpu) => new WatchedEngine(cpu));
  const watched = engine as Engine & WatchedEngine;
  engine.run(40_000);
  const { evaluated } = watched;
  engine.run(40_000);
  expect(watched.evaluated - evaluated).toBeLessThan(100);
});

it("is made anew when the tables that it takes for granted are others", () => {
  const text = `mov esi, 0x5000
      mov edi, 0x9000
      mov ecx, 0x80
      rep movsb
      mov word [0x200300], 0x7f
      mov qword [0x200302], 0x9000
      ${RETURN_TO_ITSELF.replace("inc ebx", "inc ebx\ncmp ebx, 2000\njne same\nlgdt [0x200300]\nsame: nop")}`;
  const { engine } = program(text, 64, (cpu) => new WatchedEngine(cpu));
  const watched = engine as Engine & WatchedEngine;
  engine.run(100_000);
  const { evaluated } = watched;
  engine.run(40_000);
  expect(watched.evaluated - evaluated).toBeLessThan(100);
});

describe.each(ENGINES)("a region of %s", (_, engine) => {
  it("goes into the kernel by syscall and comes back by sysret", () => {
    agree(
      `${SET_UP_SYSCALL}
      mov ecx, user
      mov r11d, 0x202
      mov rbx, 0
      db 0x48, 0x0f, 0x07
user: add ebx, 3
      cmp bl, 7
      syscall
      setc dl
      add rsi, rcx
      xor rdi, r11
      jmp user
kernel: inc r8d
      swapgs
      test r8b, 31
      jnz back
      xor r11, 0x4d5
back: swapgs
      db 0x48, 0x0f, 0x07`,
      { engine },
    );
  });

  it("goes by sysenter and sysexit", () => {
    agree(
      `mov ecx, 0x174
      mov eax, 8
      xor edx, edx
      wrmsr
      inc ecx
      mov eax, 0x206000
      wrmsr
      inc ecx
      mov eax, kernel
      wrmsr
      mov edx, user
      mov ecx, 0x205000
      sysexit
user: mov ecx, esp
      mov edx, back
      push ebx
      pop ebx
      cmp ebx, 77
      sysenter
back: inc ebx
      jmp user
kernel: adc esi, ebx
      sysexit`,
      { engine, mode: 32 },
    );
  });

  it("returns from an interrupt that has not come, with ss null", () => {
    agree(RETURN_TO_ITSELF, { engine });
  });

  it("enters the kernel by a gate and comes back by iretd", () => {
    agree(
      `mov eax, 0x23
      mov ds, eax
      mov ecx, 0x10
      mov es, ecx
      push 0x23
      push 0x207000
      push 0x202
      push 0x1b
      push user
      iretd
user: inc ebx
      cmp bl, 5
      int 0x80
      setc dl
      push eax
      pop ecx
      add esi, ecx
      jmp user`,
      { engine, mode: 32 },
    );
  });

  it("returns from an interrupt that has not come, with ss null", () => {
    agree(RETURN_TO_ITSELF, { engine });
  });

  it("enters the kernel by a gate and comes back by iretq", () => {
    agree(
      `push 0x23
      push 0x207000
      push 0x202
      push 0x2b
      push user
      iretq
user: inc ebx
      cmp bl, 5
      int 0x80
      setc dl
      add esi, eax
      jmp user`,
      { engine },
    );
  });
});
