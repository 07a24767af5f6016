/**
 * map.json: from addresses back to the book's lines, for debuggers, fault stories and tests. `machine/debug` reads it;
 * the two parts share this format and no code.
 */
import type { LinkedProgram } from "../compiler/object.ts";
import type { Coroutine } from "../compiler/ssa/ir.ts";
import type { Global } from "../compiler/tree.ts";
import type { Place } from "../place.ts";
import { describeObjects } from "./shapes.ts";

/** Machine code outside the kernel that has lines too: the boot loader's two files as loaded. */
export interface LoaderCode {
  /** Where the file's first byte is when it runs: 0x7c00, 0x8000. */
  readonly origin: bigint;
  readonly symbols: readonly { readonly name: string; readonly address: bigint }[];
  /** Ascending by offset from the file's start. */
  readonly lines: readonly { readonly offset: number; readonly place: Place }[];
}

export interface MapInput {
  readonly chapter: number;
  readonly variant: string | null;
  readonly linked: LinkedProgram;
  /** The module-level variables of the program that was linked, whose types the map tells. */
  readonly globals: readonly Global[];
  /** The program's async functions. */
  readonly coroutines: readonly Coroutine[];
  readonly loader: readonly LoaderCode[];
  /** Tangled place → place in the book. */
  readonly toBook: (place: Place) => Place;
}

type LineRow = [address: string, file: number, line: number, column: number, source: number, sourceLine: number];

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** The file's text. Addresses are hexadecimal strings, since they exceed what a JSON number keeps. */
export function buildMap({ chapter, variant, linked, globals, coroutines, loader, toBook }: MapInput): string {
  const files: string[] = [];
  const sources: string[] = [];
  const row = (address: bigint, place: Place): LineRow => {
    const book = toBook(place);
    return [hex(address), indexOf(files, book.file), book.line, book.column, indexOf(sources, place.file), place.line];
  };
  const kernelLines = linked.lines.map(({ address, place }) => row(address, place));
  const loaderLines = loader.flatMap((code) =>
    code.lines.map(({ offset, place }) => row(code.origin + BigInt(offset), place)),
  );
  const inImage = new Set(linked.symbols.map(({ name }) => name));
  const { shapes, objects } = describeObjects(globals.filter(({ symbol }) => inImage.has(symbol)));
  const map = {
    version: 1,
    chapter,
    variant,
    entry: hex(linked.entry),
    files,
    sources,
    symbols: linked.symbols.map(({ name, address, size, kind }) => {
      const type = objects.get(name);
      return { name, address: hex(address), size, kind, ...(type === undefined ? {} : { type }) };
    }),
    shapes,
    frames: coroutines.map((coroutine) => describeFrame(coroutine, toBook)),
    lines: withoutRepeats(kernelLines),
    loader:
      loader.length === 0
        ? null
        : {
            symbols: loader.flatMap((code) =>
              code.symbols.map(({ name, address }) => ({ name, address: hex(address), size: 0, kind: "function" })),
            ),
            lines: withoutRepeats(loaderLines),
          },
  };
  return `${JSON.stringify(map)}\n`;
}

/** What the frame of an async function holds, state by state; the state's number is the frame's first byte. */
function describeFrame({ body, layout }: Coroutine, toBook: (place: Place) => Place): object {
  const states = layout.states.map(({ place, items }) => ({
    line: place === null ? null : toBook(place).line,
    items: items.map(({ name, offset, size }) => ({ name, offset, size })),
  }));
  return { function: body.replace(/\.body$/, ""), bytes: layout.size, align: layout.align, states };
}

/** The place of `name` in `list`, added at its end if it is new. */
function indexOf(list: string[], name: string): number {
  const known = list.indexOf(name);
  return known >= 0 ? known : list.push(name) - 1;
}

/** A row holds until the next one, so a row that says the same again says nothing. */
function withoutRepeats(rows: readonly LineRow[]): LineRow[] {
  return rows.filter((row, i) => i === 0 || row.slice(1).some((value, k) => value !== rows[i - 1]![k + 1]));
}
