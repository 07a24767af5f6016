/** How a store gets into a page with code without leaving translated code: records that it touches are dropped. */
import { RAM, TLB } from "#machine/cpu/layout.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import { NOTED } from "#machine/memory/tlb.ts";
import { INDEX_MASK, RECORD, RECORD_BYTES, tablesOf } from "./code-records.ts";
import { type FunctionBody, I32, OP } from "./encoder.ts";
import { FunctionWriter } from "./function-writer.ts";
import { ACROSS_WRITE, emitInMemory, emitWalk } from "./page-crossing.ts";
import { ACCESS } from "./page-walk.ts";
import { ADDEND, emitKey, emitMismatch, TABLE_BYTES } from "./tlb-access.ts";

const LONGEST_INSTRUCTION = 15;
/** Of a store that may drop records. */
const MOST_BYTES = 16;
/** `v128.any_true`. */
const ANY_TRUE = Uint8Array.of(OP.prefixVector, 83);

/**
 * The place for a store that the TLB has no plain entry for, where there is one: the page walk finds it; or the page holds
 * code, but the store touches none that the evaluator or a region relies on, and records that it touches are dropped; or
 * it lies in two plain pages, as the function `across` finds. Otherwise 0. Parameters: linear address, bytes, key.
 */
export function claim(
  size: number,
  type: number,
  { across, walk, drop }: { readonly across: number; readonly walk: number; readonly drop: number },
): FunctionBody {
  const [linear, bytes, key, low, entry, place, record] = [0, 1, 2, 3, 4, 5, 6] as const;
  const fn = new FunctionWriter(3, [I32, I32, I32, I32]);
  const { out } = fn;
  const { noted, index } = tablesOf(size);
  const table = TLB + TABLE_BYTES;
  const refused = fn.open(OP.block);
  out.get(linear);
  out.byte(OP.i32WrapI64);
  out.tee(low);
  out.i32(0xfff);
  out.byte(OP.i32And);
  out.get(bytes);
  out.byte(OP.i32Add);
  out.i32(0x1000);
  out.byte(OP.i32GtU);
  fn.open(OP.if);
  out.get(linear);
  out.get(bytes);
  out.get(key);
  out.i32(ACROSS_WRITE);
  out.byte(OP.i32Or);
  out.byte(OP.returnCall);
  out.unsigned(across);
  fn.end();
  out.get(low);
  emitMismatch(fn, { low, whole: linear, entry }, { table }, () => {
    out.get(linear);
    out.i64(-0x1000n);
    out.byte(OP.i64And);
    emitKey(fn, key, NOTED);
  });
  fn.open(OP.if);
  emitWalk(fn, { linear, low, key, place }, { walk, access: ACCESS.write });
  out.branch(OP.brIf, fn.level - refused);
  emitNotes(fn, place, size);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  emitInMemory(fn, place);
  out.byte(OP.return);
  fn.end();
  fn.otherwise();
  out.get(entry);
  out.memory(OP.i32Load, table + ADDEND);
  out.get(low);
  out.byte(OP.i32Add);
  out.i32(RAM);
  out.byte(OP.i32Sub);
  out.set(place);
  fn.end();
  emitNotes(fn, place, size);
  out.i32(NOTE_CODE);
  out.byte(OP.i32Ne);
  out.get(bytes);
  out.i32(MOST_BYTES);
  out.byte(OP.i32GtU);
  out.byte(OP.i32Or);
  out.branch(OP.brIf, fn.level - refused);
  emitNoted(fn, { place, bytes }, noted);
  out.branch(OP.brIf, fn.level - refused);
  emitDropping(fn, { place, bytes, at: entry, record }, { index, drop });
  emitInMemory(fn, place);
  out.byte(OP.return);
  fn.end();
  out.i32(0);
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "claim" };
}

/** Leaves the notes of the page of a place on the stack. */
export function emitNotes({ out }: FunctionWriter, place: number, size: number): void {
  out.get(place);
  out.i32(12);
  out.byte(OP.i32ShrU);
  out.memory(OP.i32Load8U, RAM + size);
}

