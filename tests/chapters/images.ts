/** What `npm run tangle` has built: the files of a chapter, or of one of its variants. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { MapJson } from "../../machine/debug/map.ts";
import { buildDisk } from "../../tangle/image/disk.ts";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

const SECTOR = 512;
const KERNEL_SECTOR = 33;

/** `dist/chapters/03`, `dist/chapters/03/variants/panic`: from the root of a repository. */
export function folderOf(chapter: number, variant: string | null): string {
  const folder = `dist/chapters/${String(chapter).padStart(2, "0")}`;
  return variant === null ? folder : `${folder}/variants/${variant}`;
}

export function readOutput(chapter: number, variant: string | null, name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${repository}/${folderOf(chapter, variant)}/${name}`));
}

export function readMap(chapter: number, variant: string | null): MapJson {
  return JSON.parse(new TextDecoder().decode(readOutput(chapter, variant, "map.json"))) as MapJson;
}

/** A disk that starts the chapter in any PC. Chapter 1 has no boot loader; it borrows that of chapter 2. */
export function bootableDisk(chapter: number, variant: string | null): Uint8Array {
  if (chapter > 1) return readOutput(chapter, variant, "disk.img");
  const borrowed = readOutput(2, null, "disk.img");
  return buildDisk({
    bootSector: borrowed.slice(0, SECTOR),
    secondStage: borrowed.slice(SECTOR, KERNEL_SECTOR * SECTOR),
    kernel: readOutput(chapter, variant, "kernel.elf"),
  });
}

/** What our machine starts: chapter 1 as an ELF file that it loads itself, all others from their disk. */
export function machineImage(chapter: number, variant: string | null): Uint8Array {
  return readOutput(chapter, variant, chapter > 1 ? "disk.img" : "kernel.elf");
}
