/** Chapter 11: what its comparison of allocators says, as relations that hold whatever the compiler does. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { screenText } from "#machine/platform/vga.ts";
import { chapters } from "./chapters.ts";
import { machineImage, repository } from "./images.ts";
import { runInMachine } from "./machine.ts";

const CHAPTER = 11;
const DONE = "All blocks are back.";
const COLUMNS = ["bump", "arena", "list", "fixed", "table"] as const;

type Column = (typeof COLUMNS)[number];
/** Instructions a block; null where some were refused. */
type Row = Readonly<Record<Column, number | null>>;

/** Between a number in the chapter and ours: compilers get better faster than books. */
const MOST_APART = 2;

/** The table that the variant `comparison` prints, by the names of its rows; or that of the chapter's own text. */
function readComparison(screen: string): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of screen.split("\n")) {
    const [, name, numbers] = /^ *([a-z, ]+?)((?: +(?:\d+|-)){5}) *$/.exec(line) ?? [];
    if (name === undefined) continue;
    const values = numbers!.trim().split(/ +/);
    rows.set(name, Object.fromEntries(COLUMNS.map((column, i) => [column, readCell(values[i]!)])) as Row);
  }
  return rows;
}

const readCell = (text: string): number | null => (text === "-" ? null : Number(text));

export function testComparison(): void {
  describe("the comparison of allocators", () => {
    let rows: ReadonlyMap<string, Row> = new Map();
    beforeAll(() => {
      const isDone = (cells: Uint8Array) => screenText(cells).includes(DONE);
      rows = readComparison(screenText(runInMachine(machineImage(CHAPTER, "comparison"), { done: isDone }).cells));
    });
    const cost = (row: string, column: Column): number => rows.get(row)?.[column] ?? Number.NaN;

    test("has five patterns", () => {
      expect([...rows.keys()]).toEqual([
        "one at a time",
        "last in, first out",
        "first in, first out",
        "behind a crowd",
        "a story",
      ]);
    });

    test("is the table that the chapter shows, more or less", () => {
      const { path } = chapters().find(({ number }) => number === CHAPTER)!;
      const shown = readComparison(readFileSync(`${repository}/${path}`, "utf8"));
      expect([...shown.keys()]).toEqual([...rows.keys()]);
      for (const [name, row] of shown) {
        for (const column of COLUMNS) {
          const ratio = (row[column] ?? 1) / (rows.get(name)![column] ?? 1);
          expect(Math.max(ratio, 1 / ratio), `${name}, ${column}`).toBeLessThan(MOST_APART);
        }
      }
    });

    test("bump and arena are the quickest, and cannot tell a story", () => {
      for (const [name, row] of rows) {
        if (name === "a story") expect(row).toMatchObject({ bump: null, arena: null });
        else expect(Math.max(row.bump!, row.arena!), name).toBeLessThan(Math.min(row.list!, row.fixed!, row.table!));
      }
    });

    test("fixed sizes do not notice a crowd, a list does", () => {
      expect(cost("behind a crowd", "fixed")).toBeLessThan(1.5 * cost("one at a time", "fixed"));
      expect(cost("behind a crowd", "list")).toBeGreaterThan(4 * cost("one at a time", "list"));
    });

    test("the table is the slowest in every pattern", () => {
      for (const [name, row] of rows) {
        const others = [row.bump, row.arena, row.list, row.fixed].filter((value) => value !== null);
        expect(row.table, name).toBeGreaterThan(Math.max(...others));
      }
    });
  });
}
