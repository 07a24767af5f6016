/**
 * What dist/ tells of its own tangled files: beside each edition's files stands the digest of each as it was tangled. A
 * file with another digest was edited since; one with another text than the book's, but its own digest, is only stale.
 */
import type { Tree } from "./build.ts";
import type { Output } from "./chapter.ts";
import { compare } from "./literate/expand.ts";

/** The name of the record in an edition's folder. */
export const RECORD = ".tangled.json";

/** A tangled file of a chapter by its path below dist/chapters, and the folder of its edition: `03/variants/trap/`. */
const CHAPTER_SOURCE = /^((?:\d+\/)?(?:variants\/[^/]+\/)?)((?:boot|kernel)\/.*)$/;

/** The tree with a record for each edition in it, after the files that it speaks of. */
export function withRecords({ folder, outputs }: Tree, digest: (bytes: Uint8Array) => string): Tree {
  const records = new Map<string, Map<string, string>>();
  for (const { path, bytes } of outputs) {
    const [, below, source] = folder === "dist/machine" ? ["", "", path] : (CHAPTER_SOURCE.exec(path) ?? []);
    if (below === undefined || source === undefined) continue;
    const record = records.get(below) ?? new Map<string, string>();
    records.set(below, record.set(source, digest(bytes)));
  }
  const written = [...records].map(([below, record]) => ({ path: below + RECORD, bytes: formatRecord(record) }));
  return { folder, outputs: [...outputs, ...written] };
}

/** Whether an edition's folder has its tangled files at this path, relative to it. */
export function isSource(folder: string, path: string): boolean {
  return folder === "dist/machine" ? path !== RECORD : CHAPTER_SOURCE.exec(path)?.[1] === "";
}

/** The bytes of a record. */
export function formatRecord(record: ReadonlyMap<string, string>): Output["bytes"] {
  const files = Object.fromEntries([...record].sort(([a], [b]) => compare(a, b)));
  return new TextEncoder().encode(`${JSON.stringify({ version: 1, files }, null, 2)}\n`);
}

/** Reads a record; null for what is none. */
export function readRecord(text: string): Map<string, string> | null {
  try {
    const { version, files } = JSON.parse(text) as { version: unknown; files: Record<string, string> };
    return version === 1 ? new Map(Object.entries(files)) : null;
  } catch {
    return null;
  }
}
