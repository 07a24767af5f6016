/** The chapters of the book as their tests see them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BookFile, Expectation } from "../../tangle/literate/book.ts";
import { readBook, variantsOf } from "../../tangle/literate/tangle.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface TestedChapter {
  readonly number: number;
  /** File name of its page: `01-a-freestanding-typescript-executable.html`. */
  readonly page: string;
  /** Its Markdown file, from the root of the repository. */
  readonly path: string;
  readonly variants: readonly string[];
  /** Of the chapter itself and of all its variants. */
  readonly expectations: readonly Expectation[];
}

/** Every Markdown file of the book. */
export function bookFiles(): BookFile[] {
  return readdirSync(`${root}/book`)
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => ({ path: `book/${name}`, text: readFileSync(`${root}/book/${name}`, "utf8") }));
}

/** All chapters, ascending. */
export function chapters(): TestedChapter[] {
  const { book } = readBook(bookFiles());
  return book.chapters.map(({ path, frontMatter, expectations }) => ({
    number: frontMatter.milestone!,
    page: path.replace(/^.*\//, "").replace(/\.md$/, ".html"),
    path,
    variants: variantsOf(book, frontMatter.milestone!),
    expectations,
  }));
}

/** The chapters to test: all, or the one that `npm test -- --chapter N` names. */
export function selectedChapters(): TestedChapter[] {
  const only = process.env.TAIJI_CHAPTER;
  return chapters().filter(({ number }) => only === undefined || number === Number(only));
}
