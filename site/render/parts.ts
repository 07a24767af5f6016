/** What a page says of each block of a chapter: its story in the book, and its lines in the tangled file. */
import type { BlockStory } from "../../tangle/literate/blocks.ts";
import type { Block, Chapter, Snapshot } from "../../tangle/literate/book.ts";

export interface Part extends BlockStory {
  /** For each line of the block its line in the tangled file, or null (slots, lines not in this snapshot). */
  readonly lineNumbers: readonly (number | null)[];
  /** The block that this one continues (`+=`). */
  readonly continues: Block | null;
}

const key = (file: string, line: number): string => `${file}:${line}`;

/**
 * The parts of every chapter by the line of the opening fence. `snapshots` are the chapter's own, its variants' and the
 * machine's files: a line is looked for in each in turn, so a variant's block is found in the variant.
 */
export function partsOf(
  chapter: Chapter,
  stories: ReadonlyMap<Block, BlockStory>,
  snapshots: readonly Pick<Snapshot, "files">[],
): Map<number, Part> {
  const numbers = new Map<string, number>();
  for (const file of snapshots.flatMap((snapshot) => snapshot.files)) {
    file.lines.forEach((origin, index) => {
      const at = key(origin.file, origin.line);
      if (!numbers.has(at)) numbers.set(at, index + 1);
    });
  }
  const all = [...stories.keys()];
  return new Map(
    chapter.blocks.map((block) => {
      const lineNumbers = block.lines.map((line) => numbers.get(key(block.place.file, line.line)) ?? null);
      const earlier = all.slice(0, all.indexOf(block)).filter((other) => other.name === block.name);
      const continues = block.operation === "append" ? (earlier.at(-1) ?? null) : null;
      return [block.place.line, { ...stories.get(block)!, lineNumbers, continues }];
    }),
  );
}
