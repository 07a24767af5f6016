/** What each operation of the literate format does to the files of each chapter. */
import { describe, expect, test } from "vitest";
import { tangleChapter, tangleMachine, variantsOf } from "../../tangle/literate/tangle.ts";
import { appendix, book, chapter, fence, kernel, machine } from "./writing.ts";

const MAIN = "kernel/main.ts";
const main = (...lines: string[]): string => fence(`ts file=${MAIN}`, ...lines);

describe("a file", () => {
  test("is there from the chapter that starts it", () => {
    const it = book(chapter(1, "Nothing yet."), chapter(2, main("start();")), chapter(3, "More prose."));
    expect(kernel(it, 1, MAIN)).toBe(null);
    expect(kernel(it, 2, MAIN)).toBe("start();\n");
    expect(kernel(it, 3, MAIN)).toBe("start();\n");
  });

  test("goes on with `+=`, is written anew with `:=` and is gone after `-=`", () => {
    const it = book(
      chapter(1, main("a")),
      chapter(2, fence(`ts file=${MAIN} +=`, "b")),
      chapter(3, fence(`ts file=${MAIN} :=`, "c")),
      chapter(4, fence(`ts file=${MAIN} -=`)),
    );
    expect([1, 2, 3, 4].map((number) => kernel(it, number, MAIN))).toEqual(["a\n", "a\nb\n", "c\n", null]);
  });

  test("without lines is an empty file", () => {
    const it = book(chapter(1, main()));
    expect(tangleChapter(it, 1).files).toEqual([{ path: MAIN, text: "", lines: [] }]);
  });

  test("stands in the snapshot by its path, whatever the order in the book", () => {
    const it = book(
      chapter(1, fence("ts file=kernel/b.ts"), fence("asm file=boot/z.asm"), fence("ts file=kernel/a.ts")),
    );
    expect(tangleChapter(it, 1).files.map((file) => file.path)).toEqual(["boot/z.asm", "kernel/a.ts", "kernel/b.ts"]);
  });
});

describe("a slot", () => {
  test("is replaced by its chunk, indented like the comment, empty lines left empty", () => {
    const it = book(
      chapter(1, main("function f() {", "  // <<body>>", "}"), fence("ts #body", "if (x) {", "", "  y();", "}")),
    );
    expect(kernel(it, 1, MAIN)).toBe("function f() {\n  if (x) {\n\n    y();\n  }\n}\n");
  });

  test("in a chunk adds its indentation to that of the chunk's own slot", () => {
    const it = book(
      chapter(1, main("  // <<outer>>"), fence("ts #outer", "{", "  // <<inner>>", "}"), fence("ts #inner", "x")),
    );
    expect(kernel(it, 1, MAIN)).toBe("  {\n    x\n  }\n");
  });

  test("is no line at all until a chapter fills it", () => {
    const it = book(chapter(1, main("a", "// <<later>>", "b")), chapter(2, fence("ts #later", "x")));
    expect(kernel(it, 1, MAIN)).toBe("a\nb\n");
    expect(kernel(it, 2, MAIN)).toBe("a\nx\nb\n");
  });

  test("may stand before or after the chunk that fills it, in the same chapter", () => {
    const it = book(chapter(1, fence("ts #x", "x"), main("// <<x>>")));
    expect(kernel(it, 1, MAIN)).toBe("x\n");
  });

  test("is `;` in assembly and `#` in other languages", () => {
    const it = book(
      chapter(1, fence("asm file=boot/sector.asm", "    ; <<load>>"), fence("asm #load", "int 0x13")),
      chapter(2, fence("text file=kernel/keys.txt", "# <<german>>"), fence("text #german", "qwertz")),
    );
    expect(kernel(it, 2, "boot/sector.asm")).toBe("    int 0x13\n");
    expect(kernel(it, 2, "kernel/keys.txt")).toBe("qwertz\n");
  });

  test("of the same chunk may stand in two files", () => {
    const shared = fence("asm #read", "int 0x13");
    const it = book(
      chapter(1, fence("asm file=boot/a.asm", "; <<read>>"), fence("asm file=boot/b.asm", "  ; <<read>>"), shared),
    );
    expect(kernel(it, 1, "boot/a.asm")).toBe("int 0x13\n");
    expect(kernel(it, 1, "boot/b.asm")).toBe("  int 0x13\n");
  });

  test("may move to another place in a later chapter", () => {
    const it = book(
      chapter(1, main("a", "// <<x>>", "// <<y>>"), fence("ts #x", "x"), fence("ts #y", "y")),
      chapter(2, fence("ts #y :=", "{", "  // <<x>>", "}"), fence(`ts file=${MAIN} :=`, "b", "// <<y>>")),
    );
    expect(kernel(it, 1, MAIN)).toBe("a\nx\ny\n");
    expect(kernel(it, 2, MAIN)).toBe("b\n{\n  x\n}\n");
  });

  test("is not a shift that a comment speaks of", () => {
    const it = book(chapter(1, main("const a = 1 << 2 >> 1; // 1 << 2 >> 1", 'print("; <<x>>");')));
    expect(kernel(it, 1, MAIN)).toBe('const a = 1 << 2 >> 1; // 1 << 2 >> 1\nprint("; <<x>>");\n');
  });
});

