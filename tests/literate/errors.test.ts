/** Every mistake of the literate format: its number, its place, and the other place that it speaks of. */
import { describe, expect, test } from "vitest";
import { appendix, chapter, fence, mistakes, told } from "./writing.ts";

const main = (...lines: string[]): string => fence("ts file=kernel/main.ts", ...lines);
/** A chapter with these blocks and nothing else; the first fence stands in line 5. */
const one = (...blocks: string[]): string[] => told(chapter(1, ...blocks));

describe("words of a fence", () => {
  test("that the format does not know are told where they stand, on untagged fences too", () => {
    expect(one(fence("ts file=kernel/main.ts verbose", "a"))).toEqual(["LT3010 book/01.md:5:27"]);
    expect(one(fence("ts flie=kernel/main.ts", "a"))).toEqual(["LT3010 book/01.md:5:7"]);
    expect(one(main("// <<x>>"), fence("ts #x =+", "a"))).toEqual(["LT3010 book/01.md:9:10"]);
  });

  test("that say something twice, or contradict each other", () => {
    const wrong = (info: string): string[] =>
      one(main("// <<x>>", "// <<z>>"), fence("ts #z"), fence("ts #x"), fence(info));
    expect(wrong("ts #x += #y")).toEqual(["LT3011 book/01.md:16:13 → book/01.md:16:7"]);
    expect(one(fence("ts file=kernel/a.ts #x"))).toEqual(["LT3011 book/01.md:5:24"]);
    expect(one(fence("ts file=kernel/a.ts after=x"))).toContain("LT3011 book/01.md:5:24");
    expect(one(fence("ts example file=kernel/a.ts"))).toEqual(["LT3011 book/01.md:5:7"]);
    expect(one(fence("ts +="))).toEqual(["LT3011 book/01.md:5:7"]);
    expect(one(fence("ts variant=x"))).toEqual(["LT3011 book/01.md:5:7"]);
    expect(one(fence("text expect=screen #x"))).toEqual(["LT3011 book/01.md:5:23"]);
    expect(one(fence("ts expect=screen"))).toEqual(["LT3011 book/01.md:5:7"]);
    expect(one(fence("text expect=printer"))).toEqual(["LT3011 book/01.md:5:9"]);
    expect(one(fence("ts file=kernel/a.ts since=soon"))).toEqual(["LT3011 book/01.md:5:24"]);
    expect(one(fence("ts file=kernel/a.ts since=3 until=2"))).toEqual(["LT3011 book/01.md:5:32"]);
    expect(one(main("// <<x>>"), fence("ts #x"), fence("ts #x := until=2"))).toEqual(["LT3011 book/01.md:12:13"]);
    expect(one(main("// <<x>>"), fence("ts #x"), fence("ts #y := after=x"))).toContain("LT3011 book/01.md:12:13");
    expect(one(main("// <<x>>"), fence("ts #x"), fence("ts #y before=x after=x"))).toEqual(["LT3011 book/01.md:12:10"]);
    expect(told(appendix("a", fence("text expect=screen")))).toEqual(["LT3011 book/machine-a.md:4:9"]);
    expect(told(appendix("a", fence("ts file=machine/a.ts variant=x")))).toContain("LT3011 book/machine-a.md:4:25");
    expect(one(fence("ts file=machine/a.ts variant=x"))).toEqual(["LT3011 book/01.md:5:25"]);
  });

  test("that begin without a language", () => {
    expect(one(main("// <<x>>"), fence("#x", "a"))).toContain("LT3011 book/01.md:9:4");
  });

  test("that are no names", () => {
    expect(one(fence("ts #put_byte!"))).toEqual(["LT3012 book/01.md:5:7"]);
    expect(one(fence("ts file=kernel/a.ts variant="))).toEqual(["LT3012 book/01.md:5:24"]);
  });

  test("that are no paths, or paths of another language", () => {
    for (const path of [
      "main.ts",
      "/kernel/a.ts",
      "kernel/../a.ts",
      "kernel//a.ts",
      "kernel/",
      "site/a.ts",
      "kernel/a b.ts",
      "",
    ])
      expect(one(fence(`ts file=${path}`))).toContain("LT3013 book/01.md:5:7");
    expect(one(fence("ts file=boot/a.ts"))).toEqual(["LT3013 book/01.md:5:7"]);
    expect(one(fence("asm file=kernel/a.asm"))).toEqual(["LT3013 book/01.md:5:8"]);
    expect(one(fence("text file=kernel/a.ts"))).toEqual(["LT3013 book/01.md:5:9"]);
    expect(told(appendix("a", fence("ts file=kernel/a.ts")))).toEqual(["LT3013 book/machine-a.md:4:7"]);
  });
});

