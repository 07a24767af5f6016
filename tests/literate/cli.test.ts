/** `npm run tangle` in folders of its own: what it writes, prints and returns. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../tangle/cli.ts";
import { appendix, chapter, fence } from "./writing.ts";

/** Sources that every stage of the toolchain takes, whatever it builds of them. */
const KERNEL = [
  "export const onPanic = panicHandler((_info: PanicInfo): never => {",
  "  while (true) halt();",
  "});",
  "",
  "export function _start(): never {",
  "  while (true) halt();",
  "}",
];
const first = chapter(1, fence("ts file=kernel/main.ts", ...KERNEL, "// <<later>>"));
const second = chapter(2, fence("ts #later", "// chapter 2"));
const broken = chapter(2, fence("ts #latter +=", "// nobody"), fence("ts #lost"));
const machine = appendix("a", fence("ts file=machine/cpu/state.ts", "export const RIP = 0;"));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tangle-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(...files: { path: string; text: string }[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function read(path: string): string | null {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : null;
}

/** All files below dist/ whose names end like this, relative to the root, but for kept builds. */
function dist(ending = ""): string[] {
  if (!existsSync(join(root, "dist"))) return [];
  return readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith("dist/.cache/"))
    .sort();
}

async function tangle(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  const out: string[] = [];
  const error: string[] = [];
  const signal = new AbortController().signal;
  const status = await main(args, {
    root,
    out: (line) => out.push(line),
    error: (line) => error.push(line),
    colours: false,
    signal,
  });
  return { status, out: out.join("\n"), error: error.join("\n") };
}

describe("without options", () => {
  test("all chapters and the machine are written", async () => {
    put(first, second, machine);
    expect(await tangle()).toMatchObject({ status: 0, error: "" });
    expect(read("dist/chapters/01/kernel/main.ts")).toBe(`${KERNEL.join("\n")}\n`);
    expect(read("dist/chapters/02/kernel/main.ts")).toBe(`${KERNEL.join("\n")}\n// chapter 2\n`);
    expect(read("dist/machine/cpu/state.ts")).toBe("export const RIP = 0;\n");
  });

  test("it says how far it is, and what it wrote in what time", async () => {
    put(first, second, machine);
    const { out } = await tangle();
    expect(out).toMatch(/^machine: 1 files?, \d+ ms$/m);
    expect(out).toMatch(/^chapter 1: \d+ files?, \d+ ms$/m);
    expect(out).toMatch(/^wrote \d+ files?, 0 unchanged \(\d+(\.\d+ s| ms)\)$/m);
  });

  test("a second run writes nothing: unchanged files keep their time", async () => {
    put(first, second, machine);
    await tangle();
    const before = new Date(2001, 1, 1);
    for (const path of dist()) utimesSync(join(root, path), before, before);
    put(chapter(2, fence("ts #later", "// changed")));
    expect((await tangle()).out).toContain("wrote ");
    const changed = dist().filter((path) => statSync(join(root, path)).mtimeMs !== before.getTime());
    expect(changed).toContain("dist/chapters/02/kernel/main.ts");
    expect(changed.filter((path) => !path.startsWith("dist/chapters/02/"))).toEqual([]);
    expect((await tangle()).out).toContain("wrote 0 files");
  });

  test("orphans go: files, chapters and variants that the book has no more, and their folders", async () => {
    put(first, second, machine, chapter(3, fence("ts file=kernel/extra.ts variant=trap", "// extra")));
    await tangle();
    expect(read("dist/chapters/03/variants/trap/kernel/extra.ts")).toBe("// extra\n");
    put({ path: "dist/machine/old/gone.ts", text: "" }, { path: "dist/site/index.html", text: "not tangled" });
    rmSync(join(root, "book/03.md"));
    const { out } = await tangle();
    expect(out).toMatch(/deleted \d+/);
    expect(readdirSync(join(root, "dist/chapters"))).toEqual(["01", "02"]);
    expect(readdirSync(join(root, "dist/machine")).sort()).toEqual([".tangled.json", "cpu"]);
    expect(read("dist/site/index.html")).toBe("not tangled");
    expect(readdirSync(join(root, "dist")).sort()).toEqual([".cache", "chapters", "machine", "site"]);
  });
});

describe("a mistake in the book", () => {
  test("is told with its line, all of them; the status is 1 and nothing is written or deleted", async () => {
    put(first, second);
    await tangle();
    const before = dist().map((path) => [path, read(path)]);
    put(broken, chapter(3, fence("ts file=kernel/new.ts")));
    const { status, error } = await tangle();
    expect(status).toBe(1);
    expect(error).toContain(
      "book/02.md:5:1: error LT3022: nothing in the book defines `#latter`\n  5 | ```ts #latter +=\n    | ^",
    );
    expect(error).toContain("book/02.md:9:1: error LT3024");
    expect(error).toContain("book/01.md:13:1: error LT3025");
    expect(error).toContain("3 errors, nothing written");
    expect(error).not.toContain("at ");
    expect(dist().map((path) => [path, read(path)])).toEqual(before);
  });

  test("in a first run leaves no dist/ at all", async () => {
    put(first, broken);
    expect((await tangle()).status).toBe(1);
    expect(existsSync(join(root, "dist"))).toBe(false);
  });
});

describe("options", () => {
  test("--chapter builds one chapter with its variants, --variant one of them, and leave the rest alone", async () => {
    put(first, second, machine, chapter(3, "Prose."), chapter(4, fence("ts #later := variant=trap", "// 4")));
    expect((await tangle("--chapter", "4", "--variant", "trap")).status).toBe(0);
    expect(dist(".ts")).toEqual(["dist/chapters/04/variants/trap/kernel/main.ts"]);
    expect((await tangle("--chapter", "4")).status).toBe(0);
    expect(dist(".ts")).toEqual(["dist/chapters/04/kernel/main.ts", "dist/chapters/04/variants/trap/kernel/main.ts"]);
    expect((await tangle("--chapter=3")).status).toBe(0);
    expect(dist(".ts")).toHaveLength(3);
  });

  test("--machine and --all choose the machine, and everything", async () => {
    put(first, second, machine);
    expect((await tangle("--machine")).status).toBe(0);
    expect(dist(".ts")).toEqual(["dist/machine/cpu/state.ts"]);
    rmSync(join(root, "dist"), { recursive: true });
    expect((await tangle("--all")).status).toBe(0);
    expect(dist("main.ts")).toHaveLength(2);
    expect(dist("state.ts")).toEqual(["dist/machine/cpu/state.ts"]);
  });

  test("an unknown chapter or variant says which there are", async () => {
    put(first, second, chapter(3, fence("ts #later := variant=trap", "// trap")));
    expect(await tangle("--chapter", "13")).toMatchObject({
      status: 1,
      error: "there is no chapter 13; the book has 1, 2, 3",
    });
    expect(await tangle("--chapter", "x")).toMatchObject({
      status: 1,
      error: "there is no chapter x; the book has 1, 2, 3",
    });
    expect(await tangle("--chapter", "3", "--variant", "tarp")).toMatchObject({
      status: 1,
      error: "chapter 3 has no variant `tarp`; it has trap",
    });
    expect(await tangle("--chapter", "1", "--variant", "x")).toMatchObject({
      status: 1,
      error: "chapter 1 has no variant `x`; it has none",
    });
    expect(dist()).toEqual([]);
  });

  test("--check writes nothing and tells with its status whether dist/ is as it should be", async () => {
    put(first, second);
    const stale = await tangle("--check");
    expect(stale.status).toBe(1);
    expect(stale.error).toContain("stale: dist/chapters/01/kernel/main.ts");
    expect(dist()).toEqual([]);
    await tangle();
    expect((await tangle("--check")).status).toBe(0);
    put({ path: "dist/chapters/01/extra", text: "" }, { path: "dist/chapters/02/kernel/main.ts", text: "edited" });
    const edited = await tangle("--check");
    expect(edited.status).toBe(1);
    expect(edited.error).toContain("stale: dist/chapters/02/kernel/main.ts\norphan: dist/chapters/01/extra");
    expect(read("dist/chapters/02/kernel/main.ts")).toBe("edited");
  });

  test("that make no sense are told with the usage; the status is 2", async () => {
    put(first, second);
    for (const args of [
      ["--chaptre", "1"],
      ["weave"],
      ["--variant", "x"],
      ["--all", "--chapter", "1"],
      ["--check", "--watch"],
      ["where"],
      ["where", "kernel/main.ts"],
      ["where", "a:1", "--all"],
      ["diff", "1"],
      ["diff", "1", "2", "--chapter", "1"],
      ["untangle", "book/01.md"],
      ["untangle", "--check"],
      ["--kernel"],
    ]) {
      const { status, error } = await tangle(...args);
      expect(status, args.join(" ")).toBe(2);
      expect(error).toContain("Usage: npm run tangle");
    }
  });

  test("--help tells them all, also as a command of its own", () => {
    const cli = fileURLToPath(new URL("../../tangle/cli.ts", import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, ["--import", "tsx", cli, "--help"], { encoding: "utf8" });
    expect(status).toBe(0);
    for (const option of [
      "--chapter",
      "--variant",
      "--all",
      "--machine",
      "--check",
      "--watch",
      "--help",
      "where",
      "diff",
      "untangle",
    ])
      expect(stdout).toContain(option);
  });
});

describe("the disk", () => {
  test("without a book is a mistake that names the folder", async () => {
    expect(await tangle()).toMatchObject({ status: 1, error: `${join(root, "book")} holds no chapter` });
  });

  test("that refuses to be written leaves a message, not a stack trace", async () => {
    put(first, second, { path: "dist", text: "a file where a folder should be" });
    const { status, error } = await tangle();
    expect(status).toBe(1);
    expect(error).toMatch(/^the disk refuses: /);
    expect(read("dist")).toBe("a file where a folder should be");
  });
});

describe("where", () => {
  beforeEach(() => put(first, second, machine));

  test("leads from a tangled line to the book", async () => {
    expect(await tangle("where", "kernel/main.ts:8")).toMatchObject({ status: 0, out: "book/02.md:6:1  chapter 2" });
    expect((await tangle("where", "dist/chapters/01/kernel/main.ts:6:3")).out).toBe("book/01.md:11:3  chapter 1");
    expect((await tangle("where", "kernel/main.ts:6", "--chapter", "1")).out).toBe("book/01.md:11:1  chapter 1");
    expect((await tangle("where", "dist/machine/cpu/state.ts:1")).out).toBe("book/machine-a.md:5:1");
    expect((await tangle("where", join(root, "dist/machine/cpu/state.ts:1"))).out).toBe("book/machine-a.md:5:1");
  });

  test("leads from the book to the tangled lines", async () => {
    expect((await tangle("where", "book/01.md:11:3")).out).toBe("kernel/main.ts:6:3  chapter 1, 2");
    expect((await tangle("where", "02.md:6")).out).toBe("kernel/main.ts:8:1  chapter 2");
    expect((await tangle("where", "machine-a.md:5")).out).toBe("machine/cpu/state.ts:1:1");
  });

  test("says why there is no answer, with status 1", async () => {
    expect(await tangle("where", "kernel/main.ts:99")).toMatchObject({
      status: 1,
      out: "",
      error: "kernel/main.ts has 8 lines",
    });
    expect((await tangle("where", "book/01.md:1")).status).toBe(1);
    expect((await tangle("where", "kernel/main.ts:1", "--chapter", "9")).error).toContain("the book has 1, 2");
  });
});

describe("diff", () => {
  const pit = chapter(2, fence("ts #later", "// chapter 2"), fence("ts file=machine/pit.ts", "export const HZ = 18;"));
  beforeEach(() => put(first, pit, machine));

  test("prints what a chapter changes in the kernel, and what of the machine belongs to it", async () => {
    const { status, out, error } = await tangle("diff", "1", "2");
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(out.split("\n")).toEqual([
      "diff --git 01/kernel/main.ts 02/kernel/main.ts",
      "--- 01/kernel/main.ts",
      "+++ 02/kernel/main.ts",
      "@@ -5,3 +5,4 @@ #later book/02.md:6",
      " export function _start(): never {",
      "   while (true) halt();",
      " }",
      "+// chapter 2",
      "# book/02.md:9 file=machine/pit.ts",
      "diff --git 01/machine/pit.ts 02/machine/pit.ts",
      "new file mode 100644",
      "--- /dev/null",
      "+++ 02/machine/pit.ts",
      "@@ -0,0 +1 @@ file=machine/pit.ts book/02.md:10",
      "+export const HZ = 18;",
    ]);
  });

  test("takes the kernel or the machine alone, and goes backwards too", async () => {
    expect((await tangle("diff", "1", "2", "--kernel")).out).not.toContain("machine");
    expect((await tangle("diff", "1", "2", "--machine")).out).not.toContain("kernel");
    expect((await tangle("diff", "2", "1")).out).toContain("\n-// chapter 2\n");
  });

  test("has nothing to print between a chapter and itself, and says which chapters there are", async () => {
    expect(await tangle("diff", "2", "2")).toMatchObject({ status: 0, out: "" });
    expect(await tangle("diff", "1", "9")).toMatchObject({
      status: 1,
      out: "",
      error: "there is no chapter 9; the book has 1, 2",
    });
    put(broken);
    expect(await tangle("diff", "1", "2")).toMatchObject({ status: 1, out: "" });
  });
});

describe("edits in dist/", () => {
  const MAIN = "dist/chapters/02/kernel/main.ts";

  test("are not lost: tangling refuses to overwrite or delete an edited file, and writes nothing", async () => {
    put(first, second);
    await tangle();
    put({ path: MAIN, text: `${read(MAIN)}// mine\n` });
    const before = read("dist/chapters/01/kernel/main.ts");
    const { status, error } = await tangle("--chapter", "2");
    expect(status).toBe(1);
    expect(error).toContain("dist/chapters/02/kernel/main.ts:1:1: error LT3046");
    expect(error).toContain("untangle");
    expect(read(MAIN)).toContain("// mine");
    expect(read("dist/chapters/01/kernel/main.ts")).toBe(before);
  });

  test("are gone once their file is deleted", async () => {
    put(first, second);
    await tangle();
    put({ path: MAIN, text: "mine" });
    rmSync(join(root, MAIN));
    expect((await tangle()).status).toBe(0);
    expect(read(MAIN)).toContain("// chapter 2");
  });
});

describe("untangle", () => {
  const MAIN = "dist/chapters/02/kernel/main.ts";
  const edit = (path: string, from: string, to: string): void => put({ path, text: read(path)!.replace(from, to) });
  beforeEach(async () => {
    put(first, second, machine);
    await tangle();
  });

  test("finds nothing to do where nothing was edited", async () => {
    expect(await tangle("untangle")).toEqual({ status: 0, out: "dist/ holds no edit", error: "" });
    expect(read("book/02.md")).toBe(second.text);
  });

  test("carries edits of kernels and of the machine into the chapters, and can go on from there", async () => {
    edit(MAIN, "// chapter 2", "// edited");
    edit("dist/machine/cpu/state.ts", "RIP = 0", "RIP = 1");
    const { status, out } = await tangle("untangle");
    expect(status).toBe(0);
    expect(out.split("\n")).toEqual([
      `book/02.md:5: #later as edited in ${MAIN}:8`,
      "book/machine-a.md:4: file=machine/cpu/state.ts as edited in dist/machine/cpu/state.ts:1",
      "carried 2 edited files back into 2 blocks of 2 files; `npm run tangle` builds what follows from it",
    ]);
    expect(read("book/02.md")).toBe(second.text.replace("// chapter 2", "// edited"));
    expect(read("book/machine-a.md")).toBe(machine.text.replace("RIP = 0", "RIP = 1"));
    expect((await tangle("untangle")).out).toBe("dist/ holds no edit");
    edit(MAIN, "// edited", "// edited\n// again");
    expect((await tangle("untangle")).status).toBe(1);
    edit(MAIN, "// edited\n// again", "// edited again");
    expect((await tangle("untangle")).status).toBe(0);
    expect(read("book/02.md")).toBe(second.text.replace("// chapter 2", "// edited again"));
    await tangle();
    expect(read(MAIN)).toContain("// edited again\n");
  });

  test("looks at one chapter alone, if told", async () => {
    edit(MAIN, "// chapter 2", "// edited");
    expect((await tangle("untangle", "--chapter", "1")).out).toBe("dist/ holds no edit");
    expect((await tangle("untangle", "--machine")).out).toBe("dist/ holds no edit");
    expect((await tangle("untangle", "--chapter", "2")).status).toBe(0);
    expect((await tangle("untangle", "--chapter", "9")).error).toContain("the book has 1, 2");
  });

  test("writes nothing where anything is refused, and shows all of it with both places", async () => {
    edit(MAIN, "// chapter 2", "// edited");
    edit("dist/chapters/01/kernel/main.ts", "  while (true) halt();\n}\n", "}\n  \n");
    edit("dist/machine/cpu/state.ts", "RIP = 0", "RIP = 1");
    put(appendix("a", fence("ts file=machine/cpu/state.ts", "export const RIP = 2;")));
    const { status, out, error } = await tangle("untangle");
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(error).toContain(
      "dist/machine/cpu/state.ts:1:1: error LT3040: this file was edited, and the book has changed",
    );
    expect(error).toContain("  1 | export const RIP = 1;");
    expect(error).toContain("  book/machine-a.md:5:1: the book's line, in `file=machine/cpu/state.ts`");
    expect(error).toContain("dist/chapters/01/kernel/main.ts:");
    expect(error).toMatch(/\d errors, nothing written$/);
    expect(read("book/01.md")).toBe(first.text);
    expect(read("book/02.md")).toBe(second.text);
  });

  test("does not take files that are only stale for edited ones, nor those of an older toolchain for its own", async () => {
    put(chapter(2, fence("ts #later", "// the book has changed")));
    expect((await tangle("untangle")).out).toBe("dist/ holds no edit");
    rmSync(join(root, "dist/chapters/02/.tangled.json"));
    expect((await tangle("untangle")).error).toContain("nothing tells what it was tangled from");
  });

  test("refuses files that were added or deleted", async () => {
    put({ path: "dist/chapters/02/kernel/new.ts", text: "" }, { path: "dist/chapters/02/kernel/.swap", text: "" });
    rmSync(join(root, "dist/machine/cpu/state.ts"));
    const { error } = await tangle("untangle");
    expect(error).toContain("dist/chapters/02/kernel/new.ts:1:1: error LT3045: no chapter starts this file");
    expect(error).toContain("dist/machine/cpu/state.ts:1:1: error LT3045: this file was deleted");
    expect(error).toContain("2 errors, nothing written");
  });

  test("without dist/ says what to do first", async () => {
    rmSync(join(root, "dist"), { recursive: true });
    expect(await tangle("untangle")).toMatchObject({ status: 1, out: "" });
  });
});

describe("--watch", () => {
  test("builds at once, again after each change, goes on after mistakes, and ends when told", async () => {
    put(first, second);
    const out: string[] = [];
    const error: string[] = [];
    const stop = new AbortController();
    const ended = main(["--watch"], {
      root,
      out: (line) => out.push(line),
      error: (line) => error.push(line),
      colours: false,
      signal: stop.signal,
    });
    const builds = (): number => out.filter((line) => line.startsWith("watching")).length;
    const until = async (condition: () => boolean): Promise<void> => {
      for (let tries = 0; !condition(); tries++) {
        if (tries > 8000) throw new Error(`gave up waiting; printed:\n${[...out, ...error].join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    await until(() => builds() === 1);
    expect(read("dist/chapters/02/kernel/main.ts")).toContain("// chapter 2");

    put(chapter(2, fence("ts #later", "// edited")));
    await until(() => read("dist/chapters/02/kernel/main.ts")?.includes("// edited") === true);

    put(broken);
    await until(() => error.length > 0);
    expect(error.join("\n")).toContain("LT3022");
    expect(read("dist/chapters/02/kernel/main.ts")).toContain("// edited");

    put(second, chapter(3, fence("ts file=kernel/new.ts", "// new")));
    await until(() => read("dist/chapters/03/kernel/new.ts") === "// new\n");

    stop.abort();
    expect(await ended).toBe(0);
  });
});
