/** The translating engine does what the evaluator does: after the same number of instructions, everything is the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Engine } from "#machine/cpu/engine.ts";
import { meaningOf } from "#machine/cpu/instruction-set.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { EAGER } from "../../machine/engine/wasm/tiers.ts";
import { MOST_MODULES } from "../../machine/engine/wasm/translations.ts";
import { eagerWasmEngine, formsEngine, WasmEngine, wasmEngine } from "../../machine/engine/wasm-engine.ts";
import { decode } from "../../machine/isa/index.ts";
import { agree, DATA, program, type Running, SLICES, START, shown } from "./agreement.ts";
import { MEBIBYTE } from "./processor.ts";
import { inputsOf, readVector } from "./vectors/cases.ts";
import { differences } from "./vectors/compare.ts";
import { TranslatedProcessor, WatchedEngine } from "./vectors/translated.ts";

describe("loops end where the evaluator ends them, wherever a slice is cut", () => {
  it("with arithmetic, flags and memory", () => {
    agree(
      `mov rbx, ${DATA}
again: mov rax, [rbx + rcx*8]
      adc rax, rcx
      rol rax, 7
      mov [rbx + rcx*8], rax
      inc cl
      dec edx
      js again
      cmp rax, rdx
      jb again
      shl rax, cl
      setc dl
      jmp again`,
      SLICES,
    );
  });

  it("with calls that come back to several places, and a loop with two ways in", () => {
    agree(
      `mov ecx, 200000
      test cl, 1
      jz second
first: call leaf
      dec ecx
      call leaf
second: call twice
      dec ecx
      jnz first
twice: call leaf
leaf: add eax, ecx
      push rax
      pop rdx
      ret`,
      SLICES,
    );
  });

  it("with recursion", () => {
    agree(
      `again: mov eax, 9
      call fib
      jmp again
fib:  cmp eax, 2
      jb done
      push rbx
      mov ebx, eax
      dec eax
      call fib
      lea ecx, [rbx - 2]
      mov ebx, eax
      mov eax, ecx
      call fib
      add eax, ebx
      pop rbx
done: ret`,
      SLICES,
    );
  });

  it("with jumps through a table", () => {
    agree(
      `mov rsi, table
again: inc eax
      mov ecx, eax
      and ecx, 3
      jmp [rsi + rcx*8]
one:  add edx, 5
      jmp again
two:  xor edx, eax
      jmp again
three: ror edx, cl
      jmp again
align 8
table: dq one, two, three, again`,
      SLICES,
    );
  });

  it("with string instructions, in parts of pages and overlapping", () => {
    agree(
      `again: mov esi, ${DATA + 100}
      mov edi, ${DATA + 0x2f01}
      mov ecx, 0x1234
      rep movsb
      mov edi, ${DATA + 0x101}
      mov esi, ${DATA + 0x100}
      mov ecx, 50
      rep movsd
      mov ecx, 0x1001
      mov rax, 0x0102030405060708
      mov edi, ${DATA + 0x4ff3}
      rep stosq
      mov edi, ${DATA}
      mov ecx, 0x800
      repne scasb
      jmp again`,
      SLICES,
    );
  });

  it("with moves of many pages, which overlap", () => {
    agree(
      `again: mov esi, ${DATA}
      lea edi, [rsi + 0x20000]
      mov ecx, 0x2a00
      rep movsd
      lea edi, [rsi + 0x3000 - 0xa800]
      mov esi, ${DATA}
      mov ecx, 0x1400
      rep movsq
      mov edi, ${DATA}
      lea esi, [rdi + 0x1000]
      mov ecx, 0x5000
      rep movsb
      inc dword [rdi]
      jmp again`,
      SLICES,
    );
  });

  it("in the first page, at odd addresses", () => {
    agree(
      `xor ebx, ebx
again: inc ecx
      add eax, [rbx + 9]
      add [rbx + 0x11], ecx
      adc rdx, [rbx + 0x21]
      jmp again`,
      SLICES,
    );
  });

  it("in 32-bit code", () => {
    agree(
      `mov ebx, ${DATA}
again: add eax, [ebx]
      imul eax, eax, 77
      mov [ebx], eax
      add ebx, 4
      and ebx, ${DATA + 0x3ffc}
      loop again
      jmp again`,
      SLICES,
      { mode: 32 },
    );
  });

  it("with numbers that have a fraction", () => {
    agree(
      `mov eax, 3
      cvtsi2sd xmm0, eax
      mov eax, 7
      cvtsi2sd xmm1, eax
again: movapd xmm2, xmm0
      divsd xmm2, xmm1
      addsd xmm0, xmm2
      sqrtsd xmm3, xmm0
      mulsd xmm1, xmm2
      ucomisd xmm1, xmm3
      ja again
      paddd xmm4, xmm0
      pshufd xmm4, xmm4, 0x39
      cvttsd2si edx, xmm3
      movapd xmm1, xmm3
      jmp again`,
      SLICES,
    );
  });
});

describe("what happens in the middle of translated code", () => {
  it("a store that reaches a page that is not there marks nothing", () => {
    const stop = agree(
      `mov ebx, ${4 * MEBIBYTE - 2}
      mov [rbx - 0x1000], eax
      mov [rbx], eax`,
      [50],
      { engine: eagerWasmEngine },
    );
    expect(stop.kind).toBe("tripleFault");
  });

  it("a fault shows the state before its instruction", () => {
    const stop = agree(
      `mov ebx, ${4 * MEBIBYTE - 0x1000}
again: mov [rbx], rax
      xadd rax, rcx
      add rbx, 24
      inc rcx
      jmp again`,
      [50, 5000],
      { engine: eagerWasmEngine },
    );
    expect(stop.kind).toBe("tripleFault");
  });

  it("a division that cannot be done is a fault, too", () => {
    const stop = agree("mov ecx, 500\nagain: mov eax, 1000\ncdq\nidiv ecx\ndec ecx\njmp again", [10_000]);
    expect(stop.kind).toBe("tripleFault");
  });
});

describe("accesses that lie in two pages", () => {
  const LOADS_AND_STORES = `mov rbx, ${DATA + 0x0ff0}
again: mov rax, [rbx]
      add [rbx + 1], eax
      mov [rbx + 3], ax
      movups xmm0, [rbx - 2]
      paddd xmm1, xmm0
      movups [rbx + 5], xmm1
      xchg rax, [rbx + 7]
      push rax
      pop qword [rbx + 2]
      inc rbx
      cmp ebx, ${DATA + 0x1008}
      jb again
      sub rbx, 24
      jmp again`;
  const PAGES = 0x6000;

  /** Maps the first 2 MiB after DATA in pages; those of numbers 0 and 1 are as `entries` say. */
  function map({ cpu }: Running, entries: readonly number[]): void {
    const { memory } = cpu;
    for (let page = 0; page < 512; page++)
      memory.write64(PAGES + 8 * page, BigInt(entries[page] ?? DATA + page * 0x1000 + 7));
    memory.write64(0x3008, BigInt(PAGES) | 7n);
    cpu.mmu.flush();
  }

  it.each([
    ["one after the other in RAM", [DATA + 7, DATA + 0x1007]],
    ["apart in RAM", [DATA + 0x3007, DATA + 0x1007]],
    ["the second of which is read-only", [DATA + 7, DATA + 0x1005]],
    ["the second of which is not there", [DATA + 7, DATA + 0x1006]],
  ])("%s", (_, entries) => {
    const [reference, ...others] = [evaluatorEngine, wasmEngine, formsEngine].map((factory) => {
      const running = program(LOADS_AND_STORES, factory);
      map(running, entries);
      return running;
    }) as [Running, ...Running[]];
    for (const slice of [...SLICES, 5000, 5000]) {
      const stop = reference.engine.run(slice);
      for (const other of others) {
        expect(other.engine.run(slice)).toEqual(stop);
        expect(shown(other)).toEqual(shown(reference));
      }
      if (stop.kind !== "budget") break;
    }
  });

  it("are done without the evaluator where the pages lie one after the other", () => {
    const running = program(LOADS_AND_STORES, (cpu) => new WatchedEngine(cpu));
    running.engine.run(20_000);
    const { evaluated } = running.engine as Engine & WatchedEngine;
    running.engine.run(20_000);
    expect((running.engine as Engine & WatchedEngine).evaluated - evaluated).toBeLessThan(100);
  });
});

