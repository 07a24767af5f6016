/** Code that is written while it runs: records, blocks and regions must never outlive it. */
import { describe, expect, it } from "vitest";
import { eagerWasmEngine, formsEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, DATA, program, SLICES, START } from "./agreement.ts";

describe("code that is written to", () => {
  it("is translated anew", () => {
    agree(
      `mov rdi, patched + 1
again: inc dword [rdi]
patched: mov eax, 0
      add edx, eax
      jmp again`,
      SLICES,
    );
  });

  it("and a register through which something is stored beside it stays as it is", () => {
    const next = `mov eax, ${START + 0x800}\n mov dword [rax], 5\n mov ecx, eax\n jmp again`;
    agree(`again: ${next}`, [1, 2, 3, 4, 7, 40, 4000]);
    agree(`again: ${next}`, [1, 2, 3, 4, 7, 40], { engine: eagerWasmEngine });
  });

  it("by another part of a loop runs as it is now", () => {
    agree(
      `mov edi, ${DATA}
again: mov dword [rdi], 0x05c083 + 0xc3000000
      call rdi
      mov byte [rdi + 2], cl
      call rdi
      inc ecx
      jmp again`,
      SLICES,
    );
  });

  it("by its own block, further on, before, and at once", () => {
    agree(
      `mov edi, later + 2
      mov esi, first + 2
first: add eax, 5
      mov [rdi], ecx
later: add edx, 0x11111111
      inc ecx
      mov [rsi], cl
      mov dword [rdi - 1], 0xc1 + 0x700
      rol edx, 3
      mov word [rdi - 2], 0xc281
      adc ebx, edx
      jmp first`,
      SLICES,
    );
  });

  it("in a loop of one block that changes itself, and hands on the carry", () => {
    agree(
      `again: mov ecx, 90
      mov edi, inner + 2
      stc
inner: adc eax, 0x1234567
      lea edx, [rdx + rax]
      mov [rdi + rbx], dl
      dec ecx
      jnz inner
      xor ebx, 1
      inc ebx
      and ebx, 3
      jmp again`,
      SLICES,
    );
  });
});

describe("a jump forward that knows the record of its target", () => {
  it("goes to what stands there now, be the target written over, or entered in its middle", () => {
    const text = `again: mov edi, target + 1
      mov esi, target
      inc ecx
      test cl, 1
      jz target
      add eax, 3
      clc
target: mov edx, 0x0190c3f8
      add eax, edx
      test cl, 0x70
      jnz skip
      mov [rdi + 2], cl
skip: test cl, 0x0f
      jnz again
      lea ebx, [rsi + 1]
      call rbx
      mov [rsi + 4], bl
      jmp again`;
    agree(text, SLICES);
    agree(text, SLICES, { engine: formsEngine });
  });

  it("finds instructions of one byte that begin in the same word, in whichever order they are first met", () => {
    const text = `again: mov edi, words
      mov ebx, ecx
      and ebx, 7
      xor ebx, 5
      add edi, ebx
      inc ecx
      test ecx, 0x30
      jnz run
      mov byte [rdi], 0xf5
run:  call rdi
      adc eax, 1
      jmp again
      align 8
words: cmc
      clc
      stc
      cmc
      cmc
      stc
      clc
      cmc
      ret`;
    agree(text, SLICES);
    agree(text, SLICES, { engine: formsEngine });
  });
});

/** Writes functions of one shape, each with its own numbers, at one place after the other, and calls each a few times. */
const WRITER = `again: mov ebx, ${DATA}
write: mov edi, ebx
      mov ecx, 3
piece: imul ebp, ebp, 1664525
      add ebp, 1013904223
      mov word [edi], 0xc681
      mov [edi + 2], ebp
      mov dword [edi + 6], 0xf807c6c1
      add edi, 10
      dec ecx
      jnz piece
      mov byte [edi], 0xc3
      mov ecx, 4
call: call ebx
      dec ecx
      jnz call
      add ebx, 48
      cmp ebx, ${DATA + 0x1100}
      jb write
      jmp again`;

describe("functions written at run time", () => {
  it("of one shape, over old ones and across pages, in 32- and in 64-bit code", () => {
    agree(WRITER, [20_000, 777, 60_000, 31], { mode: 32 });
    agree(WRITER.replace(/\[edi/g, "[rdi").replace("call ebx", "call rbx"), [20_000, 777, 60_000, 31]);
  });

  it("have one function for all of a shape", () => {
    const { engine } = program(WRITER, formsEngine, 32);
    const { Module } = WebAssembly;
    let made = 0;
    WebAssembly.Module = class extends Module {
      constructor(bytes: BufferSource) {
        super(bytes);
        made++;
      }
    };
    try {
      engine.run(20_000);
      made = 0;
      engine.run(200_000);
    } finally {
      WebAssembly.Module = Module;
    }
    expect(made).toBe(0);
  });

  it("of shapes that take turns at one place", () => {
    agree(
      `again: mov edi, ${DATA}
      mov [rdi + 1], ecx
      mov byte [rdi], 0x05
      mov dword [rdi + 5], 0xc3d0ff90
      mov dword [rdi + 5], 0xc3c9ff90
      call rdi
      call rdi
      test ecx, ecx
      jns again
      mov dword [rdi], 0xc283d1f7
      mov dword [rdi + 4], 0xc3d0f707
      call rdi
      call rdi
      jmp again`,
      SLICES,
    );
  });

  it("that fault in their middle, and save flags that nobody has computed", () => {
    const stop = agree(
      `mov ebx, ${0x400000 - 0x1000}
again: add eax, 0x7fffffff
      pushfq
      pop rdx
      rol eax, 5
      sbb [rbx], eax
      add rbx, 8
      inc rcx
      jmp again`,
      [50, 300, 5000],
    );
    expect(stop.kind).toBe("tripleFault");
  });
});
