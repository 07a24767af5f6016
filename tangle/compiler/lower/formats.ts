/** Template literals: an array of pieces, in read-only memory where all of it is text, else built in the frame. */
import type { Value } from "../ssa/ir.ts";
import { FORMAT_PIECE, type FormatPiece } from "../tree.ts";
import type { FunctionContext } from "./context.ts";
import { lowerExpression } from "./expressions.ts";
import { constantPieces, pieceKind, pieceTail, storePiece, storeTextPiece } from "./pieces.ts";
import { isSigned } from "./types.ts";

/** Address and number of pieces. */
export function lowerFormat(f: FunctionContext, pieces: readonly FormatPiece[]): Value[] {
  const { builder } = f;
  const texts = constantTexts(pieces);
  const count = builder.constant("i64", BigInt(pieces.length));
  if (pieces.length === 0) return [builder.constant("i64", 0n), count];
  if (texts) return [builder.symbol(constantPieces(f.data, texts)), count];
  // Values first, pieces after: a value may itself be a call that formats.
  const values = pieces.map((piece) => (piece.kind === "value" ? lowerExpression(f, piece.value) : []));
  const address = builder.slot(f.frame.temporary(pieces.length * FORMAT_PIECE.size));
  pieces.forEach((piece, i) => {
    if (piece.kind === "text") storeTextPiece(builder, f.data, address, i, piece.bytes);
    else storeValuePiece(f, address, i, piece, values[i]!);
  });
  return [address, count];
}

/** The texts of pieces that are all text known now, else null. */
export function constantTexts(pieces: readonly FormatPiece[]): Uint8Array[] | null {
  const texts = pieces.map(constantText);
  return texts.every((text) => text !== null) ? texts : null;
}

function constantText(piece: FormatPiece): Uint8Array | null {
  if (piece.kind === "text") return piece.bytes;
  return piece.value.kind === "string" && piece.width === 0 ? piece.value.bytes : null;
}

function storeValuePiece(
  f: FunctionContext,
  pieces: Value,
  index: number,
  piece: Extract<FormatPiece, { kind: "value" }>,
  values: readonly Value[],
): void {
  const { builder } = f;
  const type = piece.value.type;
  const tail = pieceTail({ ...piece, kind: pieceKind(piece.style, type) });
  const value = builder.convert(values[0]!, "i64", isSigned(type));
  storePiece(builder, pieces, index, value, values[1] ?? builder.constant("i64", 0n), tail);
}
