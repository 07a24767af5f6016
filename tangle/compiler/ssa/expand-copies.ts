/** Copies and fills of a few bytes become loads and stores, which other passes understand. */
import type { Instruction, IrFunction, Value, ValueType } from "./ir.ts";

const MOST_BYTES = 64;
const CHUNKS: readonly (readonly [ValueType, number])[] = [
  ["i64", 8],
  ["i32", 4],
  ["i16", 2],
  ["i8", 1],
];

/** Says whether there were any. */
export function expandCopies(f: IrFunction): boolean {
  const constants = new Map<Value, bigint>();
  for (const block of f.blocks) {
    for (const i of block.instructions) if (i.kind === "constant") constants.set(i.results[0]!, i.value);
  }
  let any = false;
  for (const block of f.blocks) {
    block.instructions = block.instructions.flatMap((i) => {
      const expanded = expand(f, i, constants);
      any ||= expanded !== null;
      return expanded ?? [i];
    });
  }
  return any;
}

function expand(f: IrFunction, i: Instruction, constants: ReadonlyMap<Value, bigint>): Instruction[] | null {
  if (i.kind !== "intrinsic" || (i.name !== "copyMemory" && i.name !== "fillMemory")) return null;
  const [to, source, length] = i.arguments;
  const size = constants.get(length!);
  if (size === undefined || size > MOST_BYTES) return null;
  const { place } = i;
  const parts = chunksOf(Number(size));
  if (i.name === "fillMemory") {
    const byte = constants.get(source!);
    if (byte === undefined) return null;
    return parts.flatMap(({ type, at, bytes }): Instruction[] => {
      const value = f.value(type);
      const pattern = BigInt(`0x${byte.toString(16).padStart(2, "0").repeat(bytes)}`);
      return [
        { kind: "constant", value: pattern, results: [value], place },
        { kind: "store", address: to!, offset: at, value, volatile: false, results: [], place },
      ];
    });
  }
  // All is read before anything is written, since the two may overlap.
  const values = parts.map(({ type }) => f.value(type));
  const loads = parts.map(
    ({ at }, n): Instruction => ({
      kind: "load",
      address: source!,
      offset: at,
      volatile: false,
      results: [values[n]!],
      place,
    }),
  );
  const stores = parts.map(
    ({ at }, n): Instruction => ({
      kind: "store",
      address: to!,
      offset: at,
      value: values[n]!,
      volatile: false,
      results: [],
      place,
    }),
  );
  return [...loads, ...stores];
}

function chunksOf(size: number): { type: ValueType; at: number; bytes: number }[] {
  const parts: { type: ValueType; at: number; bytes: number }[] = [];
  let at = 0;
  for (const [type, bytes] of CHUNKS) {
    for (; at + bytes <= size; at += bytes) parts.push({ type, at, bytes });
  }
  return parts;
}
