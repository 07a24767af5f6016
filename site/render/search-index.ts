/** The whole book as the search sees it: the plain text of every section. */
import type { Book, BookFile, Chapter } from "../../tangle/literate/book.ts";
import { splitFrontMatter } from "../../tangle/literate/front-matter.ts";
import { markdown } from "../../tangle/literate/markdown.ts";
import { chapterNumber, pageName } from "./chapter.ts";
import { uniqueSlug } from "./html.ts";

/** A section: its page's place among `pages`, its anchor (empty: the page's beginning), its heading, its words. */
export type SearchSection = readonly [page: number, id: string, heading: string, text: string];

/** The file that the page's script reads. */
export interface SearchIndex {
  readonly pages: readonly { readonly href: string; readonly label: string; readonly title: string }[];
  readonly sections: readonly SearchSection[];
}

export function buildSearchIndex(book: Book, files: readonly BookFile[]): SearchIndex {
  const chapters = [...book.chapters, ...book.appendices];
  const pages = chapters.map((chapter) => ({
    href: pageName(chapter.path),
    label: `${chapter.frontMatter.milestone === null ? "Appendix" : "Chapter"} ${chapterNumber(chapter)}`,
    title: chapter.frontMatter.title,
  }));
  const sections = chapters.flatMap((chapter, page) => {
    const text = files.find(({ path }) => path === chapter.path)!.text;
    return sectionsOf(chapter, text, page);
  });
  return { pages, sections };
}

function sectionsOf(chapter: Chapter, text: string, page: number): SearchSection[] {
  const { body } = splitFrontMatter({ path: chapter.path, text });
  const used = new Set<string>();
  const sections: { id: string; heading: string; words: string[] }[] = [
    { id: "", heading: chapter.frontMatter.title, words: [chapter.frontMatter.summary] },
  ];
  let inHeading = false;
  for (const token of markdown.parse(body, {})) {
    if (token.type === "heading_open") inHeading = true;
    else if (token.type === "inline" && inHeading) {
      inHeading = false;
      const heading = plainText(token.children ?? []);
      if (heading !== chapter.frontMatter.title) sections.push({ id: uniqueSlug(heading, used), heading, words: [] });
    } else if (token.type === "inline") sections.at(-1)!.words.push(plainText(token.children ?? []));
    else if (token.type === "fence") sections.at(-1)!.words.push(token.content);
  }
  return sections.map(({ id, heading, words }) => [page, id, heading, words.join(" ").replace(/\s+/g, " ").trim()]);
}

function plainText(tokens: readonly { readonly type: string; readonly content: string }[]): string {
  return tokens.map(({ type, content }) => (type === "softbreak" || type === "hardbreak" ? " " : content)).join("");
}
