/** Writes small books for the tests: fences, chapters, appendices; and reads them. */
import { expect } from "vitest";
import type { Book, BookFile } from "../../tangle/literate/book.ts";
import { readBook, tangleChapter, tangleMachine } from "../../tangle/literate/tangle.ts";
import type { Diagnostic } from "../../tangle/place.ts";

/** A fence with its lines. */
export function fence(info: string, ...lines: string[]): string {
  return ["```".concat(info), ...lines, "```", ""].join("\n");
}

/** A chapter, as `book/01.md`; its body begins in line 5. */
export function chapter(milestone: number, ...body: string[]): BookFile {
  const path = `book/${String(milestone).padStart(2, "0")}.md`;
  return { path, text: `---\ntitle: Chapter ${milestone}\nmilestone: ${milestone}\n---\n${body.join("\n")}` };
}

/** An appendix, as `book/machine-a.md`; its body begins in line 4. */
export function appendix(letter: string, ...body: string[]): BookFile {
  return { path: `book/machine-${letter}.md`, text: `---\ntitle: Appendix ${letter}\n---\n${body.join("\n")}` };
}

/** Reads a book that has no mistakes. */
export function book(...files: BookFile[]): Book {
  const { book, diagnostics } = readBook(files);
  expect(diagnostics).toEqual([]);
  return book;
}

/** Reads a book and gives its mistakes. */
export function mistakes(...files: BookFile[]): readonly Diagnostic[] {
  return readBook(files).diagnostics;
}

/** Mistakes as `LT3022 book/01.md:5:1 → book/02.md:7:3`, with the places they are related to after the arrow. */
export function told(...files: BookFile[]): string[] {
  const at = ({ file, line, column }: Diagnostic["place"]): string => `${file}:${line}:${column}`;
  return mistakes(...files).map(({ code, place, related }) =>
    [`${code} ${at(place)}`, ...(related ?? []).map((other) => at(other.place))].join(" → "),
  );
}

/** The text of a kernel file in a snapshot, or null. */
export function kernel(book: Book, number: number, path: string, variant: string | null = null): string | null {
  return tangleChapter(book, number, variant).files.find((file) => file.path === path)?.text ?? null;
}

/** The text of a machine file, or null. */
export function machine(book: Book, path: string): string | null {
  return tangleMachine(book).find((file) => file.path === path)?.text ?? null;
}