describe("a chunk", () => {
  const file = main("// <<x>>");
  const all = (...chapters: string[]): (string | null)[] => {
    const it = book(
      chapter(1, file, fence("ts #x", "one")),
      ...chapters.map((text, index) => chapter(index + 2, text)),
    );
    return [1, ...chapters.map((_, index) => index + 2)].map((number) => kernel(it, number, MAIN));
  };

  test("grows with `+=`", () => {
    expect(all(fence("ts #x +=", "two"), fence("ts #x +=", "three"))).toEqual([
      "one\n",
      "one\ntwo\n",
      "one\ntwo\nthree\n",
    ]);
  });

  test("is another from the chapter of `:=` on, also where that chapter defined it", () => {
    expect(all(fence("ts #x +=", "two"), fence("ts #x :=", "three"))).toEqual(["one\n", "one\ntwo\n", "three\n"]);
    const it = book(chapter(1, file, fence("ts #x", "naive"), fence("ts #x :=", "better")));
    expect(kernel(it, 1, MAIN)).toBe("better\n");
  });

  test("is empty after `-=`, and can come back", () => {
    expect(all(fence("ts #x -="), fence("ts #x +=", "back"), fence("ts #x :=", "new"))).toEqual([
      "one\n",
      "",
      "back\n",
      "new\n",
    ]);
  });

  test("takes its inner chunks along when it is replaced", () => {
    expect(all(fence("ts #x :=", "{", "  // <<y>>", "}") + fence("ts #y", "y"), fence("ts #x :=", "z"))).toEqual([
      "one\n",
      "{\n  y\n}\n",
      "z\n",
    ]);
  });
});

describe("`after=` and `before=`", () => {
  const it = (...blocks: string[]): string | null =>
    kernel(book(chapter(1, main("first", "  // <<x>>", "last"), fence("ts #x", "x"), ...blocks)), 1, MAIN);

  test("insert a chunk beside another, indented alike", () => {
    expect(it(fence("ts #y after=x", "y"))).toBe("first\n  x\n  y\nlast\n");
    expect(it(fence("ts #y before=x", "y"))).toBe("first\n  y\n  x\nlast\n");
  });

  test("mean directly beside: the operations apply in order", () => {
    expect(it(fence("ts #y after=x", "y"), fence("ts #z after=x", "z"))).toBe("first\n  x\n  z\n  y\nlast\n");
    expect(it(fence("ts #y before=x", "y"), fence("ts #z before=x", "z"))).toBe("first\n  y\n  z\n  x\nlast\n");
    expect(it(fence("ts #y after=x", "y"), fence("ts #z before=y", "z"))).toBe("first\n  x\n  z\n  y\nlast\n");
  });

  test("stay beside a chunk that grows, is replaced or removed", () => {
    const beside = fence("ts #y after=x", "y");
    expect(it(beside, fence("ts #x +=", "more"))).toBe("first\n  x\n  more\n  y\nlast\n");
    expect(it(beside, fence("ts #x :=", "new"))).toBe("first\n  new\n  y\nlast\n");
    expect(it(beside, fence("ts #x -="))).toBe("first\n  y\nlast\n");
  });

  test("define a chunk that can be changed like any other, and may name the other with its `#`", () => {
    expect(it(fence("ts #y after=#x", "y"), fence("ts #y +=", "z"))).toBe("first\n  x\n  y\n  z\nlast\n");
  });
});

