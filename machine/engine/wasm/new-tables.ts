/** What a new CR3 makes the machine forget: see `flushLocal` of the memory management unit in the book. */
import { LARGE_PAGES, MAPPING, TLB, TLB_GLOBAL, TLB_USED } from "#machine/cpu/layout.ts";
import { FIRST_USED, LAST_USED } from "#machine/memory/tlb.ts";
import { PAGE_BYTES, PAGES, tablesOf } from "./code-records.ts";
import { type FunctionBody, I32, MEMORY_FILL, OP } from "./encoder.ts";
import { FunctionWriter } from "./function-writer.ts";
import { ENTRY_BYTES, TABLE_BYTES } from "./tlb-access.ts";

const GLOBAL_WORD = 12;

/** Drops what the TLB has of pages that are not global, and what is known of pages that code is fetched from. */
export function forgetLocal(size: number, type: number): FunctionBody {
  const [end, note, entry, next] = [0, 1, 2, 3] as const;
  const fn = new FunctionWriter(0, [I32, I32, I32, I32]);
  const { out } = fn;
  const word = (cell: number) => {
    out.i32(0);
    out.memory(OP.i32Load, cell);
  };
  const setWord = (cell: number, value: () => void) => {
    out.i32(0);
    value();
    out.memory(OP.i32Store, cell);
  };
  setWord(MAPPING, () => {
    word(MAPPING);
    out.i32(1);
    out.byte(OP.i32Add);
  });
  emitCleared(fn, tablesOf(size).pages, PAGES * PAGE_BYTES);
  word(TLB_USED);
  out.set(end);
  setWord(TLB_USED, () => out.i32(FIRST_USED));
  const each = (from: number, to: () => void, step: number, body: () => void) => {
    out.i32(from);
    out.set(note);
    const done = fn.open(OP.block);
    const again = fn.open(OP.loop);
    out.get(note);
    to();
    out.byte(OP.i32GeU);
    out.branch(OP.brIf, fn.level - done);
    body();
    out.get(note);
    out.i32(step);
    out.byte(OP.i32Add);
    out.set(note);
    fn.branch(again);
    fn.end();
    fn.end();
  };
  const noted = (body: () => void) =>
    each(
      FIRST_USED,
      () => out.get(end),
      4,
      () => {
        out.get(note);
        out.memory(OP.i32Load, 0);
        out.set(entry);
        body();
      },
    );
  const drop = () => {
    out.get(entry);
    out.i32(0);
    out.memory(OP.i32Store, 0);
  };
  const keep = () => {
    out.get(entry);
    out.memory(OP.i32Load, GLOBAL_WORD);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    drop();
    fn.otherwise();
    out.get(entry);
    out.memory(OP.i32Load, 0);
    fn.open(OP.if);
    emitNoted(fn, { slot: entry, base: 0, next });
    fn.end();
    fn.end();
  };
  word(TLB_GLOBAL);
  fn.open(OP.if);
  noted(keep);
  out.get(end);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  each(
    TLB,
    () => out.i32(TLB + 2 * TABLE_BYTES),
    ENTRY_BYTES,
    () => {
      out.get(note);
      out.set(entry);
      keep();
    },
  );
  fn.end();
  fn.otherwise();
  for (const [offset, value] of [
    [0, -1n],
    [8, 0n],
  ] as const) {
    out.i32(0);
    out.i64(value);
    out.memory(OP.i64Store, LARGE_PAGES + offset);
  }
  noted(drop);
  out.get(end);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  emitCleared(fn, TLB, 2 * TABLE_BYTES);
  fn.end();
  fn.end();
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "forgetLocal" };
}

function emitCleared({ out }: FunctionWriter, from: number, bytes: number): void {
  out.i32(from);
  out.i32(0);
  out.i32(bytes);
  out.append(Uint8Array.of(OP.prefixBulk, MEMORY_FILL, 0));
}

/**
 * Puts an entry on the list of those in use, if that is complete and has room. `slot` is a local with its offset from
 * `base`, and `next` one for the list's end.
 */
export function emitNoted(
  fn: FunctionWriter,
  { slot, base, next }: { readonly slot: number; readonly base: number; readonly next: number },
): void {
  const { out } = fn;
  const setEnd = (value: () => void) => {
    out.i32(0);
    value();
    out.memory(OP.i32Store, TLB_USED);
  };
  out.i32(0);
  out.memory(OP.i32Load, TLB_USED);
  out.tee(next);
  fn.open(OP.if);
  out.get(next);
  out.i32(LAST_USED);
  out.byte(OP.i32LtU);
  fn.open(OP.if);
  out.get(next);
  out.get(slot);
  out.i32(base);
  out.byte(OP.i32Add);
  out.memory(OP.i32Store, 0);
  setEnd(() => {
    out.get(next);
    out.i32(4);
    out.byte(OP.i32Add);
  });
  fn.otherwise();
  setEnd(() => out.i32(0));
  fn.end();
  fn.end();
}
