/** Where each block of a chapter stands in the tangled files, what is beside it there, and what it replaces. */
import type { Block, Book, Chapter, Snapshot, TangledFile } from "../../tangle/literate/book.ts";

/** What a block's caption and line numbers say. */
export interface Part {
  readonly block: Block;
  /** The tangled file it reaches, or null where a later block of the chapter replaces it. */
  readonly file: string | null;
  /** For each line of the block its line in that file, or null (slots, lines not in this snapshot). */
  readonly lineNumbers: readonly (number | null)[];
  /** The blocks just before and after it in that file, where those stand elsewhere in the book. */
  readonly previous: Block | null;
  readonly next: Block | null;
  /** The block whose text this one replaces or removes. */
  readonly replaces: Block | null;
  /** The block that this one continues. */
  readonly continues: Block | null;
}

interface Position {
  readonly file: TangledFile;
  readonly line: number;
}

const key = (file: string, line: number): string => `${file}:${line}`;

/** All blocks of the book in the order in which they apply. */
export function allBlocks(book: Book): Block[] {
  return [...book.appendices, ...book.chapters].flatMap((chapter) => chapter.blocks);
}

/**
 * The parts of one chapter. `snapshots` are the chapter's own, its variants' and the machine's files: a block is looked
 * for in each in turn, so a variant's block is found in the variant.
 */
export function partsOf(
  chapter: Chapter,
  book: Book,
  snapshots: readonly Pick<Snapshot, "files">[],
): Map<number, Part> {
  const blocks = allBlocks(book);
  const blockAt = new Map(blocks.flatMap((b) => b.lines.map((line) => [key(b.place.file, line.line), b] as const)));
  const positions = new Map<string, Position>();
  for (const file of snapshots.flatMap((snapshot) => snapshot.files)) {
    file.lines.forEach((origin, index) => {
      const at = key(origin.file, origin.line);
      if (!positions.has(at)) positions.set(at, { file, line: index + 1 });
    });
  }
  return new Map(chapter.blocks.map((block) => [block.place.line, partOf(block, blocks, blockAt, positions)]));
}

function partOf(
  block: Block,
  blocks: readonly Block[],
  blockAt: ReadonlyMap<string, Block>,
  positions: ReadonlyMap<string, Position>,
): Part {
  const found = block.lines.map((line) => positions.get(key(block.place.file, line.line)) ?? null);
  const known = found.filter((position) => position !== null);
  const file = known[0]?.file ?? null;
  const blockOf = (line: number): Block | null => {
    const origin = file?.lines[line - 1];
    return origin === undefined ? null : (blockAt.get(key(origin.file, origin.line)) ?? null);
  };
  const earlier = blocks.slice(0, blocks.indexOf(block)).filter((other) => other.name === block.name);
  const definition = earlier.findLast((other) => other.operation === "define" || other.operation === "replace") ?? null;
  return {
    block,
    file: file?.path ?? null,
    lineNumbers: found.map((position) => position?.line ?? null),
    previous: known.length > 0 ? blockOf(known[0]!.line - 1) : null,
    next: known.length > 0 ? blockOf(known.at(-1)!.line + 1) : null,
    replaces: block.operation === "replace" || block.operation === "remove" ? definition : null,
    continues: block.operation === "append" ? definition : null,
  };
}
