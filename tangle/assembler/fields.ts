/** Byte fields that hold values: written into the bytes, or left to the linker. */
import type { Relocation } from "../compiler/object.ts";
import type { Value } from "./expression.ts";
import { SyntaxProblem } from "./lexer.ts";

/** A field of the bytes whose value depends on where things lie. */
export interface Field {
  /** Byte offset, and bytes. */
  readonly at: number;
  readonly size: number;
  readonly value: Value;
  /** Counted from the end of the instruction. */
  readonly relative: boolean;
  readonly column: number;
}

/** A field whose section and line are known. */
export interface PlacedField extends Field {
  /** `at` counts from the start of this section. */
  readonly section: string;
  readonly sectionAddress: bigint;
  readonly line: number;
  /** Address of the end of the instruction. */
  readonly end: bigint;
}

/**
 * Writes the field's value into the section's bytes, or gives the relocation that will. In `movable` code, which the
 * linker will place, even its own labels have no address yet. Throws SyntaxProblem for values that do not fit.
 */
export function fillField(field: PlacedField, bytes: Uint8Array, movable: boolean): Relocation | null {
  const { value, size, column, relative } = field;
  if (movable) {
    const open = openBases(field);
    if (open.length > 0) return relocationOf(field, open);
  }
  const count = [...value.bases.values()].reduce((total, each) => total + each, 0);
  if (value.bases.size > 0 && count !== 0 && count !== 1) {
    const hint = "subtract labels, or add numbers to them";
    throw new SyntaxProblem("AS2008", "the sum of addresses is no address", column, hint);
  }
  const number = relative ? value.number - field.end : value.number;
  const width = BigInt(size * 8);
  // A 16-bit distance wraps around within its segment.
  const fits = relative && size !== 2 ? BigInt.asIntN(size * 8, number) === number : fitsField(number, width);
  if (!fits) {
    throw new SyntaxProblem("AS2013", `${number} does not fit into ${size === 1 ? "a byte" : `${size} bytes`}`, column);
  }
  for (let i = 0; i < size; i++) bytes[field.at + i] = Number((number >> BigInt(8 * i)) & 0xffn);
  return null;
}

/** Negative values may take one bit more, so that the complement of every unsigned number fits. */
function fitsField(number: bigint, width: bigint): boolean {
  return number >> width === 0n || number >> width === -1n;
}

/** What the linker has to add to or subtract from the field. */
function openBases(field: PlacedField): (readonly [base: string, count: number])[] {
  const bases = new Map(field.value.bases);
  if (field.relative) {
    const own = `section ${field.section}`;
    const count = (bases.get(own) ?? 0) - 1;
    if (count === 0) bases.delete(own);
    else bases.set(own, count);
  }
  return [...bases];
}

function relocationOf(field: PlacedField, open: readonly (readonly [string, number])[]): Relocation {
  const symbols = open.filter(([base]) => base.startsWith("symbol "));
  const [name, count] = symbols[0] ?? ["", 0];
  const isOneSymbol = symbols.length === 1 && count === 1 && open.length === (field.relative ? 2 : 1);
  if (!isOneSymbol || !(field.size === 4 || (field.size === 8 && !field.relative))) {
    const hint = symbols.length === 0 ? "a label here is known only relative: lea rax, [rel label]" : undefined;
    throw new SyntaxProblem("AS2008", "this address cannot be left to the linker", field.column, hint);
  }
  const toEnd = Number(field.end - field.sectionAddress) - field.at - field.size;
  return {
    at: field.at,
    kind: field.relative ? "relative32" : field.size === 4 ? "absolute32" : "absolute64",
    symbol: name.slice("symbol ".length),
    addend: Number(field.value.number) - (field.relative ? toEnd : 0),
  };
}
