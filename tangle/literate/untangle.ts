/**
 * Carries edits that were made in dist/ back into the book: all of them, or none. Two rules keep it sound. An edit is
 * taken only where its block is beyond doubt (assign.ts), and the rewritten book must read back as the very blocks that
 * were meant, everything else unchanged.
 */
import type { Diagnostic, Place } from "../place.ts";
import { assignEdits, type EditedBlock, textsOf } from "./assign.ts";
import type { Block, Book, BookFile, Chapter } from "./book.ts";
import { applyOperations, type EditionName, labelOf } from "./edition.ts";
import { LT } from "./errors.ts";
import { type Layout, layOut } from "./layout.ts";
import { isTangledPath } from "./path.ts";
import { rewriteFile } from "./rewrite.ts";
import { readBook } from "./tangle.ts";

/** A folder of dist/ with the tangled files of one edition as they are now. */
export interface DistFolder {
  /** Chapter null for the machine. */
  readonly edition: EditionName;
  /** `dist/chapters/03`, `dist/machine` */
  readonly folder: string;
  /** By their path in the folder, which for the machine's files lacks `machine/`. */
  readonly files: ReadonlyMap<string, { readonly text: string; readonly digest: string }>;
  /** The digests of the files as they were tangled, or null where nothing says so. */
  readonly record: ReadonlyMap<string, string> | null;
}

/** What became of the edits. */
export interface Untangled {
  /** The files of the book to write. None where anything was refused. */
  readonly files: readonly BookFile[];
  /** The blocks that were edited, in the book's order of files and lines; each with its first edit. */
  readonly blocks: readonly EditedBlock[];
  /** The files of dist/ that hold the edits, which are the book's now. */
  readonly sources: readonly { readonly folder: string; readonly path: string }[];
  /** Mistakes of the book, or the edits that were refused. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Finds all edits in the folders and writes the book anew. `digest` is what made the digests of the folders. */
export function untangle(
  files: readonly BookFile[],
  folders: readonly DistFolder[],
  digest: (text: string) => string,
): Untangled {
  const { book, diagnostics } = readBook(files);
  if (diagnostics.length > 0) return { files: [], blocks: [], sources: [], diagnostics };
  const found = folders.map((folder) => editsOf(folder, book, digest));
  const sources = found.flatMap((edits) => edits.sources);
  const refusals = found.flatMap((edits) => edits.refusals);
  const blocks = unite(
    found.flatMap((edits) => edits.blocks),
    refusals,
  );

  const rewritten = files.flatMap((file) => {
    const edited = blocks.filter(({ block }) => block.place.file === file.path);
    if (edited.length === 0) return [];
    const result = rewriteFile(file, edited);
    refusals.push(...result.refusals);
    return [result.file];
  });
  if (refusals.length === 0) refusals.push(...readBack(book, files, rewritten, blocks));
  if (refusals.length > 0) return { files: [], blocks: [], sources: [], diagnostics: refusals };
  return { files: rewritten, blocks, sources, diagnostics: [] };
}

interface FolderEdits {
  readonly blocks: EditedBlock[];
  readonly sources: { readonly folder: string; readonly path: string }[];
  readonly refusals: Diagnostic[];
}

function editsOf(dist: DistFolder, book: Book, digest: (text: string) => string): FolderEdits {
  const { edition, folder, files, record } = dist;
  const target = edition.chapter === null ? "machine" : "kernel";
  const root = target === "machine" ? "machine/" : "";
  const layouts = new Map<string, Layout>();
  for (const layout of layOut(applyOperations(book, edition), target))
    layouts.set(layout.path.slice(root.length), layout);

  const edits: FolderEdits = { blocks: [], sources: [], refusals: [] };
  for (const [path, { text, digest: now }] of files) {
    const layout = layouts.get(path);
    const lines = linesOf(text);
    const tangled = layout?.lines.map((line) => line.text);
    if (tangled !== undefined && equal(lines, tangled)) continue;
    const before = record?.get(path);
    // Not edited: it is only not yet what the book says now.
    if (before === now) continue;
    const file = `${folder}/${path}`;
    if (layout === undefined) {
      if (before !== undefined) edits.refusals.push(gone(file));
      else if (isTangledPath(root + path)) edits.refusals.push(added(file, root + path));
      continue;
    }
    if (before === undefined || before !== digest(tangled!.map((line) => `${line}\n`).join("")))
      edits.refusals.push(stale(file, layout, lines, before === undefined));
    else {
      const { blocks, refusals } = assignEdits(layout, lines, file);
      edits.blocks.push(...blocks);
      edits.refusals.push(...refusals);
      edits.sources.push({ folder, path });
    }
  }
  for (const [path, layout] of layouts)
    if (record?.has(path) === true && !files.has(path)) edits.refusals.push(deleted(`${folder}/${path}`, layout));
  return edits;
}

/** One entry for each block. A block that was edited in two files must have been edited to the same lines. */
function unite(edited: readonly EditedBlock[], refusals: Diagnostic[]): EditedBlock[] {
  const united = new Map<Block, EditedBlock>();
  for (const one of edited) {
    const other = united.get(one.block);
    if (other === undefined) united.set(one.block, one);
    else if (!equal(textsOf(one), textsOf(other))) {
      const label = labelOf(one.block);
      refusals.push({
        code: LT.conflictingEdits,
        message: `\`${label}\` was edited in two ways`,
        place: one.place,
        hint: "make both alike, or take one of them back",
        related: [
          { place: other.place, message: "the other edit" },
          { place: one.block.place, message: `\`${label}\` in the book` },
        ],
      });
    }
  }
  const order = (a: Place, b: Place): number => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1);
  return [...united.values()].sort((a, b) => order(a.block.place, b.block.place));
}

