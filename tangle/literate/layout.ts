/** Tangled files with the block of every line, and the blocks that a new line could go to. */
import type { Block } from "./book.ts";
import type { Edition } from "./edition.ts";
import { expandChunk, fileChunks, indented } from "./expand.ts";
import type { Target } from "./path.ts";

/** A place in a block, and what the slots around the block add to its lines there. */
export interface BlockPosition {
  readonly block: Block;
  /** Counts the block's lines from 0. */
  readonly index: number;
  readonly indent: string;
}

/** One line of a tangled file. */
export interface LaidLine extends BlockPosition {
  /** Without the line's end. */
  readonly text: string;
}

/** A tangled file, line by line. */
export interface Layout {
  readonly path: string;
  readonly lines: readonly LaidLine[];
  /**
   * For each line, and for the end of the file, where a line could be added before it: one position inside a block,
   * more where blocks or slots meet.
   */
  readonly gaps: readonly (readonly BlockPosition[])[];
}

/** The files of one target, by path. */
export function layOut(edition: Edition, target: Target): Layout[] {
  return fileChunks(edition, target).map((file) => {
    const lines: LaidLine[] = [];
    const gaps: BlockPosition[][] = [[]];
    expandChunk(file, edition, {
      line: (block, index, indent) => {
        lines.push({ block, index, indent, text: indented(block.lines[index]!.text, indent) });
        gaps.push([]);
      },
      gap: (block, index, indent) => gaps.at(-1)!.push({ block, index, indent }),
    });
    return { path: file.definition.name, lines, gaps };
  });
}
