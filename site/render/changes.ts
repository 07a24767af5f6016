/** What a chapter changed, as the last section of its page: a folded diff for each file, with links to the blocks. */
import type { Block } from "../../tangle/literate/book.ts";
import type { ChangedHunk, ChangedLine, FileChange } from "../../tangle/literate/changes.ts";
import type { BlockLinks } from "./block.ts";
import type { Highlighter } from "./highlight.ts";
import { escapeHtml } from "./html.ts";

/** The section's heading, as the page's contents list it. */
export const CHANGES_HEADING = { level: 2, text: "Every changed line", id: "every-changed-line" } as const;

/** The section. `changes` null is the first chapter: nothing went before it. */
export function renderChanges(
  changes: readonly FileChange[] | null,
  highlighter: Highlighter,
  links: BlockLinks,
): string {
  const files = (changes ?? []).map((change) => renderFile(change, highlighter, links)).join("\n");
  return (
    `<section class="changes" aria-labelledby="${CHANGES_HEADING.id}">` +
    `<h2 id="${CHANGES_HEADING.id}">${CHANGES_HEADING.text}</h2>\n<p>${summary(changes)}</p>\n${files}</section>\n`
  );
}

function summary(changes: readonly FileChange[] | null): string {
  if (changes === null) return "This is the first chapter: all of it is new.";
  if (changes.length === 0) return "This chapter changes no file of the kernel or the machine.";
  const WORDS = { changed: "changed", added: "new", removed: "gone" } as const;
  const parts = (["changed", "added", "removed"] as const).flatMap((state) => {
    const number = changes.filter((change) => change.state === state).length;
    return number === 0 ? [] : [`${count(number, "file")} ${number === 1 ? "is" : "are"} ${WORDS[state]}`];
  });
  return `Since the chapter before this one, ${parts.join(", ")}.`;
}

function renderFile(
  { path, state, hunks, added, removed }: FileChange,
  highlighter: Highlighter,
  links: BlockLinks,
): string {
  const lines = { changed: `${added} added, ${removed} removed`, added: "new", removed: "gone" }[state];
  const amount = state === "changed" ? "" : `, ${count(added + removed, "line")}`;
  const body = hunks.map((hunk) => renderHunk(path, hunk, highlighter, links)).join("");
  return (
    `<details class="block change"><summary><span class="file">${escapeHtml(path)}</span> ` +
    `<span>${lines}${amount}</span></summary>${body}</details>`
  );
}

function renderHunk(path: string, hunk: ChangedHunk, highlighter: Highlighter, links: BlockLinks): string {
  // Each side is highlighted as the text that it is.
  const side = (without: ChangedLine["kind"]): Iterator<string> => {
    const lines = hunk.lines.filter(({ kind }) => kind !== without);
    const language = lines[0]?.block.language ?? "";
    return highlighter.lines(lines.map(({ text }) => text).join("\n"), language).values();
  };
  const [old, now] = [side("added"), side("removed")];
  let number = hunk.newStart;
  const rows = hunk.lines.map(({ kind }) => {
    const oldHtml = kind === "added" ? "" : old.next().value;
    if (kind === "removed") return row("del", "−", oldHtml, null);
    return row(kind === "added" ? "ins" : "span", kind === "added" ? "+" : " ", now.next().value, number++);
  });
  const changed = hunk.lines.filter(({ kind }) => kind !== "context").map(({ block }) => block);
  const blocks = [...new Set(changed)].map((block) => blockLink(block, links));
  const label = escapeHtml(`Changes of ${path} at line ${hunk.newStart}`);
  return (
    `<p class="hunk">Line ${hunk.newStart}: ${blocks.join(", ")}</p>` +
    `<pre tabindex="0" role="group" aria-label="${label}"><code class="numbered">${rows.join("")}</code></pre>`
  );
}

/** One line. The sign is text, so that neither colour nor markup is needed to tell what came and what went. */
function row(element: "ins" | "del" | "span", sign: string, html: string, number: number | null): string {
  const data = number === null ? "" : ` data-line="${number}"`;
  return `<${element} class="line"${data}>${sign} ${html}</${element}>`;
}

function blockLink(block: Block, links: BlockLinks): string {
  const chapter = links.chapterName(block);
  const name = block.isFile ? "the file's frame" : block.name;
  return `<a href="${links.href(block)}">${escapeHtml(name)}${chapter === "" ? "" : ` of ${escapeHtml(chapter)}`}</a>`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
