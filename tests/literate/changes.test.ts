/** What chapters change: as data with places in the book, and as a unified diff that other programs can apply. */

import { describe, expect, test } from "vitest";
import type { Book } from "../../tangle/literate/book.ts";
import { changesBetween, changesOf, type FileChange } from "../../tangle/literate/changes.ts";
import { applyOperations } from "../../tangle/literate/edition.ts";
import { layOut } from "../../tangle/literate/layout.ts";
import type { Target } from "../../tangle/literate/path.ts";
import { chapterNumbers, readBook, tangleMachine } from "../../tangle/literate/tangle.ts";
import { formatChanges } from "../../tangle/literate/unified.ts";
import fc from "../properties.ts";
import { plans, write } from "./generate.ts";
import { appendix, book, chapter, fence } from "./writing.ts";

const RUNS = { numRuns: Number(process.env.TAIJI_RUNS ?? 200) };

/** The files of a target as of one chapter, line by line. */
function filesAt(it: Book, number: number, target: Target): Map<string, string[]> {
  const layouts = layOut(applyOperations(it, { chapter: number, variant: null }), target);
  return new Map(layouts.map(({ path, lines }) => [path, lines.map(({ text }) => text)]));
}

/** Applies a unified diff as `patch -p1` does, and insists on every line of it. */
function patch(files: ReadonlyMap<string, readonly string[]>, lines: readonly string[]): Map<string, string[]> {
  const patched = new Map([...files].map(([path, texts]) => [path, [...texts]]));
  let path = "";
  let at = 0;
  for (const line of lines) {
    const head = /^diff --git \d+\/(\S+) \d+\/(\S+)$/.exec(line);
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ /.exec(line);
    if (head !== null) path = head[1]!;
    else if (line === "new file mode 100644") patched.set(path, []);
    else if (line === "deleted file mode 100644" && patched.get(path)!.length === 0) patched.delete(path);
    else if (hunk !== null) at = Number(hunk[3]) - (hunk[4] === "0" ? 0 : 1);
    else if (line === "+++ /dev/null") at = -1;
    else if (/^( |-(?!-- )|\+(?!\+\+ ))/.test(line)) {
      const texts = patched.get(path)!;
      if (line[0] === "+") texts.splice(at, 0, line.slice(1));
      else expect(texts[at]).toBe(line.slice(1));
      if (line[0] === "-") texts.splice(at, 1);
      else at++;
    }
  }
  return patched;
}

describe("between any two chapters of a random book", () => {
  test("the diff makes the files of the one of those of the other", () => {
    fc.assert(
      fc.property(plans, fc.nat(), fc.nat(), (plan, one, other) => {
        const it = readBook(write(plan)).book;
        const numbers = chapterNumbers(it);
        const [from, to] = [numbers[one % numbers.length]!, numbers[other % numbers.length]!];
        for (const target of ["kernel", "machine"] as const) {
          const changes = changesBetween(it, from, to, target);
          const lines = formatChanges(changes, { older: `${from}`, newer: `${to}` }, false);
          const after = filesAt(it, to, target);
          const patched = patch(filesAt(it, from, target), lines);
          for (const { path, state } of changes) if (state === "removed") patched.delete(path);
          expect(new Map([...patched].sort())).toEqual(new Map([...after].sort()));
          if (from === to) expect(lines).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  test("every line of a hunk stands in the book where it says", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const files = write(plan);
        const { book: it } = readBook(files);
        const texts = new Map(files.map(({ path, text }) => [path, text.split("\n")]));
        const all = chapterNumbers(it).flatMap((number) => changesOf(it, number) ?? []);
        for (const { hunks, added, removed } of all) {
          const lines = hunks.flatMap((hunk) => hunk.lines);
          expect(lines.filter(({ kind }) => kind === "added")).toHaveLength(added);
          expect(lines.filter(({ kind }) => kind === "removed")).toHaveLength(removed);
          for (const { text, place, block } of lines) {
            // Slots may indent it here, never there.
            const there = texts.get(place.file)![place.line - 1]!.slice(place.column - 1);
            expect(text.endsWith(there) && text.trim() === there.trim()).toBe(true);
            expect(block.place.line).toBeLessThan(place.line);
          }
        }
      }),
      RUNS,
    );
  });

  test("the machine of the last chapter is the machine", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const it = readBook(write(plan)).book;
        const last = filesAt(it, chapterNumbers(it).at(-1)!, "machine");
        const whole = tangleMachine(it).map(({ path, text }) => [path, text.split("\n").slice(0, -1)] as const);
        expect(last).toEqual(new Map(whole));
      }),
      RUNS,
    );
  });
});

describe("what a chapter changed", () => {
  const it = book(
    appendix("a", fence("ts file=machine/chips.ts", "// the chips", "// <<chips>>"), fence("ts #chips")),
    chapter(1, fence("ts file=kernel/main.ts", "start {", "  // <<body>>", "}"), fence("ts #body", "one();", "two();")),
    chapter(
      3,
      fence("ts #body :=", "one();", "three();"),
      fence("ts #chips +=", "pit"),
      fence("ts file=kernel/new.ts", "new"),
    ),
    chapter(4, "Prose alone."),
  );
  const brief = (changes: readonly FileChange[] | null) =>
    changes?.map(({ path, state, hunks }) => [
      `${state} ${path}`,
      ...hunks.flatMap(({ lines }) =>
        lines.map(({ kind, text, place }) => `${kind} ${text} ${place.file}:${place.line}`),
      ),
    ]);

  test("is told against the chapter before it, with the book's lines, kernel first", () => {
    expect(brief(changesOf(it, 3))).toEqual([
      [
        "changed kernel/main.ts",
        "context start { book/01.md:6",
        "context   one(); book/03.md:6",
        "removed   two(); book/01.md:13",
        "added   three(); book/03.md:7",
        "context } book/01.md:8",
      ],
      ["added kernel/new.ts", "added new book/03.md:15"],
      ["changed machine/chips.ts", "context // the chips book/machine-a.md:5", "added pit book/03.md:11"],
    ]);
  });

  test("is nothing where a chapter has only prose, and null for the first, where all is new", () => {
    expect(changesOf(it, 4)).toEqual([]);
    expect(changesOf(it, 1)).toBe(null);
  });

  test("names the hunk's first block, and in the machine all blocks", () => {
    const lines = formatChanges(changesOf(it, 3)!, { older: "01", newer: "03" }, false);
    expect(lines.filter((line) => /^[@#]/.test(line))).toEqual([
      "@@ -1,4 +1,4 @@ #body book/03.md:7",
      "@@ -0,0 +1 @@ file=kernel/new.ts book/03.md:15",
      "# book/03.md:10 #chips",
      "@@ -1 +1,2 @@ #chips book/03.md:11",
    ]);
  });

  test("has colours where they are wanted, around the same text", () => {
    const sides = { older: "01", newer: "03" };
    const plain = formatChanges(changesOf(it, 3)!, sides, false);
    const coloured = formatChanges(changesOf(it, 3)!, sides, true);
    expect(coloured).toContain("\x1b[31m-  two();\x1b[m");
    expect(coloured).toContain("\x1b[32m+  three();\x1b[m");
    const stripped = coloured.map((line) =>
      line.split("\x1b[").map((part, at) => (at === 0 ? part : part.replace(/^\d*m/, ""))),
    );
    expect(stripped.map((parts) => parts.join(""))).toEqual(plain);
  });
});
