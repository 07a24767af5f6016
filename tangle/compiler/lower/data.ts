/** What lowering puts into the image beside code: module-level variables, text, and other constants. */
import { alignOf, isAggregate, isFat, sizeOf } from "../layout.ts";
import type { DataObject } from "../ssa/ir.ts";
import type { ConstantValue, Global, Type } from "../tree.ts";

/** Bytes under construction, with the holes that the linker fills with addresses. */
export class ImageBytes {
  readonly bytes: Uint8Array;
  readonly relocations: { at: number; symbol: string; offset: number }[] = [];

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Writes an integer of `size` bytes, little-endian. */
  integer(at: number, size: number, value: bigint): void {
    let rest = BigInt.asUintN(size * 8, value);
    for (let i = 0; i < size; i++, rest >>= 8n) this.bytes[at + i] = Number(rest & 0xffn);
  }

  /** The absolute address of a symbol, plus bytes, to be filled in by the linker. */
  address(at: number, symbol: string, offset = 0): void {
    this.relocations.push({ at, symbol, offset });
  }

  get isZero(): boolean {
    return this.relocations.length === 0 && this.bytes.every((byte) => byte === 0);
  }
}

/** All data objects of a program; equal constants are kept once. */
export class DataPool {
  readonly objects: DataObject[] = [];
  private readonly constants = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  /** The symbol of read-only bytes with this content; `family` names it (`string:4`). */
  constant(family: string, content: ImageBytes, align: number): string {
    const { bytes, relocations } = content;
    const key = `${align} ${bytes.join()} ${relocations.map((r) => `${r.at}=${r.symbol}+${r.offset}`).join()}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const number = this.counts.get(family) ?? 0;
    this.counts.set(family, number + 1);
    const symbol = `${family}:${number}`;
    this.constants.set(key, symbol);
    this.objects.push({ symbol, section: "rodata", align, size: bytes.length, bytes, relocations, place: null });
    return symbol;
  }

  /** The symbol of read-only text. */
  text(bytes: Uint8Array): string {
    const content = new ImageBytes(bytes.length);
    content.bytes.set(bytes);
    return this.constant("string", content, 1);
  }

  /** Adds a module-level variable under its own symbol. */
  global(global: Global): void {
    const { symbol, type, place } = global;
    const content = new ImageBytes(sizeOf(type));
    if (global.initial) this.fill(content, 0, type, global.initial);
    const constant = global.initial !== null && !global.mutable && (global.sealed === true || !isAggregate(type));
    const section = constant ? "rodata" : content.isZero ? "bss" : "data";
    this.objects.push({
      symbol,
      section,
      align: alignOf(type),
      size: content.bytes.length,
      bytes: section === "bss" ? new Uint8Array(0) : content.bytes,
      relocations: content.relocations,
      place,
    });
  }

  private fill(content: ImageBytes, at: number, type: Type, value: ConstantValue): void {
    switch (value.kind) {
      case "zero":
        return;
      case "integer":
        content.integer(at, sizeOf(type), value.value);
        return;
      case "string":
        content.address(at, this.text(value.bytes));
        content.integer(at + 8, 8, BigInt(value.bytes.length));
        return;
      case "function":
        content.address(at, value.target.symbol);
        return;
      case "address":
        content.address(at, value.target.symbol, value.offset);
        return;
      case "aggregate":
        this.fillElements(content, at, type, value.elements);
    }
  }

  private fillElements(content: ImageBytes, at: number, type: Type, elements: readonly ConstantValue[]): void {
    if (type.kind === "volatile" || type.kind === "atomic") {
      this.fill(content, at, type.of, elements[0]!);
    } else if (type.kind === "array") {
      const size = sizeOf(type.of);
      elements.forEach((element, i) => {
        this.fill(content, at + i * size, type.of, element);
      });
    } else if (type.kind === "class") {
      elements.forEach((element, i) => {
        const field = type.fields[i]!;
        this.fill(content, at + field.offset, field.type, element);
      });
    } else if (isFat(type)) {
      this.fill(content, at, { kind: "pointer", of: { kind: "void" } }, elements[0]!);
      this.fill(content, at + 8, { kind: "integer", name: "u64", bits: 64, signed: false }, elements[1]!);
    } else {
      throw new Error(`a constant of type ${type.kind} has no elements`);
    }
  }
}