describe("a fence", () => {
  test("that is never closed swallows the rest of the chapter", () => {
    expect(told(chapter(1, "```ts file=kernel/main.ts", "a", "b"))).toEqual(["LT3014 book/01.md:5:1 → book/01.md:7:1"]);
  });

  test("that swallows the next fence is found at its own beginning, and the next is still read", () => {
    const files = chapter(1, "```ts file=kernel/main.ts", "// <<x>>", "", "Prose.", "", fence("ts #x", "x"));
    expect(told(files)).toEqual(["LT3014 book/01.md:5:1 → book/01.md:9:1"]);
  });

  test("without a tag must be closed too", () => {
    expect(told(chapter(1, "```sh", "ls", "", main("a")))).toEqual(["LT3014 book/01.md:5:1 → book/01.md:7:1"]);
  });

  test("with a tag inside an HTML comment would be lost in silence", () => {
    const lines = ["<!--", "", "```ts file=kernel/main.ts", "a", "```", "", "-->"];
    expect(told(chapter(1, ...lines))).toEqual(["LT3015 book/01.md:7:1"]);
    expect(told(chapter(1, "<!-- ", "```text expect=screen", "a", "```", "-->"))).toEqual(["LT3015 book/01.md:6:1"]);
    expect(mistakes(chapter(1, ...lines))[0]!.message).toContain("HTML comment");
  });

  test("with a tag in an HTML block, in indented code, or below a comment that a block leaves open", () => {
    expect(told(chapter(1, "<div>", "```ts #x", "a", "```", "</div>"))).toEqual(["LT3015 book/01.md:6:1"]);
    expect(told(chapter(1, "    ```ts #x", "    a", "    ```"))).toEqual(["LT3015 book/01.md:5:5"]);
    expect(told(chapter(1, "<div>", "<!--", "", fence("ts #x", "a"), "-->", "</div>"))).toEqual([
      "LT3015 book/01.md:8:1",
    ]);
  });

  test("without a tag may stand in a comment", () => {
    expect(told(chapter(1, "<!--", "```ts", "a", "```", "-->", main("a")))).toEqual([]);
  });
});

describe("a slot", () => {
  test("that is written wrongly is not taken for a comment", () => {
    const wrong = (line: string): string[] => one(main(line));
    expect(wrong("  //<<x>>")).toEqual(["LT3016 book/01.md:6:3"]);
    expect(wrong("// << x >>")).toEqual(["LT3016 book/01.md:6:1"]);
    expect(wrong("// <<two words>>")).toEqual(["LT3016 book/01.md:6:1"]);
    expect(wrong("a(); // <<x>>")).toEqual(["LT3016 book/01.md:6:1"]);
    expect(wrong("// <<x>> and more")).toEqual(["LT3016 book/01.md:6:1"]);
    expect(wrong("# <<x>>")).toEqual(["LT3016 book/01.md:6:1"]);
    expect(one(fence("asm file=boot/a.asm", "// <<x>>"))).toEqual(["LT3016 book/01.md:6:1"]);
  });

  test("that nobody fills", () => {
    expect(one(main("a", "  // <<x>>"))).toEqual(["LT3025 book/01.md:7:3"]);
    const files = chapter(1, main("// <<put-bite>>", "// <<put-byte>>"), fence("ts #put-byte", "x"));
    expect(mistakes(files)).toMatchObject([{ code: "LT3025", hint: "did you mean `#put-byte`?" }]);
  });

  test("may move before its chunk comes", () => {
    const files = [
      chapter(1, main("// <<x>>")),
      chapter(2, fence("ts file=kernel/main.ts :=", "a", "// <<x>>"), fence("ts #x")),
    ];
    expect(told(...files)).toEqual([]);
  });

  test("that is gone before its chunk comes does not help the chunk", () => {
    const files = [
      chapter(1, main("// <<x>>"), fence("ts #x", "// <<late>>")),
      chapter(2, fence("ts #x :=", "nothing")),
      chapter(3, fence("ts #late", "late")),
    ];
    expect(told(...files)).toEqual(["LT3024 book/03.md:5:1 → book/01.md:10:1"]);
  });
});

