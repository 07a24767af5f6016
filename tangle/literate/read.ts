/** One Markdown file → its chapter: front matter, blocks and expectations, with every mistake that shows in the file alone. */
import type { Diagnostic, Place } from "../place.ts";
import { type Attributes, type Given, isTagged, readAttributes } from "./attributes.ts";
import type { Beside, Block, BlockLine, BookFile, Chapter, Expectation } from "./book.ts";
import { LT } from "./errors.ts";
import { splitFrontMatter } from "./front-matter.ts";
import { type Fence, findFences } from "./markdown.ts";
import { checkPath } from "./path.ts";
import { readSlot } from "./slot.ts";

/** Reads one file of the book. */
export function readChapter(file: BookFile): { chapter: Chapter; diagnostics: Diagnostic[] } {
  const { frontMatter, body, diagnostics: first } = splitFrontMatter(file);
  const diagnostics: Diagnostic[] = [...first];
  const blocks: Block[] = [];
  const expectations: Expectation[] = [];
  const { fences, hidden } = findFences(body);

  for (const { line, column, info, inside } of hidden) {
    if (!isTagged(info)) continue;
    diagnostics.push({
      code: LT.hiddenFence,
      message: `this fence stands inside ${inside}, so it would not be tangled`,
      place: { file: file.path, line, column },
      hint:
        inside === "indented code" ? "indent it by less than four columns" : "put empty lines and no tags around it",
    });
  }
  for (const fence of fences) {
    const place = { file: file.path, line: fence.line, column: fence.column };
    if (!fence.closed) diagnostics.push(unclosed(place, fence));
    const attributes = readAttributes(fence.info, { ...place, column: fence.infoColumn }, diagnostics);
    const problem = combination(attributes, frontMatter.milestone);
    if (problem !== null) diagnostics.push(problem);
    if (attributes.expect !== null) {
      if (problem === null) expectations.push(expectation(attributes, fence, place, frontMatter.milestone!));
    } else if ((attributes.file ?? attributes.name) !== null && attributes.example === null) {
      blocks.push(block(attributes, fence, place, frontMatter.milestone, diagnostics));
    }
  }
  return { chapter: { path: file.path, frontMatter, blocks, expectations }, diagnostics };
}

function unclosed(place: Place, fence: Fence): Diagnostic {
  const last = fence.lines.at(-1)?.line ?? fence.line;
  return {
    code: LT.unclosedFence,
    message: "this fence is never closed",
    place,
    hint: "end it with a line that has only its backticks",
    related: [{ place: { ...place, line: last, column: 1 }, message: "what follows it is swallowed, down to here" }],
  };
}

/** The first thing that is wrong with the words of a fence taken together. */
function combination(a: Attributes, milestone: number | null): Diagnostic | null {
  const wrong = (given: Given<unknown>, message: string, hint?: string): Diagnostic => ({
    code: LT.badAttribute,
    message,
    place: given.place,
    ...(hint === undefined ? {} : { hint }),
  });
  const tag = a.file ?? a.name;
  const beside = a.after ?? a.before;
  const besides = a.operation ?? beside ?? a.since ?? a.until;
  if (a.example !== null && (tag ?? a.expect ?? a.variant ?? besides) !== null)
    return wrong(a.example, "an example is shown and never tangled, so it has no other attribute");
  if (a.expect !== null) {
    if ((tag ?? besides) !== null) return wrong((tag ?? besides)!, "an expectation has no attribute but `variant=`");
    if (a.language !== "text") return wrong(a.expect, "an expectation is a `text` block", "write `text expect=…`");
    if (milestone === null) return wrong(a.expect, "an appendix has no run, so it cannot expect anything");
    return null;
  }
  if (tag === null) {
    const attribute = a.variant ?? besides;
    return attribute === null
      ? null
      : wrong(attribute, "this fence names no chunk and no file", "add `#name` or `file=…`");
  }
  if (a.file !== null && a.name !== null) return wrong(a.name, "a fence names a file or a chunk, not both");
  if (a.after !== null && a.before !== null)
    return wrong(a.before, "a chunk stands after another or before it, not both");
  if (a.file !== null && beside !== null) return wrong(beside, "a file has no place beside a chunk");
  if (a.operation !== null && beside !== null)
    return wrong(beside, "a chunk gets its place where it is defined", "leave out the operation, or the place");
  const range = a.since ?? a.until;
  if (a.operation !== null && range !== null)
    return wrong(range, "`since=` and `until=` go with the block that defines the test");
  if (a.since !== null && a.until !== null && a.since.value > a.until.value)
    return wrong(a.until, `\`until=${a.until.value}\` ends before \`since=${a.since.value}\` begins`);
  if (a.variant !== null && milestone === null) return wrong(a.variant, "an appendix has no variants");
  if (a.variant !== null && a.file?.value.startsWith("machine/"))
    return wrong(a.variant, "the machine is tangled once, from the whole book: it has no variants");
  return null;
}

function expectation(a: Attributes, fence: Fence, place: Place, chapter: number): Expectation {
  const text = fence.lines.map((line) => `${line.text}\n`).join("");
  return { chapter, kind: a.expect!.value, variant: a.variant?.value ?? null, text, place };
}

function block(a: Attributes, fence: Fence, place: Place, chapter: number | null, diagnostics: Diagnostic[]): Block {
  if (a.file !== null) diagnostics.push(...checkPath(a.file.value, a.file.place, a.language, chapter === null));
  const operation = a.operation?.value ?? "define";
  const body = fence.lines.find((line) => line.text.trim() !== "");
  if (operation === "remove" && body !== undefined) {
    const at = { file: place.file, line: body.line, column: body.column + 1 };
    diagnostics.push({ code: LT.removalWithBody, message: "a block that removes a chunk is empty", place: at });
  }
  const anchor = a.after ?? a.before;
  const beside: Beside | null =
    anchor === null ? null : { side: a.after === null ? "before" : "after", name: anchor.value, place: anchor.place };
  return {
    place,
    chapter,
    language: a.language,
    operation,
    name: (a.file ?? a.name)!.value,
    isFile: a.file !== null,
    beside,
    variant: a.variant?.value ?? null,
    since: a.since?.value ?? null,
    until: a.until?.value ?? null,
    lines:
      operation === "remove" ? [] : fence.lines.map((line) => blockLine(line, a.language, place.file, diagnostics)),
  };
}

function blockLine(line: Fence["lines"][number], language: string, file: string, diagnostics: Diagnostic[]): BlockLine {
  const slot = readSlot(line.text, language);
  if (slot !== null && "message" in slot) {
    const column = line.column + line.text.length - line.text.trimStart().length + 1;
    diagnostics.push({ code: LT.badSlot, ...slot, place: { file, line: line.line, column } });
  }
  const found = slot !== null && "name" in slot ? slot : null;
  return { ...line, slot: found?.name ?? null, indent: found?.indent ?? "" };
}
