/** The pieces of a template literal in the evaluator's memory, laid out as kernel code reads them. */
import { FORMAT_PIECE, type FormatPiece } from "../tree.ts";
import type { Value } from "./evaluator.ts";
import type { Memory } from "./memory.ts";

/** Writes the pieces with their values (for text pieces: the text) into new memory; gives its address. */
export function writePieces(memory: Memory, pieces: readonly FormatPiece[], values: readonly Value[]): bigint {
  const address = memory.allocate({ kind: "frame" }, pieces.length * FORMAT_PIECE.size);
  pieces.forEach((piece, index) => {
    const at = address + BigInt(index * FORMAT_PIECE.size);
    const field = (offset: number, size: number, value: bigint): void => {
      memory.write(at + BigInt(offset), size, value);
    };
    const value = values[index]!;
    if (typeof value === "bigint") {
      field(FORMAT_PIECE.value, 8, value);
    } else {
      field(FORMAT_PIECE.value, 8, value.address);
      field(FORMAT_PIECE.length, 8, value.length);
    }
    if (piece.kind === "value") {
      field(FORMAT_PIECE.kind, 1, BigInt(pieceKind(piece)));
      field(FORMAT_PIECE.width, 1, BigInt(piece.width));
      field(FORMAT_PIECE.fill, 1, BigInt(piece.fill));
      field(FORMAT_PIECE.digits, 1, BigInt(piece.digits));
    }
  });
  return address;
}

/** The number of a piece's kind in memory: see `FORMAT_PIECE`. */
function pieceKind(piece: FormatPiece & { readonly kind: "value" }): number {
  const { type } = piece.value;
  const signed = (type.kind === "integer" && type.signed) || (type.kind === "enum" && type.repr.signed);
  return { text: 0, decimal: signed ? 2 : 1, hex: 3, binary: 4, fixed: 5, character: 6, bool: 7 }[piece.style];
}
