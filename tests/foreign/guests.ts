/** Disks and kernels that others wrote and compiled, as Debian's packages bring them, and what they are asked. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Program } from "../requires.ts";
import type { Step, Talk } from "./dialogue.ts";
import { grubDisk } from "./grub-disk.ts";

const IPXE = "/usr/lib/ipxe/ipxe.iso";
const MEMTEST = "/usr/lib/memtest86+/memtest86+x64.iso";
const MACH = "/boot/gnumach-1.8-486.gz";
const MEBIBYTE = 0x100000;

export interface Guest {
  readonly name: string;
  /** What it is made of. */
  readonly needs: readonly Program[];
  /** Bytes of RAM. */
  readonly memory: number;
  image(): Uint8Array;
  /** The disk for QEMU, where the image is a kernel that our machine starts without a loader. */
  disk?(): Uint8Array;
  readonly steps: readonly Step[];
  /** How many of the steps the tests take: all, unless given. `npm run foreign` takes them all. */
  readonly tested?: number;
  /** What it says that must be the same in both machines. */
  said(talk: Talk): string[];
  /** Further arguments for QEMU, where it should be more like our machine. */
  readonly more?: readonly string[];
  /** Why it ends before all steps have come to pass, where it does. */
  readonly ends?: string;
}

export const NEEDED_BY_GRUB = ["grub-mkimage", "/usr/lib/grub/i386-pc/kernel.img"] as const;

const GRUB_SETTINGS = `
serial --unit=0 --speed=115200
terminal_output serial console
terminal_input console
set timeout=-1
menuentry "A kernel" {
  multiboot /kernel console=com0
  boot
}
menuentry "Nothing" {
  true
}
`;

/** The menu, and commands typed by hand: the firmware's screen, keyboard and disk, back and forth from protected mode. */
const grub: Guest = {
  name: "GRUB",
  needs: NEEDED_BY_GRUB,
  memory: 32 * MEBIBYTE,
  image: () => grubDisk({ "grub/grub.cfg": GRUB_SETTINGS, "hello.txt": "Hello from a file.\n" }, 15),
  steps: [
    { serial: "Nothing", type: "c" },
    { serial: "grub> ", type: "ls\n" },
    { serial: "grub> ", type: "ls /\n" },
    { serial: "grub> ", type: "cat /hello.txt\n" },
    { serial: "grub> ", type: "cpuid -l\n" },
    { serial: "grub> ", type: "halt\n" },
    { serial: "still here" },
  ],
  said: ({ serial }) => linesFrom(serial, "grub> "),
  ends: "halted",
};

/** A 64-bit ELF kernel by the Multiboot protocol. Without a system to run it says so, and stops. */
const mach: Guest = {
  name: "GNU Mach, started by GRUB",
  needs: [...NEEDED_BY_GRUB, MACH],
  memory: 64 * MEBIBYTE,
  image: () => grubDisk({ "grub/grub.cfg": GRUB_SETTINGS, kernel: gunzipSync(readFileSync(MACH)) }, 15),
  steps: [{ serial: "Nothing", type: "\n" }, { serial: "No bootstrap code loaded with the kernel!\n" }],
  said: ({ serial }) => wordsOfMach(linesFrom(serial, "GNU Mach")),
};

/** The same kernel, put into memory by our machine itself; for QEMU by GRUB. It speaks on the screen. */
const machAlone: Guest = {
  name: "GNU Mach, without a loader",
  needs: [...NEEDED_BY_GRUB, MACH],
  memory: 64 * MEBIBYTE,
  image: () => gunzipSync(readFileSync(MACH)),
  disk: () => grubDisk({ "grub/grub.cfg": "multiboot /kernel\nboot\n", kernel: gunzipSync(readFileSync(MACH)) }, 15),
  // The end of the line, which the screen breaks: "No bootstrap code loaded with the kernel!"
  steps: [{ screen: /No bootstrap code[\s\S]*he kernel!/ }],
  said: ({ screen }) => wordsOfMach(linesFrom(screen, "GNU Mach")),
};

/**
 * ISOLINUX in the boot sector of a hybrid disk, which loads iPXE, which looks for cards on every port and offers its
 * shell. It spins on a byte beside its own code, which our machine is slow at: the tests do not wait for that.
 */
const ipxe: Guest = {
  name: "ISOLINUX and iPXE",
  needs: [IPXE],
  memory: 32 * MEBIBYTE,
  image: () => new Uint8Array(readFileSync(IPXE)),
  steps: [
    { screen: "iPXE initialising devices" },
    { screen: "Ctrl-B", type: "\x02" },
    { screen: "iPXE>", type: "show version\n" },
    { screen: /version:string.*\niPXE>/ },
  ],
  tested: 1,
  said: ({ screen }) => linesFrom(screen, "ISOLINUX").slice(0, 3),
};

/** A 64-bit program that brings its own paging, and writes to all of memory. */
const memtest: Guest = {
  name: "Memtest86+",
  needs: [MEMTEST],
  memory: 8 * MEBIBYTE,
  image: () => new Uint8Array(readFileSync(MEMTEST)),
  steps: [{ screen: "<Enter> to start", type: "\n" }, { screen: /Test #3 +\[Moving inversions, 1s & 0s\]/ }],
  said: ({ screen }) =>
    [...screen.matchAll(/Memtest86\+ v[0-9.]+|Test #\d+ +\[[^\]]*\]|Errors: \d+/g)].map(([found]) => found),
};

export const GUESTS: readonly Guest[] = [grub, mach, machAlone, ipxe, memtest];

/** Without what depends on the chips that are there and on the firmware's list of memory. */
function wordsOfMach(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^(biosmem|vm_page|com |RTC)/.test(line));
}

/** The lines of a text from the first place of `first` on, without blanks at their ends and without empty ones. */
export function linesFrom(text: string, first: string): string[] {
  const from = text.indexOf(first);
  if (from < 0) return [];
  const lines = text.slice(from).split("\n");
  return lines.map((line) => line.trimEnd()).filter((line) => line !== "");
}
