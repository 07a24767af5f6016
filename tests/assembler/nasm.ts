/** nasm as the judge of our bytes. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What `nasm -f bin` makes of a text. Throws with nasm's own messages where it refuses it. */
export function assembleWithNasm(text: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "nasm-"));
  try {
    writeFileSync(join(folder, "source.asm"), text);
    const run = spawnSync("nasm", ["-f", "bin", "-w-all", "source.asm", "-o", "image"], {
      cwd: folder,
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(`nasm refuses the text:\n${run.stderr}`);
    return new Uint8Array(readFileSync(join(folder, "image")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
