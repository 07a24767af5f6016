/** The inlined look-up in the software TLB: from a linear address to a place in the machine's memory. */
import { TLB } from "#machine/cpu/layout.ts";
import { ENTRIES, KEY_MASK } from "#machine/memory/tlb.ts";
import { FETCHED } from "./cells.ts";
import { I32, I64, OP } from "./encoder.ts";
import { as32, as64, local, type Value } from "./expressions.ts";
import type { FunctionWriter } from "./function-writer.ts";

export const ENTRY_BYTES = 16;
/** Bytes of a table: that for reads comes first, then that for writes. */
export const TABLE_BYTES = ENTRIES * ENTRY_BYTES;
/** Of the index, already multiplied by the size of an entry. */
const INDEX_MASK = TABLE_BYTES - ENTRY_BYTES;
/** Where an entry holds what is added to an address. */
export const ADDEND = 8;

export interface Access {
  readonly address: Value;
  readonly bytes: number;
  readonly write: boolean;
  /** What the entry must show: `tagKey`. */
  readonly key: number;
  /** 64-bit mode: addresses have 64 bits. */
  readonly long: boolean;
  /** Function of the runtime that may know a place where the TLB has no plain one: `claim` or `across`. */
  readonly rescue?: number;
  /** Bytes that it is told of, where there are more than these. */
  readonly told?: number;
  /** A local that is set where that was done. */
  readonly claimed?: number;
}

/** Writes code that runs where an access finds no place, and must not come back; `address` is a local with the linear one. */
export type Miss = (address: { readonly local: number; readonly long: boolean }) => void;

/**
 * Leaves the place of the bytes at a linear address on the stack, as i32. Where the TLB has no entry for them, or they
 * lie in two pages, and nothing rescues the access, the code of `leave` runs.
 */
export function emitPlace(fn: FunctionWriter, access: Access, depth: number, leave: Miss): void {
  const { out } = fn;
  const { low, entry, whole } = emitTagTest(fn, access, depth);
  const address = { local: access.long ? whole : low, long: access.long };
  const found = access.rescue === undefined ? -1 : fn.take(I32);
  fn.open(OP.if);
  if (found < 0) leave(address);
  else {
    emitRescue(fn, access, address, found, leave);
    fn.otherwise();
  }
  if (found < 0) fn.end();
  emitSum(fn, access, entry, low);
  if (found < 0) return;
  out.set(found);
  fn.end();
  out.get(found);
}

/** Leaves the place on the stack that the runtime finds for an access that is not plain; there may be none. */
function emitRescue(
  fn: FunctionWriter,
  access: Access,
  address: { readonly local: number; readonly long: boolean },
  found: number,
  leave: Miss,
): void {
  const { out } = fn;
  out.get(address.local);
  if (!access.long) out.byte(OP.i64ExtendI32U);
  out.i32(access.told ?? access.bytes);
  out.i32(access.key);
  out.byte(OP.call);
  out.unsigned(access.rescue!);
  out.tee(found);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  leave(address);
  fn.end();
  if (access.claimed === undefined) return;
  out.i32(1);
  out.set(access.claimed);
}

function emitSum({ out }: FunctionWriter, access: Access, entry: number, low: number): void {
  out.get(entry);
  out.memory(OP.i32Load, (access.write ? TLB + TABLE_BYTES : TLB) + ADDEND);
  out.get(low);
  out.byte(OP.i32Add);
}

/** Leaves 1 on the stack where the TLB has no entry for the bytes. */
function emitTagTest(fn: FunctionWriter, access: Access, depth: number) {
  const { out } = fn;
  const low = fn.take(I32);
  const entry = fn.take(I32);
  const table = access.write ? TLB + TABLE_BYTES : TLB;
  let whole = -1;
  if (access.long) {
    whole = fn.take(I64);
    fn.emit(as64(access.address), depth);
    out.tee(whole);
    out.byte(OP.i32WrapI64);
  } else fn.emit(as32(access.address), depth);
  out.tee(low);
  emitMismatch(fn, { low, whole, entry }, { table }, () => emitTag(fn, access, low, whole));
  return { low, entry, whole };
}

/** Locals of a look-up: the address's low half, its whole (-1 where it has 32 bits), and the entry's offset, which is set. */
export interface LookUp {
  readonly low: number;
  readonly whole: number;
  readonly entry: number;
}

/**
 * Leaves 1 on the stack where the entry for an address, whose low half is on the stack, has another tag than `tag` puts
 * there. `table` is the offset of the table, and `added` a local with what is to be added to it.
 */
export function emitMismatch(
  fn: FunctionWriter,
  { low, whole, entry }: LookUp,
  { table, added }: { readonly table: number; readonly added?: number },
  tag: () => void,
): void {
  const { out } = fn;
  emitIndex(fn, low, whole);
  if (added !== undefined) {
    out.get(added);
    out.byte(OP.i32Add);
  }
  out.tee(entry);
  out.memory(OP.i64Load, table);
  tag();
  out.byte(OP.i64Ne);
}

