/** The cover: the contents of the book, with what each chapter boots as its screen shows it. */
import type { Book, Chapter } from "../../tangle/literate/book.ts";
import { chapterNumber, pageName } from "./chapter.ts";
import { escapeHtml } from "./html.ts";
import { paddedNumber } from "./offers.ts";
import { BOOK_TITLE, renderPage } from "./template.ts";

const DESCRIPTION = "A book whose twelve chapters are the source of a 64-bit x86 kernel and of the PC it runs on.";

/** Chapters of the finished book; milestones of the kernel. */
const PLANNED_CHAPTERS = 12;

/** Where the picture of a chapter's screen is, relative to the site. */
export const screenPicture = (milestone: number): string => `pictures/${paddedNumber(milestone)}.svg`;

function progress(book: Book): string {
  const written = book.chapters.length;
  return written >= PLANNED_CHAPTERS
    ? ""
    : `<p>${written} of the twelve chapters are here; the others are being written.</p>`;
}

export function renderCover(book: Book, liveReload: boolean): string {
  const main =
    `<main class="page cover" id="text"><header class="opening"><h1>${BOOK_TITLE}</h1>` +
    `<p class="summary">${DESCRIPTION}</p></header><article>` +
    `<p>Each chapter adds one thing to a kernel, and shows it running on the machine beside the text: a PC that this book ` +
    `also builds, in its appendices. The code you read is the code that runs. It is taken out of these pages, compiled to ` +
    `machine code, and put on a disk that boots here, in QEMU, and on a PC.</p>` +
    `${progress(book)}<h2>Chapters</h2><ol class="chapters">${book.chapters.map(item).join("")}</ol>` +
    `<h2>Appendices: the machine</h2><ol class="chapters">${book.appendices.map(item).join("")}</ol>` +
    `<p>The machine is an element that any page can hold: <a href="embed.html">how to use it in yours</a>.</p>` +
    `</article></main>`;
  return renderPage({ title: BOOK_TITLE, description: DESCRIPTION, where: "", main, withMachine: false, liveReload });
}

function item(chapter: Chapter): string {
  const { title, summary } = chapter.frontMatter;
  return (
    `<li><span class="number">${chapterNumber(chapter)}</span><div><a href="${pageName(chapter.path)}">` +
    `${escapeHtml(title)}</a><p>${escapeHtml(summary)}</p></div>${picture(chapter)}</li>`
  );
}

function picture(chapter: Chapter): string {
  const { milestone } = chapter.frontMatter;
  if (milestone === null) return "";
  return (
    `<a class="picture" href="${pageName(chapter.path)}" tabindex="-1"><img src="${screenPicture(milestone)}" ` +
    `width="720" height="400" loading="lazy" alt="${escapeHtml(tellScreen(chapter))}"></a>`
  );
}

/** What the screen says, as the chapter itself says that it does; its tests see to it that this is true. */
function tellScreen({ expectations, frontMatter }: Chapter): string {
  const own = expectations.filter(({ kind, variant }) => kind === "screen" && variant === null);
  const rows = own.flatMap(({ text }) => text.split("\n")).filter((row) => row.trim() !== "" && row.trim() !== "...");
  const said = rows.map((row) => row.trim().replace(/\s+/g, " ")).join(" / ");
  const screen = `The screen of chapter ${frontMatter.milestone}`;
  return said === "" ? `${screen}: nothing on it yet` : `${screen}: ${said.slice(0, 300)}`;
}
