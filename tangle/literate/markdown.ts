/** The one Markdown parser of the project: what it calls a fence is tangled, and what it calls a fence is shown. */
import MarkdownIt from "markdown-it";

/** Configured for the book: CommonMark and tables, with HTML for figures. The site adds its renderers to this instance. */
export const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });

/** A fence as it stands in a file. Lines count from 1. */
export interface Fence {
  /** The line that opens it, and the column of its first backtick. */
  readonly line: number;
  readonly column: number;
  /** What follows the backticks, as written, and the column where that begins. */
  readonly info: string;
  readonly infoColumn: number;
  readonly lines: readonly FenceLine[];
  /** False for a fence that is never closed. */
  readonly closed: boolean;
}

/** A line inside a fence. `column` says how many columns stand before `text` in the file. */
export interface FenceLine {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** A line that looks like a fence, but stands where Markdown sees none. */
export interface HiddenFence {
  readonly line: number;
  readonly column: number;
  readonly info: string;
  readonly inside: "an HTML comment" | "an HTML block" | "indented code";
}

const OPENING = /^(\s*)(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

/** Finds the fences of a chapter's body, and the lines that only look like fences. */
export function findFences(body: string): { fences: Fence[]; hidden: HiddenFence[] } {
  const source = body.split("\n");
  const fences: Fence[] = [];
  const hidden: HiddenFence[] = [];
  const tokens: Parameters<typeof markdown.block.parse>[3] = [];
  // The block pass alone gives every fence; the end of line lets a fence that reaches the end count its last line.
  markdown.block.parse(`${body.replaceAll("\0", "\uFFFD")}\n`, markdown, {}, tokens);
  let inComment = false;
  for (const token of tokens) {
    if (token.map === null) continue;
    const [start, end] = token.map;
    if (token.type === "html_block") {
      for (let index = start; index < end; index++) {
        const line = source[index] ?? "";
        addHidden(hidden, line, index, inComment ? "an HTML comment" : "an HTML block");
        inComment = commentAfter(line, inComment);
      }
    } else if (token.type === "code_block") {
      for (let index = start; index < end; index++) addHidden(hidden, source[index] ?? "", index, "indented code");
    } else if (token.type === "fence") {
      // A comment that an HTML block leaves open hides what follows from the reader, fences too.
      if (inComment) addHidden(hidden, source[start]!, start, "an HTML comment");
      else fences.push(...readFence(source, token, start, end));
    }
  }
  return { fences, hidden };
}

function addHidden(hidden: HiddenFence[], text: string, index: number, inside: HiddenFence["inside"]): void {
  const match = /^([\s>]*)(?:`{3,}|~{3,})([^`]*)$/.exec(text);
  if (match !== null) hidden.push({ line: index + 1, column: match[1]!.length + 1, info: match[2]!, inside });
}

/** Whether an HTML comment is open after this line. */
function commentAfter(line: string, open: boolean): boolean {
  let inside = open;
  for (const mark of line.matchAll(/<!--|-->/g)) inside = inside ? mark[0] !== "-->" : mark[0] === "<!--";
  return inside;
}

/**
 * Reads one fence token. A fence that somebody forgot to close swallows the opening line of the next one; it is split
 * there, so that the mistake is reported once and what follows is still read.
 */
function readFence(
  source: readonly string[],
  token: { readonly content: string; readonly markup: string; readonly info: string },
  start: number,
  end: number,
): Fence[] {
  const content = token.content.split("\n").slice(0, -1);
  const closed = end - start === content.length + 2;
  const opening = source[start]!;
  const infoColumn = opening.length - token.info.length + 1;
  const fences: Fence[] = [];
  let lines: FenceLine[] = [];
  let head = { line: start + 1, column: infoColumn - token.markup.length, info: token.info, infoColumn };
  for (const [index, text] of content.entries()) {
    const line = start + 2 + index;
    const column = (source[line - 1] ?? "").length - text.length;
    const [, indent, marker, info] = OPENING.exec(text) ?? [];
    const swallowed = marker?.[0] === token.markup[0] && marker!.length >= token.markup.length;
    if (swallowed && info!.trim() !== "") {
      fences.push({ ...head, lines, closed: false });
      const at = column + indent!.length + 1;
      head = { line, column: at, info: info!, infoColumn: at + marker!.length };
      lines = [];
    } else lines.push({ text, line, column });
  }
  fences.push({ ...head, lines, closed });
  return fences;
}
