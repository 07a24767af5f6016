/** Physical memory, translation and its cache, decoded code that changes. */
import { describe, expect, it } from "vitest";
import { isCanonical } from "#machine/memory/canonical.ts";
import { walk } from "#machine/memory/paging.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu, enterUserMode, MEBIBYTE } from "./processor.ts";

const READ = { write: false, user: false, fetch: false };
const WRITE = { write: true, user: false, fetch: false };

describe("physical memory", () => {
  it("has ones beyond its end, drops writes there, and shows the firmware under 4 GiB", () => {
    const { memory } = bareCpu();
    memory.write32(4 * MEBIBYTE, 5);
    expect(memory.read32(4 * MEBIBYTE)).toBe(0xffffffff);
    memory.write32(0xffff0, 0x12345678);
    expect(memory.read32(0xfffffff0)).toBe(0x12345678);
  });

  it("wraps at 1 MiB while A20 is closed", () => {
    const { memory } = bareCpu();
    memory.write8(0x500, 1);
    memory.write8(0x100500, 2);
    memory.a20 = false;
    expect(memory.read8(0x100500)).toBe(1);
    expect(memory.read8(0x200500)).toBe(0);
    memory.a20 = true;
    expect(memory.read8(0x100500)).toBe(2);
  });

  it("keeps the guest from writing to ROM, and has holes", () => {
    const { memory } = bareCpu();
    memory.writeBytes(0xf0000, Uint8Array.of(1, 2, 3));
    memory.protect(0xf0000, 0x10000);
    memory.write16(0xf0000, 0xffff);
    expect(memory.readBytes(0xf0000, 3)).toEqual(Uint8Array.of(1, 2, 3));
    memory.writeBytes(0xf0000, Uint8Array.of(9));
    expect(memory.read8(0xf0000)).toBe(9);
    memory.remove(0xc0000, 0x1000);
    memory.write8(0xc0000, 5);
    expect(memory.read8(0xc0000)).toBe(0xff);
  });

  it("counts writes to watched pages, by whatever way they come", () => {
    const { memory, mmu } = bareCpu();
    const watch = memory.watch(0xb8000, 4000);
    memory.write16(0xb8000, 0x0741);
    const first = watch.generation;
    expect(first).toBeGreaterThan(0);
    memory.writeBytes(0xb8010, Uint8Array.of(1));
    expect(watch.generation).toBeGreaterThan(first);
    const second = watch.generation;
    mmu.write(0xb8004n, 8, 5n, false);
    mmu.write(0xb8004n, 8, 5n, false);
    expect(watch.generation).toBeGreaterThan(second + 1);
    memory.write8(0xb7fff, 1);
    memory.read8(0xb8000);
    expect(watch.generation).toBe(second + 4);
  });

  it("puts a value across a page boundary", () => {
    const { memory } = bareCpu();
    memory.write64(0x1ffc, 0x1122334455667788n);
    expect(memory.read64(0x1ffc)).toBe(0x1122334455667788n);
    expect(memory.read32(0x2000)).toBe(0x11223344);
    memory.write16(0x2fff, 0xabcd);
    expect(memory.read16(0x2fff)).toBe(0xabcd);
  });
});

describe("canonical addresses", () => {
  it.each([
    [0n, true],
    [0x7fff_ffff_ffffn, true],
    [0x8000_0000_0000n, false],
    [0xffff_7fff_ffff_ffffn, false],
    [0xffff_8000_0000_0000n, true],
    [0xffff_ffff_ffff_ffffn, true],
  ])("%x: %s", (address, canonical) => expect(isCanonical(address)).toBe(canonical));
});

describe("the page walk", () => {
  it("says which entry refused", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    const found = walk(cpu.state, cpu.memory, 0x40000000n, READ, true);
    expect(found).toEqual({ ok: false, errorCode: 0, detail: "PDPTE at physical 0x2008 = 0x0 is not present" });
  });

  it("lets a debugger look without marking", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.write64(0x3000, 0x87n);
    expect(cpu.mmu.readVirtual(0x500n, 4)).toEqual(new Uint8Array(4));
    expect(cpu.memory.read64(0x3000)).toBe(0x87n);
    cpu.mmu.translate(0x500n, WRITE);
    expect(cpu.memory.read64(0x3000)).toBe(0xe7n);
    expect(cpu.mmu.readVirtual(0x3ffffcn, 8)).toBeNull();
  });

  it("marks no page as written by a write that faults in the next one", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.write64(0x3000, 0x87n);
    cpu.memory.write64(0x3008, 0n);
    expect(() => cpu.mmu.write(0x1ffffcn, 8, 1n, false)).toThrow(expect.objectContaining({ address: 0x200000n }));
    expect(cpu.memory.read64(0x3000)).toBe(0xa7n);
    cpu.memory.write64(0x3008, 0x200087n);
    cpu.mmu.write(0x1ffffcn, 8, 1n, false);
    expect([cpu.memory.read64(0x3000), cpu.memory.read64(0x3008)]).toEqual([0xe7n, 0x2000e7n]);
  });

  it("translates pages of 1 GiB", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.write64(0x2008, 0x87n);
    expect(cpu.mmu.translate(0x40123456n, READ)).toBe(0x123456);
  });
});

