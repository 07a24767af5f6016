/** A chapter's Markdown → the HTML of its text and its table of contents. */
import type { BlockStory } from "../../tangle/literate/blocks.ts";
import type { Block, Book, Chapter, Snapshot } from "../../tangle/literate/book.ts";
import { splitFrontMatter } from "../../tangle/literate/front-matter.ts";
import { markdown } from "../../tangle/literate/markdown.ts";
import { type BlockLinks, renderBlock, renderExample, renderExpectation } from "./block.ts";
import { inlineFigures, type ReadFigure } from "./figures.ts";
import type { Highlighter } from "./highlight.ts";
import { escapeHtml, uniqueSlug } from "./html.ts";
import { partsOf } from "./parts.ts";

export interface RenderedChapter {
  readonly html: string;
  readonly contents: readonly { readonly level: 2 | 3; readonly text: string; readonly id: string }[];
}

export interface ChapterContext {
  readonly book: Book;
  readonly chapter: Chapter;
  readonly text: string;
  /** Of all blocks of the book. */
  readonly stories: ReadonlyMap<Block, BlockStory>;
  /** The chapter's own snapshot first, then its variants', then the machine's files. */
  readonly snapshots: readonly Pick<Snapshot, "files">[];
  readonly highlighter: Highlighter;
  readonly readFigure: ReadFigure;
}

/** `book/02-a-minimal-kernel.md` → `02-a-minimal-kernel.html`. */
export const pageName = (path: string): string => path.replace(/^book\//, "").replace(/\.md$/, ".html");

/** `2` for chapter 2, `A` for `machine-a-….md`, as the contents and captions number them. */
export function chapterNumber(chapter: Chapter): string {
  const { milestone } = chapter.frontMatter;
  if (milestone !== null) return String(milestone);
  return /machine-([a-z]\d*)-/.exec(chapter.path)?.[1]?.toUpperCase() ?? "";
}

export function renderChapter(context: ChapterContext): RenderedChapter {
  const { chapter, highlighter } = context;
  const { body } = splitFrontMatter({ path: chapter.path, text: context.text });
  const parts = partsOf(chapter, context.stories, context.snapshots);
  const expectations = new Map(chapter.expectations.map((e) => [e.place.line, e]));
  const links = linksFrom(context);
  const contents: { level: 2 | 3; text: string; id: string }[] = [];
  const used = new Set<string>();

  const tokens = markdown.parse(body, {});
  let html = "";
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.type === "fence") {
      const at = token.map![0] + 1;
      const part = parts.get(at);
      const expectation = expectations.get(at);
      const language = token.info.trim().split(/\s+/)[0] ?? "";
      if (part !== undefined) html += renderBlock(part, highlighter, links);
      else if (expectation !== undefined)
        html += renderExpectation(expectation.kind, expectation.variant, expectation.text);
      else html += renderExample(token.content, language, highlighter);
    } else if (token.type === "html_block") {
      html += inlineFigures(token.content, token.map![0] + 1, context.readFigure);
    } else if (token.type === "heading_open") {
      const inline = tokens[i + 1]!;
      const text = (inline.children ?? []).map((child) => child.content).join("");
      // The chapter's own title stands in the page's opening.
      if (token.tag !== "h1") {
        const id = uniqueSlug(text, used);
        if (token.tag === "h2" || token.tag === "h3") contents.push({ level: token.tag === "h2" ? 2 : 3, text, id });
        const anchor = `<a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`;
        html += `<${token.tag} id="${id}">${renderTokens([inline])}${anchor}</${token.tag}>\n`;
      }
      i += 2;
    } else if (token.type === "table_open") {
      html += `<div class="table">${renderTokens([token])}`;
    } else if (token.type === "table_close") {
      html += `${renderTokens([token])}</div>\n`;
    } else {
      html += renderTokens([token]);
    }
  }
  return { html, contents };
}

type Tokens = ReturnType<typeof markdown.parse>;

function renderTokens(tokens: Tokens): string {
  for (const token of tokens) {
    for (const child of token.children ?? []) {
      const href = child.type === "link_open" ? child.attrGet("href") : null;
      if (typeof href === "string") child.attrSet("href", href.replace(/^((?:[\w-]+))\.md(?=#|$)/, "$1.html"));
    }
  }
  return markdown.renderer.render(tokens, markdown.options, {});
}

/** How the page of a chapter names and reaches the blocks of the book. */
export function linksFrom({ book, chapter }: Pick<ChapterContext, "book" | "chapter">): BlockLinks {
  const all = [...book.chapters, ...book.appendices];
  const ownerOf = (path: string): Chapter => all.find((other) => other.path === path)!;
  return {
    href: (block) => {
      const page = block.place.file === chapter.path ? "" : pageName(block.place.file);
      return `${page}#L${block.place.line}`;
    },
    chapterName: (block) => {
      if (block.place.file === chapter.path) return "";
      const owner = ownerOf(block.place.file);
      return `${owner.frontMatter.milestone === null ? "appendix" : "chapter"} ${chapterNumber(owner)}`;
    },
  };
}

/** The list of a chapter's sections, folded until the reader opens it. */
export function renderContents(contents: RenderedChapter["contents"]): string {
  if (contents.length === 0) return "";
  const items = contents
    .filter((entry) => entry.level === 2)
    .map((entry) => `<li><a href="#${entry.id}">${escapeHtml(entry.text)}</a></li>`);
  return `<details class="contents"><summary>In this chapter</summary><ol>${items.join("")}</ol></details>`;
}