/** Adds a key that is known at run time, in a local with other bits, to the page on the stack. */
export function emitKey({ out }: FunctionWriter, key: number, marks = 0): void {
  out.get(key);
  out.i32(KEY_MASK);
  out.byte(OP.i32And);
  out.byte(OP.i64ExtendI32U);
  out.byte(OP.i64Or);
  if (marks === 0) return;
  out.i64(BigInt(marks));
  out.byte(OP.i64Or);
}

/** Locals that hold the last page found: its address, and what added to an address in it gives the place. */
export interface PageMemory {
  readonly page: number;
  readonly addend: number;
}

/** What the local `page` holds before any page has been found: no address looks so once its offset in a page is masked. */
export const NO_PAGE = 0x800n;

/**
 * The same through a remembered page. The TLB is asked only where the access lies outside it, or is not aligned: an
 * aligned one does not cross a page's end, and the bits that say so are compared with the page's in one go.
 */
export function emitRememberedPlace(
  fn: FunctionWriter,
  access: Access,
  memory: PageMemory,
  depth: number,
  leave: Miss,
): void {
  const { out } = fn;
  const whole = fn.take(I64);
  fn.emit(as64(access.long ? access.address : as32(access.address)), depth);
  out.set(whole);
  const masked = (mask: bigint) => {
    out.get(whole);
    out.i64(mask);
    out.byte(OP.i64And);
  };
  const place = fn.take(I32);
  const sum = () => {
    out.get(whole);
    out.byte(OP.i32WrapI64);
    out.get(memory.addend);
    out.byte(OP.i32Add);
  };
  masked(BigInt(access.bytes - 1) - 0x1000n);
  out.get(memory.page);
  out.byte(OP.i64Ne);
  fn.open(OP.if);
  const inside = { ...access, address: local(whole, I64, access.long ? 64 : 32) };
  const { low, entry, whole: wide } = emitTagTest(fn, inside, depth);
  const address = { local: access.long ? wide : low, long: access.long };
  fn.open(OP.if);
  if (access.rescue === undefined) leave(address);
  else emitRescue(fn, access, address, place, leave);
  fn.otherwise();
  emitSum(fn, access, entry, low);
  out.tee(place);
  out.get(whole);
  out.byte(OP.i32WrapI64);
  out.byte(OP.i32Sub);
  out.set(memory.addend);
  masked(-0x1000n);
  out.set(memory.page);
  fn.end();
  fn.otherwise();
  sum();
  out.set(place);
  fn.end();
  out.get(place);
}

/** Drops the page of a linear address from the TLB; `leave` runs where code may have been fetched from it. */
export function emitForgetting(fn: FunctionWriter, linear: Value, depth: number, leave: () => void): void {
  const { out } = fn;
  const whole = fn.take(I64);
  const low = fn.take(I32);
  const entry = fn.take(I32);
  fn.emit(as64(linear), depth);
  out.tee(whole);
  out.byte(OP.i32WrapI64);
  out.tee(low);
  emitIndex(fn, low, whole);
  out.tee(entry);
  out.i32(Math.log2(ENTRY_BYTES));
  out.byte(OP.i32ShrU);
  out.memory(OP.i32Load8U, FETCHED);
  fn.open(OP.if);
  leave();
  fn.end();
  for (const table of [TLB, TLB + TABLE_BYTES]) {
    out.get(entry);
    out.i32(0);
    out.memory(OP.i32Store, table);
  }
}

/** `slot` of tlb.ts, in bytes; the low half is on the stack. */
export function emitIndex({ out }: FunctionWriter, low: number, whole: number): void {
  out.i32(8);
  out.byte(OP.i32ShrU);
  out.get(low);
  out.i32(20);
  out.byte(OP.i32ShrU);
  out.byte(OP.i32Xor);
  if (whole >= 0) {
    out.get(whole);
    out.i64(28n);
    out.byte(OP.i64ShrU);
    out.byte(OP.i32WrapI64);
    out.byte(OP.i32Xor);
  }
  out.i32(INDEX_MASK);
  out.byte(OP.i32And);
}

/** The tag that the page of the last byte would have: that of the first byte's page unless they differ. */
function emitTag({ out }: FunctionWriter, access: Access, low: number, whole: number): void {
  const { key } = access;
  if (access.long) {
    out.get(whole);
    if (access.bytes > 1) {
      out.i64(BigInt(access.bytes - 1));
      out.byte(OP.i64Add);
    }
    out.i64(-0x1000n);
    out.byte(OP.i64And);
    out.i64(BigInt(key));
    out.byte(OP.i64Or);
    return;
  }
  out.get(low);
  if (access.bytes > 1) {
    out.i32(access.bytes - 1);
    out.byte(OP.i32Add);
  }
  out.i32(-0x1000);
  out.byte(OP.i32And);
  out.i32(key);
  out.byte(OP.i32Or);
  out.byte(OP.i64ExtendI32U);
}

const LOADS = { 8: OP.i32Load8U, 16: OP.i32Load16U, 32: OP.i32Load, 64: OP.i64Load } as const;
const STORES = { 8: OP.i32Store8, 16: OP.i32Store16, 32: OP.i32Store, 64: OP.i64Store } as const;

export function loadOpcode(width: 8 | 16 | 32 | 64): number {
  return LOADS[width];
}

export function storeOpcode(width: 8 | 16 | 32 | 64): number {
  return STORES[width];
}
