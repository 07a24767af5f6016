/** The same chapters give the same bytes, wherever they are built. */
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../../tangle/cli.ts";
import { folderOf, repository } from "./images.ts";

/** Every file below a folder with a hash of its bytes, by path. */
function hashes(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), hash(path)]));
}

async function buildElsewhere(chapter: number): Promise<Record<string, string>> {
  const root = mkdtempSync(join(tmpdir(), "taiji-book-"));
  try {
    cpSync(join(repository, "book"), join(root, "book"), { recursive: true });
    const lines: string[] = [];
    const tell = (line: string) => lines.push(line);
    const surroundings = { root, out: tell, error: tell, colours: false, signal: new AbortController().signal };
    const status = await main(["--chapter", `${chapter}`], surroundings);
    expect(status, lines.join("\n")).toBe(0);
    return hashes(join(root, folderOf(chapter, null)));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export function testReproducible(chapter: number): void {
  test("is the same, byte for byte, built twice in different folders", async () => {
    const first = await buildElsewhere(chapter);
    expect(Object.keys(first)).toContain("kernel.elf");
    if (chapter > 1) expect(Object.keys(first)).toContain("disk.img");
    expect(await buildElsewhere(chapter)).toEqual(first);
    expect(hashes(join(repository, folderOf(chapter, null)))).toEqual(first);
  });
}
