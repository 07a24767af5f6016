/**
 * Where code lies after addresses have come to mean other places: pages that code is fetched from are walked to, and
 * regions that were found by their addresses before are looked at whether they are still there.
 */
import { MAPPING } from "#machine/cpu/layout.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import { CELL, FETCHED } from "./cells.ts";
import { emitNotes } from "./claim.ts";
import { PAGE_BYTES, PAGE_PLACE, PAGES, tablesOf } from "./code-records.ts";
import { FLAT_CONTEXT, USER_CONTEXT } from "./context.ts";
import { type FunctionBody, I32, OP } from "./encoder.ts";
import { FunctionWriter } from "./function-writer.ts";
import { HOME, JUMP_GENERATION } from "./jump-cache.ts";
import { ACCESS } from "./page-walk.ts";
import { ENTRY_BYTES, emitIndex } from "./tlb-access.ts";

/** Leaves the bits of the running context's number on the stack that `mask` names. */
function emitContextBits({ out }: FunctionWriter, mask: number): void {
  out.i32(0);
  out.memory(OP.i32Load, CELL.context);
  out.i32(mask);
  out.byte(OP.i32And);
}

/** Leaves the offset of the entry for a page of code on the stack, from the beginning of the table. */
export function emitPageEntry({ out }: FunctionWriter, low: number): void {
  out.get(low);
  out.i32(12);
  out.byte(OP.i32ShrU);
  out.i32(PAGES - 1);
  out.byte(OP.i32And);
  out.i32(PAGE_BYTES);
  out.byte(OP.i32Mul);
}

/** Leaves the tag on the stack that the entry for the page of `rip` has in the running context. */
export function emitPageTag({ out }: FunctionWriter, rip: number): void {
  out.get(rip);
  out.i64(-0x1000n);
  out.byte(OP.i64And);
  out.i32(0);
  out.memory(OP.i32Load, CELL.context);
  out.byte(OP.i64ExtendI32U);
  out.byte(OP.i64Or);
}

/**
 * Where the page of rip lies in RAM, with bit 0 set: as is known, or as the page walk finds it, if the page is known to
 * hold code. Otherwise 0: the engine must look.
 */
export function locate(size: number, type: number, walk: number): FunctionBody {
  const [rip, low, entry, place] = [0, 1, 2, 3] as const;
  const fn = new FunctionWriter(1, [I32, I32, I32]);
  const { out } = fn;
  const { pages } = tablesOf(size);
  const unknown = fn.open(OP.block);
  out.get(rip);
  out.byte(OP.i32WrapI64);
  out.set(low);
  emitPageEntry(fn, low);
  out.tee(entry);
  out.memory(OP.i64Load, pages);
  emitPageTag(fn, rip);
  out.byte(OP.i64Eq);
  fn.open(OP.if);
  out.get(entry);
  out.memory(OP.i32Load, pages + PAGE_PLACE);
  out.i32(1);
  out.byte(OP.i32Or);
  out.byte(OP.return);
  fn.end();
  emitContextBits(fn, FLAT_CONTEXT);
  out.byte(OP.i32Eqz);
  out.branch(OP.brIf, fn.level - unknown);
  out.get(rip);
  out.i32(ACCESS.fetch);
  emitContextBits(fn, USER_CONTEXT);
  out.byte(OP.call);
  out.unsigned(walk);
  out.tee(place);
  out.byte(OP.i32Eqz);
  out.branch(OP.brIf, fn.level - unknown);
  emitNotes(fn, place, size);
  out.i32(NOTE_CODE);
  out.byte(OP.i32And);
  out.byte(OP.i32Eqz);
  out.branch(OP.brIf, fn.level - unknown);
  out.get(entry);
  emitPageTag(fn, rip);
  out.memory(OP.i64Store, pages);
  out.get(entry);
  out.get(place);
  out.i32(-0x1000);
  out.byte(OP.i32And);
  out.memory(OP.i32Store, pages + PAGE_PLACE);
  out.get(low);
  emitIndex(fn, low, rip);
  out.i32(Math.log2(ENTRY_BYTES));
  out.byte(OP.i32ShrU);
  out.i32(1);
  out.memory(OP.i32Store8, FETCHED);
  out.get(place);
  out.byte(OP.return);
  fn.end();
  out.i32(0);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "locate" };
}

/**
 * Whether the region that an entry of the jump cache names is where it was. Parameters: rip, the entry's offset. The page
 * of rip is fetched from; those beside it, if the region has code of them, only if nobody would see it.
 */
export function verify(
  size: number,
  type: number,
  { locate: finding, walk }: { readonly locate: number; readonly walk: number },
): FunctionBody {
  const [rip, entry] = [0, 1] as const;
  const fn = new FunctionWriter(2, []);
  const { out } = fn;
  const { homes, jumps } = tablesOf(size);
  const moved = fn.open(OP.block);
  const leaveUnless = (field: number) => {
    out.get(entry);
    out.memory(OP.i32Load, homes + field);
    out.byte(OP.i32Ne);
    out.branch(OP.brIf, fn.level - moved);
  };
  out.get(rip);
  out.byte(OP.call);
  out.unsigned(finding);
  leaveUnless(HOME.page);
  for (const [field, distance] of [
    [HOME.before, -0x1000n],
    [HOME.after, 0x1000n],
  ] as const) {
    out.get(entry);
    out.memory(OP.i32Load, homes + field);
    fn.open(OP.if);
    out.get(rip);
    out.i64(distance);
    out.byte(OP.i64Add);
    out.i32(ACCESS.look);
    emitContextBits(fn, USER_CONTEXT);
    out.byte(OP.call);
    out.unsigned(walk);
    leaveUnless(field);
    fn.end();
  }
  out.get(entry);
  out.i32(0);
  out.memory(OP.i32Load, MAPPING);
  out.memory(OP.i32Store, jumps + JUMP_GENERATION);
  out.i32(1);
  out.byte(OP.return);
  fn.end();
  out.i32(0);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "verify" };
}
