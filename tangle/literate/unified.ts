/** Changes as a unified diff, which `patch -p1` and `git apply` take in dist/chapters/NN; each hunk says where it is in the book. */
import type { ChangedHunk, ChangedLine, FileChange } from "./changes.ts";
import { labelOf } from "./edition.ts";
import { targetOf } from "./path.ts";

/** What stands before the paths, such as `06` and `07`. */
export interface Sides {
  readonly older: string;
  readonly newer: string;
}

type Style = "head" | "hunk" | ChangedLine["kind"];

/** Select Graphic Rendition of ECMA-48: bold, cyan, red, green. */
const COLOURS: Record<Style, string | null> = { head: "1", hunk: "36", removed: "31", added: "32", context: null };
const SIGNS: Record<ChangedLine["kind"], string> = { context: " ", removed: "-", added: "+" };

/** The lines of the diff; none where nothing changed. */
export function formatChanges(changes: readonly FileChange[], sides: Sides, colours: boolean): string[] {
  const styled = (style: Style, text: string): string => {
    const colour = COLOURS[style];
    return colours && colour !== null ? `\x1b[${colour}m${text}\x1b[m` : text;
  };
  return changes.flatMap((change) => [
    ...machineBlocks(change).map((text) => styled("head", text)),
    ...headOf(change, sides).map((text) => styled("head", text)),
    ...change.hunks.flatMap((hunk) => [
      styled(
        "hunk",
        `@@ -${range(hunk.oldStart, hunk.oldCount)} +${range(hunk.newStart, hunk.newCount)} @@ ${originOf(hunk)}`,
      ),
      ...hunk.lines.map(({ kind, text }) => styled(kind, SIGNS[kind] + text)),
    ]),
  ]);
}

/**
 * The blocks behind a file of the machine, as remarks: the machine is tangled once from the whole book, so that is how
 * one sees what of it belongs to these chapters.
 */
function machineBlocks({ path, hunks }: FileChange): string[] {
  if (targetOf(path) !== "machine") return [];
  const changed = hunks.flatMap(({ lines }) => lines.filter(({ kind }) => kind !== "context"));
  const blocks = new Set(changed.map(({ block }) => block));
  return [...blocks].map((block) => `# ${block.place.file}:${block.place.line} ${labelOf(block)}`);
}

function headOf({ path, state, hunks }: FileChange, { older, newer }: Sides): string[] {
  const [from, to] = [`${older}/${path}`, `${newer}/${path}`];
  return [
    `diff --git ${from} ${to}`,
    ...(state === "added" ? ["new file mode 100644"] : []),
    ...(state === "removed" ? ["deleted file mode 100644"] : []),
    // A file without lines has no hunk, and then no names either.
    ...(hunks.length === 0 ? [] : [`--- ${state === "added" ? "/dev/null" : from}`]),
    ...(hunks.length === 0 ? [] : [`+++ ${state === "removed" ? "/dev/null" : to}`]),
  ];
}

/** An empty range names the line before it. */
function range(start: number, count: number): string {
  if (count === 0) return `${start - 1},0`;
  return count === 1 ? `${start}` : `${start},${count}`;
}

/** The block of the first line that came; where lines only went, of the first that went. */
function originOf({ lines }: ChangedHunk): string {
  const { block, place } = (lines.find(({ kind }) => kind === "added") ??
    lines.find(({ kind }) => kind === "removed"))!;
  return `${labelOf(block)} ${place.file}:${place.line}`;
}
