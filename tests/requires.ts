/**
 * Programs that some tests need and a reader may not have. A test that lacks one is skipped, and the runner says what
 * to install; with TAIJI_REQUIRE=1 (continuous integration) it runs and fails instead.
 */
import { spawnSync } from "node:child_process";

const DEBIAN_PACKAGE = {
  "qemu-system-x86_64": "qemu-system-x86",
  chromium: "chromium",
  nasm: "nasm",
  gcc: "gcc",
  objdump: "binutils",
  readelf: "binutils",
  gdb: "gdb",
} as const;

export type Program = keyof typeof DEBIAN_PACKAGE;

/** Every program of the list that is not on the PATH, with the Debian package that has it. */
export function missingPrograms(): { program: Program; debian: string }[] {
  const programs = Object.keys(DEBIAN_PACKAGE) as Program[];
  return programs
    .filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
    .map((program) => ({ program, debian: DEBIAN_PACKAGE[program] }));
}

const missing = new Set(missingPrograms().map((m) => m.program));

/** True where a test that needs these programs must be skipped: `test.skipIf(lacks("nasm"))(…)`. */
export function lacks(...programs: Program[]): boolean {
  return process.env.TAIJI_REQUIRE !== "1" && programs.some((program) => missing.has(program));
}
