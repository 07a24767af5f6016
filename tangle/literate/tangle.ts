/** The literate programming system from end to end: Markdown files → the book → the files of any chapter, and the machine's. */
import type { Diagnostic } from "../place.ts";
import type { Book, BookFile, Chapter, Snapshot, TangledFile } from "./book.ts";
import { analyse } from "./check.ts";
import { applyOperations, variantNames } from "./edition.ts";
import { LT } from "./errors.ts";
import { compare, expandFiles } from "./expand.ts";
import { readChapter } from "./read.ts";

/**
 * Reads the whole book, in any order of files. The diagnostics are all its mistakes, by place; with any of them the
 * book can still be tangled, but is not what its author meant.
 */
export function readBook(files: readonly BookFile[]): { book: Book; diagnostics: readonly Diagnostic[] } {
  const read = [...files].sort((a, b) => compare(a.path, b.path)).map(readChapter);
  const all = read.map(({ chapter }) => chapter);
  const book = {
    chapters: all
      .filter(({ frontMatter }) => frontMatter.milestone !== null)
      .sort((a, b) => a.frontMatter.milestone! - b.frontMatter.milestone!),
    appendices: all.filter(({ frontMatter }) => frontMatter.milestone === null),
  };
  const diagnostics = [
    ...read.flatMap((result) => result.diagnostics),
    ...book.chapters.flatMap((chapter, index) => duplicateMilestone(chapter, book.chapters[index - 1])),
    ...book.chapters.flatMap(unknownVariants),
    ...analyse(book).diagnostics,
  ];
  return { book, diagnostics: diagnostics.sort(byPlace) };
}

/** The numbers of the book's chapters, ascending. */
export function chapterNumbers(book: Book): number[] {
  return book.chapters.map((chapter) => chapter.frontMatter.milestone!);
}

/** The variants of a chapter, in the order of their first block. */
export function variantsOf(book: Book, chapter: number): string[] {
  return variantNames(find(book, chapter));
}

/** The kernel and boot loader of chapters 1 to `chapter`, as that chapter or one of its variants has them. */
export function tangleChapter(book: Book, chapter: number, variant: string | null = null): Snapshot {
  const { expectations } = find(book, chapter);
  if (variant !== null && !variantsOf(book, chapter).includes(variant))
    throw new RangeError(`chapter ${chapter} has no variant ${variant}`);
  const files = expandFiles(applyOperations(book, { chapter, variant }), "kernel");
  return { chapter, variant, files, expectations: expectations.filter((expected) => expected.variant === variant) };
}

/** The files of the machine, from the whole book. */
export function tangleMachine(book: Book): TangledFile[] {
  return expandFiles(applyOperations(book, { chapter: null, variant: null }), "machine");
}

function find(book: Book, number: number): Chapter {
  const chapter = book.chapters.find(({ frontMatter }) => frontMatter.milestone === number);
  if (chapter === undefined) throw new RangeError(`the book has no chapter ${number}`);
  return chapter;
}

function duplicateMilestone(chapter: Chapter, previous: Chapter | undefined): Diagnostic[] {
  const { milestone } = chapter.frontMatter;
  if (previous?.frontMatter.milestone !== milestone) return [];
  return [
    {
      code: LT.duplicateMilestone,
      message: `milestone ${milestone} is another chapter's`,
      place: { file: chapter.path, line: 1, column: 1 },
      related: [{ place: { file: previous!.path, line: 1, column: 1 }, message: "this one" }],
    },
  ];
}

function unknownVariants(chapter: Chapter): Diagnostic[] {
  const variants = variantNames(chapter);
  return chapter.expectations
    .filter(({ variant }) => variant !== null && !variants.includes(variant))
    .map(({ variant, place }) => ({
      code: LT.unknownVariant,
      message: `no block of this chapter belongs to the variant \`${variant}\``,
      place,
      ...(variants.length === 0 ? {} : { hint: `its variants are ${variants.join(", ")}` }),
    }));
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return compare(a.place.file, b.place.file) || a.place.line - b.place.line || a.place.column - b.place.column;
}