describe("names", () => {
  test("are defined once in the book, chunks and files alike", () => {
    expect(told(chapter(1, main("// <<x>>"), fence("ts #x")), chapter(2, fence("ts #x")))).toEqual([
      "LT3020 book/02.md:5:1 → book/01.md:9:1",
    ]);
    expect(told(chapter(1, main()), chapter(2, main()))).toEqual(["LT3021 book/02.md:5:1 → book/01.md:5:1"]);
  });

  test("of files differ in more than case, and no file stands inside another", () => {
    expect(one(fence("ts file=kernel/vga.ts"), fence("ts file=kernel/VGA.ts"))).toEqual([
      "LT3021 book/01.md:8:1 → book/01.md:5:1",
    ]);
    expect(one(fence("text file=kernel/a"), fence("text file=kernel/a/b"))).toEqual([
      "LT3021 book/01.md:8:1 → book/01.md:5:1",
    ]);
  });

  test("that nothing defines cannot be changed or stood beside", () => {
    const file = main("// <<y>>") + fence("ts #y");
    expect(one(file, fence("ts #x +=", "a"))).toEqual(["LT3022 book/01.md:11:1"]);
    expect(one(file, fence("ts #x :=", "a"))).toEqual(["LT3022 book/01.md:11:1"]);
    expect(one(file, fence("ts #x -="))).toEqual(["LT3022 book/01.md:11:1"]);
    expect(one(file, fence("ts #z after=x", "a"))).toEqual(["LT3022 book/01.md:11:10"]);
    expect(one(file, fence("ts file=kernel/none.ts +=", "a"))).toEqual(["LT3022 book/01.md:11:1"]);
    expect(one(file, fence("ts #z before=z", "a"))).toEqual(["LT3022 book/01.md:11:10"]);
  });

  test("that are defined only later, or only in a variant, cannot either", () => {
    const files = [chapter(1, main("// <<x>>"), fence("ts #x +=", "a")), chapter(2, fence("ts #x", "b"))];
    expect(told(...files)).toEqual(["LT3022 book/01.md:9:1 → book/02.md:5:1"]);
    const variant = [chapter(1, main("// <<x>>"), fence("ts #x variant=v", "a")), chapter(2, fence("ts #x +=", "b"))];
    expect(told(...variant)).toEqual(["LT3022 book/02.md:5:1 → book/01.md:9:1"]);
  });

  test("of variants may repeat, since no snapshot has both", () => {
    const twice = [fence("ts #x variant=v", "a"), fence("ts #x variant=w", "b")];
    expect(one(main("// <<x>>"), ...twice)).toEqual([]);
    expect(one(main("// <<x>>"), fence("ts #x", "c"), ...twice)).toHaveLength(2);
  });
});

