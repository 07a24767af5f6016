/** An engine that has no room for more forms forgets all that it knows of code, and begins anew. */
import { describe, expect, it, vi } from "vitest";
import type { Engine } from "#machine/cpu/engine.ts";
import { Forms } from "../../machine/engine/wasm/forms.ts";
import { FORMS_ONLY, NORMAL } from "../../machine/engine/wasm/tiers.ts";
import { WasmEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, program } from "./privileged.ts";
import { WatchedEngine } from "./vectors/translated.ts";

/** A loop of more kinds of instructions than there is room for in the first of the tests, and then a short one. */
const TEXT = `mov esi, 0x200200
again: mov ecx, 6
many: add eax, ebx
      mov [rsi], eax
      xor al, [rsi + 1]
      shl rax, 3
      movzx edx, al
      mov [rsi + 8], dl
      sub rbx, rdx
      adc [rsi + 16], rbx
      lea rdi, [rsi + rdx * 2]
      inc word [rdi]
      push rdi
      pop r9
      bswap r9
      cmp r9b, dl
      setc [rsi + 3]
      imul ebx, ebx, 77
      dec ecx
      jnz many
      mov ecx, 5000
few:  add eax, ecx
      dec ecx
      jnz few
      jmp again`;

describe.each([
  ["forms", FORMS_ONLY],
  ["hot code", NORMAL],
] as const)("%s", (_, tiers) => {
  it("goes on as the evaluator does", () => {
    const slices = Array.from({ length: 40 }, (_, index) => 2000 + index * 97);
    agree(TEXT, { engine: (cpu) => new WasmEngine(cpu, { ...tiers, mostForms: 12 }), slices });
  });
});

it("has forms for what comes later", () => {
  const clear = vi.spyOn(Forms.prototype, "clear");
  const text = `${TEXT.slice(0, TEXT.indexOf("mov ecx, 5000"))}
later: bts r8, 5
      sbb r10, r8
      not r10
      jmp later`;
  const { engine } = program(text, 64, (cpu) => new WatchedEngine(cpu, { ...FORMS_ONLY, mostForms: 12 }));
  const watched = engine as Engine & WatchedEngine;
  engine.run(40_000);
  expect(clear).toHaveBeenCalled();
  const { evaluated } = watched;
  engine.run(40_000);
  expect(watched.evaluated - evaluated).toBeLessThan(100);
});
