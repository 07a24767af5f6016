/**
 * Which block each edit of a tangled file belongs to. An edit is carried back only where that is beyond doubt:
 * - Lines that are changed or removed lie in one block, with no slot between them.
 * - Lines that are only added have lines of one block on either side, with no slot between them. Where two blocks meet, or
 *   a block and a slot, they could belong to either, so they are refused, as they are at the start and the end of a file
 *   where more than the file's own block begins or ends there.
 * - Where equal lines leave open which of them was added or removed, all possible places lie in one block.
 */
import type { Diagnostic, Place } from "../place.ts";
import type { Block } from "./book.ts";
import { diff, type Edit, slack } from "./diff.ts";
import { labelOf } from "./edition.ts";
import { LT } from "./errors.ts";
import type { BlockPosition, Layout } from "./layout.ts";
import { readSlot } from "./slot.ts";

/** A line of a block after an edit: the index of a line that stays, or a new text with its place in dist/. */
export type EditedLine = number | { readonly text: string; readonly place: Place };

/** A block whose lines were edited in one tangled file. */
export interface EditedBlock {
  readonly block: Block;
  readonly lines: readonly EditedLine[];
  /** The first edit, in dist/. */
  readonly place: Place;
}

/** The texts of a block's lines after an edit. */
export function textsOf({ block, lines }: Pick<EditedBlock, "block" | "lines">): string[] {
  return lines.map((line) => (typeof line === "number" ? block.lines[line]!.text : line.text));
}

/** Compares a tangled file with its edited lines. `file` is its path in dist/. */
export function assignEdits(
  layout: Layout,
  edited: readonly string[],
  file: string,
): { blocks: EditedBlock[]; refusals: Diagnostic[] } {
  const texts = layout.lines.map(({ text }) => text);
  const edits = diff(texts, edited);
  const blocks = new Map<Block, { readonly place: Place; readonly lines: EditedLine[] }>();
  const refusals: Diagnostic[] = [];
  // From the last edit to the first, so that indices in a block stay those of the tangled file.
  for (let index = edits.length - 1; index >= 0; index--) {
    const edit = edits[index]!;
    const place = { file, line: Math.max(1, Math.min(edit.newStart + 1, edited.length)), column: 1 };
    const problem = doubt(layout, edit, slack(texts, edited, edits, index), place);
    if (problem !== null) {
      refusals.unshift(problem);
      continue;
    }
    const position = edit.oldEnd > edit.oldStart ? layout.lines[edit.oldStart]! : layout.gaps[edit.oldStart]![0]!;
    const { block } = position;
    const lines = edited
      .slice(edit.newStart, edit.newEnd)
      .map((text, offset) => unindented(text, position, { ...place, line: edit.newStart + offset + 1 }));
    for (const line of lines.toReversed()) if ("code" in line) refusals.unshift(line);
    const known = blocks.get(block)?.lines ?? [...block.lines.keys()];
    const kept = lines.filter((line): line is Exclude<typeof line, Diagnostic> => !("code" in line));
    known.splice(position.index, edit.oldEnd - edit.oldStart, ...kept);
    blocks.set(block, { place, lines: known });
  }
  return { blocks: [...blocks].reverse().map(([block, rest]) => ({ block, ...rest })), refusals };
}

/** Why the block of an edit is not beyond doubt, or null. */
function doubt(
  layout: Layout,
  edit: Edit,
  { up, down }: { up: number; down: number },
  place: Place,
): Diagnostic | null {
  const { oldStart, oldEnd } = edit;
  const added = oldEnd === oldStart;
  const meets = (gap: number): boolean => layout.gaps[gap]!.length !== 1;
  for (let gap = oldStart + 1; gap < oldEnd; gap++) {
    if (!meets(gap)) continue;
    const [first, last] = [layout.lines[oldStart]!, layout.lines[oldEnd - 1]!];
    const what = first.block === last.block ? "a slot" : "more than one block";
    return {
      code: LT.acrossBlocks,
      message: `this edit reaches across ${what} of the book`,
      place,
      hint: "make it in the chapters, or in parts with a line between them that stays",
      related: [
        { place: placeOf(first), message: `from here, in \`${labelOf(first.block)}\`` },
        { place: placeOf(last), message: `to here, in \`${labelOf(last.block)}\`` },
      ],
    };
  }
  const [highest, lowest] = added ? [oldStart - up, oldStart + down] : [oldStart - up + 1, oldEnd + down - 1];
  for (let gap = highest; gap <= lowest; gap++) {
    if (!meets(gap)) continue;
    const positions = layout.gaps[gap]!;
    const [first, last] = [positions[0]!, positions.at(-1)!];
    const slot = first.block === last.block;
    return {
      code: LT.ambiguousEdit,
      message: added
        ? `lines are added where ${slot ? "a slot of the book is" : "blocks of the book meet"}: they could belong on either side`
        : "equal lines of different blocks: it is open which of them was removed",
      place,
      hint: "make this edit in the chapter",
      related: [
        { place: placeOf(first), message: `before this line, in \`${labelOf(first.block)}\`` },
        { place: placeOf(last), message: `or before this line, in \`${labelOf(last.block)}\`` },
      ],
    };
  }
  return null;
}

/** The line of the book at a position; after the last line, the one that closes the fence. */
function placeOf({ block, index }: BlockPosition): Place {
  const line = block.lines[index];
  if (line === undefined) return { ...block.place, line: block.place.line + block.lines.length + 1 };
  return { file: block.place.file, line: line.line, column: line.column + 1 };
}

/** A new line as it is to stand in the block, without what the slots indent; or why it cannot stand there. */
function unindented(text: string, position: BlockPosition, place: Place): Diagnostic | Exclude<EditedLine, number> {
  const { block, indent } = position;
  const refused = (message: string, hint: string): Diagnostic => {
    const related = [{ place: placeOf(position), message: `it would stand here, in \`${labelOf(block)}\`` }];
    return { code: LT.unfitLine, message, place, hint, related };
  };
  if (text !== "" && (!text.startsWith(indent) || text === indent))
    return refused(
      `every line of this block is indented by its slot, ${indent.length} columns or more, or empty`,
      text.trim() === "" ? "leave no white space in an empty line" : "indent the line, or edit the chapter",
    );
  const own = text.slice(indent.length);
  if (readSlot(own, block.language) !== null)
    return refused("in the book this line would be a slot", "slots are written in the chapter");
  return { text: own, place };
}