/** Reads the rewritten book. What is not as it was meant is refused at the edit that comes nearest. */
function readBack(
  book: Book,
  files: readonly BookFile[],
  rewritten: readonly BookFile[],
  edited: readonly EditedBlock[],
): Diagnostic[] {
  const after = readBook(files.map((file) => rewritten.find(({ path }) => path === file.path) ?? file));
  const chapters = [...after.book.appendices, ...after.book.chapters];
  return [...book.appendices, ...book.chapters].flatMap((chapter) => {
    const own = edited.filter(({ block }) => block.place.file === chapter.path);
    const meant = partsOf(chapter, new Map(own.map((one) => [one.block, textsOf(one)])));
    const read = partsOf(chapters.find(({ path }) => path === chapter.path)!, new Map());
    const wrong = meant.findIndex((part, index) => part !== read[index]);
    const mistake = after.diagnostics.find(({ place }) => place.file === chapter.path);
    if (wrong < 0 && read.length === meant.length && mistake === undefined) return [];
    const at = own.findLast(({ block }) => wrong < 0 || chapter.blocks.indexOf(block) <= wrong) ?? own[0];
    if (at === undefined) return [];
    const line = at.lines.find((one) => typeof one !== "number");
    const why =
      mistake === undefined
        ? "the book would not be read as it is edited here"
        : `the book would be wrong then: ${mistake.message}`;
    return [
      {
        code: LT.unfitLine,
        message: why,
        place: line?.place ?? at.place,
        hint: "make this edit in the chapter",
        related: [{ place: at.block.place, message: `\`${labelOf(at.block)}\` in the book` }],
      },
    ];
  });
}

/** All that the tangler sees of a chapter, but for the numbers of its lines. `texts` are the lines of edited blocks. */
function partsOf(chapter: Chapter, texts: ReadonlyMap<Block, readonly string[]>): string[] {
  const blocks = chapter.blocks.map((block) => {
    const lines = texts.get(block) ?? block.lines.map(({ text }) => text);
    const beside = block.beside === null ? null : { ...block.beside, place: null };
    return JSON.stringify({ ...block, lines, beside, place: null });
  });
  const expectations = chapter.expectations.map((expected) => JSON.stringify({ ...expected, place: null }));
  return [...blocks, ...expectations, JSON.stringify(chapter.frontMatter)];
}

function stale(file: string, layout: Layout, lines: readonly string[], unknown: boolean): Diagnostic {
  const first = layout.lines.findIndex(({ text }, index) => text !== lines[index]);
  const { block, index } = layout.lines[first] ?? layout.lines.at(-1) ?? { ...layout.gaps[0]![0]!, index: -1 };
  const line = Math.max(1, Math.min(first < 0 ? lines.length : first + 1, lines.length));
  return {
    code: LT.staleEdit,
    message: unknown
      ? "this file is not what the book says, and nothing tells what it was tangled from"
      : "this file was edited, and the book has changed since it was tangled",
    place: { file, line, column: 1 },
    hint: "keep a copy of the file, run `npm run tangle`, and make the edit again",
    related: [
      {
        place: { ...block.place, line: block.lines[index]?.line ?? block.place.line },
        message: `the book's line, in \`${labelOf(block)}\``,
      },
    ],
  };
}

function gone(file: string): Diagnostic {
  return {
    code: LT.staleEdit,
    message: "this file was edited, and the book has it no more",
    place: { file, line: 1, column: 1 },
    hint: "keep a copy of the file, and run `npm run tangle`",
  };
}

function added(file: string, path: string): Diagnostic {
  return {
    code: LT.strangeFile,
    message: "no chapter starts this file",
    place: { file, line: 1, column: 1 },
    hint: `start it in a chapter with \`file=${path}\`; the next run of tangle deletes it here`,
  };
}

function deleted(file: string, { gaps }: Layout): Diagnostic {
  const { block } = gaps[0]![0]!;
  return {
    code: LT.strangeFile,
    message: "this file was deleted, but the book still has it",
    place: { file, line: 1, column: 1 },
    hint: `remove it in a chapter with \`file=${block.name} -=\`, or run \`npm run tangle\` to have it again`,
    related: [{ place: block.place, message: "the book starts it here" }],
  };
}

/** A file's lines without their ends. The last line may lack one. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
