/** Edited blocks → Markdown: only their lines change, each with the indentation and the quotation marks of its fence. */
import type { Diagnostic } from "../place.ts";
import type { EditedBlock } from "./assign.ts";
import type { BookFile } from "./book.ts";
import { labelOf } from "./edition.ts";
import { LT } from "./errors.ts";

/** Writes the edited blocks of one file of the book. Every other byte of it stays. */
export function rewriteFile(
  file: BookFile,
  edited: readonly EditedBlock[],
): { file: BookFile; refusals: readonly Diagnostic[] } {
  // Lines and their ends by turns.
  const parts = file.text.split(/(\r\n|\r|\n)/);
  const source = parts.filter((_, index) => index % 2 === 0);
  const ends = parts.filter((_, index) => index % 2 === 1);
  const refusals: Diagnostic[] = [];
  for (const { block, lines } of [...edited].sort((a, b) => b.block.place.line - a.block.place.line)) {
    // The line after the one that opens the fence, counted from 0.
    const start = block.place.line;
    const opening = source[start - 1]!;
    const end = ends[start - 1]!;
    const marker = /^(`+|~+)/.exec(opening.slice(block.place.column - 1))![0];
    const prefix = prefixOf(opening.slice(0, block.place.column - 1));
    const texts: string[] = [];
    const lineEnds: string[] = [];
    for (const line of lines) {
      if (typeof line === "number") {
        texts.push(source[start + line]!);
        lineEnds.push(ends[start + line]!);
        continue;
      }
      if (isFence(line.text, marker)) {
        const related = [{ place: block.place, message: `the fence of \`${labelOf(block)}\`` }];
        const hint = "give the fence in the chapter more backticks first";
        refusals.push({
          code: LT.unfitLine,
          message: "in the book this line would be a fence",
          place: line.place,
          hint,
          related,
        });
      }
      texts.push(line.text === "" ? prefix.trimEnd() : prefix + line.text);
      lineEnds.push(end);
    }
    source.splice(start, block.lines.length, ...texts);
    ends.splice(start, block.lines.length, ...lineEnds);
  }
  const text = source.map((line, index) => line + (ends[index] ?? "")).join("");
  return { file: { path: file.path, text }, refusals };
}

/** What stands before the lines of a fence: white space where the opening line has a list's mark. */
function prefixOf(before: string): string {
  const prefix = before.replace(/[^\s>]/g, " ");
  // A quotation mark takes the white space after it.
  return prefix.endsWith(">") ? `${prefix} ` : prefix;
}

/** Whether a line inside a fence would close it, or be taken for the opening of another by a reader. */
function isFence(text: string, marker: string): boolean {
  const found = /^\s*(`+|~+)/.exec(text)?.[1];
  return found?.[0] === marker[0] && found!.length >= marker.length;
}
