/** What chapters change: the kernel's and boot loader's files from one snapshot to another, and the machine's blocks. */
import type { Place } from "../place.ts";
import type { Block, Book } from "./book.ts";
import { diff, type Hunk, hunksOf, settle } from "./diff.ts";
import { applyOperations } from "./edition.ts";
import { compare } from "./expand.ts";
import { type LaidLine, layOut } from "./layout.ts";
import type { Target } from "./path.ts";
import { chapterNumbers } from "./tangle.ts";

/** One line of a hunk, as it stands in the tangled file. */
export interface ChangedLine {
  readonly kind: "context" | "removed" | "added";
  readonly text: string;
  /** The block that it comes from; for context, in the newer snapshot. */
  readonly block: Block;
  /** Its line in the book. */
  readonly place: Place;
}

/** Changed lines that stand together, with up to three unchanged lines around them. Lines count from 1. */
export interface ChangedHunk {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
  readonly lines: readonly ChangedLine[];
}

/** What became of one file. */
export interface FileChange {
  /** `kernel/vga.ts`, `machine/devices/pit.ts` */
  readonly path: string;
  readonly state: "added" | "removed" | "changed";
  readonly hunks: readonly ChangedHunk[];
  /** How many lines came and went. */
  readonly added: number;
  readonly removed: number;
}

/**
 * What the chapters after `older`, up to `newer`, change in the files of the target; with the numbers exchanged, what
 * would undo it. The machine's files count with the appendices and the blocks of the chapters up to each number.
 */
export function changesBetween(book: Book, older: number, newer: number, target: Target): FileChange[] {
  const before = filesAt(book, older, target);
  const after = filesAt(book, newer, target);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort(compare);
  return paths.flatMap((path) => fileChange(path, before.get(path) ?? null, after.get(path) ?? null) ?? []);
}

/** What a chapter changes since the one before it, machine last; null for the first chapter, where all is new. */
export function changesOf(book: Book, chapter: number): FileChange[] | null {
  const previous = chapterNumbers(book).findLast((number) => number < chapter);
  if (previous === undefined) return null;
  return (["kernel", "machine"] as const).flatMap((target) => changesBetween(book, previous, chapter, target));
}

function filesAt(book: Book, chapter: number, target: Target): Map<string, readonly LaidLine[]> {
  const layouts = layOut(applyOperations(book, { chapter, variant: null }), target);
  return new Map(layouts.map(({ path, lines }) => [path, lines]));
}

function fileChange(
  path: string,
  before: readonly LaidLine[] | null,
  after: readonly LaidLine[] | null,
): FileChange | null {
  const [old, now] = [before ?? [], after ?? []];
  const [oldTexts, newTexts] = [old.map(({ text }) => text), now.map(({ text }) => text)];
  const edits = settle(oldTexts, newTexts, diff(oldTexts, newTexts));
  if (edits.length === 0 && before !== null && after !== null) return null;
  return {
    path,
    state: before === null ? "added" : after === null ? "removed" : "changed",
    hunks: hunksOf(edits, old.length).map((hunk) => changedHunk(hunk, old, now)),
    added: edits.reduce((sum, edit) => sum + edit.newEnd - edit.newStart, 0),
    removed: edits.reduce((sum, edit) => sum + edit.oldEnd - edit.oldStart, 0),
  };
}

function changedHunk(hunk: Hunk, old: readonly LaidLine[], now: readonly LaidLine[]): ChangedHunk {
  const lines: ChangedLine[] = [];
  let at = hunk.newStart;
  for (const edit of hunk.edits) {
    lines.push(...now.slice(at, edit.newStart).map((line) => changedLine("context", line)));
    lines.push(...old.slice(edit.oldStart, edit.oldEnd).map((line) => changedLine("removed", line)));
    lines.push(...now.slice(edit.newStart, edit.newEnd).map((line) => changedLine("added", line)));
    at = edit.newEnd;
  }
  lines.push(...now.slice(at, hunk.newEnd).map((line) => changedLine("context", line)));
  return {
    oldStart: hunk.oldStart + 1,
    oldCount: hunk.oldEnd - hunk.oldStart,
    newStart: hunk.newStart + 1,
    newCount: hunk.newEnd - hunk.newStart,
    lines,
  };
}

function changedLine(kind: ChangedLine["kind"], { text, block, index }: LaidLine): ChangedLine {
  const { line, column } = block.lines[index]!;
  return { kind, text, block, place: { file: block.place.file, line, column: column + 1 } };
}
