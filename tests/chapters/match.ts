/** Compares what a run printed with an `expect=` block of the book. */

/** A line of an expectation that stands for any number of lines. */
const ANY = "...";

/** Whether an expectation leaves some lines open. */
export function hasOpenLines(expected: string): boolean {
  return linesOf(expected).includes(ANY);
}

/**
 * Null where `actual` is what the block asks for: the same lines, but for blanks at the ends of lines and empty lines at
 * the end, and with `...` for any lines. Otherwise a description of the first difference.
 */
export function matchLines(expected: string, actual: string): string | null {
  const wanted = linesOf(expected);
  const found = linesOf(actual);
  const farthest = { wanted: 0, found: 0 };
  const dead = new Set<number>();

  const match = (i: number, j: number): boolean => {
    const key = i * (found.length + 1) + j;
    if (dead.has(key)) return false;
    if (i >= farthest.wanted) Object.assign(farthest, { wanted: i, found: j });
    const matches =
      i === wanted.length
        ? j === found.length
        : wanted[i] === ANY
          ? match(i + 1, j) || (j < found.length && match(i, j + 1))
          : j < found.length && wanted[i] === found[j] && match(i + 1, j + 1);
    if (!matches) dead.add(key);
    return matches;
  };
  if (match(0, 0)) return null;

  const line = (lines: readonly string[], index: number): string =>
    index < lines.length ? JSON.stringify(lines[index]) : "nothing more";
  return [
    `line ${farthest.wanted + 1} of the expectation: ${line(wanted, farthest.wanted)}`,
    `line ${farthest.found + 1} of what was printed: ${line(found, farthest.found)}`,
    "all that was printed:",
    ...found.map((text) => `  |${text}`),
  ].join("\n");
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  while (lines.length > 0 && lines.at(-1) === "") lines.pop();
  return lines;
}