describe("a variant", () => {
  const it = book(
    chapter(1, main("a", "// <<x>>", "// <<trap>>"), fence("ts #x", "x")),
    chapter(
      2,
      fence("ts #x := variant=broken", "oops"),
      fence("ts #trap variant=broken", "trap"),
      fence("ts #trap variant=other", "other trap"),
      fence("ts file=kernel/extra.ts variant=other", "extra"),
      fence("text expect=screen", "fine"),
      fence("text expect=screen variant=broken", "...", "panic"),
    ),
    chapter(3, fence("ts #x +=", "y")),
  );

  test("holds in its own chapter only, beside the chapter itself", () => {
    expect(variantsOf(it, 2)).toEqual(["broken", "other"]);
    expect(variantsOf(it, 3)).toEqual([]);
    expect(kernel(it, 2, MAIN)).toBe("a\nx\n");
    expect(kernel(it, 2, MAIN, "broken")).toBe("a\noops\ntrap\n");
    expect(kernel(it, 2, MAIN, "other")).toBe("a\nx\nother trap\n");
    expect(kernel(it, 2, "kernel/extra.ts", "other")).toBe("extra\n");
    expect(kernel(it, 3, MAIN)).toBe("a\nx\ny\n");
    expect(kernel(it, 3, "kernel/extra.ts")).toBe(null);
  });

  test("has its own expectations", () => {
    const texts = (variant: string | null) => tangleChapter(it, 2, variant).expectations.map(({ text }) => text);
    expect(texts(null)).toEqual(["fine\n"]);
    expect(texts("broken")).toEqual(["...\npanic\n"]);
    expect(texts("other")).toEqual([]);
  });
});

describe("`since=` and `until=`", () => {
  test("give the chapters that have a test", () => {
    const it = book(
      chapter(
        1,
        main("// <<early>>", "// <<late>>", "end"),
        fence("ts #early until=2", "early"),
        fence("ts #late since=2", "late"),
      ),
      chapter(2, fence("ts file=kernel/tests/own.ts since=3 until=3", "own")),
      chapter(3),
      chapter(4),
    );
    expect([1, 2, 3].map((number) => kernel(it, number, MAIN))).toEqual([
      "early\nend\n",
      "early\nlate\nend\n",
      "late\nend\n",
    ]);
    expect([2, 3, 4].map((number) => kernel(it, number, "kernel/tests/own.ts"))).toEqual([null, "own\n", null]);
    const [early, late] = it.chapters[0]!.blocks.slice(1);
    expect([early!.until, late!.since]).toEqual([2, 2]);
  });
});

describe("the machine", () => {
  const it = book(
    chapter(2, fence("ts #ports +=", "port 2"), fence("ts file=machine/vga.ts", "vga")),
    chapter(1, fence("ts #ports +=", "port 1"), main("kernel")),
    appendix("b", fence("ts #ports +=", "port b")),
    appendix("a", fence("ts file=machine/ports.ts", "// <<ports>>"), fence("ts #ports", "port a")),
  );

  test("is tangled once from the whole book: appendices by path, then chapters by milestone", () => {
    expect(tangleMachine(it).map((file) => file.path)).toEqual(["machine/ports.ts", "machine/vga.ts"]);
    expect(machine(it, "machine/ports.ts")).toBe("port a\nport b\nport 1\nport 2\n");
  });

  test("is in no kernel", () => {
    expect(tangleChapter(it, 2).files.map((file) => file.path)).toEqual([MAIN]);
  });
});

describe("a chapter that is not there", () => {
  test("is a mistake of the program, not of the author", () => {
    const it = book(chapter(1, main("a")));
    expect(() => tangleChapter(it, 2)).toThrow(RangeError);
    expect(() => tangleChapter(it, 1, "none")).toThrow("no variant none");
  });
});