describe("the translation cache", () => {
  it("keeps what was mapped until it is told, and then forgets all of a large page", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.write8(0x201000, 7);
    expect(cpu.mmu.read(0x201000n, 1, false)).toBe(7n);
    const engine = evaluatorEngine(cpu);
    const code = assembled("mov al, [0x201000]\n mov ah, [0x202000]");
    cpu.memory.writeBytes(0x100000, code);
    cpu.state.rip = 0x100000n;
    expect(engine.run(1).kind).toBe("budget");
    cpu.memory.write64(0x3008, 0n);
    cpu.mmu.flushPage(0x203000n);
    expect(engine.run(1).kind).toBe("tripleFault");
  });

  it("separates user from supervisor", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.write64(0x3008, 0x2000e3n);
    cpu.mmu.read(0x201000n, 1, false);
    const engine = evaluatorEngine(cpu);
    cpu.memory.writeBytes(0x100000, assembled("mov al, [0x201000]"));
    cpu.state.rip = 0x100000n;
    const stop = engine.run(1);
    expect(stop.kind === "tripleFault" && stop.story.chain[0]).toMatchObject({ vector: 14, errorCode: 5 });
  });
});

function assembled(text: string, bits = 64): Uint8Array {
  const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits ${bits}\norg 0x100000\n ${text}\n` });
  expect(diagnostics).toEqual([]);
  return bytes;
}

describe("code that changes", () => {
  const ORIGIN = 0x100000;

  function run(text: string, instructions: number) {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.writeBytes(ORIGIN, assembled(text));
    cpu.state.rip = BigInt(ORIGIN);
    cpu.state.setGeneral(4, 0x300000n);
    const engine = evaluatorEngine(cpu);
    expect(engine.run(instructions).kind).toBe("budget");
    return { cpu, engine };
  }

  it("is decoded again after a store", () => {
    const { cpu } = run("mov ecx, 2\n again: mov eax, 1\n mov byte [again + 1], 9\n loop again", 7);
    expect(cpu.state.general(0)).toBe(9n);
  });

  it("is decoded again after a bulk copy and after the firmware wrote", () => {
    const { cpu } = run("mov ecx, 2\n again: mov eax, 1\n loop again", 3);
    const engine = evaluatorEngine(cpu);
    cpu.memory.writeBytes(ORIGIN + 6, Uint8Array.of(5));
    engine.run(1);
    expect(cpu.state.general(0)).toBe(5n);
  });

  it("may overwrite the instruction that comes next", () => {
    const { cpu } = run("mov byte [next + 1], 3\n next: mov eax, 1", 2);
    expect(cpu.state.general(0)).toBe(3n);
  });

  it("may lie across a page boundary, and change there", () => {
    const text =
      "mov ecx, 2\n jmp again\n times 0xffd - ($ - $$) nop\n again: mov eax, 1\n inc byte [0x101000]\n loop again";
    const { cpu } = run(text, 8);
    expect(cpu.state.general(0)).toBe(0x10001n);
  });

  it("is decoded again even when its page has been written to so often that it counts as data", () => {
    const text = "again: mov eax, 1\n inc byte [again + 1]\n jmp again";
    const { cpu } = run(text, 3 * 100);
    expect(cpu.state.general(0)).toBe(100n);
    expect(cpu.memory.read8(ORIGIN + 1)).toBe(101);
  });

  it("makes room for data in its page", () => {
    const text = "mov ecx, 200\n again: inc dword [rel data]\n loop again\n jmp $\n data: dd 0";
    const { cpu } = run(text, 2 * 200 + 5);
    expect(cpu.memory.read32(ORIGIN + 15)).toBe(200);
  });

  it("is copied by rep movs over itself", () => {
    const text =
      "mov esi, source\n mov edi, next\n mov ecx, 5\n rep movsb\n next: mov eax, 1\n nop\n source: mov eax, 7";
    const { cpu } = run(text, 9);
    expect(cpu.state.general(0)).toBe(7n);
  });
});
