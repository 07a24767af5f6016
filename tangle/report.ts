/** Diagnostics as text for a terminal: place, message, the source line with a caret, hint, and the other places. */
import type { BookFile } from "./literate/book.ts";
import type { Diagnostic, Place } from "./place.ts";

/** Lines of a file by its path; none for a file that is not at hand. */
type Source = (path: string) => readonly string[];

/** All diagnostics, an empty line between them. `files` are those whose lines can be shown. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], files: readonly BookFile[]): string {
  const known = new Map<string, readonly string[]>();
  const source = (path: string): readonly string[] => {
    const lines = known.get(path) ?? files.find((file) => file.path === path)?.text.split(/\r\n|\r|\n/) ?? [];
    known.set(path, lines);
    return lines;
  };
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source)).join("\n\n");
}

function formatDiagnostic(diagnostic: Diagnostic, source: Source): string {
  const { place, code, message, hint, related } = diagnostic;
  return [
    `${formatPlace(place)}: error ${code}: ${message}`,
    ...excerpt(place, source),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ...(related ?? []).flatMap((other) => [
      `  ${formatPlace(other.place)}: ${other.message}`,
      ...excerpt(other.place, source),
    ]),
  ].join("\n");
}

/** `book/05-cpu-exceptions.md:212:7` */
export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** The source line with a caret below the column; nothing for a place that has no line. */
function excerpt({ file, line, column }: Place, source: Source): string[] {
  const text = source(file)[line - 1];
  if (text === undefined || text.trim() === "") return [];
  const number = String(line);
  const before = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  return [`  ${number} | ${text}`, `  ${" ".repeat(number.length)} | ${before}^`];
}
