/** Ports, flags, time and control registers inside regions: as in the evaluator, and at the same moments. */
import { describe, it } from "vitest";
import { agree, ENGINES, RAISE } from "./privileged.ts";

describe.each(ENGINES)("a region of %s", (_, engine) => {
  it("does popf, sti, cli and rdtsc, with an interrupt that waits for them", () => {
    agree(
      `again: inc ecx
      cli
      test cl, 7
      jnz quiet
      out ${RAISE}, al
quiet: rdtsc
      add esi, eax
      pushfq
      test cl, 16
      jnz brief
      sti
      lea edx, [rcx + rsi]
      add edi, ebp
brief: or qword [rsp], 0x200
      popfq
      add edi, edx
      pushfq
      xor qword [rsp], 0x8c1
      popfq
      sbb edi, 0
      jmp again`,
      { engine },
    );
  });

  it("reads and writes ports at the count of the evaluator", () => {
    agree(
      `mov edx, 0x61
again: in al, dx
      add esi, eax
      test al, 3
      jz again
      out 0x80, al
      in eax, 0x71
      xor edi, eax
      mov dx, 0x61
      test al, 8
      jz again
      out ${RAISE}, al
      inc ebx
      jmp again`,
      { engine },
    );
  });

  it.each([32, 64] as const)("changes which units may be used, in %i-bit code", (mode) => {
    const wide = mode === 64 ? "rdi" : "edi";
    agree(
      `again: inc ebx
      clts
      smsw ecx
      add edx, ecx
      mov eax, ebx
      and eax, 8
      or eax, ecx
      lmsw ax
      mov ${wide}, cr0
      xor edi, 8
      mov cr0, ${wide}
      mov cr0, ${wide}
      test bl, 3
      jz more
      xor edi, 0x10000
      mov cr0, ${wide}
more: cmp bl, 100
      smsw cx
      adc edx, ecx
      clts
      clts
      jmp again`,
      { engine, mode },
    );
  });

  it("goes on after a new cr3, in whose tables the code is where it was", () => {
    agree(
      `mov rsi, cr3
      mov rdi, 0x300000
      mov ecx, 512
      mov r8, rdi
      cld
      rep movsq
      mov rsi, cr3
again: inc ebx
      mov [0x201000], rbx
      mov rax, r8
      test bl, 1
      cmovz rax, rsi
      mov cr3, rax
      add r9, [0x201000]
      add [0x202008], r9
      mov cr3, rax
      test bl, 15
      jnz again
      mov rdx, cr0
      xor edx, 0x10000
      mov cr0, rdx
      mov rdx, cr4
      mov cr4, rdx
      invlpg [0x201000]
      jmp again`,
      { engine },
    );
  });

  it("goes on after a new cr3 by which other code is where it was, and marks what it reads", () => {
    agree(
      `mov rax, 0xc301c18349
      mov [0x380000], rax
      mov rax, 0xc364c18349
      mov [0x390000], rax
      mov qword [0x300000], 0x301007
      mov qword [0x301000], 0x302007
      mov qword [0x302000], 0xe7
      mov qword [0x302008], 0x303007
      mov rdi, 0x303000
      mov eax, 0x200007
      mov ecx, 512
fill: mov [rdi], rax
      add rdi, 8
      add eax, 0x1000
      dec ecx
      jnz fill
      mov qword [0x303c00], 0x390007
      mov qword [0x303010], 0x392107
      mov rax, cr4
      or eax, 0x80
      mov cr4, rax
      mov r12, cr3
      mov r13d, 0x300000
again: inc ebx
      xchg r12, r13
      mov cr3, r12
      mov edx, 0x380000
      call rdx
      test bl, 3
      jnz here
      add esi, [0x201010]
here: add r10, [0x303c00]
      mov [0x202000 + rbx * 8 + 8], ebx
      add r10, [0x202000 + rbx * 8]
      and ebx, 0xff
      test bl, 7
      jnz again
      and qword [0x303c00], ~0x20
      and qword [0x303008], ~0x60
      jmp again`,
      { engine },
    );
  });

  it("reads model-specific registers, and moves the base of gs", () => {
    agree(
      `again: mov ecx, 0xc0000101
      mov eax, ebx
      and eax, 0xff8
      add eax, 0x200000
      xor edx, edx
      wrmsr
      mov [gs:16], ebx
      add esi, [gs:16]
      rdmsr
      add edi, eax
      mov ecx, 0x10
      rdmsr
      add edi, eax
      xor eax, eax
      cpuid
      xor edi, ecx
      mov rax, cr3
      add edi, eax
      inc r9d
      mov ebx, r9d
      jmp again`,
      { engine },
    );
  });
});
