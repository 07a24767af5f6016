/** Random books, tangled and edited: what is carried back is what was edited, and what is refused changes nothing. */

import { describe, expect, test } from "vitest";
import type { Book, BookFile } from "../../tangle/literate/book.ts";
import { applyOperations, type EditionName, editionNames } from "../../tangle/literate/edition.ts";
import { LT } from "../../tangle/literate/errors.ts";
import { type Layout, layOut } from "../../tangle/literate/layout.ts";
import { readBook } from "../../tangle/literate/tangle.ts";
import { type DistFolder, type Untangled, untangle } from "../../tangle/literate/untangle.ts";
import type { Place } from "../../tangle/place.ts";
import fc from "../properties.ts";
import { type Plan, plans, write } from "./generate.ts";

const RUNS = { numRuns: Number(process.env.TAIJI_RUNS ?? 200) };

/** A tangled file of one edition, and its lines as someone has edited them. */
interface Source {
  readonly edition: EditionName;
  readonly folder: string;
  /** In the folder. */
  readonly path: string;
  readonly layout: Layout;
  lines: string[];
}

function sourcesOf(book: Book): Source[] {
  return editionNames(book).flatMap((edition) => {
    const target = edition.chapter === null ? "machine" : "kernel";
    const folder = edition.chapter === null ? "dist/machine" : `dist/${edition.chapter}-${edition.variant ?? ""}`;
    return layOut(applyOperations(book, edition), target).map((layout) => ({
      edition,
      folder,
      path: layout.path.replace(/^machine\//, ""),
      layout,
      lines: layout.lines.map(({ text }) => text),
    }));
  });
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
const tangled = ({ layout }: Source): string => text(layout.lines.map((line) => line.text));
/** In these tests a digest is the text itself. */
const digest = (whole: string): string => whole;

function foldersOf(sources: readonly Source[]): DistFolder[] {
  const names = [...new Set(sources.map(({ folder }) => folder))];
  return names.map((folder) => {
    const own = sources.filter((source) => source.folder === folder);
    const files = own.map(({ path, lines }) => [path, { text: text(lines), digest: text(lines) }] as const);
    const record = own.map((source) => [source.path, tangled(source)] as const);
    return { edition: own[0]!.edition, folder, files: new Map(files), record: new Map(record) };
  });
}

/** A book as Markdown: with the line ends of either world, and with or without a byte order mark. */
const books = fc
  .tuple(plans, fc.constantFrom("\n", "\n", "\r\n"), fc.constantFrom("", "", "\uFEFF"))
  .map(([plan, end, mark]) => ({ plan, files: encode(plan, end, mark) }));

function encode(plan: Plan, end: string, mark: string): BookFile[] {
  return write(plan).map(({ path, text }) => ({ path, text: mark + text.replaceAll("\n", end) }));
}

function open(files: readonly BookFile[]): { book: Book; sources: Source[] } {
  const { book, diagnostics } = readBook(files);
  expect(diagnostics).toEqual([]);
  return { book, sources: sourcesOf(book) };
}

const replaced = (files: readonly BookFile[], by: readonly BookFile[]): BookFile[] =>
  files.map((file) => by.find(({ path }) => path === file.path) ?? file);

/** Carried: tangling gives what was edited. Refused: nothing is written, and each refusal names places that exist. */
function checkOutcome(files: readonly BookFile[], sources: readonly Source[], result: Untangled): void {
  if (result.diagnostics.length > 0) {
    expect(result).toMatchObject({ files: [], blocks: [], sources: [] });
    const texts = new Map(files.map((file) => [file.path, file.text.split(/\r\n|\n/)]));
    for (const { folder, path, lines } of sources) texts.set(`${folder}/${path}`, lines);
    const exists = ({ file, line }: Place): boolean => line >= 1 && line <= Math.max(1, texts.get(file)!.length);
    for (const { place, related } of result.diagnostics) {
      expect(place.file.startsWith("dist/") && exists(place)).toBe(true);
      expect(related!.some((other) => other.place.file.startsWith("book/"))).toBe(true);
      for (const other of related!) expect(exists(other.place)).toBe(true);
    }
    return;
  }
  const after = open(replaced(files, result.files)).sources;
  for (const { folder, path } of result.sources) {
    const same = (source: Source): boolean => source.folder === folder && source.path === path;
    expect(after.find(same)!.layout.lines.map((line) => line.text)).toEqual(sources.find(same)!.lines);
  }
}

const lineText = fc.oneof(
  { weight: 6, arbitrary: fc.nat(999).map((n) => `new ${n};`) },
  { weight: 2, arbitrary: fc.constant("") },
  fc.constantFrom(
    "  ",
    "\t",
    "```",
    "~~~~",
    "  ````",
    "``",
    "// <<slot>>",
    "; <<slot>>",
    "// <<>>",
    "> quoted",
    "- item",
  ),
  fc.constantFrom("<!--", "-->", "---", "# Title", "    deep", "trailing  ", "a\0b", "\u2028", "``` ts #x"),
  fc.string({ maxLength: 8 }).map((line) => line.replace(/[\r\n]/g, "")),
);

interface Change {
  readonly at: number;
  readonly removed: number;
  readonly lines: readonly string[];
}

const changes = fc.array(
  fc.record({ at: fc.nat(999), removed: fc.nat(3), lines: fc.array(lineText, { maxLength: 3 }) }),
  { minLength: 1, maxLength: 4 },
);

/** Changes lines anywhere; the new ones are indented like those where they go, more often than not. */
function edit(source: Source, { at, removed, lines }: Change): void {
  const start = at % (source.lines.length + 1);
  const indent = / */.exec(source.lines[start] ?? "")![0];
  const indented = lines.map((line) => (line === "" || at % 9 === 0 ? line : indent + line));
  source.lines.splice(start, removed, ...indented);
}

describe("in every random book", () => {
  test("nothing is edited, nothing is written", () => {
    fc.assert(
      fc.property(books, ({ files }) => {
        const none = { files: [], blocks: [], sources: [], diagnostics: [] };
        expect(untangle(files, foldersOf(open(files).sources), digest)).toEqual(none);
      }),
      RUNS,
    );
  });

  test("one edit inside a block reaches that block, and no other byte of the book", () => {
    fc.assert(
      fc.property(
        books,
        fc.record({ pick: fc.nat(), at: fc.nat(), removed: fc.nat(2), added: fc.nat(3), blank: fc.boolean() }),
        ({ files }, { pick, at, removed, added, blank }) => {
          const { sources } = open(files);
          const lined = sources.filter(({ lines }) => lines.length > 0);
          fc.pre(lined.length > 0);
          const source = lined[pick % lined.length]!;
          const start = at % source.lines.length;
          const { block, index, indent } = source.layout.lines[start]!;
          let end = start;
          const inside = (): boolean => source.layout.gaps[end]!.length === 1;
          do end++;
          while (end < start + removed && end < source.lines.length && inside());
          const fresh = Array.from({ length: added }, (_, line) => `${indent}fresh ${line};`);
          if (blank && added === 3 && !source.lines.slice(start, end).includes("")) fresh[1] = "";
          // Equal lines beside a removed one can leave open which of them it was.
          const gap = source.lines.slice(0, start).includes(source.lines[start]!);
          const again = source.lines.slice(start + 1).some((line) => source.lines.slice(start, end).includes(line));
          fc.pre(added > 0 || !(gap || again));
          source.lines.splice(start, end - start, ...fresh);

          const result = untangle(files, foldersOf(sources), digest);
          expect(result.diagnostics).toEqual([]);
          checkOutcome(files, sources, result);
          expect(result.files.map(({ path }) => path)).toEqual([block.place.file]);
          const before = files.find(({ path }) => path === block.place.file)!.text.split(/(?<=\n)/);
          const after = result.files[0]!.text.split(/(?<=\n)/);
          const first = block.lines[index]!.line - 1;
          expect(after.slice(0, first)).toEqual(before.slice(0, first));
          expect(after.slice(first + added)).toEqual(before.slice(first + (end - start)));
        },
      ),
      RUNS,
    );
  });

  test("any edits of one file are carried back exactly, or refused with both places and nothing written", () => {
    fc.assert(
      fc.property(books, fc.nat(), changes, ({ files }, pick, edits) => {
        const { sources } = open(files);
        fc.pre(sources.length > 0);
        for (const change of edits) edit(sources[pick % sources.length]!, change);
        checkOutcome(files, sources, untangle(files, foldersOf(sources), digest));
      }),
      { numRuns: RUNS.numRuns * 3 },
    );
  });

  test("a block edited in two snapshots is carried back where the edits agree, and refused where they do not", () => {
    fc.assert(
      fc.property(books, fc.nat(), fc.boolean(), ({ files }, pick, agree) => {
        const { sources } = open(files);
        const places = sources.flatMap((source) => source.layout.lines.map((line, at) => ({ source, at, line })));
        const shared = places.filter((one) =>
          places.some(
            (other) =>
              other.source !== one.source && other.line.block === one.line.block && other.line.index === one.line.index,
          ),
        );
        fc.pre(shared.length > 0);
        const one = shared[pick % shared.length]!;
        const same = shared.filter(({ line }) => line.block === one.line.block && line.index === one.line.index);
        const two = same.filter(({ source }) => source !== one.source)[pick % (same.length - 1)]!;
        one.source.lines[one.at] = `${one.line.indent}fresh;`;
        two.source.lines[two.at] = `${two.line.indent}${agree ? "fresh" : "other"};`;
        const result = untangle(files, foldersOf(sources), digest);
        checkOutcome(files, sources, result);
        expect(result.diagnostics.map(({ code }) => code)).toEqual(agree ? [] : [LT.conflictingEdits]);
        if (!agree) expect(result.diagnostics[0]!.related).toHaveLength(2);
      }),
      RUNS,
    );
  });

  test("an edit of a file that the book would tangle otherwise by now is refused", () => {
    fc.assert(
      fc.property(books, fc.nat(), ({ files }, pick) => {
        const { sources } = open(files);
        const lined = sources.filter(({ lines }) => lines.some((line) => line.trim() !== ""));
        fc.pre(lined.length > 0);
        const source = lined[pick % lined.length]!;
        const { block, index } = source.layout.lines.find((line) => line.text.trim() !== "")!;
        source.lines.push("edited;");
        const folders = foldersOf(sources);
        const line = block.lines[index]!.line - 1;
        const changed = files.map((file) => {
          if (file.path !== block.place.file) return file;
          const lines = file.text.split("\n");
          return { ...file, text: lines.with(line, lines[line]!.replace(/[a-z]/, "X")).join("\n") };
        });
        const result = untangle(changed, folders, digest);
        expect(result.diagnostics.map(({ code, place }) => `${code} ${place.file}`)).toEqual([
          `${LT.staleEdit} ${source.folder}/${source.path}`,
        ]);
        checkOutcome(changed, sources, result);
      }),
      RUNS,
    );
  });
});
