/** What the site tells of each block. */
import { describe, expect, test } from "vitest";
import { tellBlocks } from "../../tangle/literate/blocks.ts";
import { appendix, book, chapter, fence } from "./writing.ts";

const it = book(
  appendix("a", fence("ts file=machine/cpu.ts", "// <<load>>")),
  chapter(
    1,
    fence("ts file=kernel/main.ts", "// <<x>>"),
    fence("ts #x", "naive"),
    fence("ts #x +=", "more"),
    fence("ts #x :=", "better"),
  ),
  chapter(2, fence("ts #load", "cpu"), fence("ts #x := variant=broken", "oops"), fence("ts #x +=", "and more")),
  chapter(3, fence("ts #x -=")),
);
/** Blocks by their place, `2:5` for line 5 of chapter 2. */
const name = (block: { place: { file: string; line: number } } | null): string | null =>
  block === null ? null : `${/(\w)\.md/.exec(block.place.file)![1]}:${block.place.line}`;
const stories = new Map([...tellBlocks(it).values()].map((story) => [name(story.block)!, story]));
const story = (at: string) => {
  const { files, replaces, replacedBy, previous, next } = stories.get(at)!;
  return {
    files,
    replaces: replaces.map(name),
    replacedBy: name(replacedBy),
    previous: name(previous),
    next: name(next),
  };
};

describe("a block is told with", () => {
  test("all that it replaces, appended parts too, and what replaces it", () => {
    expect(story("1:9")).toMatchObject({ replaces: [], replacedBy: "1:17" });
    expect(story("1:13")).toMatchObject({ replaces: [], replacedBy: "1:17" });
    expect(story("1:17")).toMatchObject({ replaces: ["1:9", "1:13"], replacedBy: "3:5" });
    expect(story("3:5")).toMatchObject({ replaces: ["1:17", "2:13"], replacedBy: null });
  });

  test("what it replaces in a variant, which replaces nothing for good", () => {
    expect(story("2:9")).toMatchObject({ replaces: ["1:17"], replacedBy: null });
  });

  test("its file and the blocks of that file before and after it in the book", () => {
    expect(story("1:5")).toMatchObject({ files: ["kernel/main.ts"], previous: null, next: "1:9" });
    expect(story("1:17")).toMatchObject({ files: ["kernel/main.ts"], previous: "1:13", next: "2:13" });
    expect(story("2:9")).toMatchObject({ files: ["kernel/main.ts"], previous: "1:17", next: "2:13" });
    expect(story("a:4")).toMatchObject({ files: ["machine/cpu.ts"], next: "2:5" });
    expect(story("2:5")).toMatchObject({ files: ["machine/cpu.ts"], previous: "a:4", next: null });
  });
});
