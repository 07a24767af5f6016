/** Answers "where does this line come from, where does it go to": `kernel/vga.ts:40` ↔ `book/03-vga-text-mode.md:212`. */
import type { Place } from "../place.ts";
import type { Book, TangledFile } from "./book.ts";
import { allBlocks, type EditionName, editionNames } from "./edition.ts";
import { toBook, toTangled } from "./map.ts";
import { targetOf } from "./path.ts";
import { tangleChapter, tangleMachine } from "./tangle.ts";

/** One place, and the editions in which it is the answer. */
export interface Answer {
  readonly place: Place;
  readonly editions: readonly EditionName[];
}

/** Which editions are asked about: null for all. */
export interface Scope {
  readonly chapter: number | null;
  readonly variant: string | null;
}

/** The book's place of a line of a tangled file: in the chosen edition, or in the last that has the line. */
export function whereFrom(book: Book, place: Place, scope: Scope): Answer | string {
  const isMachine = targetOf(place.file) === "machine";
  const editions = chosen(book, scope).filter(({ chapter }) => (chapter === null) === isMachine);
  // The last chapter first; variants only where no chapter has the line.
  const order = [
    ...editions.filter(({ variant }) => variant !== null),
    ...editions.filter(({ variant }) => variant === null),
  ];
  let longest: number | null = null;
  for (const edition of order.reverse()) {
    const files = filesOf(book, edition);
    const lines = files.find((file) => file.path === place.file)?.lines.length;
    if (lines !== undefined && place.line <= lines) return { place: toBook({ files }, place), editions: [edition] };
    if (lines !== undefined) longest = Math.max(longest ?? 0, lines);
  }
  if (longest !== null) return `${place.file} has ${longest} lines`;
  return `${place.file} is no tangled file${scope.chapter === null ? "" : ` of chapter ${scope.chapter}`}`;
}

/** The tangled places of a line of the book, each with the editions that have it there; or why there are none. */
export function whereTo(book: Book, place: Place, scope: Scope): readonly Answer[] | string {
  const answers = new Map<string, { place: Place; editions: EditionName[] }>();
  for (const edition of chosen(book, scope)) {
    for (const found of toTangled({ files: filesOf(book, edition) }, place)) {
      const key = `${found.file}:${found.line}:${found.column}`;
      const answer = answers.get(key);
      if (answer === undefined) answers.set(key, { place: found, editions: [edition] });
      else answer.editions.push(edition);
    }
  }
  return answers.size > 0 ? [...answers.values()] : whyNowhere(book, place);
}

function whyNowhere(book: Book, { file, line }: Place): string {
  const block = allBlocks(book).find(
    (block) => block.place.file === file && block.place.line <= line && line <= block.place.line + block.lines.length,
  );
  const inBlock = block?.lines.find((candidate) => candidate.line === line);
  if (inBlock === undefined) return `${file}:${line} is not a line of tangled code`;
  if (inBlock.slot !== null) return `${file}:${line} is the slot of \`#${inBlock.slot}\`: ask for a line of that chunk`;
  return `${file}:${line} is in none of these snapshots`;
}

function chosen(book: Book, { chapter, variant }: Scope): EditionName[] {
  return editionNames(book).filter((edition) => {
    if (chapter === null) return true;
    return edition.chapter === chapter && edition.variant === variant;
  });
}

function filesOf(book: Book, { chapter, variant }: EditionName): readonly TangledFile[] {
  return chapter === null ? tangleMachine(book) : tangleChapter(book, chapter, variant).files;
}
