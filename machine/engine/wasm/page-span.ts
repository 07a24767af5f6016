/** How many pages a block move may take at once: those that lie one after the other in RAM as they do in linear memory. */
import { TLB } from "#machine/cpu/layout.ts";
import { type FunctionBody, type FunctionType, I32, I64, OP } from "./encoder.ts";
import { FunctionWriter } from "./function-writer.ts";
import { ADDEND, emitKey, emitMismatch, TABLE_BYTES } from "./tlb-access.ts";

/** From and to, at beginnings of pages; pages at most; key; 1 for addresses of 64 bits. Gives at least 1. */
export const SPAN_TYPE: FunctionType = { parameters: [I64, I64, I32, I32, I32], results: [I32] };

const PAGE = 0x1000;

export function pageSpan(type: number): FunctionBody {
  const [from, to, most, key, long, pages, low, entry, source, target] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const fn = new FunctionWriter(5, [I32, I32, I32, I32, I32]);
  const { out } = fn;
  const done = fn.open(OP.block);
  const again = fn.open(OP.loop);
  for (const [address, table, addend] of [
    [from, TLB, source],
    [to, TLB + TABLE_BYTES, target],
  ] as const) {
    out.get(address);
    out.byte(OP.i32WrapI64);
    out.tee(low);
    emitMismatch(fn, { low, whole: address, entry }, { table }, () => {
      out.get(address);
      emitKey(fn, key);
    });
    out.branch(OP.brIf, fn.level - done);
    out.get(pages);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    out.get(entry);
    out.memory(OP.i32Load, table + ADDEND);
    out.set(addend);
    fn.end();
    out.get(entry);
    out.memory(OP.i32Load, table + ADDEND);
    out.get(addend);
    out.byte(OP.i32Ne);
    out.branch(OP.brIf, fn.level - done);
    out.get(address);
    out.i64(BigInt(PAGE));
    out.byte(OP.i64Add);
    out.i64(-1n);
    out.i64(0xffffffffn);
    out.get(long);
    out.byte(OP.select);
    out.byte(OP.i64And);
    out.set(address);
  }
  out.get(pages);
  out.i32(1);
  out.byte(OP.i32Add);
  out.tee(pages);
  out.get(most);
  out.byte(OP.i32LtU);
  out.branch(OP.brIf, fn.level - again);
  fn.end();
  fn.end();
  out.get(pages);
  out.i32(1);
  out.get(pages);
  out.byte(OP.select);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "span" };
}
