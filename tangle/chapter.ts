/** One chapter from its tangled sources to everything that stands in its folder of dist/. */
import type { Snapshot } from "./literate/book.ts";
import type { Diagnostic } from "./place.ts";

/** A file to write, its path relative to the chapter's folder: `kernel/main.ts`, `kernel.elf`. */
export interface Output {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a chapter was built into. With errors among `diagnostics` the outputs are not to be written. */
export interface ChapterBuild {
  readonly outputs: readonly Output[];
  /** At places in the book. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Builds a snapshot. Pure: the same snapshot gives the same bytes, in Node and in the browser. `borrowed` is the
 * snapshot whose boot loader starts this one's kernel where it has none yet.
 */
export function buildChapter(snapshot: Snapshot, borrowed: Snapshot | null): ChapterBuild {
  const encoder = new TextEncoder();
  return {
    outputs: snapshot.files.map((file) => ({ path: file.path, bytes: encoder.encode(file.text) })),
    diagnostics: [],
  };
}
