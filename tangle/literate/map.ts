/** Places in tangled files ↔ places in the book. */
import type { Place } from "../place.ts";
import type { TangledFile } from "./book.ts";

/** What holds tangled files: a snapshot, or `{ files: tangleMachine(book) }`. */
interface Tangled {
  readonly files: readonly TangledFile[];
}

/**
 * The place in the book of a place in a tangled file. A line after the last belongs to the last; a file that was not
 * tangled stays as it is.
 */
export function toBook({ files }: Tangled, place: Place): Place {
  const lines = files.find((file) => file.path === place.file)?.lines;
  const origin = lines?.[Math.min(place.line, lines.length) - 1];
  if (origin === undefined) return place;
  return { file: origin.file, line: origin.line, column: Math.max(1, place.column + origin.column) };
}

/** The places in tangled files of a place in the book: none where its line is not in these files, one in each that has it. */
export function toTangled({ files }: Tangled, place: Place): Place[] {
  return files.flatMap((file) => {
    const index = file.lines.findIndex((origin) => origin.line === place.line && origin.file === place.file);
    if (index < 0) return [];
    return [{ file: file.path, line: index + 1, column: Math.max(1, place.column - file.lines[index]!.column) }];
  });
}
