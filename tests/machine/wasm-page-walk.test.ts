/** The page walk of translated code: it finds what the book's walk finds, and leaves little to it. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { EAGER, FORMS_ONLY } from "../../machine/engine/wasm/tiers.ts";
import { WasmEngine } from "../../machine/engine/wasm-engine.ts";
import { agree } from "./privileged.ts";

/** The engine with a count of the instructions that the evaluator does. */
class Counting extends WasmEngine {
  evaluated = 0;

  protected override evaluate(): boolean {
    this.evaluated++;
    return super.evaluate();
  }
}

const POINTERS = 0xa020;
const DIRECTORY = 0xb000;
const LAST_TABLE = 0xc000;
const CR0 = 0x80010031n;
const PAE = 0x20n;
const PSE = 0x10n;
const PRESENT = 1n;
const WRITABLE = 3n;
const LARGE = 0x83n;
/** Linear addresses from here on are pages of 4 KiB that lie from `FRAMES` on. */
const WINDOW = 0x600000;
const FRAMES = 0x300000;
const PAGES = 32;

/** Four pointers, of which the last leads where the first does; 2 MiB pages one to one, then the window. */
function physicalAddressExtension({ state, memory, mmu }: Cpu): void {
  for (const pointer of [0, 3]) memory.write64(POINTERS + pointer * 8, BigInt(DIRECTORY) | PRESENT);
  for (const half of [0n, 1n]) memory.write64(DIRECTORY + Number(half) * 8, (half << 21n) | LARGE);
  memory.write64(DIRECTORY + 24, BigInt(LAST_TABLE) | WRITABLE);
  for (let page = 0; page < PAGES; page++)
    memory.write64(LAST_TABLE + page * 8, BigInt(FRAMES + page * 0x1000) | WRITABLE);
  state.cr3 = BigInt(POINTERS);
  state.cr4 = PAE;
  state.cr0 = CR0;
  mmu.flush();
}

/** Two levels, with pages of 4 MiB. */
function twoLevels({ state, memory, mmu }: Cpu): void {
  memory.write32(DIRECTORY, Number(LARGE));
  memory.write32(DIRECTORY + 4, LAST_TABLE | Number(WRITABLE));
  for (let page = 0; page < PAGES; page++)
    memory.write32(LAST_TABLE + 0x800 + page * 4, (FRAMES + page * 0x1000) | Number(WRITABLE));
  memory.write32(DIRECTORY + 0xc04, LAST_TABLE | Number(WRITABLE));
  state.cr3 = BigInt(DIRECTORY);
  state.cr4 = PSE;
  state.cr0 = CR0;
  mmu.flush();
}

/** Walks through the window at two addresses, then forgets all translations. */
const PROGRAM = `
begin: mov ecx, ${WINDOW}
touch: add [ecx + 8], ebx
      adc eax, [ecx + ${0xc0000000} + 8]
      add ecx, 0x1000
      cmp ecx, ${WINDOW + PAGES * 0x1000}
      jb touch
      inc ebx
      mov edx, cr3
      mov cr3, edx
      jmp begin`;

describe.each([
  ["without PAE", twoLevels],
  ["with PAE", physicalAddressExtension],
])("paging of 32 bits %s", (_, prepare) => {
  it.each([
    ["regions", EAGER],
    ["forms", FORMS_ONLY],
  ])("is walked by %s", (_, tiers) => {
    let engine!: Counting;
    const { cpu } = agree(PROGRAM, {
      mode: 32,
      prepare,
      engine: (cpu) => {
        engine = new Counting(cpu, tiers);
        return engine;
      },
    });
    expect(cpu.retired).toBeGreaterThan(50_000);
    expect(engine.evaluated).toBeLessThan(cpu.retired / 20);
  });
});
