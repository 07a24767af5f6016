/** The shapes of blocks as the runtime sees them: a table in the machine's memory, and a function that looks into it. */
import { CELL } from "./cells.ts";
import { RECORD, RECORD_BYTES, SHAPE_BYTES, SHAPE_WEIGHT, SHAPES, tablesOf } from "./code-records.ts";
import { type FunctionBody, I32, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { RoutineWriter } from "./routine-writer.ts";

/** Instructions of a block at most. */
const LONGEST_BLOCK = 64;
/** Stands after the heads of a block whose last instruction jumps to its first. */
export const LOOP = 0xffff;
/** The count of a shape that has no function and never will. */
export const NEVER = 0x80000000;
const FACTOR = 0x9e3779b1;

/** Fields of an entry; all but the heads are i32. */
export const SHAPE = {
  hash: 0,
  /** Numbers of heads, the mark `LOOP` included. */
  length: 4,
  /** In the table of functions; 0 for none. */
  slot: 8,
  /** How often it has been met. */
  count: 12,
  /** u16 each, then zeros up to eight bytes. */
  heads: 16,
} as const;

const small = (value: number) => x.constant(BigInt(value));
const plus = (left: Value, right: Value) => x.arithmetic("Add", 32, left, right);
const load = (op: number, place: Value, offset = 0) => x.loaded(op, place, offset);

/**
 * Has the block that begins with a record run by the function of its shape, if there is one. Gives 1 where one should be
 * made: where the shape has been met `hot` times.
 */
export function leading(size: number, hot: number, type: number): FunctionBody {
  const w = new RoutineWriter([I32]);
  const [record] = w.parameters as [Value];
  const { shapes } = tablesOf(size);
  const { hash, length } = gather(w, size, record);
  w.giveUpIf(x.compare("LtU", length, small(2)));
  const index = x.logic("And", x.as32(x.shift("ShrU", hash, small(16))), small(SHAPES - 1));
  const entry = w.let(plus(x.arithmetic("Mul", 32, index, small(SHAPE_BYTES)), small(shapes)));
  const count = w.let(load(OP.i32Load, entry, SHAPE.count));
  const hasFunction = w.let(load(OP.i32Load, entry, SHAPE.slot));
  const met = (times: Value) => {
    w.store(OP.i32Store, entry, SHAPE.count, times);
    w.giveUpIf(x.compare("Ne", times, small(hot)));
    w.storeState(CELL.shapeAsked, small(1));
    w.give(small(1));
  };
  w.if(isSame(w, size, entry, hash, length), () => {
    w.if(x.isNonZero(hasFunction), () => {
      w.store(OP.i32Store16, record, RECORD.slot, hasFunction);
      w.store(OP.i32Store8, record, RECORD.weight, small(SHAPE_WEIGHT));
      w.give(small(0));
    });
    w.giveUpIf(x.compare("LeU", small(NEVER), count));
    met(w.let(plus(count, small(1))));
  });
  w.giveUpIf(x.isNonZero(hasFunction));
  w.if(x.logic("And", x.compare("LtU", small(1), count), x.compare("LtU", count, small(NEVER))), () => {
    w.store(OP.i32Store, entry, SHAPE.count, x.arithmetic("Sub", 32, count, small(1)));
    w.give(small(0));
  });
  w.store(OP.i32Store, entry, SHAPE.hash, hash);
  w.store(OP.i32Store, entry, SHAPE.length, length);
  const at = w.variable(small(0));
  w.while(
    () => x.compare("LtU", at.value, small(SHAPE_BYTES - SHAPE.heads)),
    () => {
      const word = load(OP.i64Load, at.value, spare(size) + SHAPE.heads);
      w.store(OP.i64Store, plus(entry, at.value), SHAPE.heads, word);
      at.set(plus(at.value, small(8)));
    },
  );
  met(small(1));
  return w.finish(type, "lead");
}

/** The entry after the last, where a shape is put together. */
function spare(size: number): number {
  return tablesOf(size).shapes + SHAPES * SHAPE_BYTES;
}

/** Writes down the heads of the block that begins with a record. */
function gather(w: RoutineWriter, size: number, record: Value): { readonly hash: Value; readonly length: Value } {
  const next = w.let(plus(x.stateWord(CELL.nextRecord, I32), small(tablesOf(size).records)));
  const tag = w.let(load(OP.i64Load, record, RECORD.tag));
  const at = w.variable(record);
  const bytes = w.variable(small(0));
  const length = w.variable(small(0));
  const hash = w.variable(small(0));
  const goesOn = w.variable(small(1));
  const add = (number: Value) => {
    const place = plus(x.shift("Shl", length.value, small(1)), small(spare(size)));
    w.store(OP.i32Store, place, SHAPE.heads, number);
    length.set(plus(length.value, small(1)));
    hash.set(x.arithmetic("Mul", 32, x.logic("Xor", hash.value, number), small(FACTOR)));
    hash.set(x.logic("Xor", hash.value, x.as32(x.shift("ShrU", hash.value, small(15)))));
  };
  w.while(
    () => goesOn.value,
    () => {
      const head = w.let(load(OP.i32Load16U, at.value, RECORD.head));
      add(head);
      bytes.set(plus(bytes.value, load(OP.i32Load8U, at.value, RECORD.length)));
      w.if(
        load(OP.i32Load8U, at.value, RECORD.ends),
        () => {
          const back = plus(load(OP.i32Load, at.value, RECORD.displacement), bytes.value);
          w.if(x.isZero(back), () => add(small(LOOP)));
          goesOn.set(small(0));
        },
        () => {
          at.set(plus(at.value, small(RECORD_BYTES)));
          const follows = x.compare(
            "Eq",
            load(OP.i64Load, at.value, RECORD.tag),
            x.arithmetic("Add", 64, tag, x.as64(bytes.value)),
          );
          const hasHead = x.isNonZero(load(OP.i32Load16U, at.value, RECORD.head));
          const isOld = x.compare("Ne", at.value, next);
          const isShort = x.compare("LtU", length.value, small(LONGEST_BLOCK));
          goesOn.set([follows, hasHead, isOld, isShort].reduce((left, right) => x.logic("And", left, right)));
        },
      );
    },
  );
  w.store(OP.i64Store, plus(x.shift("Shl", length.value, small(1)), small(spare(size))), SHAPE.heads, x.as64(small(0)));
  w.giveUpIf(x.isZero(load(OP.i32Load16U, record, RECORD.head)));
  return { hash: hash.value, length: length.value };
}

/** Whether an entry is that of the shape just put together. */
function isSame(w: RoutineWriter, size: number, entry: Value, hash: Value, length: Value): Value {
  const same = w.variable(
    x.logic(
      "And",
      x.compare("Eq", load(OP.i32Load, entry, SHAPE.hash), hash),
      x.compare("Eq", load(OP.i32Load, entry, SHAPE.length), length),
    ),
  );
  const at = w.variable(small(0));
  const end = x.shift("Shl", length, small(1));
  w.while(
    () => x.logic("And", same.value, x.compare("LtU", at.value, end)),
    () => {
      const mine = load(OP.i64Load, at.value, spare(size) + SHAPE.heads);
      const theirs = load(OP.i64Load, plus(entry, at.value), SHAPE.heads);
      same.set(x.compare("Eq", mine, theirs));
      at.set(plus(at.value, small(8)));
    },
  );
  return same.value;
}
