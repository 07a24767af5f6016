/**
 * Programs and files that some tests need and a reader may not have. A test that lacks one is skipped, and the runner says what
 * to install; with TAIJI_REQUIRE=1 (continuous integration) it runs and fails instead.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const DEBIAN_PACKAGE = {
  "qemu-system-x86_64": "qemu-system-x86",
  chromium: "chromium",
  nasm: "nasm",
  gcc: "gcc",
  objdump: "binutils",
  readelf: "binutils",
  gdb: "gdb",
  "grub-mkimage": "grub-common",
  "/usr/lib/grub/i386-pc/kernel.img": "grub-pc-bin",
  "/usr/lib/ipxe/ipxe.iso": "ipxe",
  "/usr/lib/memtest86+/memtest86+x64.iso": "memtest86+",
  "/boot/gnumach-1.8-486.gz": "gnumach-image-1.8-486",
} as const;

export type Program = keyof typeof DEBIAN_PACKAGE;

const isThere = (name: string): boolean =>
  name.startsWith("/") ? existsSync(name) : spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

/** Every program of the list that is not on the PATH, and every file that is not there, with the Debian package that has it. */
export function missingPrograms(): { program: Program; debian: string }[] {
  const programs = Object.keys(DEBIAN_PACKAGE) as Program[];
  return programs
    .filter((program) => !isThere(program))
    .map((program) => ({ program, debian: DEBIAN_PACKAGE[program] }));
}

const missing = new Set(missingPrograms().map((m) => m.program));

/** True where a test that needs these programs must be skipped: `test.skipIf(lacks("nasm"))(…)`. */
export function lacks(...programs: Program[]): boolean {
  return process.env.TAIJI_REQUIRE !== "1" && programs.some((program) => missing.has(program));
}
