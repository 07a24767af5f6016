/** The book as data: Markdown files in, tangled files and expectations out. */
import type { Place } from "../place.ts";

/** One Markdown file of the book: `book/03-vga-text-mode.md`, `book/machine-a-registers-and-memory.md`. */
export interface BookFile {
  readonly path: string;
  readonly text: string;
}

/** What stands between the `---` lines at the top of a chapter. */
export interface FrontMatter {
  readonly title: string;
  /** Chapter number, or null for an appendix. */
  readonly milestone: number | null;
  readonly summary: string;
  /** Names of the inspectors that the page opens. */
  readonly inspect: readonly string[];
}

/** A file of a snapshot, with the map back to the Markdown it came from. */
export interface TangledFile {
  /** `kernel/vga.ts`, `boot/sector.asm`, `machine/cpu/registers.ts`. */
  readonly path: string;
  readonly text: string;
  /**
   * For each line of `text`, where it stands in the book: `column` is added to a column in this file (it may be
   * negative, where a slot indents deeper than the chapter). Null for no line: each line comes from the Markdown.
   */
  readonly lines: readonly { readonly file: string; readonly line: number; readonly column: number }[];
}

/** A block ```` ```text expect=… ````: what a run of this chapter must print. */
export interface Expectation {
  readonly chapter: number;
  readonly kind: "screen" | "serial" | "exit";
  readonly variant: string | null;
  /** Lines; a line `...` matches any number of lines. */
  readonly text: string;
  readonly place: Place;
}

/** Everything that one snapshot holds: chapters 1 to N for the kernel, the whole book for the machine. */
export interface Snapshot {
  readonly chapter: number;
  readonly variant: string | null;
  readonly files: readonly TangledFile[];
  readonly expectations: readonly Expectation[];
}
