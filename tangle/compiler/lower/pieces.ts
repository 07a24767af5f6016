/** Format pieces in memory, laid out as `FORMAT_PIECE` in the typed tree says. */
import type { Value } from "../ssa/ir.ts";
import { FORMAT_PIECE, type FormatPiece, type Type } from "../tree.ts";
import type { FunctionBuilder } from "./builder.ts";
import { type DataPool, ImageBytes } from "./data.ts";
import { isSigned } from "./types.ts";

const TEXT = 0;

/** What stands in a piece behind value and length, as one 64-bit word. */
export function pieceTail(piece: {
  readonly kind: number;
  readonly width: number;
  readonly fill: number;
  readonly digits: number;
}): bigint {
  const tail = new ImageBytes(FORMAT_PIECE.size - FORMAT_PIECE.kind);
  tail.integer(FORMAT_PIECE.kind - FORMAT_PIECE.kind, 1, BigInt(piece.kind));
  tail.integer(FORMAT_PIECE.width - FORMAT_PIECE.kind, 1, BigInt(piece.width));
  tail.integer(FORMAT_PIECE.fill - FORMAT_PIECE.kind, 1, BigInt(piece.fill));
  tail.integer(FORMAT_PIECE.digits - FORMAT_PIECE.kind, 1, BigInt(piece.digits));
  return new DataView(tail.bytes.buffer).getBigUint64(0, true);
}

const TEXT_TAIL = pieceTail({ kind: TEXT, width: 0, fill: 32, digits: 0 });

/** The number of a value piece's kind. */
export function pieceKind(style: Extract<FormatPiece, { kind: "value" }>["style"], type: Type): number {
  switch (style) {
    case "text":
      return TEXT;
    case "decimal":
      return isSigned(type) ? 2 : 1;
    case "hex":
      return 3;
    case "binary":
      return 4;
    case "fixed":
      return 5;
    case "character":
      return 6;
    case "bool":
      return 7;
  }
}

/** The symbol of an array of text pieces in read-only memory. */
export function constantPieces(data: DataPool, texts: readonly Uint8Array[]): string {
  const content = new ImageBytes(texts.length * FORMAT_PIECE.size);
  texts.forEach((text, i) => {
    const at = i * FORMAT_PIECE.size;
    content.address(at + FORMAT_PIECE.value, data.text(text));
    content.integer(at + FORMAT_PIECE.length, 8, BigInt(text.length));
    content.integer(at + FORMAT_PIECE.kind, 8, TEXT_TAIL);
  });
  return data.constant("format", content, FORMAT_PIECE.align);
}

/** Fills piece number `index` of the array at `pieces`. */
export function storePiece(
  builder: FunctionBuilder,
  pieces: Value,
  index: number,
  value: Value,
  length: Value,
  tail: bigint,
): void {
  const at = index * FORMAT_PIECE.size;
  builder.store(pieces, at + FORMAT_PIECE.value, value);
  builder.store(pieces, at + FORMAT_PIECE.length, length);
  builder.store(pieces, at + FORMAT_PIECE.kind, builder.constant("i64", tail));
}

export function storeTextPiece(
  builder: FunctionBuilder,
  data: DataPool,
  pieces: Value,
  index: number,
  text: Uint8Array,
): void {
  const address = builder.symbol(data.text(text));
  storePiece(builder, pieces, index, address, builder.constant("i64", BigInt(text.length)), TEXT_TAIL);
}
