/** Chapter 2's boot loader on all kinds of computers, also those that it must refuse. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Machine, Registers } from "#machine/machine.ts";
import { screenText } from "#machine/platform/vga.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { readElfFile } from "./elf.ts";
import { bootableDisk, readOutput } from "./images.ts";
import { runInMachine } from "./machine.ts";
import { type QemuConfig, runInQemu } from "./qemu.ts";

const FLOPPY_BYTES = 1_474_560;
const SECTOR = 512;
const GREETING = "Hello World!";
const REFUSAL = "TaijiOS cannot start: ";

interface Computer extends QemuConfig {
  readonly name: string;
  readonly shows: string;
  /** Makes the disk that this computer gets out of the chapter's. */
  readonly disk?: (image: Uint8Array) => Uint8Array;
}

const COMPUTERS: readonly Computer[] = [
  { name: "a hard disk", attach: "disk", shows: GREETING },
  { name: "a USB stick", attach: "usb", shows: GREETING },
  { name: "a floppy disk, without extended reads", attach: "floppy", disk: toFloppy, shows: GREETING },
  { name: "5 GiB of memory", hardware: ["-m", "5G"], shows: GREETING },
  {
    name: "a 32-bit processor",
    hardware: ["-cpu", "qemu32"],
    shows: `${REFUSAL}this processor has no 64-bit mode with no-execute pages.`,
  },
  {
    name: "a processor without no-execute pages",
    hardware: ["-cpu", "qemu64,-nx"],
    shows: `${REFUSAL}this processor has no 64-bit mode with no-execute pages.`,
  },
  { name: "1 MiB of memory", hardware: ["-m", "1"], shows: `${REFUSAL}there is too little memory.` },
  {
    name: "a disk that ends within the second stage",
    disk: (image) => image.slice(0, 20 * SECTOR),
    shows: `${REFUSAL}the disk cannot be read.`,
  },
  {
    name: "a disk that ends within the kernel",
    disk: (image) => image.slice(0, 34 * SECTOR),
    shows: `${REFUSAL}the disk cannot be read.`,
  },
];

function toFloppy(image: Uint8Array): Uint8Array {
  const floppy = new Uint8Array(FLOPPY_BYTES);
  floppy.set(image.subarray(0, FLOPPY_BYTES));
  return floppy;
}

const PHYSICAL_OFFSET = 0xffff_8000_0000_0000n;
const STACK_TOP = 0xffff_ffff_c000_0000n;
const STACK_BYTES = 0x10000n;

/** The machine before the kernel's first instruction. */
function atEntry(memory: number): Machine {
  const machine = createMachine({ image: bootableDisk(2, null), memory });
  machine.breakpoints.add(readElfFile(readOutput(2, null, "kernel.elf")).entry);
  expect(machine.run(20_000_000).kind).toBe("breakpoint");
  return machine;
}

function testHandover(): void {
  describe("the loader hands over what the chapter promises:", () => {
    let machine: Machine;
    let registers: Registers;
    beforeAll(() => {
      machine = atEntry(16 << 20);
      registers = machine.registers();
    });
    const bytes = (address: bigint, length: number) => {
      const found = machine.readMemory(address, length);
      return found === null ? null : new DataView(found.buffer, found.byteOffset, length);
    };

    test("64-bit mode with paging, write protection and no-execute pages, and no interrupts", () => {
      expect(registers.mode).toBe(64);
      expect(registers.cr0).toBe(0x8001_0033n);
      expect(registers.cr4 & 0x20n).toBe(0x20n);
      expect(registers.efer & 0xd00n).toBe(0xd00n);
      expect(registers.rflags & 0x600n).toBe(0n);
      expect([registers.cs, registers.ss, registers.ds, registers.es, registers.fs, registers.gs].map(Number)).toEqual([
        8, 0, 0, 0, 0, 0,
      ]);
    });

    test("a stack with a guard page under it", () => {
      expect(registers.rsp).toBe(STACK_TOP - 8n);
      expect(bytes(STACK_TOP - STACK_BYTES, 8)?.getBigUint64(0)).toBe(0n);
      expect(bytes(STACK_TOP - 8n, 8)?.getBigUint64(0)).toBe(0n);
      expect(bytes(STACK_TOP - STACK_BYTES - 1n, 1)).toBeNull();
      expect(bytes(STACK_TOP, 1)).toBeNull();
    });

    test("the kernel's segments, and nothing in the lower half", () => {
      for (const { address, fileBytes } of readElfFile(readOutput(2, null, "kernel.elf")).segments)
        expect(machine.readMemory(address, fileBytes.length)).toEqual(fileBytes);
      for (const address of [0n, 0x7c00n, 0x8000n, 0xb8000n, 0x10_0000n]) expect(bytes(address, 1)).toBeNull();
    });

    test("all physical memory, up to 4 GiB at least", () => {
      expect(machine.readMemory(PHYSICAL_OFFSET + 0x7c00n, 512)).toEqual(machine.readPhysical(0x7c00, 512));
      expect(bytes(PHYSICAL_OFFSET + 0xffff_fff8n, 8)).not.toBeNull();
    });

    test("boot information", () => {
      const info = bytes(registers.rdi, 56)!;
      expect(info.getUint32(0, true)).toBe(0x4a49_4154);
      expect(info.getUint32(4, true)).toBe(1);
      expect(info.getBigUint64(8, true)).toBe(PHYSICAL_OFFSET);
      const [start, end, loaderEnd] = [32, 40, 48].map((at) => Number(info.getBigUint64(at, true)));
      expect(start).toBeGreaterThanOrEqual(0x10_0000);
      expect(end! - start!).toBe(2 * 4096);
      expect(loaderEnd).toBeGreaterThan(end!);
      expect(registers.rdi - PHYSICAL_OFFSET).toBeLessThan(BigInt(loaderEnd!));
      const map = bytes(info.getBigUint64(16, true), 24 * info.getUint32(24, true))!;
      const usable = Array.from({ length: info.getUint32(24, true) }, (_, i) => 24 * i).filter(
        (at) => map.getUint32(at + 16, true) === 1,
      );
      const high = usable.find((at) => map.getBigUint64(at, true) === 0x10_0000n)!;
      expect(map.getBigUint64(high, true) + map.getBigUint64(high + 8, true)).toBe(16n << 20n);
    });
  });
}

export function testBooting(): void {
  testHandover();

  describe.skipIf(lacks("qemu-system-x86_64"))("in QEMU, starting from", () => {
    for (const { name, shows, disk, ...config } of COMPUTERS) {
      test(name, async () => {
        const image = bootableDisk(2, null);
        const { cells } = await runInQemu(disk?.(image) ?? image, config);
        expect(screenText(cells)).toContain(shows);
      });
    }
  });

  describe("in our machine, the variant that writes to a low address", () => {
    test("ends in a triple fault, which the machine can explain", () => {
      const { stop } = runInMachine(bootableDisk(2, "low-address"));
      expect(stop.kind).toBe("stopped");
      if (stop.kind !== "stopped" || stop.event.kind !== "tripleFault") throw new Error("no triple fault");
      expect(stop.event.message).toContain("page fault");
      expect(stop.event.message).toContain("0xb8000");
    });
  });
}
