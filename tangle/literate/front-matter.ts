/** The front matter of a chapter: the lines `key: value` between two lines `---` at the top of the file. */
import type { Diagnostic, Place } from "../place.ts";
import type { BookFile, FrontMatter } from "./book.ts";
import { LT } from "./errors.ts";

/** A chapter's front matter, and its text with those lines made empty, so that line numbers stay. */
export interface SplitChapter {
  readonly frontMatter: FrontMatter;
  readonly body: string;
  readonly diagnostics: readonly Diagnostic[];
}

interface Entry {
  readonly value: string;
  readonly place: Place;
}

const KEYS = ["title", "milestone", "summary", "inspect"];
const FORM = "a chapter opens with `---`, `title: …`, `milestone: …`, `summary: …`, `inspect: [registers]`, `---`";

/** Splits a file of the book. Without front matter the file counts as an appendix with its path for a title. */
export function splitFrontMatter(file: BookFile): SplitChapter {
  const diagnostics: Diagnostic[] = [];
  const report = (code: string, line: number, message: string, hint?: string): void => {
    const place = { file: file.path, line, column: 1 };
    diagnostics.push({ code, message, place, ...(hint === undefined ? {} : { hint }) });
  };
  const lines = file.text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const isRule = (line: string): boolean => /^---[ \t]*$/.test(line);
  const end = isRule(lines[0]!) ? lines.findIndex((line, index) => index > 0 && isRule(line)) : -1;
  if (end < 0) {
    const message = isRule(lines[0]!) ? "the front matter is never closed" : "the file has no front matter";
    report(LT.noFrontMatter, 1, message, FORM);
    const frontMatter = { title: file.path, milestone: null, summary: "", inspect: [] };
    return { frontMatter, body: lines.join("\n"), diagnostics };
  }

  const entries = new Map<string, Entry>();
  for (let index = 1; index < end; index++) {
    const text = lines[index]!;
    if (/^\s*(#.*)?$/.test(text)) continue;
    const match = /^([A-Za-z]+):(?:\s+(.*?))?\s*$/.exec(text);
    const key = match?.[1];
    if (match === null || key === undefined) report(LT.badFrontMatter, index + 1, "expected `key: value`", FORM);
    else if (!KEYS.includes(key))
      report(LT.badFrontMatter, index + 1, `unknown key \`${key}\``, `the keys are ${KEYS.join(", ")}`);
    else if (entries.has(key)) report(LT.badFrontMatter, index + 1, `\`${key}\` is given twice`);
    else entries.set(key, { value: match[2] ?? "", place: { file: file.path, line: index + 1, column: 1 } });
  }
  const body = lines.map((line, index) => (index <= end ? "" : line)).join("\n");
  return { frontMatter: readEntries(file.path, entries, report), body, diagnostics };
}

function readEntries(
  path: string,
  entries: ReadonlyMap<string, Entry>,
  report: (code: string, line: number, message: string, hint?: string) => void,
): FrontMatter {
  const title = unquote(entries.get("title")?.value ?? "");
  if (title === "")
    report(LT.badFrontMatter, entries.get("title")?.place.line ?? 1, "the chapter has no `title`", FORM);

  const milestone = entries.get("milestone");
  let number: number | null = null;
  if (milestone !== undefined && !/^(null|~|)$/.test(milestone.value)) {
    if (/^[1-9]\d{0,3}$/.test(milestone.value)) number = Number(milestone.value);
    else {
      const hint = "an appendix has `milestone: null`, or none";
      report(LT.badFrontMatter, milestone.place.line, "`milestone` is the chapter's number, from 1", hint);
    }
  }

  const inspect = entries.get("inspect");
  const list = /^\[([^[\]]*)\]$/.exec(inspect?.value ?? "[]")?.[1];
  if (list === undefined && inspect !== undefined)
    report(
      LT.badFrontMatter,
      inspect.place.line,
      "`inspect` is a list in brackets",
      "write `inspect: [registers, pit]`",
    );
  return {
    title: title === "" ? path : title,
    milestone: number,
    summary: unquote(entries.get("summary")?.value ?? ""),
    inspect: (list ?? "").split(",").flatMap((name) => (name.trim() === "" ? [] : [unquote(name.trim())])),
  };
}

function unquote(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}
