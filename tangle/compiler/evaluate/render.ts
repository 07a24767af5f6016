/** A format as text, read from its pieces in memory: what a kernel's own `print` does, written once more to check it by. */
import { FORMAT_PIECE } from "../tree.ts";
import type { Fat } from "./evaluator.ts";
import type { Memory } from "./memory.ts";

const decoder = new TextDecoder();

export function renderFormat(memory: Memory, format: Fat): string {
  let text = "";
  for (let index = 0n; index < format.length; index++) {
    text += renderPiece(memory, format.address + index * BigInt(FORMAT_PIECE.size));
  }
  return text;
}

function renderPiece(memory: Memory, at: bigint): string {
  const field = (offset: number, size: number): bigint => memory.read(at + BigInt(offset), size);
  const value = field(FORMAT_PIECE.value, 8);
  const signed = BigInt.asIntN(64, value);
  const fill = String.fromCharCode(Number(field(FORMAT_PIECE.fill, 1)));
  const text = (): string => {
    switch (Number(field(FORMAT_PIECE.kind, 1))) {
      case 0:
        return decoder.decode(memory.readBytes(value, Number(field(FORMAT_PIECE.length, 8))));
      case 1:
        return value.toString();
      case 2:
        return signed.toString();
      case 3:
        return value.toString(16);
      case 4:
        return value.toString(2);
      case 5:
        return fixedPoint(signed, Number(field(FORMAT_PIECE.digits, 1)));
      case 6:
        return String.fromCharCode(Number(value));
      default:
        return value === 0n ? "false" : "true";
    }
  };
  const width = Number(field(FORMAT_PIECE.width, 1));
  const shown = text();
  // Zeros go between the sign and the digits.
  return fill === "0" && shown.startsWith("-")
    ? `-${shown.slice(1).padStart(width - 1, "0")}`
    : shown.padStart(width, fill);
}

/** 1234 with 2 digits is 12.34. */
function fixedPoint(value: bigint, digits: number): string {
  const sign = value < 0n ? "-" : "";
  const all = (value < 0n ? -value : value).toString().padStart(digits + 1, "0");
  return digits === 0 ? sign + all : `${sign}${all.slice(0, -digits)}.${all.slice(-digits)}`;
}
