/** The pages of the site: chapters, and how to use the machine elsewhere. */
import type { Book, Chapter } from "../../tangle/literate/book.ts";
import { changesOf } from "../../tangle/literate/changes.ts";
import { CHANGES_HEADING, renderChanges } from "./changes.ts";
import { type ChapterContext, chapterNumber, linksFrom, pageName, renderChapter, renderContents } from "./chapter.ts";
import { escapeHtml } from "./html.ts";
import type { MachineOffer } from "./offers.ts";
import { renderPage } from "./template.ts";

function neighbours(book: Book, chapter: Chapter): { previous: Chapter | null; next: Chapter | null } {
  const order = [...book.chapters, ...book.appendices];
  const at = order.indexOf(chapter);
  return { previous: order[at - 1] ?? null, next: order[at + 1] ?? null };
}

const label = (chapter: Chapter): string => `${chapterNumber(chapter)} · ${chapter.frontMatter.title}`;

function turn(book: Book, chapter: Chapter): string {
  const { previous, next } = neighbours(book, chapter);
  const link = (to: Chapter, rel: "prev" | "next", word: string): string =>
    `<a class="${rel === "next" ? "next" : ""}" rel="${rel}" href="${pageName(to.path)}">${word}<br>${escapeHtml(label(to))}</a>`;
  const back = previous === null ? `<a rel="prev" href="index.html">Contents</a>` : link(previous, "prev", "Previous");
  return `<nav class="turn" aria-label="Chapters">${back}${next === null ? "" : link(next, "next", "Next")}</nav>`;
}

/** The inspectors that this chapter or one before it opens: those that its readers know. */
function knownInspectors(book: Book, chapter: Chapter): string[] {
  const read = book.chapters.slice(0, book.chapters.indexOf(chapter) + 1);
  return [...new Set(read.flatMap(({ frontMatter }) => frontMatter.inspect))];
}

function machineAside(book: Book, chapter: Chapter, offers: readonly MachineOffer[]): string {
  const own = offers.find((offer) => offer.kind === "chapter");
  if (own === undefined) return "";
  const inspect = escapeHtml(chapter.frontMatter.inspect.join(" "));
  const panels = escapeHtml(knownInspectors(book, chapter).join(" "));
  const variants = offers.filter((offer) => offer.kind === "variant");
  const buttons = variants.map(
    ({ name, image, map }) =>
      `<button type="button" data-image="${escapeHtml(image)}" data-map="${escapeHtml(map)}">${escapeHtml(name)}</button>`,
  );
  const choose =
    buttons.length === 0
      ? ""
      : `<div class="variants" role="group" aria-label="Start the machine with"><button type="button" data-image="${escapeHtml(own.image)}" ` +
        `data-map="${escapeHtml(own.map)}" aria-pressed="true">this chapter</button>${buttons.join("")}</div>`;
  return (
    `<aside class="machine" aria-label="This chapter's machine"><div class="machine-inner">` +
    `${choose}<taiji-machine src="${escapeHtml(own.image)}" map="${escapeHtml(own.map)}" sources="." pages="." ` +
    `panels="${panels}" inspect="${inspect}"></taiji-machine>` +
    `<p class="caption">This chapter's own image on the machine that the book describes. It starts when you ask it to.</p>` +
    `${kernelTests(offers)}` +
    `<noscript><p class="caption">The machine needs scripts; the text does not.</p></noscript></div></aside>`
  );
}

/** The chapter's kernel tests, each an image that a script starts and listens to. */
function kernelTests(offers: readonly MachineOffer[]): string {
  const tests = offers.filter((offer) => offer.kind === "test");
  if (tests.length === 0) return "";
  const items = tests.map(
    ({ name, image }) =>
      `<li data-image="${escapeHtml(image)}"><span class="name">${escapeHtml(name)}</span> <span class="result"></span><pre></pre></li>`,
  );
  return (
    `<section class="kernel-tests" aria-label="Kernel tests"><button type="button">Run this chapter's tests</button>` +
    ` <span class="summary" role="status"></span><ol hidden>${items.join("")}</ol></section>`
  );
}

export function renderChapterPage(
  context: ChapterContext,
  offers: readonly MachineOffer[],
  liveReload: boolean,
): string {
  const { chapter, book } = context;
  const { title, summary, milestone } = chapter.frontMatter;
  const rendered = renderChapter(context);
  const kicker = `${milestone === null ? "Appendix" : "Chapter"} ${chapterNumber(chapter)}`;
  const aside = machineAside(book, chapter, offers);
  const changes =
    milestone === null ? "" : renderChanges(changesOf(book, milestone), context.highlighter, linksFrom(context));
  const contents = milestone === null ? rendered.contents : [...rendered.contents, CHANGES_HEADING];
  const main =
    `<main class="page${aside === "" ? "" : " with-machine"}" id="text">\n` +
    `<header class="opening"><p class="kicker">${kicker}</p><h1>${escapeHtml(title)}</h1>` +
    `<p class="summary">${escapeHtml(summary)}</p></header>\n${aside}\n` +
    `<article>\n${renderContents(contents)}\n${rendered.html}${changes}${turn(book, chapter)}</article>\n</main>`;
  return renderPage({
    title,
    description: summary,
    where: label(chapter),
    main,
    withMachine: aside !== "",
    liveReload,
  });
}

/** A page that is plain Markdown, without blocks of the book. */
export function renderPlainPage(title: string, summary: string, article: string, liveReload: boolean): string {
  const main =
    `<main class="page" id="text"><header class="opening"><h1>${escapeHtml(title)}</h1>` +
    `<p class="summary">${escapeHtml(summary)}</p></header><article>${article}</article></main>`;
  return renderPage({ title, description: summary, where: title, main, withMachine: true, liveReload });
}
