/** Loads that the TLB has no entry for, and loads and stores that lie in two pages. */
import { RAM, TLB } from "#machine/cpu/layout.ts";
import { KEY_MASK } from "#machine/memory/tlb.ts";
import { CELL, MOST_CROSSING } from "./cells.ts";
import { type FunctionBody, I32, I64, MEMORY_COPY, OP } from "./encoder.ts";
import { FunctionWriter } from "./function-writer.ts";
import { ACCESS } from "./page-walk.ts";
import { ADDEND, emitKey, emitMismatch, TABLE_BYTES } from "./tlb-access.ts";

/** In the rights that `across` is given, beside the key: the bytes are to be written. */
export const ACROSS_WRITE = 16;

/**
 * The place of bytes that are to be read and that the TLB has no entry for, as the page walk finds it; or of bytes of
 * which some lie in the next page. If the pages lie one after the other in RAM as well, it is where they lie; if not, a
 * load gets a copy, and 0 is the answer to a store. Otherwise 0 says that the walk finds nothing, or that the TLB has not
 * both pages. Parameters: linear address, bytes, rights.
 */
export function across(type: number, walk: number): FunctionBody {
  const [linear, bytes, rights, low, table, page, entry, first, second] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
  const fn = new FunctionWriter(3, [I32, I32, I64, I32, I32, I32]);
  const { out } = fn;
  const refused = fn.open(OP.block);
  out.get(linear);
  out.byte(OP.i32WrapI64);
  out.tee(low);
  emitInPage(fn);
  out.get(bytes);
  out.byte(OP.i32Add);
  out.i32(0x1000);
  out.byte(OP.i32LeU);
  fn.open(OP.if);
  emitWalk(fn, { linear, low, key: rights, place: first }, { walk, access: ACCESS.read });
  out.branch(OP.brIf, fn.level - refused);
  emitInMemory(fn, first);
  out.byte(OP.return);
  fn.end();
  out.get(rights);
  out.i32(ACROSS_WRITE);
  out.byte(OP.i32And);
  out.i32(Math.log2(TABLE_BYTES / ACROSS_WRITE));
  out.byte(OP.i32Shl);
  out.set(table);
  out.get(linear);
  out.i64(-0x1000n);
  out.byte(OP.i64And);
  out.set(page);
  for (const addend of [first, second]) {
    out.get(page);
    out.byte(OP.i32WrapI64);
    out.set(entry);
    out.get(entry);
    emitMismatch(fn, { low: entry, whole: page, entry }, { table: TLB, added: table }, () => {
      out.get(page);
      emitKey(fn, rights);
    });
    out.branch(OP.brIf, fn.level - refused);
    out.get(entry);
    out.memory(OP.i32Load, TLB + ADDEND);
    out.set(addend);
    if (addend === second) break;
    out.get(page);
    out.i64(0x1000n);
    out.byte(OP.i64Add);
    out.set(page);
  }
  out.get(first);
  out.get(low);
  out.byte(OP.i32Add);
  out.tee(first);
  out.get(second);
  out.get(low);
  out.byte(OP.i32Add);
  out.tee(second);
  out.byte(OP.i32Eq);
  fn.open(OP.if);
  out.get(first);
  out.byte(OP.return);
  fn.end();
  out.get(table);
  out.get(bytes);
  out.i32(MOST_CROSSING);
  out.byte(OP.i32GtU);
  out.byte(OP.i32Or);
  out.branch(OP.brIf, fn.level - refused);
  emitCopies(fn, { low, bytes, first, second, count: entry });
  out.i32(CELL.crossing);
  out.byte(OP.return);
  fn.end();
  out.i32(0);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "across" };
}

/**
 * Has a page walked to, for whom the bits of `key` say, and sets `place` to where the byte lies in RAM.
 * Leaves 1 on the stack where there is none.
 */
export function emitWalk(
  fn: FunctionWriter,
  { linear, low, key, place }: { linear: number; low: number; key: number; place: number },
  { walk, access }: { walk: number; access: number },
): void {
  const { out } = fn;
  out.get(linear);
  out.i32(access);
  out.get(key);
  out.i32(KEY_MASK);
  out.byte(OP.i32And);
  out.byte(OP.call);
  out.unsigned(walk);
  out.tee(place);
  out.byte(OP.i32Eqz);
  out.get(place);
  out.i32(-0x1000);
  out.byte(OP.i32And);
  out.get(low);
  emitInPage(fn);
  out.byte(OP.i32Or);
  out.set(place);
}

/** Leaves the place in the machine's memory of a place in RAM on the stack. */
export function emitInMemory({ out }: FunctionWriter, place: number): void {
  out.get(place);
  out.i32(RAM);
  out.byte(OP.i32Add);
}

/** The place of bytes in one page that are to be read, where a page walk finds it and nothing has to be marked; or 0. */
export function quiet(type: number, walk: number): FunctionBody {
  const [linear, bytes, key, low, place] = [0, 1, 2, 3, 4] as const;
  const fn = new FunctionWriter(3, [I32, I32]);
  const { out } = fn;
  const refused = fn.open(OP.block);
  out.get(linear);
  out.byte(OP.i32WrapI64);
  out.tee(low);
  emitInPage(fn);
  out.get(bytes);
  out.byte(OP.i32Add);
  out.i32(0x1000);
  out.byte(OP.i32GtU);
  out.branch(OP.brIf, fn.level - refused);
  emitWalk(fn, { linear, low, key, place }, { walk, access: ACCESS.quietRead });
  out.branch(OP.brIf, fn.level - refused);
  emitInMemory(fn, place);
  out.byte(OP.return);
  fn.end();
  out.i32(0);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "quiet" };
}

/** The offset in its page of the address on the stack. */
function emitInPage({ out }: FunctionWriter): void {
  out.i32(0xfff);
  out.byte(OP.i32And);
}

/** Copies what lies in each of the pages; `first` and `second` are where the whole would begin, by each page's mapping. */
function emitCopies(
  fn: FunctionWriter,
  { low, bytes, first, second, count }: { low: number; bytes: number; first: number; second: number; count: number },
): void {
  const { out } = fn;
  const copy = Uint8Array.of(OP.prefixBulk, MEMORY_COPY, 0, 0);
  out.i32(0x1000);
  out.get(low);
  emitInPage(fn);
  out.byte(OP.i32Sub);
  out.set(count);
  out.i32(CELL.crossing);
  out.get(first);
  out.get(count);
  out.append(copy);
  out.get(count);
  out.i32(CELL.crossing);
  out.byte(OP.i32Add);
  out.get(second);
  out.get(count);
  out.byte(OP.i32Add);
  out.get(bytes);
  out.get(count);
  out.byte(OP.i32Sub);
  out.append(copy);
}
