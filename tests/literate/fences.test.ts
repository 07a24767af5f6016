/** What counts as a fence, what its words say, and where its lines stand. */
import { describe, expect, test } from "vitest";
import { splitFrontMatter } from "../../tangle/literate/front-matter.ts";
import { tangleChapter } from "../../tangle/literate/tangle.ts";
import { book, chapter, fence, kernel, told } from "./writing.ts";

const MAIN = "kernel/main.ts";
const main = (...lines: string[]): string => fence(`ts file=${MAIN}`, ...lines);

describe("a fence", () => {
  test("without a tag, or marked as an example, is shown and not tangled", () => {
    const it = book(chapter(1, main("a"), fence("ts", "shown"), fence("ts example", "shown"), fence("", "shown")));
    expect(tangleChapter(it, 1).files.map((file) => file.text)).toEqual(["a\n"]);
  });

  test("may be of tildes or of more backticks, so that it can show others", () => {
    const it = book(chapter(1, `~~~ts file=${MAIN}`, "a", "~~~", "", "````md", "```ts #never-tangled", "```", "````"));
    expect(kernel(it, 1, MAIN)).toBe("a\n");
  });

  test("may stand in a list or a quotation; its lines begin where the fence does", () => {
    const it = book(
      chapter(
        1,
        `1. First:`,
        "",
        `   \`\`\`ts file=${MAIN}`,
        "   a {",
        "     b",
        "   }",
        "   ```",
        "",
        "> ```ts #x",
        "> x",
        "> ```",
      ),
      chapter(2, fence(`ts file=${MAIN} +=`, "// <<x>>")),
    );
    expect(kernel(it, 2, MAIN)).toBe("a {\n  b\n}\nx\n");
  });

  test("keeps its lines to the letter: tabs, trailing blanks, backslashes, entities", () => {
    const lines = ["\tif (a) {  ", '\t\tb("\\n&amp;");', "\t}", ""];
    expect(kernel(book(chapter(1, main(...lines))), 1, MAIN)).toBe(lines.map((line) => `${line}\n`).join(""));
  });

  test("reads the same with Windows line ends", () => {
    const { path, text } = chapter(1, main("a", "// <<x>>"), fence("ts #x", "x"));
    expect(kernel(book({ path, text: text.replaceAll("\n", "\r\n") }), 1, MAIN)).toBe("a\nx\n");
  });

  test("may end the file without an end of line", () => {
    const { path, text } = chapter(1, main("a"));
    expect(kernel(book({ path, text: text.trimEnd() }), 1, MAIN)).toBe("a\n");
  });
});

describe("an expectation", () => {
  test("is kept with its kind, its text and its place", () => {
    const it = book(
      chapter(1, main("a"), fence("text expect=serial", "hello", "", "..."), fence("text expect=exit", "33")),
    );
    expect(tangleChapter(it, 1).expectations).toEqual([
      {
        chapter: 1,
        kind: "serial",
        variant: null,
        text: "hello\n\n...\n",
        place: { file: "book/01.md", line: 9, column: 1 },
      },
      { chapter: 1, kind: "exit", variant: null, text: "33\n", place: { file: "book/01.md", line: 15, column: 1 } },
    ]);
  });

  test("holds for its chapter alone", () => {
    const it = book(chapter(1, main("a"), fence("text expect=screen", "one")), chapter(2, "Nothing new."));
    expect(tangleChapter(it, 2).expectations).toEqual([]);
  });
});

describe("front matter", () => {
  const read = (...lines: string[]) => splitFrontMatter({ path: "book/x.md", text: lines.join("\n") });

  test("gives title, milestone, summary and inspectors", () => {
    const lines = [
      "---",
      'title: "A voice: first"',
      "milestone: 9",
      "summary: It beeps.",
      "inspect: [registers, 'pit']",
      "---",
      "# A",
    ];
    const { frontMatter, body, diagnostics } = read(...lines);
    expect(diagnostics).toEqual([]);
    expect(frontMatter).toEqual({
      title: "A voice: first",
      milestone: 9,
      summary: "It beeps.",
      inspect: ["registers", "pit"],
    });
    expect(body).toBe("\n\n\n\n\n\n# A");
  });

  test("without milestone, or with `null`, makes an appendix", () => {
    expect(read("---", "title: A", "---").frontMatter.milestone).toBe(null);
    expect(read("---", "title: A", "milestone: null", "inspect: []", "---").frontMatter).toMatchObject({
      milestone: null,
      inspect: [],
    });
  });

  test("may hold comments and empty lines", () => {
    expect(read("---", "# which chapter", "", "title: A", "---").diagnostics).toEqual([]);
  });

  test("that is missing, unclosed, wrong or incomplete is told with its line", () => {
    const codes = (...lines: string[]): string[] => told({ path: "book/x.md", text: lines.join("\n") });
    expect(codes("# No front matter")).toEqual(["LT3001 book/x.md:1:1"]);
    expect(codes("---", "title: A", "# Never closed")).toEqual(["LT3001 book/x.md:1:1"]);
    expect(codes("---", "summary: A", "---")).toEqual(["LT3002 book/x.md:1:1"]);
    expect(codes("---", "title: A", "milstone: 3", "---")).toEqual(["LT3002 book/x.md:3:1"]);
    expect(codes("---", "title: A", "title: B", "---")).toEqual(["LT3002 book/x.md:3:1"]);
    expect(codes("---", "title: A", "milestone: three", "inspect: registers", "what", "---")).toEqual([
      "LT3002 book/x.md:3:1",
      "LT3002 book/x.md:4:1",
      "LT3002 book/x.md:5:1",
    ]);
  });
});
