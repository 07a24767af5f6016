/** Which edits of tangled files are carried back into the book, how they stand there, and which are refused. */
import { describe, expect, test } from "vitest";
import type { BookFile } from "../../tangle/literate/book.ts";
import { readBook, tangleChapter } from "../../tangle/literate/tangle.ts";
import { type DistFolder, type Untangled, untangle } from "../../tangle/literate/untangle.ts";
import { chapter, fence } from "./writing.ts";

const MAIN = "kernel/main.ts";
const main = (...lines: string[]): string => fence(`ts file=${MAIN}`, ...lines);

/** Edits files of chapter 1, given as what to find and what to put there, and untangles. */
function edited(files: readonly BookFile[], ...edits: [from: string, to: string][]): Untangled {
  const { files: tangled } = tangleChapter(readBook(files).book, 1);
  const now = tangled.map(({ path, text }) => {
    const whole = edits.reduce((before, [from, to]) => before.replace(from, () => to), text);
    return [path, { text: whole, digest: whole }] as const;
  });
  const folder: DistFolder = {
    edition: { chapter: 1, variant: null },
    folder: "dist/01",
    files: new Map(now),
    record: new Map(tangled.map(({ path, text }) => [path, text])),
  };
  return untangle(files, [folder], (text) => text);
}

/** The only chapter after the edits. */
function carried(file: BookFile, ...edits: [from: string, to: string][]): string | undefined {
  const { files, diagnostics } = edited([file], ...edits);
  expect(diagnostics).toEqual([]);
  return files[0]?.text;
}

/** Refusals as `LT3041 dist/01/kernel/main.ts:2 → book/01.md:6 → book/01.md:9`. */
function refused(file: BookFile, ...edits: [from: string, to: string][]): string[] {
  const { files, diagnostics } = edited([file], ...edits);
  expect(files).toEqual([]);
  return diagnostics.map(({ code, place, related }) =>
    [`${code} ${place.file}:${place.line}`, ...related!.map((other) => `${other.place.file}:${other.place.line}`)].join(
      " → ",
    ),
  );
}

const nested = chapter(
  1,
  main("f {", "    // <<body>>", "}", "// <<later>>", "end"),
  "- In a list:",
  "",
  "  ```ts #body",
  "  one();",
  "",
  "  two();",
  "  ```",
  "",
  "> ~~~ts #later",
  "> quoted();",
  ">",
  "> done();",
  "> ~~~",
);

describe("an edit inside a block is carried back", () => {
  test("without the slot's indentation, with that of the fence's list", () => {
    expect(carried(nested, ["    two();\n", "    if (x) {\n\n      two();\n    }\n"])).toBe(
      nested.text.replace("  two();\n", "  if (x) {\n\n    two();\n  }\n"),
    );
  });

  test("with the quotation marks of its fence", () => {
    expect(carried(nested, ["quoted();\n", "quoted();\n\nagain();\n"])).toBe(
      nested.text.replace("> quoted();\n", "> quoted();\n>\n> again();\n"),
    );
  });

  test("where lines go", () => {
    expect(carried(nested, ["    one();\n\n", ""])).toBe(nested.text.replace("  one();\n\n", ""));
    expect(carried(nested, ["quoted();\n\ndone();\n", "\n"])).toBe(
      nested.text.replace("> quoted();\n>\n> done();\n", ">\n"),
    );
  });

  test("together with edits of other blocks and of the file's own lines", () => {
    expect(carried(nested, ["f {", "g {"], ["two", "zwei"], ["done", "fertig"])).toBe(
      nested.text.replace("f {", "g {").replace("two", "zwei").replace("done", "fertig"),
    );
  });

  test("into a fence that stands in the list's own line, or is indented by itself", () => {
    const inItem = chapter(1, "1. ```ts file=kernel/main.ts", "   one", "   two", "   ```");
    expect(carried(inItem, ["two", "  2"])).toBe(inItem.text.replace("   two", "     2"));
    const indentedFence = chapter(1, "  ```ts file=kernel/main.ts", "one", "  two", "  ```");
    expect(carried(indentedFence, ["two", "    2"])).toBe(indentedFence.text.replace("  two", "      2"));
  });

  test("with the chapter's line ends, and with nothing else changed", () => {
    const windows = { ...nested, text: nested.text.replaceAll("\n", "\r\n") };
    expect(carried(windows, ["    one();\n", "    one();\n    more();\n"])).toBe(
      windows.text.replace("  one();\r\n", "  one();\r\n  more();\r\n"),
    );
  });

  test("from a file whose last line has no end", () => {
    expect(carried(nested, ["end\n", "End"])).toBe(nested.text.replace("end", "End"));
  });

  test("at the start and at the end of a file that is one block there", () => {
    const one = chapter(1, main("a", "// <<x>>", "z"), fence("ts #x", "x"));
    expect(carried(one, ["a\n", "first\na\n"], ["z\n", "z\nlast\n"])).toBe(
      one.text.replace("\na\n", "\nfirst\na\n").replace("z\n", "z\nlast\n"),
    );
    const empty = chapter(1, main());
    expect(edited([empty]).files).toEqual([]);
  });
});

