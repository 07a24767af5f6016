/** Chapter 2's boot loader on all kinds of computers, also those that it must refuse. */
import { describe, expect, test } from "vitest";
import { screenText } from "#machine/platform/vga.ts";
import { lacks } from "../requires.ts";
import { bootableDisk } from "./images.ts";
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

export function testBooting(): void {
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
