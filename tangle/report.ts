/** Diagnostics as text for a terminal: place, message, the source line with a caret, hint, and the other places. */
import type { Diagnostic, Place } from "./place.ts";

/** Gives the text of a file that a place names, or undefined. */
export type SourceText = (file: string) => string | undefined;

/** All diagnostics, an empty line between them. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], source: SourceText): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source)).join("\n\n");
}

function formatDiagnostic(diagnostic: Diagnostic, source: SourceText): string {
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
function excerpt({ file, line, column }: Place, source: SourceText): string[] {
  const text = source(file)?.split(/\r\n|\r|\n/)[line - 1];
  if (text === undefined || text.trim() === "") return [];
  const number = String(line);
  const before = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  return [`  ${number} | ${text}`, `  ${" ".repeat(number.length)} | ${before}^`];
}
