/** What the translation cache keeps and forgets: CR3, CR4, CR0, invlpg, global pages (Intel SDM vol. 3A, section 4.10.4). */
import { beforeEach, describe, expect, it } from "vitest";
import { writeControl } from "#machine/cpu/control.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { Fault } from "#machine/cpu/fault.ts";
import { ENGINES } from "../../machine/hosts/pc.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu } from "./processor.ts";

const ROOT = 0x1000;
const LAST_TABLE = 0x4000;
const PGE = 0x80n;
const PAE = 0x20n;
const SMEP = 1n << 20n;
const SMAP = 1n << 21n;
const AC = 1n << 18n;
const WP = 0x10000n;
const CR0 = 0x80010031n;
/** Pages of 4 KiB at these addresses stand for frames of their own; entry n of the last table is that of page n. */
const LOCAL = 0x201000n;
const GLOBAL = 0x202000n;
const USER = 0x203000n;
const READ_ONLY = 0x204000n;
/** A page of 2 MiB. */
const LARGE = 0x400000n;
const CODE = 0x10000n;

let cpu: Cpu;
let run: (text: string) => bigint;

type EngineName = keyof typeof ENGINES;

/** Supervisor code at privilege 0 in the first 2 MiB, which are mapped to themselves. */
function prepare(name: EngineName): void {
  cpu = bareCpu(8 << 20);
  const { state, memory } = cpu;
  memory.write64(ROOT, 0x2007n);
  memory.write64(0x2000, 0x3007n);
  memory.write64(0x3000, 0x000083n);
  memory.write64(0x3008, BigInt(LAST_TABLE) + 7n);
  memory.write64(0x3010, 0x600083n);
  memory.write64(LAST_TABLE + 8, 0x500003n);
  memory.write64(LAST_TABLE + 16, 0x501103n);
  memory.write64(LAST_TABLE + 24, 0x502007n);
  memory.write64(LAST_TABLE + 32, 0x503001n);
  for (const [index, frame] of [0x500000, 0x501000, 0x502000, 0x503000, 0x600000].entries())
    memory.write8(frame, index + 1);
  state.cr3 = BigInt(ROOT);
  state.cr4 = PAE | PGE;
  state.efer = 0xd00n;
  state.cr0 = CR0;
  state.setSegment(1, { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b });
  state.cpl = 0;
  cpu.mmu.flush();
  const engine = ENGINES[name](cpu);
  run = (text) => {
    const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits 64\norg ${CODE}\n${text}\nhlt\n` });
    expect(diagnostics).toEqual([]);
    cpu.memory.writeBytes(Number(CODE), bytes);
    state.rip = CODE;
    cpu.halted = false;
    const stop = engine.run(1000);
    if (stop.kind === "tripleFault") return BigInt(stop.story.chain[0]!.errorCode!) | 0x100n;
    expect(stop.kind).toBe("halted");
    return state.general(0) & 0xffn;
  };
}

const read = (address: bigint) => `mov al, [${address}]`;
/** Makes an entry absent, without a word. */
const take = (entry: number) => cpu.memory.write64(LAST_TABLE + 8 * entry, 0n);
const ABSENT = 0x100n;

describe.each(Object.keys(ENGINES) as EngineName[])("engine %s", (name) => {
  beforeEach(() => prepare(name));

  describe("a translation", () => {
    it("stays although its entry has changed, until somebody says so", () => {
      expect(run(read(LOCAL))).toBe(1n);
      take(1);
      expect(run(read(LOCAL))).toBe(1n);
      expect(run(`invlpg [${LOCAL}]\n${read(LOCAL)}`)).toBe(ABSENT);
    });

    it("is not lost by invlpg of another page", () => {
      run(read(LOCAL));
      take(1);
      expect(run(`invlpg [${GLOBAL}]\n${read(LOCAL)}`)).toBe(1n);
    });

    it("that failed is not remembered", () => {
      take(1);
      expect(run(read(LOCAL))).toBe(ABSENT);
      cpu.memory.write64(LAST_TABLE + 8, 0x500003n);
      expect(run(read(LOCAL))).toBe(1n);
    });

    it("of a large page is forgotten as a whole", () => {
      run(`${read(LARGE)}\nmov al, [${LARGE + 0x5000n}]`);
      cpu.memory.write64(0x3010, 0n);
      expect(run(`invlpg [${LARGE + 0x1ff000n}]\nmov al, [${LARGE + 0x5000n}]`)).toBe(ABSENT);
    });
  });

  describe("a new cr3", () => {
    const reload = "mov rcx, cr3\nmov cr3, rcx\n";

    it("takes translations away, and leaves the global ones", () => {
      run(`${read(LOCAL)}\n${read(GLOBAL)}`);
      take(1);
      take(2);
      expect(run(reload + read(GLOBAL))).toBe(2n);
      expect(run(read(LOCAL))).toBe(ABSENT);
    });

    it("takes all where cr4.PGE is clear", () => {
      cpu.state.cr4 = PAE;
      run(read(GLOBAL));
      take(2);
      expect(run(reload + read(GLOBAL))).toBe(ABSENT);
    });

    it("does not save a global page from invlpg, nor from a change of cr4.PGE", () => {
      run(read(GLOBAL));
      take(2);
      expect(run(`invlpg [${GLOBAL}]\n${read(GLOBAL)}`)).toBe(ABSENT);
      prepare(name);
      run(read(GLOBAL));
      take(2);
      expect(run(`mov rcx, cr4\nbtr rcx, 7\nmov cr4, rcx\n${read(GLOBAL)}`)).toBe(ABSENT);
    });
  });

  describe("control registers", () => {
    it("that decide nothing about addresses flush nothing", () => {
      run(read(LOCAL));
      const before = cpu.mmu.generation;
      writeControl(cpu, 2n, 5n);
      writeControl(cpu, 8n, 5n);
      writeControl(cpu, 0n, CR0);
      writeControl(cpu, 4n, PAE | PGE | 4n);
      expect(cpu.mmu.generation).toBe(before);
      writeControl(cpu, 4n, PAE | PGE | SMEP);
      expect(cpu.mmu.generation).toBeGreaterThan(before);
    });

    it("WP counts from the next write on, for pages already in the cache too", () => {
      cpu.state.cr0 = CR0 & ~WP;
      cpu.mmu.flush();
      expect(run(`mov byte [${READ_ONLY}], 9\n${read(READ_ONLY)}`)).toBe(9n);
      expect(run(`mov rcx, cr0\nbts rcx, 16\nmov cr0, rcx\nmov byte [${READ_ONLY}], 8`)).toBe(0x103n);
    });
  });

  describe("SMAP", () => {
    beforeEach(() => {
      cpu.state.cr4 = PAE | SMAP;
      cpu.mmu.flush();
    });
    const flags = (value: bigint) => `push ${value}\npopfq\n`;

    it("asks for AC at each access, also of a page that was read before", () => {
      cpu.state.setGeneral(4, 0x20000n);
      expect(run(flags(AC | 2n) + read(USER))).toBe(3n);
      expect(run(flags(2n) + read(USER))).toBe(0x101n);
    });

    it("does not take AC for leave where privilege 3 makes the processor read a table", () => {
      cpu.state.cpl = 3;
      cpu.state.rflags = AC | 2n;
      expect(() => cpu.mmu.read(USER, 8, false)).toThrow(Fault);
      expect(cpu.mmu.read(USER, 1, true)).toBe(3n);
    });

    it("does not keep a debugger from looking", () => {
      expect(cpu.mmu.readVirtual(USER, 1)).toEqual(Uint8Array.of(3));
    });
  });
});
