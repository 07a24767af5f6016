/** A disassembly beside the lines of the book that made it. */
import { decode } from "#isa/decode.ts";
import { format } from "#isa/format.ts";
import type { Mode } from "#isa/instruction.ts";
import type { AddressMap, MapPlace } from "./map.ts";

export interface ListedInstruction {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Intel syntax; `(bad)` where the bytes are no instruction. */
  readonly text: string;
  /** Where it comes from, or null where the map says nothing. */
  readonly place: MapPlace | null;
  /** The symbol that starts at this address, or null. */
  readonly label: string | null;
}

/** Decodes all of `bytes`, which lie at `address`; an instruction cut off by the end is left out. */
export function disassemble(
  bytes: Uint8Array,
  address: bigint,
  mode: Mode,
  map: AddressMap | null,
): ListedInstruction[] {
  const listed: ListedInstruction[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const instruction = decode(bytes, offset, mode);
    const known = instruction.mnemonic !== null;
    if (!known && instruction.reason === "truncated") break;
    const length = known ? instruction.length : 1;
    const at = address + BigInt(offset);
    const symbol = map?.symbolOf(at) ?? null;
    listed.push({
      address: at,
      bytes: bytes.slice(offset, offset + length),
      text: known ? format(instruction, at) : "(bad)",
      place: map?.placeOf(at) ?? null,
      label: symbol !== null && symbol.offset === 0 ? symbol.name : null,
    });
    offset += length;
  }
  return listed;
}

/** The listing as text: address, bytes, instruction, and the book's line wherever it changes. */
export function formatListing(instructions: readonly ListedInstruction[]): string {
  const lines: string[] = [];
  let shown = "";
  for (const { address, bytes, text, place, label } of instructions) {
    if (label !== null) lines.push(`${label}:`);
    const from = place === null ? "" : `${place.file}:${place.line}`;
    const dump = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const left = `  ${address.toString(16).padStart(16, "0")}  ${dump.padEnd(30)}  ${text}`;
    lines.push(from === "" || from === shown ? left : `${left.padEnd(84)}  ; ${from}`);
    shown = from;
  }
  return lines.join("\n");
}
