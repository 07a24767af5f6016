/** Applies the operations of the book, in order, up to one chapter: which chunks there are then, and what each holds. */
import type { Diagnostic } from "../place.ts";
import type { Block, Book, Chapter } from "./book.ts";
import { LT } from "./errors.ts";

/** Which blocks of the book count. `chapter` null means all of them: the machine's edition. */
export interface EditionName {
  readonly chapter: number | null;
  readonly variant: string | null;
}

/** A chunk, or a file, after all operations of an edition. */
export interface Chunk {
  /** `#put-byte` or `file=kernel/vga.ts`. */
  readonly label: string;
  readonly definition: Block;
  /** The blocks whose lines are its body, in order. */
  parts: readonly Block[];
  /** Every block that worked on it, whether its lines are still there or not. */
  readonly history: Block[];
  /** Chunks inserted beside it, in the order of the text. */
  readonly before: Chunk[];
  readonly after: Chunk[];
  /** True after `-=`: a removed file is not written. */
  removed: boolean;
}

export interface Edition extends EditionName {
  /** By label. */
  readonly chunks: ReadonlyMap<string, Chunk>;
}

/** What `applyOperations` tells of each step; `replaced` are the blocks whose lines a `:=` or `-=` takes out. */
export interface EditionListener {
  report?(diagnostic: Diagnostic): void;
  replaced?(by: Block, blocks: readonly Block[]): void;
}

/** `#put-byte` or `file=kernel/vga.ts`. */
export function labelOf(block: Pick<Block, "name" | "isFile">): string {
  return block.isFile ? `file=${block.name}` : `#${block.name}`;
}

/** The variants of a chapter, in the order of their first block. */
export function variantNames(chapter: Chapter): string[] {
  return [...new Set(chapter.blocks.flatMap((block) => (block.variant === null ? [] : [block.variant])))];
}

/** Every edition that is built: the machine's, and each chapter with its variants. */
export function editionNames(book: Book): EditionName[] {
  const chapters = book.chapters.flatMap((chapter) =>
    [null, ...variantNames(chapter)].map((variant) => ({ chapter: chapter.frontMatter.milestone, variant })),
  );
  return [{ chapter: null, variant: null }, ...chapters];
}

/** All blocks in the order of their operations: the appendices' by path, then the chapters'. */
export function allBlocks(book: Book): Block[] {
  return [...book.appendices, ...book.chapters].flatMap((chapter) => chapter.blocks);
}

/** Whether a block takes part in an edition. */
function takesPart(block: Block, { chapter, variant }: EditionName): boolean {
  if (block.variant !== null) return block.chapter === chapter && block.variant === variant;
  return chapter === null || block.chapter === null || block.chapter <= chapter;
}

/** Builds one edition. A mistaken operation is reported and then applied as well as it can be. */
export function applyOperations(book: Book, name: EditionName, listener: EditionListener = {}): Edition {
  const chunks = new Map<string, Chunk>();
  const guessed = new Set<Chunk>();
  const blocks = allBlocks(book);

  const create = (block: Block): Chunk => {
    const label = labelOf(block);
    const chunk = { label, definition: block, parts: [block], history: [block], before: [], after: [], removed: false };
    chunks.set(label, chunk);
    return chunk;
  };
  const define = (block: Block): void => {
    const known = chunks.get(labelOf(block));
    if (known === undefined) insert(create(block));
    else if (guessed.delete(known)) {
      known.parts = [block, ...known.parts];
      known.history.push(block);
    } else listener.report?.(duplicate(block, known.definition));
  };
  const insert = (chunk: Chunk): void => {
    const beside = chunk.definition.beside;
    if (beside === null) return;
    const anchor = chunks.get(`#${beside.name}`);
    if (anchor === undefined || anchor === chunk) {
      listener.report?.(unknown(`#${beside.name}`, beside.place, chunk.definition, blocks));
    } else if (beside.side === "after") anchor.after.unshift(chunk);
    else anchor.before.push(chunk);
  };

  for (const block of blocks) {
    if (!takesPart(block, name)) continue;
    if (block.operation === "define") {
      define(block);
      continue;
    }
    const chunk = chunks.get(labelOf(block));
    if (chunk === undefined) {
      listener.report?.(unknown(labelOf(block), block.place, block, blocks));
      guessed.add(create(block));
      continue;
    }
    chunk.history.push(block);
    chunk.removed = block.operation === "remove";
    if (block.operation === "append") chunk.parts = [...chunk.parts, block];
    else {
      listener.replaced?.(block, chunk.parts);
      chunk.parts = block.operation === "replace" ? [block] : [];
    }
  }
  return { ...name, chunks };
}

function duplicate(block: Block, first: Block): Diagnostic {
  const label = labelOf(block);
  return {
    code: block.isFile ? LT.duplicateFile : LT.duplicateName,
    message: `\`${label}\` is defined twice`,
    place: block.place,
    hint: "append to it with `+=`, or replace it from this chapter on with `:=`",
    related: [{ place: first.place, message: "first defined here" }],
  };
}

function unknown(label: string, place: Diagnostic["place"], by: Block, blocks: readonly Block[]): Diagnostic {
  const definition = blocks.find((block) => block.operation === "define" && block !== by && labelOf(block) === label);
  if (definition !== undefined) {
    const when = definition.variant === null ? "only later" : `only in the variant \`${definition.variant}\``;
    const related = [{ place: definition.place, message: "defined here" }];
    return { code: LT.unknownChunk, message: `\`${label}\` is defined ${when}`, place, related };
  }
  return {
    code: LT.unknownChunk,
    message: `nothing in the book defines \`${label}\``,
    place,
    ...didYouMean(label, blocks),
  };
}

/** A hint with the defined chunk or file whose name comes nearest, if one is near. */
export function didYouMean(label: string, blocks: readonly Block[]): Pick<Diagnostic, "hint"> {
  let best: string | null = null;
  let least = Math.min(3, Math.ceil(label.length / 4) + 1);
  for (const block of blocks) {
    if (block.operation !== "define") continue;
    const candidate = labelOf(block);
    const distance = editDistance(label, candidate);
    if (distance > 0 && distance < least) [best, least] = [candidate, distance];
  }
  return best === null ? {} : { hint: `did you mean \`${best}\`?` };
}

/** Levenshtein's distance: how many letters must be put in, taken out or exchanged. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchange = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, exchange));
    }
    row = next;
  }
  return row[b.length]!;
}