it("lets a store pass that touches no code, be it one byte away", () => {
  const text = `again: inc dword [rel counter]
      mov eax, [rel counter]
      jmp on
counter: dd 0
on:   jmp again`;
  agree(text, SLICES);
  const running = program(text, (cpu) => new WatchedEngine(cpu));
  running.engine.run(20_000);
  const { evaluated } = running.engine as Engine & WatchedEngine;
  running.engine.run(20_000);
  expect((running.engine as Engine & WatchedEngine).evaluated - evaluated).toBeLessThan(100);
});

describe("a loop that lies in two pages", () => {
  /** `again` is in the first page, 4 bytes before its end: the next instruction crosses into the second. */
  const across = (head: string, body: string) => `${head}
      jmp again
      times 0xffc - ($ - $$) db 0x90
again: mov ebp, 0x12345678
      add edx, ebp
      ${body}
      jmp again`;

  it.each([32, 64] as const)("in %i-bit code", (mode) => {
    agree(across("mov ecx, 7", "inc ecx\n test cl, 3\n jz again\n rol edx, cl"), SLICES, { mode });
  });

  it("is translated anew when an instruction's part in the second page is written to", () => {
    agree(across(`mov rdi, ${START + 0x1000}`, "inc ecx\n test cl, 63\n jnz again\n inc byte [rdi]"), SLICES);
  });

  it("is one function", () => {
    const { engine } = program(across("", "inc ecx"), wasmEngine);
    engine.run(5000);
    const { translations } = engine as Engine & WasmEngine;
    expect(translations.modules).toBe(1);
  });

  it("runs what the second page holds once it is another", () => {
    const PAGES = 0x6000;
    const ours = [evaluatorEngine, wasmEngine, formsEngine].map((factory) => program(across("", "inc ecx"), factory));
    for (const { cpu, engine } of ours) {
      const { memory } = cpu;
      for (let page = 0; page < 512; page++) memory.write64(PAGES + 8 * page, BigInt(page << 12) | 0x67n);
      memory.write64(0x3000, BigInt(PAGES) | 0x67n);
      cpu.mmu.flush();
      engine.run(3000);
      const first = memory.readBytes(START + 0x1000, 0x1000);
      memory.writeBytes(START + 0x5000, first);
      memory.writeBytes(START + 0x5000, Uint8Array.of(0x99));
      memory.write64(PAGES + 8 * ((START >> 12) + 1), BigInt(START + 0x5000) | 0x67n);
      cpu.mmu.flush();
      engine.run(3000);
    }
    for (const other of ours.slice(1)) expect(shown(other)).toEqual(shown(ours[0]!));
    expect(ours[0]!.cpu.state.general(5)).toBe(0x99345678n);
  });
});