describe("a chunk", () => {
  test("that contains itself is told with the whole way round", () => {
    const files = chapter(
      1,
      main("// <<a>>"),
      fence("ts #a", "// <<b>>"),
      fence("ts #b", "// <<c>>"),
      fence("ts #c", "// <<a>>"),
    );
    expect(mistakes(files)).toMatchObject([
      { code: "LT3023", message: "a chunk contains itself: `#a` → `#b` → `#c` → `#a`" },
    ]);
    expect(told(files)).toEqual(["LT3023 book/01.md:10:1 → book/01.md:14:1 → book/01.md:18:1"]);
  });

  test("that contains itself is found far from any file too, and once", () => {
    expect(told(chapter(1, main(), fence("ts #b", "// <<a>>"), fence("ts #a", "// <<b>>")), chapter(2))).toEqual([
      "LT3023 book/01.md:13:1 → book/01.md:9:1",
    ]);
  });

  test("that stands beside a chunk and holds it goes round as well", () => {
    const files = chapter(1, main("// <<a>>"), fence("ts #a"), fence("ts #b after=a", "// <<a>>"));
    expect(told(files)).toEqual(["LT3023 book/01.md:12:10 → book/01.md:13:1"]);
  });

  test("that reaches no file", () => {
    expect(one(main(), fence("ts #x", "a"))).toEqual(["LT3024 book/01.md:8:1"]);
  });

  test("that reaches no file is told once, not with all that it holds", () => {
    const files = [
      main(),
      fence("ts #x", "// <<y>>"),
      fence("ts #y", "y"),
      fence("ts #z after=x", "z"),
      fence("ts #x +="),
    ];
    expect(one(...files)).toEqual(["LT3024 book/01.md:8:1"]);
  });

  test("whose slot is gone cannot be changed in silence", () => {
    const files = [
      chapter(1, main("// <<x>>"), fence("ts #x")),
      chapter(2, fence("ts file=kernel/main.ts :=")),
      chapter(3, fence("ts #x +=")),
    ];
    expect(told(...files)).toEqual(["LT3024 book/03.md:5:1 → book/01.md:6:1"]);
  });

  test("that stands in one file twice", () => {
    expect(one(main("// <<x>>", "// <<x>>"), fence("ts #x", "a"))).toEqual([
      "LT3026 book/01.md:7:1 → book/01.md:6:1 → book/01.md:10:1",
    ]);
  });

  test("that is removed with lines in its block", () => {
    expect(one(main("// <<x>>"), fence("ts #x"), fence("ts #x -=", "", "a"))).toEqual(["LT3017 book/01.md:14:1"]);
  });

  test("in another language than its file", () => {
    expect(one(main("// <<x>>"), fence("asm #x", "hlt"))).toEqual(["LT3028 book/01.md:9:1 → book/01.md:6:1"]);
  });
});

describe("targets", () => {
  test("of appendix and kernel do not mix", () => {
    expect(told(appendix("a", fence("ts #x", "a")), chapter(1, main("// <<x>>")))).toEqual([
      "LT3027 book/01.md:6:1 → book/machine-a.md:4:1",
    ]);
  });

  test("of machine and kernel do not mix", () => {
    expect(one(main("// <<x>>"), fence("ts file=machine/a.ts", "// <<x>>"), fence("ts #x", "a"))).toEqual([
      "LT3027 book/01.md:6:1 → book/01.md:10:1",
    ]);
  });

  test("leave the machine without variants", () => {
    const blocks = [fence("ts file=machine/a.ts", "// <<x>>"), fence("ts #x", "a"), fence("ts #x := variant=v", "b")];
    expect(one(...blocks)).toEqual(["LT3024 book/01.md:13:1 → book/01.md:6:1"]);
  });
});

describe("chapters", () => {
  test("have a milestone each", () => {
    const twin = { ...chapter(1, "Prose."), path: "book/01-again.md" };
    expect(told(chapter(1, main()), twin)).toEqual(["LT3003 book/01.md:1:1 → book/01-again.md:1:1"]);
  });

  test("expect something only of variants that they have", () => {
    expect(one(main(), fence("text expect=screen variant=v", "a"))).toEqual(["LT3029 book/01.md:8:1"]);
  });
});

test("all mistakes of a run are told, by place", () => {
  const files = [
    chapter(2, fence("ts #x +=", "a"), fence("ts #y", "y")),
    chapter(1, main("// <<nobody>>", "// <<Bad One>>"), fence("ts #z", "z")),
  ];
  expect(told(...files)).toEqual([
    "LT3025 book/01.md:6:1",
    "LT3016 book/01.md:7:1",
    "LT3024 book/01.md:10:1",
    "LT3022 book/02.md:5:1",
    "LT3024 book/02.md:9:1",
  ]);
});
