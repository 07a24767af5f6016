/** Reads a `map.json`: from an address of the kernel or the boot loader to the line of the book it came from. */

import type { KernelLayout } from "./structures.ts";

/** One row of a line table: address, index into `files`, line, column, index into `sources`, line there. */
export type LineRow = readonly [string, number, number, number, number, number];

export interface SymbolRow {
  readonly name: string;
  readonly address: string;
  readonly size: number;
  readonly kind: string;
  /** Of a module-level variable; see `KernelLayout`. */
  readonly type?: string;
}

/** The file as it stands on the disk. Addresses are hexadecimal strings: they exceed what a JSON number keeps. */
export interface MapJson {
  readonly version: number;
  readonly chapter: number;
  readonly variant: string | null;
  readonly entry: string;
  readonly files: readonly string[];
  readonly sources: readonly string[];
  readonly symbols: readonly SymbolRow[];
  /** Classes and enums of the module-level variables, by name. */
  readonly shapes?: KernelLayout["shapes"];
  readonly frames?: KernelLayout["frames"];
  readonly lines: readonly LineRow[];
  readonly loader?: { readonly symbols: readonly SymbolRow[]; readonly lines: readonly LineRow[] } | null;
}

/** A place in a file; lines and columns count from 1. */
export interface MapPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface Line {
  readonly address: bigint;
  readonly row: LineRow;
}

interface CodeSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
}

/** Code of the kernel begins here; below it only the boot loader has lines. */
const UPPER_HALF = 1n << 63n;

/** Answers which line and which symbol an address belongs to. Kernel and loader addresses do not overlap. */
export class AddressMap {
  readonly chapter: number;
  readonly variant: string | null;
  private readonly lines: readonly Line[];
  private readonly symbols: readonly CodeSymbol[];

  /** Throws an `Error` with a sentence for the user where the version is not the one we read. */
  constructor(private readonly json: MapJson) {
    if (json.version !== 1) throw new Error(`map.json has version ${json.version}; this reader knows version 1`);
    this.chapter = json.chapter;
    this.variant = json.variant;
    const rows = [...(json.loader?.lines ?? []), ...json.lines];
    this.lines = ascending(rows.map((row) => ({ address: BigInt(row[0]), row })));
    const symbols = [...(json.loader?.symbols ?? []), ...json.symbols];
    this.symbols = ascending(
      symbols.map(({ name, address, size }) => ({ name, address: BigInt(address), size: BigInt(size) })),
    );
  }

  /** The line of the book, or null where no line of it made this address. */
  placeOf(address: bigint): MapPlace | null {
    const row = this.rowOf(address);
    return row === null ? null : { file: this.json.files[row[1]]!, line: row[2], column: row[3] };
  }

  /** The line of the tangled source, such as `kernel/main.ts`. */
  sourceOf(address: bigint): { readonly file: string; readonly line: number } | null {
    const row = this.rowOf(address);
    return row === null ? null : { file: this.json.sources[row[4]]!, line: row[5] };
  }

  /** Ascending addresses at which a line's code begins, and so an instruction. */
  lineStarts(): BigUint64Array {
    return BigUint64Array.from(this.lines, ({ address }) => address);
  }

  /** The symbol that holds an address, and how far into it the address lies. */
  symbolOf(address: bigint): { readonly name: string; readonly offset: number } | null {
    const symbol = lastAtOrBelow(this.symbols, address);
    if (symbol === null || (symbol.size > 0n && address >= symbol.address + symbol.size)) return null;
    if (symbol.size === 0n && symbol.address >= UPPER_HALF !== address >= UPPER_HALF) return null;
    return { name: symbol.name, offset: Number(address - symbol.address) };
  }

  /** The module-level variables and the layout of their types. */
  layout(): KernelLayout {
    const objects = this.json.symbols.flatMap(({ name, address, type }) =>
      type === undefined ? [] : [{ name, address: BigInt(address), type }],
    );
    return { objects, shapes: this.json.shapes ?? {}, frames: this.json.frames ?? [] };
  }

  /** Address and size in bytes of a symbol, or null where there is none of that name. */
  addressOf(name: string): { readonly address: bigint; readonly size: number } | null {
    const symbol = this.symbols.find((candidate) => candidate.name === name);
    return symbol === undefined ? null : { address: symbol.address, size: Number(symbol.size) };
  }

  /** `kernel/main:_start+4, book/01-….md:33`, as far as it is known; the bare address otherwise. */
  describe(address: bigint): string {
    const symbol = this.symbolOf(address);
    const place = this.placeOf(address);
    const parts = [`0x${address.toString(16)}`];
    if (symbol !== null)
      parts.push(`in ${symbol.name}${symbol.offset === 0 ? "" : `+0x${symbol.offset.toString(16)}`}`);
    if (place !== null) parts.push(`at ${place.file}:${place.line}`);
    return parts.join(" ");
  }

  private rowOf(address: bigint): LineRow | null {
    const line = lastAtOrBelow(this.lines, address);
    if (line === null || line.address >= UPPER_HALF !== address >= UPPER_HALF) return null;
    return address >= UPPER_HALF && this.symbolOf(address) === null ? null : line.row;
  }
}

function ascending<T extends { readonly address: bigint }>(entries: T[]): T[] {
  return entries.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

/** Binary search; among equals the last. */
function lastAtOrBelow<T extends { readonly address: bigint }>(entries: readonly T[], address: bigint): T | null {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1] ?? null;
}
