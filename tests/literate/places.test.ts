/** Places: from tangled files to the book and back, as `where` tells them, and as errors show them. */
import { describe, expect, test } from "vitest";
import { toBook, toTangled } from "../../tangle/literate/map.ts";
import { tangleChapter } from "../../tangle/literate/tangle.ts";
import { whereFrom, whereTo } from "../../tangle/literate/where.ts";
import { formatDiagnostics } from "../../tangle/report.ts";
import { appendix, book, chapter, fence } from "./writing.ts";

const MAIN = "kernel/main.ts";
const main = (...lines: string[]): string => fence(`ts file=${MAIN}`, ...lines);
const at = (file: string, line: number, column = 1) => ({ file, line, column });

const it = book(
  appendix("a", fence("ts file=machine/cpu.ts", "cpu")),
  chapter(1, main("f {", "    // <<body>>", "}"), "- In a list:", "", "  ```ts #body", "  call();", "  ```"),
  chapter(2, fence("ts #body +=", "more();")),
  chapter(3, fence("ts #body := variant=short", "short();")),
);

describe("a place in a tangled file", () => {
  const snapshot = tangleChapter(it, 1);

  test("leads to the line and the column in the book", () => {
    expect(toBook(snapshot, at(MAIN, 1, 3))).toEqual(at("book/01.md", 6, 3));
    // Four columns deeper than in the list, whose two columns the fence does not have.
    expect(toBook(snapshot, at(MAIN, 2, 5))).toEqual(at("book/01.md", 14, 3));
    expect(toBook(snapshot, at(MAIN, 2, 9))).toEqual(at("book/01.md", 14, 7));
  });

  test("in the indentation that a slot adds leads to the first column", () => {
    expect(toBook(snapshot, at(MAIN, 2, 1))).toEqual(at("book/01.md", 14, 1));
  });

  test("after the last line leads to the last line, and in a file that nobody tangled to itself", () => {
    expect(toBook(snapshot, at(MAIN, 9, 1))).toEqual(at("book/01.md", 8, 1));
    expect(toBook(snapshot, at("runtime.ts", 1))).toEqual(at("runtime.ts", 1));
  });
});

describe("a place in the book", () => {
  test("leads to the files that have its line", () => {
    expect(toTangled(tangleChapter(it, 2), at("book/02.md", 6, 2))).toEqual([at(MAIN, 3, 6)]);
    expect(toTangled(tangleChapter(it, 1), at("book/02.md", 6, 2))).toEqual([]);
  });

  test("leads to each file that shares its chunk", () => {
    const files = [fence("asm file=boot/a.asm", "; <<x>>"), fence("asm file=boot/b.asm", "b", "  ; <<x>>")];
    const shared = tangleChapter(book(chapter(1, ...files, fence("asm #x", "x"))), 1);
    expect(toTangled(shared, at("book/01.md", 15))).toEqual([at("boot/a.asm", 1), at("boot/b.asm", 2, 3)]);
  });
});

describe("`where`", () => {
  const all = { chapter: null, variant: null };

  test("takes a tangled place in the last chapter that has it, unless it is told which", () => {
    expect(whereFrom(it, at(MAIN, 3, 5), all)).toMatchObject({
      place: at("book/02.md", 6),
      editions: [{ chapter: 3 }],
    });
    expect(whereFrom(it, at(MAIN, 3), { chapter: 1, variant: null })).toMatchObject({ place: at("book/01.md", 8) });
    expect(whereFrom(it, at(MAIN, 2, 5), { chapter: 3, variant: "short" })).toMatchObject({
      place: at("book/03.md", 6),
    });
    expect(whereFrom(it, at("machine/cpu.ts", 1), all)).toMatchObject({ place: at("book/machine-a.md", 5) });
  });

  test("names every place of a line of the book with its chapters", () => {
    expect(whereTo(it, at("book/01.md", 14, 3), all)).toEqual([
      { place: at(MAIN, 2, 5), editions: [1, 2, 3].map((chapter) => ({ chapter, variant: null })) },
    ]);
    expect(whereTo(it, at("book/03.md", 6), all)).toMatchObject([{ editions: [{ chapter: 3, variant: "short" }] }]);
  });

  test("says why there is no answer", () => {
    expect(whereFrom(it, at(MAIN, 40), all)).toBe("kernel/main.ts has 4 lines");
    expect(whereFrom(it, at("kernel/none.ts", 1), all)).toBe("kernel/none.ts is no tangled file");
    expect(whereFrom(it, at("kernel/none.ts", 1), { chapter: 2, variant: null })).toBe(
      "kernel/none.ts is no tangled file of chapter 2",
    );
    expect(whereTo(it, at("book/01.md", 10), all)).toBe("book/01.md:10 is not a line of tangled code");
    expect(whereTo(it, at("book/01.md", 7), all)).toBe(
      "book/01.md:7 is the slot of `#body`: ask for a line of that chunk",
    );
    expect(whereTo(it, at("book/02.md", 6), { chapter: 1, variant: null })).toBe(
      "book/02.md:6 is in none of these snapshots",
    );
  });
});

describe("an error on the terminal", () => {
  test("shows place, message, line with a caret, hint and the other places", () => {
    const file = { path: "book/01.md", text: "one\n\ttwo\r\nthree" };
    const diagnostic = {
      code: "LT3020",
      message: "`#x` is defined twice",
      place: at("book/01.md", 2, 2),
      hint: "choose another name",
      related: [{ place: at("book/01.md", 3, 4), message: "first defined here" }],
    };
    expect(formatDiagnostics([diagnostic], [file])).toBe(
      [
        "book/01.md:2:2: error LT3020: `#x` is defined twice",
        "  2 | \ttwo",
        "    | \t^",
        "  hint: choose another name",
        "  book/01.md:3:4: first defined here",
        "  3 | three",
        "    |    ^",
      ].join("\n"),
    );
  });

  test("stands without a line where the file is not at hand", () => {
    const diagnostic = { code: "KT1001", message: "no", place: at("elsewhere.ts", 1) };
    expect(formatDiagnostics([diagnostic, diagnostic], [])).toBe(
      "elsewhere.ts:1:1: error KT1001: no\n\nelsewhere.ts:1:1: error KT1001: no",
    );
  });
});
