/** The linker: functions and data get addresses, holes in code and data are filled. */
import {
  KERNEL_BASE,
  type LinkedProgram,
  type LinkedSymbol,
  type ObjectFunction,
  type ObjectProgram,
  type Relocation,
  type Segment,
} from "./object.ts";
import type { DataObject } from "./ssa/ir.ts";

export interface LinkOptions {
  /** Address of the first page; must be page aligned. Default: a page above KERNEL_BASE. */
  readonly base?: bigint;
}

/** Thrown where code or data names a symbol that nothing defines, or two things define one: a mistake of the compiler's. */
export class LinkError extends Error {}

const PAGE = 0x1000;
const FUNCTION_ALIGN = 16;
/** int3, so that control which runs out of a function stops at once. */
const FILLER = 0xcc;

interface Placed {
  readonly symbol: string;
  readonly section: Segment["name"];
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly size: number;
  readonly kind: LinkedSymbol["kind"];
}

/** Lays out `.text`, `.rodata`, `.data` and `.bss`, each on its own pages: the entry first, then what it reaches, in order of use. */
export function link(object: ObjectProgram, options: LinkOptions = {}): LinkedProgram {
  const base = options.base ?? KERNEL_BASE + BigInt(PAGE);
  const { functions, data } = reached(object);
  const text = layOutFunctions(functions);
  const sections = [
    text,
    layOutData(
      ".rodata",
      data.filter((d) => d.section === "rodata"),
    ),
    layOutData(
      ".data",
      data.filter((d) => d.section === "data"),
    ),
    layOutData(
      ".bss",
      data.filter((d) => d.section === "bss"),
    ),
  ];
  let address = base;
  const addresses = new Map<string, bigint>();
  const symbols: LinkedSymbol[] = [];
  const segments: Segment[] = [];
  for (const section of sections) {
    if (section.size === 0) continue;
    for (const { symbol, offset, size, kind } of section.placed) {
      addresses.set(symbol, address + BigInt(offset));
      symbols.push({ name: symbol, address: address + BigInt(offset), size, kind });
    }
    const flags = { write: section.name === ".data" || section.name === ".bss", execute: section.name === ".text" };
    segments.push({ name: section.name, address, size: section.size, bytes: section.bytes, flags });
    address += BigInt(Math.ceil(section.size / PAGE) * PAGE);
  }
  for (const fn of functions) fillCode(fn, text.bytes, Number(addresses.get(fn.symbol)! - base), addresses);
  for (const item of data) {
    const segment = segments.find((s) => s.name === `.${item.section}`)!;
    fillData(item, segment, addresses);
  }
  const lines = functions.flatMap((fn) =>
    fn.lines.map(({ offset, place }) => ({ address: addresses.get(fn.symbol)! + BigInt(offset), place })),
  );
  const frames = functions.flatMap(({ symbol, code, frames: states }) =>
    states === undefined ? [] : [{ address: addresses.get(symbol)!, size: code.length, states }],
  );
  return { segments, symbols, lines, frames, entry: addresses.get(object.entry)! };
}

/** What the entry needs, breadth first, each thing once; nothing else gets into the image. */
function reached(object: ObjectProgram): { functions: ObjectFunction[]; data: DataObject[] } {
  const functions = uniqueBySymbol(object.functions);
  const data = uniqueBySymbol(object.data);
  const order = { functions: [] as ObjectFunction[], data: [] as DataObject[] };
  const seen = new Set<string>([object.entry]);
  const queue = [{ symbol: object.entry, from: "the entry point" }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { symbol, from } = next;
    const fn = functions.get(symbol);
    const item = data.get(symbol);
    if (fn !== undefined && item !== undefined) throw new LinkError(`${symbol} is both a function and data`);
    if (fn === undefined && item === undefined) throw new LinkError(`${from} needs ${symbol}, which nothing defines`);
    if (fn !== undefined) order.functions.push(fn);
    if (item !== undefined) order.data.push(item);
    for (const { symbol: target } of (fn ?? item!).relocations) {
      if (seen.has(target)) continue;
      seen.add(target);
      queue.push({ symbol: target, from: symbol });
    }
  }
  return order;
}

function uniqueBySymbol<T extends { readonly symbol: string }>(items: readonly T[]): Map<string, T> {
  const found = new Map<string, T>();
  for (const item of items) {
    if (found.has(item.symbol)) throw new LinkError(`${item.symbol} is defined twice`);
    found.set(item.symbol, item);
  }
  return found;
}

interface Section {
  readonly name: Segment["name"];
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly placed: readonly Placed[];
}

function layOutFunctions(functions: readonly ObjectFunction[]): Section {
  const placed: Placed[] = [];
  let size = 0;
  for (const { symbol, code } of functions) {
    size = roundUp(size, FUNCTION_ALIGN);
    placed.push({ symbol, section: ".text", offset: size, size: code.length, kind: "function" });
    size += code.length;
  }
  const bytes = new Uint8Array(size).fill(FILLER);
  functions.forEach((fn, i) => {
    bytes.set(fn.code, placed[i]!.offset);
  });
  return { name: ".text", size, bytes, placed };
}

function layOutData(name: Segment["name"], items: readonly DataObject[]): Section {
  const placed: Placed[] = [];
  let size = 0;
  for (const item of items) {
    size = roundUp(size, item.align);
    placed.push({ symbol: item.symbol, section: name, offset: size, size: item.size, kind: "object" });
    size += item.size;
  }
  const bytes = new Uint8Array(name === ".bss" ? 0 : size);
  if (name !== ".bss") {
    items.forEach((item, i) => {
      bytes.set(item.bytes, placed[i]!.offset);
    });
  }
  return { name, size, bytes, placed };
}

function fillCode(fn: ObjectFunction, text: Uint8Array, offset: number, addresses: ReadonlyMap<string, bigint>): void {
  const view = new DataView(text.buffer);
  const address = addresses.get(fn.symbol)!;
  for (const relocation of fn.relocations) {
    const at = offset + relocation.at;
    const hole = address + BigInt(relocation.at);
    const target = addresses.get(relocation.symbol)! + BigInt(relocation.addend);
    switch (relocation.kind) {
      case "relative32":
        view.setInt32(at, signed32(target - (hole + 4n), fn, relocation), true);
        break;
      case "absolute32":
        view.setInt32(at, signed32(BigInt.asIntN(64, target), fn, relocation), true);
        break;
      case "absolute64":
        view.setBigUint64(at, BigInt.asUintN(64, target), true);
        break;
    }
  }
}

function signed32(value: bigint, fn: ObjectFunction, relocation: Relocation): number {
  if (BigInt.asIntN(32, value) !== value) {
    throw new LinkError(`${relocation.symbol} is out of reach of ${fn.symbol}: ${relocation.kind} ${value}`);
  }
  return Number(value);
}

function fillData(item: DataObject, segment: Segment, addresses: ReadonlyMap<string, bigint>): void {
  const start = Number(addresses.get(item.symbol)! - segment.address);
  const view = new DataView(segment.bytes.buffer);
  for (const { at, symbol, offset } of item.relocations) {
    view.setBigUint64(start + at, BigInt.asUintN(64, addresses.get(symbol)! + BigInt(offset)), true);
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
