/** Runs a disk in QEMU to its end, for what it sends over its serial line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BY_INSTRUCTIONS } from "../guest-time.ts";

/** Status of the debug exit by which images say that they are done. */
export const DONE = 33;

export interface QemuEnd {
  /** Of the process; null where the time was over. */
  readonly status: number | null;
  readonly serial: Uint8Array;
  /** What QEMU itself complained about. */
  readonly errors: string;
}

/** Boots a copy of the disk in a PC of 8 MiB. `cpu` is a model that QEMU knows, `timeout` is in milliseconds. */
export function runInQemu(disk: Uint8Array, { cpu = "qemu64", timeout = 200_000 } = {}): QemuEnd {
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  try {
    const image = join(folder, "disk.img");
    const serial = join(folder, "serial");
    writeFileSync(image, disk);
    const run = spawnSync(
      "qemu-system-x86_64",
      [
        ...["-cpu", cpu, "-m", "8", "-accel", "tcg", "-display", "none", "-no-reboot"],
        ...["-drive", `file=${image},format=raw`, "-serial", `file:${serial}`],
        ...["-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
        ...BY_INSTRUCTIONS,
      ],
      { timeout, encoding: "utf8" },
    );
    return { status: run.status, serial: new Uint8Array(readFileSync(serial)), errors: run.stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