describe("an edit is refused, with the tangled place and those in the book", () => {
  test("that reaches across blocks", () => {
    expect(refused(nested, ["f {\n    one();", "g {\n    eins();"])).toEqual([
      "LT3041 dist/01/kernel/main.ts:1 → book/01.md:6 → book/01.md:16",
    ]);
  });

  test("that reaches across a slot, also one that nothing fills yet", () => {
    const text = [main("a", "// <<later>>", "b", "c")].join("");
    const later = chapter(2, fence("ts #later", "later"));
    const { diagnostics, files } = edited([chapter(1, text), later], ["a\nb\n", "A\nB\n"]);
    expect(files).toEqual([]);
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "LT3041 this edit reaches across a slot of the book",
    ]);
  });

  test("that adds lines where blocks meet", () => {
    expect(refused(nested, ["    two();\n", "    two();\n    three();\n"])).toEqual([
      "LT3042 dist/01/kernel/main.ts:5 → book/01.md:19 → book/01.md:8",
    ]);
    expect(refused(nested, ["    one();", "    zero();\n    one();"])).toEqual([
      "LT3042 dist/01/kernel/main.ts:2 → book/01.md:7 → book/01.md:16",
    ]);
  });

  test("that adds or removes a line that is equal to one of another block", () => {
    const equal = chapter(1, main("a {", "}", "// <<x>>"), fence("ts #x", "}", "z"));
    expect(refused(equal, ["}\n}\n", "}\n"])).toEqual([
      "LT3042 dist/01/kernel/main.ts:3 → book/01.md:8 → book/01.md:12",
    ]);
    expect(carried(equal, ["}\nz", "]\nz"])).toBe(equal.text.replace("}\nz", "]\nz"));
  });

  test("whose lines are indented less than their slot", () => {
    expect(refused(nested, ["    two();", "  two();"])).toEqual(["LT3044 dist/01/kernel/main.ts:4 → book/01.md:18"]);
    expect(refused(nested, ["    two();", "    "])).toEqual(["LT3044 dist/01/kernel/main.ts:4 → book/01.md:18"]);
  });

  test("whose lines would be slots or fences in the book", () => {
    expect(refused(nested, ["    two();", "    // <<three>>"])).toEqual([
      "LT3044 dist/01/kernel/main.ts:4 → book/01.md:18",
    ]);
    expect(refused(nested, ["    two();", "    // <<three >>"])).toHaveLength(1);
    expect(refused(nested, ["    two();", "    ```"])).toEqual(["LT3044 dist/01/kernel/main.ts:4 → book/01.md:15"]);
    expect(refused(nested, ["quoted();", "~~~~ text"])).toEqual(["LT3044 dist/01/kernel/main.ts:6 → book/01.md:21"]);
    expect(carried(nested, ["quoted();", "```"])).toBe(nested.text.replace("quoted();", "```"));
  });

  test("that the book would not give back", () => {
    expect(refused(nested, ["    two();", "    a\0b"])).toEqual(["LT3044 dist/01/kernel/main.ts:4 → book/01.md:15"]);
  });

  test("with all others, not only the first", () => {
    expect(refused(nested, ["    two();", "two();"], ["quoted", "~~~"], ["f {", "f {\nx"])).toHaveLength(3);
  });
});

describe("a book with mistakes", () => {
  test("is told, and nothing is carried", () => {
    const wrong = chapter(1, main("a"), fence("ts #lost", "x"));
    expect(edited([wrong], ["a", "b"]).diagnostics.map(({ code }) => code)).toEqual(["LT3024"]);
  });
});
