/** Loads from read-only data at a known place become what stands there: bytes of text, methods in a table. */
import { BITS, type DataObject, type Instruction, type IrFunction, type Value } from "./ir.ts";

/** Says whether there were any. `data` has the program's objects by symbol. */
export function foldConstantLoads(f: IrFunction, data: ReadonlyMap<string, DataObject>): boolean {
  const symbols = new Map<Value, Extract<Instruction, { kind: "symbol" }>>();
  for (const block of f.blocks) {
    for (const i of block.instructions) if (i.kind === "symbol") symbols.set(i.results[0]!, i);
  }
  let any = false;
  for (const block of f.blocks) {
    block.instructions = block.instructions.map((i) => {
      if (i.kind !== "load" || i.volatile) return i;
      const symbol = symbols.get(i.address);
      const object = symbol && data.get(symbol.symbol);
      if (object?.section !== "rodata") return i;
      const folded = contentAt(object, symbol!.offset + i.offset, i);
      any ||= folded !== null;
      return folded ?? i;
    });
  }
  return any;
}

function contentAt(object: DataObject, at: number, load: Extract<Instruction, { kind: "load" }>): Instruction | null {
  const { results, place } = load;
  const { type } = results[0]!;
  const bytes = Math.max(8, BITS[type]) / 8;
  if (at < 0 || at + bytes > object.bytes.length) return null;
  const address = object.relocations.find((relocation) => relocation.at < at + bytes && at < relocation.at + 8);
  if (address) {
    if (address.at !== at || type !== "i64") return null;
    return { kind: "symbol", symbol: address.symbol, offset: address.offset, results, place };
  }
  let value = 0n;
  for (let n = bytes - 1; n >= 0; n--) value = (value << 8n) | BigInt(object.bytes[at + n]!);
  return { kind: "constant", value: BigInt.asUintN(BITS[type], value), results, place };
}
