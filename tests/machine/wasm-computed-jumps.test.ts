/** Computed jumps: a region goes on where they lead. */
import { describe, expect, it } from "vitest";
import { eagerWasmEngine, type WasmEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, program } from "./privileged.ts";

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
