/**
 * What an instruction begins with says what it is: bytes after which only numbers follow. The table of these heads lies
 * in the machine's memory, and a function of the runtime makes records from it, without decoding anything.
 */
import { decode } from "#isa/decode.ts";
import { RAM } from "#machine/cpu/layout.ts";
import { type DecodedInstruction, withMeaning } from "../code-cache.ts";
import { CELL } from "./cells.ts";
import {
  ENDS,
  FORM_WEIGHT,
  HEAD_BYTES,
  HEADS,
  HEATS,
  INDEX_MASK,
  RECORD,
  RECORD_BYTES,
  RING_BYTES,
  tablesOf,
} from "./code-records.ts";
import type { Context } from "./context.ts";
import { type FunctionBody, I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { Hole } from "./open-instruction.ts";
import { RoutineWriter } from "./routine-writer.ts";

/** A number in an instruction's bytes: sign-extended, and cut to `width`. */
export interface Field {
  readonly at: number;
  /** 0 where there is none. */
  readonly bytes: number;
  readonly width: number;
}

/** What a table of heads is asked for. */
export interface Head {
  /** One of the instructions that begin so. */
  readonly decoded: DecodedInstruction;
  readonly context: Context;
  /** Which numbers follow. */
  readonly open: Readonly<Record<Hole, boolean>>;
}

/** What is told of a head. */
export interface NewHead {
  readonly context: Context;
  /** Bytes of the whole instruction. */
  readonly length: number;
  /** In the table of functions: that of the form. */
  readonly slot: number;
  /** Whether control may go elsewhere, as a record has it. */
  readonly ends: number;
  readonly registers: readonly number[];
  readonly immediate: Field;
  readonly displacement: Field;
}

/** Bytes of a head. */
export const LONGEST_HEAD = 6;
/** No head is added when so many are there. */
const MOST_HEADS = (HEADS * 7) / 8;
/** No entry of the index lies at such an offset. */
const NO_ENTRY = 1;
/** Records made at a time. */
const LONGEST_RUN = 64;

/** Fields of an entry: the key as `keyOf` gives it, then words to be copied into records, then how to find the numbers. */
const ENTRY = {
  key: 0,
  /** As a record has them from `RECORD.slot` on: slot, 0, length, registers. */
  operation: 8,
  /** As a record has them from `RECORD.head` on. */
  head: 16,
  /** u8: where the number stands, and by how much to shift it up and down again. */
  immediateAt: 20,
  immediateShift: 21,
  displacementAt: 22,
  displacementShift: 23,
  /** i64. */
  immediateMask: 24,
  /** i32. */
  displacementMask: 32,
} as const;

const CONTEXT_SHIFT = 51n;
const LENGTH_SHIFT = 48n;
const FACTOR = 0x9e3779b97f4a7c15n;
const HASH_SHIFT = BigInt(64 - Math.log2(HEADS));

export class Heads {
  #count = 0;
  /** By their identifiers. */
  readonly #contexts = new Map<number, Context>();
  readonly #view: DataView;
  readonly #heads: number;
  readonly #lengths: number;

  constructor(memory: WebAssembly.Memory, size: number) {
    this.#view = new DataView(memory.buffer);
    const { heads, lengths } = tablesOf(size);
    this.#heads = heads;
    this.#lengths = lengths;
  }

  /** By its number: what follows the head in the instruction is 0. */
  get(number: number): Head {
    const entry = this.#heads + (number - 1) * HEAD_BYTES;
    const key = this.#view.getBigUint64(entry, true);
    const context = this.#contexts.get(Number(key >> CONTEXT_SHIFT))!;
    const bytes = new Uint8Array(15);
    for (let index = 0; index < LONGEST_HEAD; index++) bytes[index] = Number((key >> BigInt(8 * index)) & 0xffn);
    const instruction = decode(bytes, 0, context.mode);
    const decoded = instruction.mnemonic === null ? null : withMeaning(instruction);
    if (decoded === null) throw new Error(`head ${number} begins no instruction`);
    const immediate = this.#view.getBigUint64(entry + ENTRY.immediateMask, true) !== 0n;
    const displacement = this.#view.getInt32(entry + ENTRY.displacementMask, true) !== 0;
    return { decoded, context, open: { immediate, displacement } };
  }

  /** No more heads are taken. */
  get isFull(): boolean {
    return this.#count >= MOST_HEADS;
  }

  /** Adds the head that these bytes are, unless it is there or the table is full. */
  add(bytes: Uint8Array, head: NewHead): void {
    if (this.isFull) return;
    const view = this.#view;
    const { length } = bytes;
    let key = (BigInt(head.context.id) << CONTEXT_SHIFT) | (BigInt(length) << LENGTH_SHIFT);
    for (let index = 0; index < length; index++) key |= BigInt(bytes[index]!) << BigInt(8 * index);
    let number = Number(BigInt.asUintN(64, key * FACTOR) >> HASH_SHIFT);
    const place = () => this.#heads + number * HEAD_BYTES;
    for (; view.getBigUint64(place(), true) !== 0n; number = (number + 1) % HEADS)
      if (view.getBigUint64(place(), true) === key) return;
    const entry = place();
    this.#count++;
    this.#contexts.set(head.context.id, head.context);
    view.setBigUint64(entry + ENTRY.key, key, true);
    view.setUint16(entry + ENTRY.operation, head.slot, true);
    view.setUint8(entry + ENTRY.operation + RECORD.length - RECORD.slot, head.length);
    for (const [index, register] of head.registers.entries())
      view.setUint8(entry + ENTRY.operation + RECORD.registers - RECORD.slot + index, register * 8);
    view.setUint16(entry + ENTRY.head, number + 1, true);
    view.setUint8(entry + ENTRY.head + RECORD.ends - RECORD.head, head.ends);
    view.setUint8(entry + ENTRY.head + RECORD.weight - RECORD.head, FORM_WEIGHT);
    const { immediate, displacement } = head;
    view.setUint8(entry + ENTRY.immediateAt, immediate.at);
    view.setUint8(entry + ENTRY.immediateShift, 64 - 8 * (immediate.bytes || 8));
    view.setUint8(entry + ENTRY.displacementAt, displacement.at);
    view.setUint8(entry + ENTRY.displacementShift, 64 - 8 * (displacement.bytes || 8));
    view.setBigUint64(entry + ENTRY.immediateMask, immediate.bytes === 0 ? 0n : x.maskOf(immediate.width), true);
    view.setInt32(entry + ENTRY.displacementMask, displacement.bytes === 0 ? 0 : -1, true);
    const first = this.#lengths + bytes[0]!;
    view.setUint8(first, view.getUint8(first) | (1 << (length - 1)));
  }

  /** The memory has been cleared. */
  clear(): void {
    this.#count = 0;
    this.#contexts.clear();
  }
}

const small = (value: number) => x.constant(BigInt(value));
const plus = (left: Value, right: Value) => x.arithmetic("Add", 32, left, right);
const load = (op: number, place: Value, offset = 0) => x.loaded(op, place, offset);

/**
 * Makes records from a place in RAM on, for a context, as far as heads are known and control can go straight on, up to a
 * place that has its own because execution has jumped there. Gives the first; 0 where there is none.
 */
export function laying(size: number, type: number): FunctionBody {
  const w = new RoutineWriter([I32, I32]);
  const [place, context] = w.parameters as [Value, Value];
  const at = w.variable(place);
  const first = w.variable(small(0));
  // The last entry of the index that leads here: the first record may join those laid before.
  const last = w.variable(joined(w, size, at.value, context));
  const count = w.variable(small(0));
  w.while(
    () => x.compare("LtU", count.value, small(LONGEST_RUN)),
    () => {
      const entry = findHead(w, size, at.value, context);
      w.if(x.isZero(entry), () => w.give(first.value));
      const length = load(OP.i32Load8U, entry, ENTRY.operation + RECORD.length - RECORD.slot);
      const end = plus(x.logic("And", at.value, small(0xfff)), length);
      w.if(x.compare("LeU", small(0x1000), end), () => w.give(first.value));
      const slot = w.let(indexed(at.value));
      w.if(x.compare("Ne", slot, last.value), () => {
        w.if(isMet(w, size, at.value, context), () => w.give(first.value));
        dropGroup(w, size, at.value);
        w.store(OP.i32Store, slot, tablesOf(size).index, nextRecord(size));
        last.set(slot);
      });
      const record = layOne(w, size, at.value, context, entry);
      w.if(x.isZero(first.value), () => first.set(record));
      const ends = load(OP.i32Load8U, record, RECORD.ends);
      w.if(x.compare("LtU", small(ENDS.maybe), ends), () => w.give(first.value));
      at.set(plus(at.value, load(OP.i32Load8U, record, RECORD.length)));
      count.set(plus(count.value, small(1)));
    },
  );
  w.give(first.value);
  return w.finish(type, "lay");
}

/** The entry of the head that the instruction at a place in RAM begins with; 0 for none. */
function findHead(w: RoutineWriter, size: number, at: Value, context: Value): Value {
  const { heads, lengths } = tablesOf(size);
  const word = w.let(load(OP.i64Load, at, RAM));
  const left = w.variable(load(OP.i32Load8U, load(OP.i32Load8U, at, RAM), lengths));
  const found = w.variable(small(0));
  w.while(
    () => x.logic("And", x.isNonZero(left.value), x.isZero(found.value)),
    () => {
      const length = w.let(plus(x.make(OP.i32Ctz, I32, [left.value], 6), small(1)));
      const bits = x.shift("Shl", x.as64(length), small(3));
      const mask = x.arithmetic("Sub", 64, x.shift("Shl", small(1), bits), small(1));
      const above = x.logic(
        "Or",
        x.shift("Shl", x.as64(context), x.constant(CONTEXT_SHIFT)),
        x.shift("Shl", x.as64(length), x.constant(LENGTH_SHIFT)),
      );
      const key = w.let(x.logic("Or", x.logic("And", word, mask), above));
      const number = w.variable(
        x.as32(x.shift("ShrU", x.arithmetic("Mul", 64, key, x.constant(FACTOR)), x.constant(HASH_SHIFT))),
      );
      const entry = () => plus(x.arithmetic("Mul", 32, number.value, small(HEAD_BYTES)), small(heads));
      const held = w.variable(load(OP.i64Load, entry()));
      const differs = () => x.logic("And", x.compare("Ne", held.value, key), x.isNonZero(held.value));
      w.while(differs, () => {
        number.set(x.logic("And", plus(number.value, small(1)), small(HEADS - 1)));
        held.set(load(OP.i64Load, entry()));
      });
      w.if(x.isNonZero(held.value), () => found.set(entry()));
      left.set(x.logic("And", left.value, x.arithmetic("Sub", 32, left.value, small(1))));
    },
  );
  return found.value;
}

/** Gives the record with a tag; 0 for none. Parameter: the tag. */
export function finding(size: number, type: number): FunctionBody {
  const w = new RoutineWriter([I64]);
  const [tag] = w.parameters as [Value];
  const record = w.variable(load(OP.i32Load, indexed(tag), tablesOf(size).index));
  w.while(
    () => x.isNonZero(record.value),
    () => {
      const differs = w.let(x.logic("Xor", load(OP.i64Load, record.value, RECORD.tag), tag));
      w.if(x.isZero(differs), () => w.give(record.value));
      w.giveUpIf(x.compare("LtU", x.as64(small(3)), differs));
      record.set(plus(record.value, small(RECORD_BYTES)));
    },
  );
  w.give(small(0));
  return w.finish(type, "find");
}

/** Drops the record given, and those that are found with it. */
export function dropping(size: number, type: number): FunctionBody {
  const w = new RoutineWriter([I32]);
  const [record] = w.parameters as [Value];
  const place = w.let(load(OP.i32Load, record, RECORD.tag));
  dropGroup(w, size, place);
  w.store(OP.i32Store, indexed(place), tablesOf(size).index, small(0));
  return w.end(type, "drop");
}

/** Whether there is a record of the instruction at a place, and execution has jumped there. */
function isMet(w: RoutineWriter, size: number, at: Value, context: Value): Value {
  const record = w.let(load(OP.i32Load, indexed(at), tablesOf(size).index));
  const isIts = x.compare("Eq", load(OP.i64Load, record, RECORD.tag), tagOf(at, context));
  const isMade = x.logic("And", isIts, x.isNonZero(record));
  return x.logic("And", isMade, x.isNonZero(load(OP.i32Load16U, record, RECORD.met)));
}

/** The offset of a place's entry in the index, if the next record follows one that the entry leads to. */
function joined(w: RoutineWriter, size: number, at: Value, context: Value): Value {
  const entry = w.variable(small(NO_ENTRY));
  const record = w.let(load(OP.i32Load, indexed(at), tablesOf(size).index));
  const tag = w.let(tagOf(at, context));
  const next = w.let(nextRecord(size));
  const before = w.variable(record);
  const isBefore = (one: Value) => {
    const held = load(OP.i64Load, one, RECORD.tag);
    return x.logic("And", x.compare("LtU", x.logic("Xor", held, tag), x.as64(small(4))), x.compare("LtU", held, tag));
  };
  w.while(
    () => x.logic("And", x.isNonZero(before.value), isBefore(before.value)),
    () => {
      before.set(plus(before.value, small(RECORD_BYTES)));
      w.if(x.compare("Eq", before.value, next), () => {
        entry.set(indexed(at));
        before.set(small(0));
      });
    },
  );
  return entry.value;
}

/** Drops the records that the entry of a place in the index leads to. */
function dropGroup(w: RoutineWriter, size: number, at: Value): void {
  const record = w.variable(load(OP.i32Load, indexed(at), tablesOf(size).index));
  w.if(x.isZero(record.value), () => w.store(OP.i32Store16, heated(at), tablesOf(size).heats, small(0)));
  const first = w.let(load(OP.i64Load, record.value, RECORD.tag));
  const isIts = x.isZero(x.logic("And", x.logic("Xor", x.as32(first), at), small(INDEX_MASK)));
  const held = () => load(OP.i64Load, record.value, RECORD.tag);
  const isOneOf = () =>
    x.logic("And", x.compare("LtU", x.logic("Xor", held(), first), x.as64(small(4))), x.isNonZero(held()));
  w.if(x.logic("And", x.isNonZero(record.value), isIts), () =>
    w.while(isOneOf, () => {
      w.store(OP.i64Store, record.value, RECORD.tag, x.as64(small(0)));
      record.set(plus(record.value, small(RECORD_BYTES)));
    }),
  );
}

/** The offset of a place's entry in the index. */
function indexed(at: Value): Value {
  return x.logic("And", x.as32(at), small(INDEX_MASK));
}

function heated(at: Value): Value {
  return x.logic("And", x.shift("ShrU", at, small(2)), small(2 * (HEATS - 1)));
}

function tagOf(at: Value, context: Value): Value {
  return x.as64(x.logic("Or", x.shift("Shl", x.as64(context), small(32)), x.as64(at)));
}

/** Where the next record will lie. */
function nextRecord(size: number): Value {
  return plus(x.stateWord(CELL.nextRecord, I32), small(tablesOf(size).records));
}

/** Makes the record of the instruction at a place from the entry of its head. */
function layOne(w: RoutineWriter, size: number, at: Value, context: Value, entry: Value): Value {
  const record = w.let(nextRecord(size));
  const next = plus(x.stateWord(CELL.nextRecord, I32), small(RECORD_BYTES));
  w.storeState(CELL.nextRecord, x.logic("And", next, small(RING_BYTES - 1)));
  w.store(OP.i64Store, record, RECORD.tag, tagOf(at, context));
  w.store(OP.i64Store, record, RECORD.slot, load(OP.i64Load, entry, ENTRY.operation));
  w.store(OP.i32Store, record, RECORD.head, load(OP.i32Load, entry, ENTRY.head));
  const number = (where: number, by: number) => {
    const bytes = load(OP.i64Load, plus(at, load(OP.i32Load8U, entry, where)), RAM);
    const shift = w.let(x.as64(load(OP.i32Load8U, entry, by)));
    return x.shift("ShrS", x.shift("Shl", bytes, shift), shift);
  };
  const immediate = number(ENTRY.immediateAt, ENTRY.immediateShift);
  w.store(
    OP.i64Store,
    record,
    RECORD.immediate,
    x.make(OP.i64And, I64, [immediate, load(OP.i64Load, entry, ENTRY.immediateMask)], 64),
  );
  const displacement = x.as32(number(ENTRY.displacementAt, ENTRY.displacementShift));
  const masked = x.logic("And", displacement, load(OP.i32Load, entry, ENTRY.displacementMask));
  w.store(OP.i32Store, record, RECORD.displacement, masked);
  return record;
}
