/** The book as data: Markdown files in, blocks and expectations read from them, tangled files out. */
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

/** What a tagged fence does to the chunk, or to the file, that it names. */
export type Operation = "define" | "append" | "replace" | "remove";

/** One line of a block. */
export interface BlockLine {
  readonly text: string;
  /** Line in the Markdown file, from 1. */
  readonly line: number;
  /** Columns that stand before the text in Markdown (a fence in a list is indented). */
  readonly column: number;
  /** The name of the chunk that goes here, where the line is a slot `// <<name>>`; otherwise null. */
  readonly slot: string | null;
  /** White space before a slot's comment; empty on other lines. */
  readonly indent: string;
}

/** Where a chunk is inserted that has no slot of its own: `after=put-byte`. */
export interface Beside {
  readonly side: "after" | "before";
  readonly name: string;
  readonly place: Place;
}

/** A tagged fence: one operation on one chunk or file. */
export interface Block {
  /** Where the opening fence stands. */
  readonly place: Place;
  /** Chapter number, or null in an appendix. */
  readonly chapter: number | null;
  /** First word of the fence: `ts`, `asm`. */
  readonly language: string;
  readonly operation: Operation;
  /** `kernel/vga.ts` or `put-byte`: paths have a slash, names have none. */
  readonly name: string;
  readonly isFile: boolean;
  readonly beside: Beside | null;
  /** The variant of the chapter that alone has this block, or null. */
  readonly variant: string | null;
  /** First and last chapter whose suites run what the block defines. */
  readonly since: number | null;
  readonly until: number | null;
  readonly lines: readonly BlockLine[];
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

/** One Markdown file, read. */
export interface Chapter {
  readonly path: string;
  readonly frontMatter: FrontMatter;
  readonly blocks: readonly Block[];
  readonly expectations: readonly Expectation[];
}

/** The whole book. */
export interface Book {
  /** By milestone. */
  readonly chapters: readonly Chapter[];
  /** By path. They belong to every snapshot's machine and to no kernel. */
  readonly appendices: readonly Chapter[];
}

/** Where a line of a tangled file stands in the book. */
export interface LineOrigin {
  readonly file: string;
  readonly line: number;
  /** Added to a column in the tangled file; negative where a slot indents deeper than the chapter. */
  readonly column: number;
}

/** A file of a snapshot, with the map back to the Markdown it came from. */
export interface TangledFile {
  /** `kernel/vga.ts`, `boot/sector.asm`, `machine/cpu/registers.ts`. */
  readonly path: string;
  /** Every line ends with a newline. */
  readonly text: string;
  /** One origin for each line of `text`. */
  readonly lines: readonly LineOrigin[];
}

/** The kernel and boot files of chapters 1 to N, and what a run of chapter N must print. */
export interface Snapshot {
  readonly chapter: number;
  readonly variant: string | null;
  readonly files: readonly TangledFile[];
  readonly expectations: readonly Expectation[];
}
