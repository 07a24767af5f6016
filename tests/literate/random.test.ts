/** Random books: what the tangler makes of them is what the model says, always the same, and every line knows its place. */

import { describe, expect, test } from "vitest";
import { tellBlocks } from "../../tangle/literate/blocks.ts";
import type { Book, BookFile, TangledFile } from "../../tangle/literate/book.ts";
import { LT } from "../../tangle/literate/errors.ts";
import { toBook, toTangled } from "../../tangle/literate/map.ts";
import { chapterNumbers, readBook, tangleChapter, tangleMachine, variantsOf } from "../../tangle/literate/tangle.ts";
import fc from "../properties.ts";
import { type Plan, type PlannedBlock, plans, write } from "./generate.ts";
import { modelFiles } from "./model.ts";

const RUNS = { numRuns: Number(process.env.TAIJI_RUNS ?? 200) };

/** All editions of a book: the machine as chapter 0. */
function editions(book: Book): { chapter: number; variant: string | null; files: readonly TangledFile[] }[] {
  return [
    { chapter: 0, variant: null, files: tangleMachine(book) },
    ...chapterNumbers(book).flatMap((chapter) =>
      [null, ...variantsOf(book, chapter)].map((variant) => tangleChapter(book, chapter, variant)),
    ),
  ];
}

function read(plan: Plan): { files: BookFile[]; book: Book } {
  const files = write(plan);
  const { book, diagnostics } = readBook(files);
  expect(diagnostics).toEqual([]);
  return { files, book };
}

describe("in every random book", () => {
  test("each snapshot equals the model's", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        for (const { chapter, variant, files } of editions(read(plan).book)) {
          const expected = modelFiles(plan, chapter, variant);
          expect(new Map(files.map((file) => [file.path, file.text]))).toEqual(expected);
        }
      }),
      RUNS,
    );
  });

  test("tangling is deterministic, whatever the order in which files are read", () => {
    fc.assert(
      fc.property(plans, fc.infiniteStream(fc.nat()), (plan, order) => {
        const { files, book } = read(plan);
        const shuffled = files.map((file) => ({ file, key: order.next().value })).sort((a, b) => a.key - b.key);
        const again = readBook(shuffled.map(({ file }) => ({ ...file }))).book;
        expect(JSON.stringify(editions(again))).toBe(JSON.stringify(editions(book)));
      }),
      RUNS,
    );
  });

  test("each line of each output has its place in the book, column by column, and the way back leads to it", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { files, book } = read(plan);
        const sources = new Map(files.map(({ path, text }) => [path, text.split("\n")]));
        for (const edition of editions(book)) {
          for (const tangled of edition.files) checkLines(tangled, edition, sources);
        }
      }),
      RUNS,
    );
  });

  test("each block is told with the file that its lines are in", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { book } = read(plan);
        const stories = [...tellBlocks(book).values()];
        for (const { files } of editions(book)) {
          for (const { path, lines } of files) {
            for (const origin of lines) {
              const story = stories.find(
                ({ block }) => block.place.file === origin.file && block.lines.some(({ line }) => line === origin.line),
              );
              expect(story?.files).toContain(path);
            }
          }
        }
      }),
      { numRuns: Math.ceil(RUNS.numRuns / 5) },
    );
  });

  test("a definition that is left out is missed, and one that comes twice is told with both places", () => {
    fc.assert(
      fc.property(plans, fc.nat(), (plan, pick) => {
        const chunks = plan.blocks.filter(({ operation, name }) => operation === "define" && !name.includes("/"));
        const single = chunks.filter((block) => chunks.filter(({ name }) => name === block.name).length === 1);
        fc.pre(single.length > 0);
        const victim = single[pick % single.length]!;
        const without = plan.blocks.filter((block) => block !== victim);
        const codes = readBook(write({ ...plan, blocks: without })).diagnostics.map(({ code }) => code);
        const named = without.some((block) => mentions(block, victim.name));
        if (named) expect(codes.includes(LT.unfilledSlot) || codes.includes(LT.unknownChunk)).toBe(true);

        const twice = [
          ...plan.blocks.slice(0, plan.blocks.indexOf(victim)),
          victim,
          ...plan.blocks.slice(plan.blocks.indexOf(victim)),
        ];
        const told = readBook(write({ ...plan, blocks: twice })).diagnostics.filter(
          ({ code }) => code === LT.duplicateName,
        );
        expect(told).toHaveLength(1);
        expect(told[0]!.related).toHaveLength(1);
      }),
      RUNS,
    );
  });
});

function mentions(block: PlannedBlock, name: string): boolean {
  return (
    [block.name, block.after, block.before].includes(name) || block.lines.some((line) => line.includes(`<<${name}>>`))
  );
}

function checkLines(
  tangled: TangledFile,
  edition: { readonly files: readonly TangledFile[] },
  sources: ReadonlyMap<string, readonly string[]>,
): void {
  const texts = tangled.text.split("\n").slice(0, -1);
  expect(tangled.lines).toHaveLength(texts.length);
  for (const [index, text] of texts.entries()) {
    const first = text.search(/\S/) + 1;
    for (const column of text.trim() === "" ? [1] : [first, text.length]) {
      const place = { file: tangled.path, line: index + 1, column };
      const origin = toBook(edition, place);
      const source = sources.get(origin.file)![origin.line - 1]!;
      if (text.trim() !== "") {
        expect(source[origin.column - 1]).toBe(text[column - 1]);
        expect(source.endsWith(text.trimStart())).toBe(true);
        expect(toTangled(edition, origin)).toContainEqual(place);
      }
      expect(
        toTangled(edition, { ...origin, column: 1 }).some(
          ({ file, line }) => file === place.file && line === place.line,
        ),
      ).toBe(true);
    }
  }
}

describe("whatever an author writes", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "```",
      "~~~",
      "````",
      "  ```",
      "> ```ts #a",
      "```ts #a",
      "```ts #b +=",
      "```ts #a :=",
      "```ts #a -=",
      "```ts #c after=a",
      "```ts file=kernel/a.ts",
    ),
    fc.constantFrom(
      "// <<a>>",
      "  // <<b>>",
      "// <<c>>",
      "; <<a>>",
      "<!--",
      "-->",
      "<div>",
      "---",
      "title: A",
      "milestone: 1",
      "- item",
      "",
      "\t",
      "prose",
    ),
    fc.string({ maxLength: 12 }),
  );
  const text = fc
    .array(line, { maxLength: 40 })
    .map((lines) => `---\ntitle: A\nmilestone: 1\n---\n${lines.join("\n")}`);

  test("reading it comes to an end with diagnostics that have a place, never with an exception", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), text, (first, second) => {
        const files = [
          { path: "book/1.md", text: first },
          { path: "book/2.md", text: second.replace("milestone: 1", "milestone: 2") },
        ];
        const { book, diagnostics } = readBook(files);
        editions(book);
        for (const { place, related } of diagnostics) {
          for (const { file, line, column } of [place, ...(related ?? []).map((other) => other.place)]) {
            const lines = files.find(({ path }) => path === file)!.text.split(/\r\n|\r|\n/);
            expect(lines[line - 1]).toBeDefined();
            expect(column).toBeGreaterThan(0);
            expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
          }
        }
      }),
      { numRuns: RUNS.numRuns * 3 },
    );
  });
});
