/** Assembles bench.asm: one bootable disk for each workload, mode and size. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GuestMode } from "./workloads.ts";

/** The path of the disk image, written into `folder`. */
export function assembleDisk(name: string, mode: GuestMode, size: number, folder: string): string {
  const path = join(folder, `${name}${mode}-${size}.img`);
  const here = `${import.meta.dirname}/`;
  const defines = [`-DMODE=${mode}`, `-DWL=${name}`, `-DN=${size}`];
  execFileSync("nasm", ["-f", "bin", "-i", here, ...defines, join(here, "bench.asm"), "-o", path], {
    stdio: "inherit",
  });
  return path;
}

export function readDisk(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
