/** A kernel that is loaded directly and one that the book's boot loader starts find the same machine. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Machine } from "#machine/machine.ts";
import { ElfError, readElf } from "#machine/platform/elf.ts";
import { createMachine } from "../../machine/hosts/pc.ts";

const built = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../dist/chapters/02/${name}`, import.meta.url))));
const elf = built("kernel.elf");
const image = readElf(elf);

const PHYSICAL_OFFSET = 0xffff_8000_0000_0000n;
const STACK_TOP = 0xffff_ffff_c000_0000n;
const STACK_SIZE = 0x10000n;

/** The kernel's first instruction is next. */
function atEntry(file: Uint8Array): Machine {
  const machine = createMachine({ image: file });
  if (machine.registers().rip === image.entry) return machine;
  machine.breakpoints.add(image.entry);
  expect(machine.run(10_000_000)).toEqual({ kind: "breakpoint", address: image.entry });
  return machine;
}

const direct = atEntry(elf);
const booted = atEntry(built("disk.img"));
const both = [
  ["loaded directly", direct],
  ["started by the boot loader", booted],
] as const;

function bootInfo(machine: Machine) {
  const bytes = machine.readMemory(machine.registers().rdi, 56)!;
  const view = new DataView(bytes.buffer);
  return {
    magic: view.getUint32(0, true),
    version: view.getUint32(4, true),
    physicalOffset: view.getBigUint64(8, true),
    memoryMap: machine.readMemory(view.getBigUint64(16, true), view.getUint32(24, true) * 24),
    kernelStart: Number(view.getBigUint64(32, true)),
    kernelEnd: Number(view.getBigUint64(40, true)),
    loaderEnd: Number(view.getBigUint64(48, true)),
  };
}

test("registers that the contract names are the same", () => {
  const named = ["cr0", "cr4", "efer", "cs", "ds", "es", "fs", "gs", "ss", "rsp", "mode"] as const;
  const of = (machine: Machine) => Object.fromEntries(named.map((name) => [name, machine.registers()[name]]));
  expect(of(direct)).toEqual(of(booted));
  expect(direct.registers()).toMatchObject({ rsp: STACK_TOP - 8n, cs: 8n, ss: 0n, efer: 0xd00n, mode: 64 });
  for (const [, machine] of both) expect(machine.registers().rflags & 0x600n).toBe(0n); // DF and IF
});

test("boot information says the same, but for where things are in physical memory", () => {
  const { kernelStart: _, kernelEnd: __, loaderEnd: ___, ...fixed } = bootInfo(direct);
  expect(fixed).toMatchObject({ magic: 0x4a494154, version: 1, physicalOffset: PHYSICAL_OFFSET });
  expect(bootInfo(booted)).toMatchObject(fixed);
});

describe.each(both)("a kernel %s", (_, machine) => {
  test("finds its segments at their addresses", () => {
    for (const segment of image.segments) {
      expect(machine.readMemory(segment.address, segment.bytes.length)).toEqual(segment.bytes.slice());
      const rest = machine.readMemory(
        segment.address + BigInt(segment.bytes.length),
        segment.size - segment.bytes.length,
      )!;
      expect(rest.every((byte) => byte === 0)).toBe(true);
    }
  });

  test("has a stack of 64 KiB, and a guard page below it", () => {
    const stack = machine.readMemory(STACK_TOP - STACK_SIZE, Number(STACK_SIZE));
    expect(stack).not.toBeNull();
    expect(machine.readMemory(STACK_TOP - STACK_SIZE - 1n, 1)).toBeNull();
    expect(machine.readMemory(STACK_TOP, 1)).toBeNull();
  });

  test("sees all physical memory at the offset, and nothing at low addresses", () => {
    expect(machine.readMemory(PHYSICAL_OFFSET + 0xffff0n, 1)).toEqual(Uint8Array.of(0xea));
    expect(machine.readMemory(PHYSICAL_OFFSET + 0xffff_fff0n, 1)).toEqual(Uint8Array.of(0xea));
    for (const low of [0n, 0x7c00n, 0xb8000n, 0x100000n]) expect(machine.readMemory(low, 1)).toBeNull();
  });

  test("is told where it lies, page by page, and where free memory begins", () => {
    const { kernelStart, kernelEnd, loaderEnd } = bootInfo(machine);
    const pages = image.segments.reduce((sum, { size }) => sum + Math.ceil(size / 4096), 0);
    expect(kernelEnd - kernelStart).toBe(pages * 4096);
    expect(loaderEnd).toBeGreaterThan(kernelEnd);
    expect(Number(machine.registers().cr3)).toBeLessThan(loaderEnd);
    expect(Number(machine.registers().rdi - PHYSICAL_OFFSET)).toBeLessThan(loaderEnd);
  });

  test("finds a clear screen", () => {
    expect(machine.screen.text().trim()).toBe("");
    expect(machine.readMemory(PHYSICAL_OFFSET + 0xb8000n, 2)).toEqual(Uint8Array.of(0x20, 0x07));
  });
});

describe("an ELF file that is not for this machine is refused with a reason", () => {
  const changed = (at: number, ...bytes: number[]) => {
    const copy = elf.slice();
    copy.set(bytes, at);
    return copy;
  };
  test.each([
    ["no ELF", changed(0, 0), "not an ELF file"],
    ["cut off", elf.slice(0, 40), "not an ELF file"],
    ["32-bit", changed(4, 1), "not a 64-bit little-endian file"],
    ["a shared object", changed(16, 3), "not an executable"],
    ["for another processor", changed(18, 0xb7), "not for x86-64"],
    ["headers outside", changed(32, 0xff, 0xff, 0xff), "program headers lie outside"],
    ["segments outside", elf.slice(0, 4096), "a segment lies outside the file"],
    ["no segments", changed(56, 0, 0), "no segment to load"],
  ])("%s", (_, file, reason) => {
    expect(() => readElf(file)).toThrow(ElfError);
    expect(() => readElf(file)).toThrow(reason);
  });

  test("too large for the memory", () => {
    const huge = elf.slice();
    const view = new DataView(huge.buffer);
    view.setBigUint64(Number(view.getBigUint64(32, true)) + 40, 0x4000000n, true);
    expect(() => createMachine({ image: huge })).toThrow(ElfError);
  });
});
