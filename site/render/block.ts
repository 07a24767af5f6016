/** One fence of a chapter as HTML: its caption, its numbered lines, what it replaces. */
import type { Block } from "../../tangle/literate/book.ts";
import type { Highlighter } from "./highlight.ts";
import { escapeHtml } from "./html.ts";
import type { Part } from "./parts.ts";

/** How a page names and reaches a block. */
export interface BlockLinks {
  /** Relative to the page: `#L212`, `02-a-minimal-kernel.html#L80`. */
  href(block: Block): string;
  /** `chapter 2`, `appendix B`, or empty for this chapter. */
  chapterName(block: Block): string;
}

/** The anchor of the block whose fence opens at a line of the Markdown file. */
export const blockAnchor = (line: number): string => `L${line}`;

const SLOT = /^(\s*(?:\/\/|;|#)\s*)&lt;&lt;([\w-]+)&gt;&gt;/;

/** A tagged block with its caption. */
export function renderBlock(part: Part, highlighter: Highlighter, links: BlockLinks): string {
  const { block } = part;
  const code = block.lines.map((line) => line.text).join("\n");
  const lines = highlighter.lines(code, block.language);
  const rows = lines.map((html, index) =>
    line(markSlot(html, block.lines[index]?.slot ?? null), part.lineNumbers[index] ?? null),
  );
  const replaced = part.replaces.map((old) => renderReplaced(old, highlighter, links)).join("");
  const body = block.lines.length === 0 ? "" : `<pre tabindex="0"><code class="numbered">${rows.join("")}</code></pre>`;
  return (
    `<figure class="block" id="${blockAnchor(block.place.line)}">` +
    `<figcaption>${caption(part, links)}</figcaption>${body}${replaced}</figure>\n`
  );
}

/** A fence that is shown and not tangled: an example, or something to type. */
export function renderExample(code: string, language: string, highlighter: Highlighter): string {
  const rows = highlighter.lines(code.replace(/\n$/, ""), language).map((html) => line(html, null));
  const label = language === "sh" || language === "shell" ? "In a terminal" : "Example";
  return `<figure class="block"><figcaption>${label}</figcaption><pre tabindex="0"><code>${rows.join("")}</code></pre></figure>\n`;
}

const EXPECTED = { screen: "On the screen", serial: "On the serial line", exit: "Exit status" } as const;

/** What a run must print. */
export function renderExpectation(kind: keyof typeof EXPECTED, variant: string | null, text: string): string {
  const rows = text
    .replace(/\n$/, "")
    .split("\n")
    .map((row) => line(escapeHtml(row), null));
  const of = variant === null ? "" : ` of the variant <code>${escapeHtml(variant)}</code>`;
  return (
    `<figure class="block expectation"><figcaption>${EXPECTED[kind]}${of}</figcaption>` +
    `<pre tabindex="0"><code>${rows.join("")}</code></pre></figure>\n`
  );
}

function line(html: string, number: number | null): string {
  return number === null
    ? `<span class="line">${html}</span>`
    : `<span class="line" data-line="${number}">${html}</span>`;
}

/** A slot is shown as what it is: a place that another block fills. */
function markSlot(html: string, slot: string | null): string {
  if (slot === null) return html;
  const plain = html.replace(/<[^>]+>/g, "");
  return SLOT.test(plain) ? `<span class="slot">${plain}</span>` : html;
}

function caption(part: Part, links: BlockLinks): string {
  const { block } = part;
  const phrases: string[] = [];
  const path = part.files[0] ?? (block.isFile ? block.name : null);
  if (path !== null) phrases.push(`<span class="file">${escapeHtml(path)}</span>`);
  if (!block.isFile) phrases.push(`<span>${escapeHtml(block.name)}</span>`);
  if (block.variant !== null)
    phrases.push(`<span>only in the variant <code>${escapeHtml(block.variant)}</code></span>`);
  const replaced = part.replaces[0];
  if (replaced !== undefined) {
    const verb = block.operation === "remove" ? "removes" : "replaces";
    phrases.push(`<span>${verb} ${link(replaced, "this block", links)}</span>`);
  }
  if (part.replacedBy !== null) phrases.push(`<span>replaced ${link(part.replacedBy, "later", links)}</span>`);
  if (part.continues !== null) phrases.push(`<span>continues ${link(part.continues, "this block", links)}</span>`);
  if (part.previous !== null) phrases.push(neighbour(part.previous, "↑", "The part before", links));
  if (part.next !== null) phrases.push(neighbour(part.next, "↓", "The part after", links));
  return phrases.join(" ");
}

const name = (block: Block): string => (block.isFile ? "the file's frame" : block.name);

/** The block before or after in the same file: an arrow and its name, spelled out for those who cannot see the arrow. */
function neighbour(block: Block, arrow: string, words: string, links: BlockLinks): string {
  const chapter = links.chapterName(block);
  const where = chapter === "" ? "" : ` in ${chapter}`;
  const title = escapeHtml(`${words} of this file: ${name(block)}${where}`);
  return `<a class="neighbour" href="${links.href(block)}" title="${title}" aria-label="${title}">${arrow} ${escapeHtml(name(block))}</a>`;
}

function link(block: Block, text: string, links: BlockLinks): string {
  const chapter = links.chapterName(block);
  const where = chapter === "" ? "" : ` in ${chapter}`;
  return `<a href="${links.href(block)}">${escapeHtml(text)}${escapeHtml(where)}</a>`;
}

function renderReplaced(block: Block, highlighter: Highlighter, links: BlockLinks): string {
  const rows = highlighter
    .lines(block.lines.map((row) => row.text).join("\n"), block.language)
    .map((html) => line(html, null));
  const chapter = links.chapterName(block);
  return (
    `<details><summary>What stood here before${chapter === "" ? "" : `, from ${escapeHtml(chapter)}`}</summary>` +
    `<pre tabindex="0"><code>${rows.join("")}</code></pre></details>`
  );
}
