/** What a page tells of each block: the files it reaches, what it replaces, where the same file goes on. */
import type { Block, Book } from "./book.ts";
import { analyse } from "./check.ts";
import { allBlocks, applyOperations, editionNames } from "./edition.ts";

/** One block and its neighbours in the book. */
export interface BlockStory {
  readonly block: Block;
  /** The tangled files that it reaches, those of its own chapter first. */
  readonly files: readonly string[];
  /** The blocks whose lines it takes out: for `:=` and `-=`, all that its chunk was made of until then. */
  readonly replaces: readonly Block[];
  /** The block outside variants that takes its own lines out, or null. */
  readonly replacedBy: Block | null;
  /** The blocks before and after it, in the book's order, that reach the same file; variants only beside themselves. */
  readonly previous: Block | null;
  readonly next: Block | null;
}

/** The stories of all blocks, in the book's order of operations: appendices by path, then chapters. */
export function tellBlocks(book: Book): ReadonlyMap<Block, BlockStory> {
  const { files } = analyse(book);
  const replaces = new Map<Block, readonly Block[]>();
  for (const name of editionNames(book)) {
    if (name.chapter !== null && name.variant === null) continue;
    applyOperations(book, name, {
      replaced: (by, blocks) => {
        if (by.variant === name.variant) replaces.set(by, blocks);
      },
    });
  }
  const replacedBy = new Map<Block, Block>();
  for (const [by, blocks] of replaces) if (by.variant === null) for (const block of blocks) replacedBy.set(block, by);

  const blocks = allBlocks(book);
  const stories = new Map<Block, BlockStory>();
  for (const [index, block] of blocks.entries()) {
    const file = files.get(block)?.[0];
    const beside = (other: Block): boolean =>
      file !== undefined &&
      files.get(other)?.includes(file) === true &&
      (other.variant === null || (other.variant === block.variant && other.chapter === block.chapter));
    stories.set(block, {
      block,
      files: files.get(block) ?? [],
      replaces: replaces.get(block) ?? [],
      replacedBy: replacedBy.get(block) ?? null,
      previous: blocks.slice(0, index).findLast(beside) ?? null,
      next: blocks.slice(index + 1).find(beside) ?? null,
    });
  }
  return stories;
}