it("makes one region of a loop, wherever runs end in it", () => {
  const { engine } = program("again: inc eax\n add ebx, eax\n ror ebx, 3\n xor ecx, ebx\n jmp again", wasmEngine);
  for (let run = 0; run < 2000; run++) engine.run(1000 + (run % 7));
  expect((engine as WasmEngine).translations.modules).toBe(1);
});

it("finds the pages of a loop in place that misses the TLB at each access", () => {
  const text = `again: add eax, 0x10000
      and eax, 0x3ffff
      mov edx, [rax + ${DATA}]
      invlpg [rax + ${DATA}]
      jmp again`;
  agree(text, SLICES);
  const running = program(text, (cpu) => new WatchedEngine(cpu));
  running.engine.run(40_000);
  const { evaluated } = running.engine as Engine & WatchedEngine;
  running.engine.run(40_000);
  expect((running.engine as Engine & WatchedEngine).evaluated - evaluated).toBeLessThan(100);
});

it("drops translations when there are too many", () => {
  const functions = Array.from(
    { length: MOST_MODULES + 100 },
    (_, index) => `f${index}: add eax, ${index}\njmp f${index + 1}\nnop`,
  );
  const text = `again: jmp f0\n${functions.join("\n")}\nf${functions.length}: jmp again`;
  const steps = functions.length * 2 + 2;
  agree(text, [steps, steps, steps], { engine: eagerWasmEngine });
  const { cpu, engine } = program(text, (one) => new WasmEngine(one, EAGER));
  engine.run(steps * 3);
  expect((engine as Engine & WasmEngine).translations.modules).toBeLessThanOrEqual(MOST_MODULES);
  expect(cpu.retired).toBe(steps * 3);
});

it("is asked to stop, and does", () => {
  const { cpu, engine } = program("again: inc eax\njmp again", wasmEngine);
  engine.run(100_000);
  const before = cpu.retired;
  expect(engine.run(1)).toEqual({ kind: "budget" });
  expect(cpu.retired).toBe(before + 1);
});

/** One in so many vectors. */
const SAMPLE = 29;
/** Of these some are left to the evaluator: wide divisions, what changes much, and in forms jumps to computed places and shifts by 0. */
const OFTEN_EVALUATED = {
  regions: /^(enter|idiv|arpl|popf.?|jmp|call|j.?cxz)$/,
  forms: /^(enter|idiv|arpl|popf.?|jmp|call|j.?cxz|sh[lr]d?|sar|ro[lr])$/,
};

it.each(["regions", "forms"] as const)("does what a processor does, instruction by instruction, in %s", (tier) => {
  const text = gunzipSync(readFileSync(join(import.meta.dirname, "vectors/vectors.txt.gz"))).toString();
  const vectors = text
    .trim()
    .split("\n")
    .filter((_, index) => index % SAMPLE === 0)
    .map(readVector);
  const processor = new TranslatedProcessor(tier);
  const wrong: unknown[] = [];
  for (const mode of [64, 32] as const) {
    const cases = vectors.filter((vector) => vector.mode === mode);
    const outputs = processor.run(cases.map(inputsOf));
    for (const [index, vector] of cases.entries()) {
      const list = differences(vector, () => outputs[index]!);
      if (list.length > 0) wrong.push([decode(vector.code, 0, mode).mnemonic, list]);
    }
  }
  expect(wrong).toEqual([]);
  expect(processor.evaluated.filter((name) => meaningOf(name) !== null && !OFTEN_EVALUATED[tier].test(name))).toEqual(
    [],
  );
});
