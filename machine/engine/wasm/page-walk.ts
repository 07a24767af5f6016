/**
 * The page walk of translated code: for pages that are there and open, or no paging at all. Everything else, and every
 * fault, is left to the walk in the book, which this one must agree with.
 */
import { EFER_LMA } from "#machine/cpu/control.ts";
import * as at from "#machine/cpu/layout.ts";
import { CR0_PG, CR0_WP, CR4_PAE, CR4_PGE, CR4_PSE, CR4_SMAP, CR4_SMEP, EFER_NXE } from "#machine/memory/paging.ts";
import { NOTE_CODE, NOTE_HOLE } from "#machine/memory/physical.ts";
import { ENTRIES, NOTED, tagKey } from "#machine/memory/tlb.ts";
import { CELL } from "./cells.ts";
import { type FunctionBody, type FunctionType, I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { FunctionWriter } from "./function-writer.ts";
import { emitNoted } from "./new-tables.ts";

const WRITE = 1;
const FETCH = 2;
const QUIET = 4;
/** What a page is needed for: to be read or written, or to fetch code from it; quietly, if nothing has to be marked. */
export const ACCESS = { read: 0, write: WRITE, fetch: FETCH, look: FETCH | QUIET, quietRead: QUIET } as const;

/** Linear address, `ACCESS`, key of the TLB. Gives where the page lies in RAM, with bit 0 set; or 0. */
export const WALK_TYPE: FunctionType = { parameters: [I64, I32, I32], results: [I32] };

const PARAMETERS = { linear: 0, access: 1, key: 2 } as const;
const LOCALS = {
  table: 3,
  place: 4,
  entry: 5,
  marked: 6,
  allowed: 7,
  frame: 8,
  slot: 9,
  tag: 10,
  next: 11,
  all: 12,
} as const;
const TYPES = [I64, I32, I64, I64, I64, I64, I32, I64, I32, I64] as const;

/** Bits of entries: those of the book's walk. */
const P = 1n;
const RW = 2n;
const US = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const PS = 0x80n;
const GLOBAL = 0x100n;
const NO_EXECUTE = 1n << 63n;
/** Bits 40 to 51 must be 0. */
const RESERVED = 0xfff0000000000n;
const RESERVED_LARGE = [0n, 0n, 0x1fe000n, 0x3fffe000n, 0n] as const;
/** An entry of the four that CR3 leads to under PAE without long mode has no rights, and no marks. */
const RESERVED_POINTER = RESERVED | 0xfff00000000001e6n;
const FRAME = 0xfffffff000n;
/** Of CR3, by the number of levels: where the first table lies. */
const ROOT = { 2: 0xfffff000n, 3: 0xffffffe0n, 4: 0xffffffffff000n } as const;

class WalkWriter {
  readonly fn = new FunctionWriter(Object.keys(PARAMETERS).length, TYPES);

  constructor(
    readonly size: number,
    readonly type: number,
  ) {}

  write(): FunctionBody {
    const { fn } = this;
    this.#fail(x.isZero(x.stateWord(CELL.a20, I32)));
    const canonical = x.shift("ShrS", x.shift("Shl", this.#linear, x.constant(16n)), x.constant(16n));
    this.#fail(x.compare("Ne", canonical, this.#linear));
    this.#set(LOCALS.allowed, x.constant(RW | US));
    this.#emitIf(this.#lacks(at.CR0, CR0_PG));
    this.#set(LOCALS.frame, x.logic("And", this.#linear, x.constant(0xfffff000n)));
    this.#set(LOCALS.entry, x.constant(ACCESSED | DIRTY));
    fn.otherwise();
    this.#emitIf(this.#has(at.EFER, EFER_LMA));
    this.#tables(4, 8);
    fn.otherwise();
    this.#emitIf(this.#has(at.CR4, CR4_PAE));
    this.#tables(3, 8);
    fn.otherwise();
    this.#tables(2, 4);
    fn.end();
    fn.end();
    fn.end();
    this.#rights();
    this.#emitIf(x.isZero(this.#is(FETCH)));
    this.#enter();
    fn.end();
    fn.out.get(LOCALS.place);
    fn.out.i32(1);
    fn.out.byte(OP.i32Or);
    fn.out.byte(OP.end);
    return { type: this.type, locals: fn.locals, code: fn.out.result(), name: "walk" };
  }

  get #linear(): Value {
    return x.local(PARAMETERS.linear, I64);
  }

  get #access(): Value {
    return x.local(PARAMETERS.access, I32, 3);
  }

  /** `bit`: that of `ACCESS` with this value. */
  #is(bit: number): Value {
    const number = x.constant(BigInt(Math.log2(bit)));
    return x.logic("And", x.shift("ShrU", this.#access, number), x.constant(1n));
  }

  get #writing(): Value {
    return this.#is(WRITE);
  }

  get #user(): Value {
    return this.#keyHas(tagKey(true) & ~tagKey(false));
  }

  #keyHas(bit: number): Value {
    const number = x.constant(BigInt(Math.log2(bit)));
    return x.logic("And", x.shift("ShrU", x.local(PARAMETERS.key, I32, 4), number), x.constant(1n));
  }

  #long(index: number): Value {
    return x.local(index, I64);
  }

  #has(register: number, bit: bigint): Value {
    return x.isNonZero(x.logic("And", x.stateWord(register, I64), x.constant(bit)));
  }

  #lacks(register: number, bit: bigint): Value {
    return x.isZero(x.logic("And", x.stateWord(register, I64), x.constant(bit)));
  }

  #isSet(index: number, bits: bigint): Value {
    return x.isNonZero(x.logic("And", this.#long(index), x.constant(bits)));
  }

  #set(index: number, value: Value): void {
    const type = TYPES[index - Object.keys(PARAMETERS).length];
    this.fn.emit(type === I64 ? x.as64(value) : x.as32(value));
    this.fn.out.set(index);
    this.fn.release();
  }

  #emitIf(condition: Value): void {
    this.fn.emit(x.as32(condition));
    this.fn.open(OP.if);
    this.fn.release();
  }

  /** Gives up where the condition holds. */
  #fail(condition: Value): void {
    this.#emitIf(condition);
    this.fn.out.i32(0);
    this.fn.out.byte(OP.return);
    this.fn.end();
  }

  #storeCell(cell: number, value: Value): void {
    this.fn.out.i32(0);
    this.fn.emit(value);
    this.fn.out.memory(OP.i32Store, cell);
    this.fn.release();
  }

  #notes(place: Value): Value {
    return x.loaded(OP.i32Load8U, x.shift("ShrU", place, x.constant(12n)), at.RAM + this.size);
  }

  /** Walks down; at the end `frame` is the page's physical address, and `entry` the last entry, marked as used. */
  #tables(levels: 2 | 3 | 4, entryBytes: 4 | 8): void {
    const { fn } = this;
    const indexBits = entryBytes === 8 ? 9 : 10;
    this.#set(LOCALS.table, x.logic("And", x.stateWord(at.CR3, I64), x.constant(ROOT[levels])));
    const found = fn.open(OP.block);
    for (let level: number = levels; level >= 1; level--) {
      const span = 12 + indexBits * (level - 1);
      const isPointer = level === 3 && levels === 3;
      const index = x.logic(
        "And",
        x.shift("ShrU", this.#linear, x.constant(BigInt(span))),
        x.constant(isPointer ? 3n : (1n << BigInt(indexBits)) - 1n),
      );
      const offset = x.shift("Shl", index, x.constant(BigInt(Math.log2(entryBytes))));
      this.#fail(x.isZero(x.compare("LtU", this.#long(LOCALS.table), x.as64(x.constant(BigInt(this.size))))));
      this.#set(LOCALS.place, x.arithmetic("Add", 32, x.truncate(32, this.#long(LOCALS.table)), x.as32(offset)));
      this.#readEntry(entryBytes, isPointer ? RESERVED_POINTER : level === 4 ? RESERVED | PS : RESERVED);
      if (isPointer) {
        this.#set(LOCALS.table, x.logic("And", this.#long(LOCALS.entry), x.constant(FRAME)));
        continue;
      }
      this.#set(LOCALS.allowed, x.logic("And", this.#long(LOCALS.allowed), this.#long(LOCALS.entry)));
      this.#set(LOCALS.all, x.logic("Or", this.#long(LOCALS.all), this.#long(LOCALS.entry)));
      if (level > 1 && level < 4) this.#large(level, span, entryBytes, found);
      const marks =
        level > 1
          ? x.constant(ACCESSED)
          : x.logic("Or", x.constant(ACCESSED), x.shift("Shl", this.#writing, x.constant(6n)));
      if (level === 1) this.#checkRights();
      this.#mark(marks, entryBytes);
      const next = x.logic("And", this.#long(LOCALS.entry), x.constant(entryBytes === 8 ? FRAME : 0xfffff000n));
      this.#set(level > 1 ? LOCALS.table : LOCALS.frame, next);
    }
    fn.end();
  }

  #readEntry(entryBytes: 4 | 8, reserved: bigint): void {
    const place = x.local(LOCALS.place, I32);
    this.#set(LOCALS.entry, x.loaded(entryBytes === 8 ? OP.i64Load : OP.i32Load, place, at.RAM));
    this.#fail(x.isZero(x.logic("And", this.#long(LOCALS.entry), x.constant(P))));
    this.#fail(x.isNonZero(x.logic("And", this.#notes(place), x.constant(BigInt(NOTE_HOLE)))));
    if (entryBytes === 4) return;
    this.#fail(this.#isSet(LOCALS.entry, reserved));
    const unknown = x.logic(
      "And",
      x.shift("ShrU", this.#long(LOCALS.entry), x.constant(63n)),
      this.#lacks(at.EFER, EFER_NXE),
    );
    this.#fail(x.as32(unknown));
  }

  /** A large page: `invlpg` must know its range. */
  #large(level: number, span: number, entryBytes: 4 | 8, found: number): void {
    const { fn } = this;
    const large = this.#isSet(LOCALS.entry, PS);
    this.#emitIf(entryBytes === 8 ? large : x.logic("And", large, this.#has(at.CR4, CR4_PSE)));
    if (entryBytes === 8) this.#fail(this.#isSet(LOCALS.entry, RESERVED_LARGE[level]!));
    else this.#fail(this.#isSet(LOCALS.entry, 0x3fe000n));
    this.#checkRights();
    this.#noteLarge(span - 12);
    this.#mark(x.logic("Or", x.constant(ACCESSED), x.shift("Shl", this.#writing, x.constant(6n))), entryBytes);
    const mask = (1n << BigInt(span)) - 1n;
    const base = x.logic("And", this.#long(LOCALS.entry), x.constant(0xffffffffffn & ~mask));
    this.#set(LOCALS.frame, x.logic("Or", base, x.logic("And", this.#linear, x.constant(mask & ~0xfffn))));
    fn.branch(found);
    fn.end();
  }

  /** Widens the range of large pages by that of 2^`bits` pages. */
  #noteLarge(bits: number): void {
    const { fn } = this;
    const others = (1n << BigInt(bits)) - 1n;
    const page = x.shift("ShrU", this.#linear, x.constant(12n));
    const first = x.logic("And", page, x.constant(0xffffffffffffffffn & ~others));
    const last = x.logic("Or", page, x.constant(others));
    const widen = (cell: number, to: Value, isLess: Value) => {
      this.#emitIf(isLess);
      fn.out.i32(0);
      fn.emit(x.as64(to));
      fn.out.memory(OP.i64Store, cell);
      fn.release();
      fn.end();
    };
    const known = (cell: number) => x.stateWord(cell, I64);
    widen(CELL.firstLargePage, first, x.compare("LtU", x.as64(first), known(CELL.firstLargePage)));
    widen(CELL.lastLargePage, last, x.compare("LtU", known(CELL.lastLargePage), x.as64(last)));
  }

  /** Before the last entry is marked: what the rights forbid is not for us. */
  #checkRights(): void {
    const closed = (bit: bigint) => x.isZero(x.logic("And", this.#long(LOCALS.allowed), x.constant(bit)));
    this.#fail(x.logic("And", this.#user, closed(US)));
    const strict = x.logic("Or", this.#user, this.#has(at.CR0, CR0_WP));
    this.#fail(x.logic("And", x.logic("And", this.#writing, closed(RW)), strict));
    const forProgram = x.isZero(closed(US));
    const strictCode = x.logic("And", x.isZero(this.#user), this.#has(at.CR4, CR4_SMEP));
    const noCode = x.logic("Or", this.#isSet(LOCALS.all, NO_EXECUTE), x.logic("And", strictCode, forProgram));
    this.#fail(x.logic("And", this.#is(FETCH), noCode));
    const strictData = x.logic("And", x.isZero(this.#user), this.#has(at.CR4, CR4_SMAP));
    const isMeant = this.#keyHas(tagKey(false, true) & ~tagKey(false));
    const noData = x.logic("And", x.logic("And", strictData, forProgram), x.isZero(isMeant));
    this.#fail(x.logic("And", x.isZero(this.#is(FETCH)), noData));
  }

  /** Sets bits of the entry where they are missing: not in a page that somebody watches, and not quietly. */
  #mark(bits: Value, entryBytes: 4 | 8): void {
    const { fn } = this;
    const place = x.local(LOCALS.place, I32);
    this.#set(LOCALS.marked, x.logic("Or", this.#long(LOCALS.entry), x.as64(bits)));
    this.#emitIf(x.compare("Ne", this.#long(LOCALS.marked), this.#long(LOCALS.entry)));
    this.#fail(this.#notes(place));
    this.#fail(this.#is(QUIET));
    fn.out.get(LOCALS.place);
    fn.out.get(LOCALS.marked);
    if (entryBytes === 4) fn.out.byte(OP.i32WrapI64);
    fn.out.memory(entryBytes === 4 ? OP.i32Store : OP.i64Store, at.RAM);
    this.#set(LOCALS.entry, this.#long(LOCALS.marked));
    fn.end();
  }

  /** Of the page: it must be RAM. */
  #rights(): void {
    this.#fail(x.isZero(x.compare("LtU", this.#long(LOCALS.frame), x.as64(x.constant(BigInt(this.size))))));
    this.#set(LOCALS.place, x.truncate(32, this.#long(LOCALS.frame)));
    this.#fail(x.isNonZero(x.logic("And", this.#notes(x.local(LOCALS.place, I32)), x.constant(BigInt(NOTE_HOLE)))));
  }

  /**
   * Enters the page for reading, and for writing where that needs no further check. What pages with code need is
   * `claim`'s; other notes are the evaluator's.
   */
  #enter(): void {
    const { fn } = this;
    const low = x.truncate(32, this.#linear);
    const shifted = (by: bigint) => x.as32(x.truncate(32, x.shift("ShrU", low, x.constant(by))));
    const high = x.truncate(32, x.shift("ShrU", this.#linear, x.constant(32n)));
    const index = x.logic(
      "And",
      x.logic("Xor", x.logic("Xor", shifted(12n), shifted(24n)), high),
      x.constant(BigInt(ENTRIES - 1)),
    );
    this.#set(LOCALS.slot, x.as32(x.shift("Shl", index, x.constant(4n))));
    const key = x.as64(x.local(PARAMETERS.key, I32, 4));
    const page = x.logic("And", this.#linear, x.constant(0xfffffffffffff000n));
    this.#set(LOCALS.tag, x.logic("Or", page, key));
    this.#table(at.TLB);
    const strict = x.logic("Or", this.#user, this.#has(at.CR0, CR0_WP));
    const open = x.logic("Or", this.#isSet(LOCALS.allowed, RW), x.isZero(strict));
    this.#emitIf(x.logic("And", this.#isSet(LOCALS.entry, DIRTY), open));
    this.#emitIf(this.#notes(x.local(LOCALS.place, I32)));
    this.#set(LOCALS.tag, x.logic("Or", this.#long(LOCALS.tag), x.constant(BigInt(NOTED))));
    fn.end();
    this.#table(at.TLB + ENTRIES * 16);
    fn.end();
    const others = x.logic("And", this.#notes(x.local(LOCALS.place, I32)), x.constant(BigInt(0xff & ~NOTE_CODE)));
    this.#fail(x.logic("And", this.#writing, x.isNonZero(others)));
  }

  /** Where nothing was in the entry, it goes on the list of those in use. */
  #noteUse(base: number): void {
    const { fn } = this;
    this.#emitIf(x.isZero(x.loaded(OP.i32Load, x.local(LOCALS.slot, I32), base)));
    emitNoted(fn, { slot: LOCALS.slot, base, next: LOCALS.next });
    fn.end();
  }

  #table(base: number): void {
    const { fn } = this;
    this.#noteUse(base);
    const store = (op: number, offset: number, value: Value) => {
      fn.out.get(LOCALS.slot);
      fn.emit(value);
      fn.out.memory(op, base + offset);
      fn.release();
    };
    const page = x.logic("And", x.truncate(32, this.#linear), x.constant(0xfffff000n));
    store(OP.i64Store, 0, this.#long(LOCALS.tag));
    const place = x.arithmetic("Add", 32, x.local(LOCALS.place, I32), x.constant(BigInt(at.RAM)));
    store(OP.i32Store, 8, x.as32(x.arithmetic("Sub", 32, place, page)));
    const isGlobal = x.logic("And", this.#isSet(LOCALS.entry, GLOBAL), this.#has(at.CR4, CR4_PGE));
    store(OP.i32Store, 12, x.as32(isGlobal));
    this.#storeCell(at.TLB_GLOBAL, x.logic("Or", x.stateWord(at.TLB_GLOBAL, I32), isGlobal));
  }
}

/** The walk for a machine with `size` bytes of RAM. */
export function pageWalk(size: number, type: number): FunctionBody {
  return new WalkWriter(size, type).write();
}
