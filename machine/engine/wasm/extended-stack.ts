/** The x87's register stack as routines of the runtime use it, and numbers of other formats: see x87/unit.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { I32, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import {
  add,
  and,
  BIAS,
  c,
  type Extended,
  INTEGER_BIT,
  isNegative,
  leadingZeros,
  left,
  needPlain,
  or,
  right,
  SIGN,
  setStatus,
  storeExtended,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import type { RoutineWriter } from "./routine-writer.ts";

export const top = () => x.stateWord(at.FPU_TOP, I32);
const tags = () => x.stateWord(at.FPU_TAGS, I32);

const shifted = (by: Value) => x.as32(left(c(1), by));
const isSet = (bits: Value, number: Value) => and(right(bits, number), c(1));

/** The register's own number of a place, which counts from the top. */
export function numberOf(w: RoutineWriter, place: Value): Value {
  return w.let(x.as32(and(add(top(), x.as32(place)), c(7))));
}

const addressOf = (number: Value) => add(x.as32(left(number, c(4))), c(at.X87));

/** The address of a place, and whether it holds something. */
export function anyPlace(w: RoutineWriter, place: Value): { address: Value; full: Value } {
  const number = numberOf(w, place);
  return { address: w.let(addressOf(number)), full: w.let(isSet(tags(), number)) };
}

/** The address of a place that holds something. */
export function fullPlace(w: RoutineWriter, place: Value): Value {
  const { address, full } = anyPlace(w, place);
  w.giveUpIf(x.isZero(full));
  return address;
}

/** A register as it is. */
export function loadExtended(w: RoutineWriter, address: Value): Extended {
  const significand = w.let(x.loaded(OP.i64Load, address, 0));
  return { head: w.let(x.loaded(OP.i32Load, address, at.X87_EXPONENT)), significand };
}

/** A plain number in a place. */
export function plainAt(w: RoutineWriter, place: Value): { address: Value; value: Extended } {
  const address = fullPlace(w, place);
  const value = loadExtended(w, address);
  needPlain(w, value);
  return { address, value };
}

/** Fills a place, whatever it held. */
export function fill(w: RoutineWriter, place: Value, value: Extended): void {
  const number = numberOf(w, place);
  storeExtended(w, addressOf(number), value);
  w.storeState(at.FPU_TAGS, or(tags(), shifted(number)));
}

/** Turns the ring, so that the place which counts as `by` is the top. */
export function turn(w: RoutineWriter, by: number): void {
  w.storeState(at.FPU_TOP, and(add(top(), c(by)), c(7)));
}

export function emptyPlace(w: RoutineWriter, place: Value): void {
  const number = numberOf(w, place);
  w.storeState(at.FPU_TAGS, and(tags(), xor(shifted(number), c(0xffffffffn))));
}

export function pop(w: RoutineWriter): void {
  emptyPlace(w, c(0));
  turn(w, 1);
}

export function needRoom(w: RoutineWriter): void {
  w.giveUpIf(isSet(tags(), numberOf(w, c(7))));
}

/** Pushes, where there is room; clears C1. */
export function push(w: RoutineWriter, value: Extended): void {
  needRoom(w);
  turn(w, 7);
  fill(w, c(0), value);
  setStatus(w, c(0));
}

export type Format = "m32" | "m64" | "i16" | "i32" | "i64";

/** Of formats in memory: bits of the fraction, the largest exponent, the place of the sign. */
export const LAYOUT = { m32: { fraction: 23, largest: 0xff }, m64: { fraction: 52, largest: 0x7ff } } as const;

/** A plain number from its bits in memory. */
export function fromMemory(w: RoutineWriter, format: Format, bits: Value): Extended {
  const value = { head: w.variable(c(0)), significand: w.variable(wide(c(0))) };
  if (format === "m32" || format === "m64") fromFloat(w, format, bits, value);
  else fromInteger(w, Number(format.slice(1)) as 16 | 32 | 64, bits, value);
  return { head: w.let(value.head.value), significand: w.let(value.significand.value) };
}

interface Parts {
  readonly head: ReturnType<RoutineWriter["variable"]>;
  readonly significand: ReturnType<RoutineWriter["variable"]>;
}

function fromFloat(w: RoutineWriter, format: "m32" | "m64", bits: Value, { head, significand }: Parts): void {
  const { fraction, largest } = LAYOUT[format];
  const exponent = w.let(x.as32(and(right(bits, c(fraction)), c(largest))));
  const digits = w.let(wide(and(bits, c((1n << BigInt(fraction)) - 1n))));
  const sign = w.let(x.as32(left(and(right(bits, c(format === "m32" ? 31 : 63)), c(1)), c(15))));
  w.giveUpIf(x.compare("Eq", exponent, c(largest)));
  w.if(
    x.isZero(exponent),
    () => {
      w.giveUpIf(x.isNonZero(digits));
      head.set(sign);
    },
    () => {
      head.set(or(sign, add(exponent, c(BIAS - (largest >> 1)))));
      significand.set(or(left(digits, c(63 - fraction)), c(INTEGER_BIT)));
    },
  );
}

function fromInteger(w: RoutineWriter, width: 16 | 32 | 64, bits: Value, { head, significand }: Parts): void {
  const number = w.let(x.signed(width, width === 64 ? bits : x.as32(bits), true));
  w.if(x.isNonZero(number), () => {
    const size = w.let(x.select(isNegative(number), subtract(wide(c(0)), number), number));
    const zeros = w.let(leadingZeros(size));
    const sign = x.select(isNegative(number), c(SIGN), c(0));
    head.set(or(sign, subtract(c(BIAS + 63), x.as32(zeros))));
    significand.set(left(size, zeros));
  });
}
