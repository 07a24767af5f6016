/** The section of a page that shows what its chapter changed. */
import { Window } from "happy-dom";
import { describe, expect, test } from "vitest";
import { renderChanges } from "../../site/render/changes.ts";
import { linksFrom } from "../../site/render/chapter.ts";
import { escapeHtml } from "../../site/render/html.ts";
import { changesOf } from "../../tangle/literate/changes.ts";
import { book, chapter, fence } from "../literate/writing.ts";

const it = book(
  chapter(1, fence("ts file=kernel/main.ts", "start {", "  // <<body>>", "}"), fence("ts #body", "a < b;", "two();")),
  chapter(2, fence("ts #body :=", "a < b;", "three();"), fence("ts file=kernel/new.ts", "new")),
  chapter(3, fence("ts file=kernel/new.ts -=")),
  chapter(4, "Prose alone."),
);
const plain = { lines: (code: string) => code.split("\n").map(escapeHtml) };

function section(number: number) {
  const links = linksFrom({ book: it, chapter: it.chapters[number - 1]! });
  const { document } = new Window();
  document.body.innerHTML = renderChanges(changesOf(it, number), plain, links);
  return document.querySelector("section.changes")!;
}

describe("the changes of a chapter", () => {
  test("are folded, a file each, and count their lines", () => {
    const files = [...section(2).querySelectorAll("details")];
    expect(files.map((file) => file.hasAttribute("open"))).toEqual([false, false]);
    expect(files.map((file) => file.querySelector("summary")!.textContent)).toEqual([
      "kernel/main.ts 1 added, 1 removed",
      "kernel/new.ts new, 1 line",
    ]);
    expect(section(2).querySelector("p")!.textContent).toBe(
      "Since the chapter before this one, 1 file is changed, 1 file is new.",
    );
  });

  test("say by their signs and their elements what came and what went, not by colour alone", () => {
    const lines = [...section(2).querySelectorAll("details:first-of-type .line")];
    expect(lines.map((line) => [line.localName, line.textContent, line.getAttribute("data-line")])).toEqual([
      ["span", "  start {", "1"],
      ["span", "    a < b;", "2"],
      ["del", "−   two();", null],
      ["ins", "+   three();", "3"],
      ["span", "  }", "4"],
    ]);
  });

  test("lead to the blocks that they come from, in this chapter and in others", () => {
    const links = [...section(2).querySelectorAll("details:first-of-type .hunk a")];
    expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual([
      ["body of chapter 1", "01.html#L11"],
      ["body", "#L5"],
    ]);
  });

  test("name files that are gone", () => {
    expect(section(3).textContent).toContain("1 file is gone");
    expect(section(3).querySelector("del")!.textContent).toBe("− new");
  });

  test("are one sentence where there are none, and in the first chapter, where all is new", () => {
    expect(section(4).textContent).toContain("This chapter changes no file");
    expect(section(1).textContent).toContain("This is the first chapter: all of it is new.");
    expect(section(1).querySelector("details")).toBe(null);
  });
});
