/**
 * Selectors that a segment register must not get, loaded inside translated loops: not present, of a wrong privilege or
 * type, beyond the table, null, of no local table. The state at each fault, and its count, are those of the evaluator.
 */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { FORMS_ONLY } from "../../machine/engine/wasm/tiers.ts";
import { WasmEngine } from "../../machine/engine/wasm-engine.ts";
import { agree, descriptor, ENGINES, GDT } from "./privileged.ts";

/** Descriptors beside those of every program, from 0x38 on. */
const DESCRIPTORS = [
  0xc073n, // 0x38 data, not present
  0x008bn, // 0x40 a task
  0xc0f9n, // 0x48 code that cannot be read
  0xc09fn, // 0x50 conforming code
  0xc0f2n, // 0x58 data that has not been used
  0xc0f1n, // 0x60 data that cannot be written
  0xc013n, // 0x68 data of privilege 0, not present
  0xc0f7n, // 0x70 data that expands downwards
  0x0000n, // 0x78 nothing
];

/** Each in the table, privileges asked for from 0 to 3; beyond it; null ones; of the local table, which there is none of. */
const SELECTORS = [
  ...[0x08, 0x0b, 0x10, 0x11, 0x13, 0x18, 0x1b, 0x20, 0x23, 0x38, 0x3b, 0x40, 0x43, 0x48, 0x4b, 0x50, 0x53, 0x58, 0x5b],
  ...[0x60, 0x63, 0x68, 0x6b, 0x70, 0x73, 0x78, 0x7b, 0x80, 0x83, 0x1000, 0xfff8, 0xffff, 0, 1, 2, 3, 4, 7, 0x14, 0x17],
];

function addDescriptors({ memory }: Cpu): void {
  for (const [index, attributes] of DESCRIPTORS.entries())
    memory.write64(GDT + (7 + index) * 8, descriptor(attributes));
}

interface Way {
  readonly mode: 32 | 64;
  readonly privilege: 0 | 3;
  /** Loads what ax holds. */
  readonly load: string;
  /** A selector that can be loaded. */
  readonly good: number;
}

/** A loop that loads a good selector 15 times, then one of the others; a handler goes on behind the load. */
function looping({ mode, privilege, load, good }: Way): string {
  const [word, suffix] = mode === 64 ? ["r", "q"] : ["e", "d"];
  const code = mode === 64 ? 0x2b : 0x1b;
  const down = [0x23, 0x207000, 0x202, code, "again"].map((value) => `push ${value}`).join("\n");
  return `${privilege === 3 ? `${down}\niret${suffix}` : "jmp again"}
selectors: dw ${SELECTORS.join(", ")}
again: inc ebx
    mov esp, ${privilege === 3 ? 0x207000 : 0x207e00}
    mov ${word}di, after
    mov eax, ${good}
    test bl, 15
    jnz load
    inc esi
    cmp esi, ${SELECTORS.length}
    jb some
    xor esi, esi
some: movzx eax, word [cs:selectors + ${word}si * 2]
load: cmp ebx, ecx
    ${load}
    add ebp, 7
after: setc cl
    mov edx, ds
    add ecx, edx
    jmp again`;
}

const loads = (mode: 32 | 64, privilege: 0 | 3): Way[] => {
  const [data, word] = [privilege === 3 ? 0x23 : 0x10, mode === 64 ? "r" : "e"];
  const far = "mov dword [ss:0x201000], 0x1234\nmov [ss:0x201004], ax";
  const list = ["ds", "es", "fs", "gs", "ss"].map((register) => `mov ${register}, ax`);
  list.push(`push ${word}ax\npop fs`, `${far}\nlgs edx, [ss:0x201000]`, `${far}\nlss edx, [ss:0x201000]`);
  if (mode === 32) list.push("push eax\npop ds", "push eax\npop es", `${far}\nlds edx, [ss:0x201000]`);
  return list.map((load) => ({ mode, privilege, load, good: data }));
};

const toCode = (privilege: 0 | 3): Way[] => {
  const place = "mov dword [ss:0x201000], after\nmov [ss:0x201004], ax";
  const list = [
    `${place}\njmp far [ss:0x201000]`,
    `${place}\ncall far [ss:0x201000]`,
    "push eax\npush after\nretf",
    "pushfd\npush eax\npush after\niretd",
  ];
  return list.map((load) => ({ mode: 32, privilege, load, good: privilege === 3 ? 0x1b : 8 }));
};

const WAYS = ([0, 3] as const).flatMap((privilege) => [
  ...loads(64, privilege),
  ...loads(32, privilege),
  ...toCode(privilege),
]);

const engines: readonly (readonly [string, EngineFactory])[] = [
  ...ENGINES,
  ["forms", (cpu) => new WasmEngine(cpu, FORMS_ONLY)],
];

describe.each(engines)("a selector that faults in %s", (name, engine) => {
  it.each(WAYS)("$mode-bit code at privilege $privilege: $load", (way) => {
    const { engine: translated } = agree(looping(way), { mode: way.mode, engine, prepare: addDescriptors });
    const { translations } = translated as WasmEngine;
    if (name !== "forms") expect(translations.modules).toBeGreaterThan(0);
  });
});