/** Leaves a value that is not 0 where one of `bytes` bytes (up to 16) at `place` is noted. */
function emitNoted({ out }: FunctionWriter, { place, bytes }: { place: number; bytes: number }, noted: number): void {
  out.get(place);
  out.i32(3);
  out.byte(OP.i32ShrU);
  out.memory(OP.i32Load, noted);
  out.get(place);
  out.i32(7);
  out.byte(OP.i32And);
  out.byte(OP.i32ShrU);
  out.i32(1);
  out.get(bytes);
  out.byte(OP.i32Shl);
  out.i32(1);
  out.byte(OP.i32Sub);
  out.byte(OP.i32And);
}

/**
 * Drops the records of instructions that have one of `bytes` bytes at `place`, and those that are found with them. Looks
 * at four entries of the index at a time.
 */
function emitDropping(
  fn: FunctionWriter,
  locals: { place: number; bytes: number; at: number; record: number },
  { index, drop }: { index: number; drop: number },
): void {
  const { out } = fn;
  const { place, bytes, at } = locals;
  out.get(place);
  out.i32(LONGEST_INSTRUCTION - 1);
  out.byte(OP.i32Sub);
  out.i32(-16);
  out.byte(OP.i32And);
  out.set(at);
  const again = fn.open(OP.loop);
  emitEntry(fn, at);
  out.vectorMemory("load", index);
  out.append(ANY_TRUE);
  fn.open(OP.if);
  for (let next = 0; next < 16; next += 4) emitDrop(fn, { ...locals, next }, { index, drop });
  fn.end();
  out.get(at);
  out.i32(16);
  out.byte(OP.i32Add);
  out.tee(at);
  out.get(place);
  out.get(bytes);
  out.byte(OP.i32Add);
  out.byte(OP.i32LtS);
  out.branch(OP.brIf, fn.level - again);
  fn.end();
}

/** Leaves the offset of a place's entry in the index on the stack. */
function emitEntry({ out }: FunctionWriter, place: number): void {
  out.get(place);
  out.i32(INDEX_MASK);
  out.byte(OP.i32And);
}

/** Drops the records of the instructions that begin in the four bytes `next` bytes after `at`, if one has one of the bytes. */
function emitDrop(
  fn: FunctionWriter,
  { place, bytes, at, record, next }: { place: number; bytes: number; at: number; record: number; next: number },
  { index, drop }: { index: number; drop: number },
): void {
  const { out } = fn;
  const done = fn.open(OP.block);
  emitEntry(fn, at);
  out.memory(OP.i32Load, index + next);
  out.tee(record);
  out.byte(OP.i32Eqz);
  out.branch(OP.brIf, fn.level - done);
  const again = fn.open(OP.loop);
  out.get(record);
  out.memory(OP.i64Load, RECORD.tag);
  out.byte(OP.i64Eqz);
  out.get(record);
  out.memory(OP.i32Load, RECORD.tag);
  out.i32(-4);
  out.byte(OP.i32And);
  out.get(at);
  out.i32(next);
  out.byte(OP.i32Add);
  out.byte(OP.i32Ne);
  out.byte(OP.i32Or);
  out.branch(OP.brIf, fn.level - done);
  const touched = fn.open(OP.block);
  out.get(record);
  out.memory(OP.i32Load, RECORD.tag);
  out.get(place);
  out.get(bytes);
  out.byte(OP.i32Add);
  out.byte(OP.i32LtS);
  out.get(record);
  out.memory(OP.i32Load8U, RECORD.length);
  out.get(record);
  out.memory(OP.i32Load, RECORD.tag);
  out.byte(OP.i32Add);
  out.get(place);
  out.byte(OP.i32GtS);
  out.byte(OP.i32And);
  out.branch(OP.brIf, fn.level - touched);
  out.get(record);
  out.i32(RECORD_BYTES);
  out.byte(OP.i32Add);
  out.set(record);
  fn.branch(again);
  fn.end();
  out.get(record);
  out.byte(OP.call);
  out.unsigned(drop);
  fn.end();
  fn.end();
}
