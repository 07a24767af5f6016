/** Ways into the kernel and back, ports, flags and time inside regions: as in the evaluator, and at the same moments. */
import { describe, expect, it } from "vitest";
import { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { eagerWasmEngine, type WasmEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { enterUserMode, MEBIBYTE } from "./processor.ts";

const START = 0x100000;
const GDT = 0x5000;
const IDT = 0x6000;
const TSS = 0x7000;
const HANDLER = 0x8000;
const RAISE = 0x70;
const LOWER = 0x71;

/** An event at a port: direction, port, value, count of instructions. */
type PortEvent = readonly [string, number, number, number];

function assembled(text: string, origin: number, mode: 32 | 64): Uint8Array {
  const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits ${mode}\norg ${origin}\n${text}\n` });
  expect(diagnostics).toEqual([]);
  return bytes;
}

/** A program at privilege 0 with descriptors for both privileges, a handler for vector 0x20, and a chip that asks for it. */
function program(text: string, mode: 32 | 64, makeEngine: EngineFactory) {
  const events: PortEvent[] = [];
  let asked = false;
  const ports = {
    portIn: (port: number) => {
      events.push(["in", port, 0, cpu.retired]);
      return (port * 7 + cpu.retired) & 0xff;
    },
    portOut: (port: number, _width: number, value: number) => {
      events.push(["out", port, value, cpu.retired]);
      if (port === RAISE) asked = true;
      if (port === LOWER) asked = false;
    },
  };
  const cpu: Cpu = new Cpu(4 * MEBIBYTE, ports, { pending: () => asked, acknowledge: () => 0x20 });
  enterUserMode(cpu, mode);
  const { state, memory } = cpu;
  if (mode === 32) {
    state.efer = 0n;
    state.cr0 = 0x31n;
    cpu.mmu.flush();
  }
  const code = mode === 64 ? 0xa09bn : 0xc09bn;
  const descriptors = [0n, descriptor(code), descriptor(0xc093n), descriptor(0xc0fbn), descriptor(0xc0f3n)];
  const tables = [...descriptors, descriptor(mode === 64 ? 0xa0fbn : 0xc0fbn), descriptor(0xc0f3n)];
  for (const [index, value] of tables.entries()) memory.write64(GDT + index * 8, value);
  state.gdtr = { base: BigInt(GDT), limit: 0x7f };
  state.idtr = { base: BigInt(IDT), limit: 0xfff };
  const gate = (vector: number, target: number, attributes: bigint) => {
    const low = (BigInt(target) & 0xffffn) | (8n << 16n) | (attributes << 40n) | ((BigInt(target) >> 16n) << 48n);
    const size = state.longMode ? 16 : 8;
    memory.write64(IDT + vector * size, low);
    if (size === 16) memory.write64(IDT + vector * size + 8, 0n);
  };
  gate(0x20, HANDLER, 0x8en);
  gate(0x80, HANDLER + 0x100, 0xeen);
  state.setSegment(7, { selector: 0x40, base: BigInt(TSS), limit: 0x67, attributes: 0x8b });
  memory.write64(TSS + 4, mode === 64 ? 0x208000n : 0x1000208000n);
  state.setSegment(1, { selector: 8, base: 0n, limit: 0xffffffff, attributes: Number(code) });
  state.setSegment(2, { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc093 });
  state.cpl = 0;
  if (mode === 64) state.efer |= 1n;
  const ret = mode === 64 ? "iretq" : "iretd";
  memory.writeBytes(HANDLER, assembled(`inc ebp\nout ${LOWER}, al\n${ret}`, HANDLER, mode));
  memory.writeBytes(HANDLER + 0x100, assembled(`inc ebp\nxor eax, ebp\n${ret}`, HANDLER + 0x100, mode));
  memory.writeBytes(START, assembled(text, START, mode));
  state.rip = BigInt(START);
  state.rflags = 0x202n;
  state.setGeneral(4, 0x208000n);
  return { cpu, engine: makeEngine(cpu), events };
}

/** A flat segment with these attributes. */
function descriptor(attributes: bigint): bigint {
  return 0xffffn | ((attributes & 0xffn) << 40n) | (((attributes & 0xf000n) | 0xf00n) << 40n);
}

type Running = ReturnType<typeof program>;

function shown({ cpu, events }: Running) {
  const { state } = cpu;
  return {
    registers: Array.from({ length: 16 }, (_, number) => state.general(number)),
    segments: [0, 1, 2, 3, 4, 5].map((number) => state.segment(number)),
    privilege: state.cpl,
    rip: state.rip,
    flags: state.rflags,
    retired: cpu.retired,
    events: events.splice(0),
    stack: [...cpu.memory.readBytes(0x207f00, 0x100)],
  };
}

/** Runs a program in both engines in slices, and compares after each. Gives how much the evaluator did in the second. */
function agree(text: string, { mode = 64 as 32 | 64, engine = wasmEngine, slices = SLICES } = {}): void {
  const reference = program(text, mode, evaluatorEngine);
  const translated = program(text, mode, engine);
  for (const slice of slices) {
    const stop = reference.engine.run(slice);
    expect(translated.engine.run(slice)).toEqual(stop);
    expect(shown(translated)).toEqual(shown(reference));
    expect(stop).toEqual({ kind: "budget" });
  }
}

const SLICES = Array.from({ length: 60 }, (_, index) => 61 + index * 29);
const ENGINES = [
  ["hot code", wasmEngine],
  ["all code", eagerWasmEngine],
] as const;

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

describe("computed jumps", () => {
  const INTERPRETER = `xor edx, edx
      mov rdi, program
next: movzx eax, byte [rdi]
      inc rdi
      jmp [table + rax*8]
      align 8
table: dq op0, op1, op2, op3, op4, op5
op0:  add ebx, 3
      movzx eax, byte [rdi]
      inc rdi
      jmp [table + rax*8]
op1:  rol ebx, 5
      jmp next
op2:  xor ecx, ebx
      movzx eax, byte [rdi]
      inc rdi
      jmp [table + rax*8]
op3:  call [calls + rdx*8]
      jmp next
op4:  mov rdi, program
      inc edx
      and edx, 1
      jmp next
op5:  sub esi, ecx
      jc next
      adc esi, 1
      movzx eax, byte [rdi]
      inc rdi
      jmp [table + rax*8]
leaf0: add esi, ebx
      ret
leaf1: sub esi, ecx
      ret
calls: dq leaf0, leaf1
program: db 0, 1, 2, 5, 0, 3, 1, 5, 2, 2, 0, 3, 5, 4`;

  it("find their targets inside a region", () => {
    const slices = Array.from({ length: 60 }, (_, index) => 61 + index * 29);
    for (const engine of [wasmEngine, eagerWasmEngine]) agree(INTERPRETER, { engine, slices });
  });

  it("do not leave it", () => {
    const { cpu, engine } = program(INTERPRETER, 64, wasmEngine);
    engine.run(600_000);
    const { translations } = engine as WasmEngine;
    const { modules } = translations;
    engine.run(100_000);
    expect(translations.modules).toBe(modules);
    expect(cpu.retired).toBe(700_000);
  });
});
