/**
 * Numbers of 80 bits as routines of the runtime hold them, and their rounding. Plain numbers only: zero and normal
 * ones; everything else is given up, and left to the routines in the book that these must agree with.
 */
import * as at from "#machine/cpu/layout.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** Sign and exponent as bits 64 to 79 have them, in i32; the significand in i64. */
export interface Extended {
  readonly head: Value;
  readonly significand: Value;
}

export const BIAS = 16383;
export const SIGN = 0x8000n;
export const LARGEST_EXPONENT = 0x7fffn;
export const INTEGER_BIT = 1n << 63n;

/** Bits of the status word, and of the control word. */
export const C1 = 0x200n;
const INEXACT = 0x20n;
const ROUNDING_SHIFT = 10n;
export const DOWN = 1n;
const UP = 2n;

export const c = (value: number | bigint): Value => x.constant(BigInt(value));
export const add = (left: Value, right: Value) => x.arithmetic("Add", left.type === I64 ? 64 : 32, left, right);
export const subtract = (left: Value, right: Value) => x.arithmetic("Sub", left.type === I64 ? 64 : 32, left, right);
export const and = (left: Value, right: Value) => x.logic("And", left, right);
export const or = (left: Value, right: Value) => x.logic("Or", left, right);
export const xor = (left: Value, right: Value) => x.logic("Xor", left, right);
export const right = (value: Value, by: Value) => x.shift("ShrU", value, by);
export const multiply = (a: Value, b: Value) => x.arithmetic("Mul", 64, a, b);
export const wide = x.as64;
/** Shifts in 64 bits, also of narrow values. */
export const left = (value: Value, by: Value) => x.as64(x.shift("Shl", x.as64(value), by));
export const isBelow = (a: Value, b: Value) => x.compare("LtU", a, b);
export const isNegative = (value: Value) => x.compare("LtS", wide(value), wide(c(0)));
/** How many bits of a word, from the highest on, are 0. */
export const leadingZeros = (value: Value) => x.make(OP.i64Clz, I64, [value], 7);
export const exponentOf = ({ head }: Extended) => and(head, c(LARGEST_EXPONENT));
export const signOf = ({ head }: Extended) => and(head, c(SIGN));

const word = (offset: number) => x.stateWord(offset, I32);
export const roundingMode = () => and(right(word(at.FPU_CONTROL), c(ROUNDING_SHIFT)), c(3));

/** Sets the exceptions in `flags`, which are masked, and C1 or not. */
export function setStatus(w: RoutineWriter, flags: Value): void {
  const kept = and(word(at.FPU_STATUS), c(0xffffffffn & ~C1));
  w.storeState(at.FPU_STATUS, x.as32(or(kept, flags)));
}

/** Gives up on everything but zeros and normal numbers. */
export function needPlain(w: RoutineWriter, value: Extended): void {
  const exponent = w.let(exponentOf(value));
  w.if(
    x.isZero(exponent),
    () => w.giveUpIf(x.isNonZero(value.significand)),
    () => {
      w.giveUpIf(x.compare("Eq", exponent, c(LARGEST_EXPONENT)));
      w.giveUpIf(x.isZero(isNegative(value.significand)));
    },
  );
}

export function storeExtended(w: RoutineWriter, place: Value, { head, significand }: Extended): void {
  w.store(OP.i64Store, place, 0, wide(significand));
  w.store(OP.i64Store, place, at.X87_EXPONENT, wide(head));
}

/** An exact result: no exception, C1 clear. */
export function giveExact(w: RoutineWriter, place: Value, value: Extended): void {
  storeExtended(w, place, value);
  setStatus(w, c(0));
  w.succeed();
}

/** Whether a number is rounded away from zero; `rest` is what follows its last bit, `odd` that bit. */
export function roundsUp(w: RoutineWriter, sign: Value, rest: Value, odd: Value): Value {
  const mode = w.let(roundingMode());
  const up = w.variable(c(0));
  w.if(
    x.isZero(mode),
    () => up.set(x.as32(and(right(rest, c(63)), or(x.isNonZero(left(rest, c(1))), x.isNonZero(odd))))),
    () => {
      const towards = x.select(x.isNonZero(sign), c(DOWN), c(UP));
      up.set(and(x.isNonZero(rest), x.compare("Eq", mode, towards)));
    },
  );
  return up.value;
}

/** What the status word says of a rounding. */
export function lossFlags(rest: Value, up: Value): Value {
  const both = or(c(INEXACT), x.as32(left(up, c(9))));
  return x.select(x.isNonZero(rest), x.as32(both), c(0));
}

/** Results that are inexact, for there is a rest, are for a control word that masks that. */
export function needMaskedInexact(w: RoutineWriter, rest: Value): void {
  const isOpen = x.isZero(and(word(at.FPU_CONTROL), c(INEXACT)));
  w.giveUpIf(and(isOpen, x.isNonZero(rest)));
}

/** ± significand × 2^exponent. The first bit is set; `rest` holds the 64 that follow, the last also for all after it. */
export interface Unrounded {
  readonly sign: Value;
  readonly exponent: Value;
  readonly significand: Value;
  readonly rest: Value;
}

/** Rounds to the control word's precision, or to all 64 bits. Gives the number, and what the status word says of it. */
export function rounded(w: RoutineWriter, number: Unrounded, toAll = false): Extended & { readonly flags: Value } {
  const kept = w.variable(number.significand);
  const rest = w.variable(number.rest);
  const exponent = w.variable(number.exponent);
  const last = w.variable(wide(c(1)));
  const control = word(at.FPU_CONTROL);
  // Precisions of 24 and 53 bits; the other two values of the field mean 64.
  const isShort = toAll ? c(0) : x.isZero(and(control, c(0x100)));
  w.if(isShort, () => {
    const dropped = w.let(wide(x.select(x.isNonZero(and(control, c(0x200))), c(11), c(40))));
    const mask = w.let(subtract(left(wide(c(1)), dropped), wide(c(1))));
    const tail = left(and(kept.value, mask), subtract(wide(c(64)), dropped));
    rest.set(or(tail, wide(x.isNonZero(rest.value))));
    kept.set(and(kept.value, xor(mask, c(0xffffffffffffffffn))));
    last.set(add(mask, wide(c(1))));
  });
  needMaskedInexact(w, rest.value);
  const up = roundsUp(w, number.sign, rest.value, and(kept.value, last.value));
  // Up or not is a toss-up: a branch would be foreseen wrongly half of the time.
  kept.set(add(kept.value, x.select(up, last.value, wide(c(0)))));
  w.if(x.isZero(kept.value), () => {
    kept.set(c(INTEGER_BIT));
    exponent.set(add(exponent.value, c(1)));
  });
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(exponent.value, c(1))), c(LARGEST_EXPONENT - 1n))));
  const head = w.let(or(number.sign, exponent.value));
  return { head, significand: w.let(kept.value), flags: w.let(lossFlags(rest.value, up)) };
}

/** Rounds to the control word's precision, stores the number and gives 1. */
export function giveRounded(w: RoutineWriter, place: Value, number: Unrounded): void {
  const { flags, ...found } = rounded(w, number);
  storeExtended(w, place, found);
  setStatus(w, flags);
  w.succeed();
}
