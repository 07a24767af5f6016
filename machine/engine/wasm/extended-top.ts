/** Scale, whole part, remainder and kind of the top register, for plain numbers: see x87/top.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { I32 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { anyPlace, fromMemory, loadExtended, needRoom, plainAt, push, turn } from "./extended-stack.ts";
import { nearestWhole } from "./extended-stores.ts";
import {
  add,
  and,
  BIAS,
  c,
  type Extended,
  exponentOf,
  giveExact,
  isBelow,
  isNegative,
  LARGEST_EXPONENT,
  leadingZeros,
  left,
  or,
  right,
  SIGN,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  wide,
  xor,
} from "./extended-values.ts";
import type { RoutineWriter } from "./routine-writer.ts";

const C0 = 0x100n;
const C1 = 0x200n;
const C2 = 0x400n;
const C3 = 0x4000n;
const CONDITIONS = C0 | C1 | C2 | C3;

const zero = () => wide(c(0));
const setConditions = (w: RoutineWriter, codes: Value) => {
  const kept = and(x.stateWord(at.FPU_STATUS, I32), c(0xffffffffn & ~CONDITIONS));
  w.storeState(at.FPU_STATUS, x.as32(or(kept, codes)));
};

/** frndint. */
export function giveWhole(w: RoutineWriter): void {
  const { address, value } = plainAt(w, c(0));
  const isWhole = or(x.isZero(value.significand), x.isZero(isBelow(exponentOf(value), c(BIAS + 63))));
  w.if(isWhole, () => giveExact(w, address, value));
  const { whole, flags } = nearestWhole(w, value);
  const zeros = w.let(leadingZeros(whole));
  const exponent = subtract(c(BIAS + 63), x.as32(zeros));
  const head = or(signOf(value), x.select(x.isZero(whole), c(0), exponent));
  storeExtended(w, address, { head: w.let(x.as32(head)), significand: w.let(left(whole, zeros)) });
  setStatus(w, flags);
  w.succeed();
}

/** Gives up where an exponent is not that of a normal number. */
const needNormal = (w: RoutineWriter, exponent: Value) =>
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(exponent, c(1))), c(LARGEST_EXPONENT - 1n))));

/** fscale, by less than 2^16. */
export function giveScaled(w: RoutineWriter): void {
  const { address, value } = plainAt(w, c(0));
  const by = plainAt(w, c(1)).value;
  w.if(x.isZero(value.significand), () => giveExact(w, address, value));
  const size = w.let(exponentOf(by));
  w.giveUpIf(isBelow(c(BIAS + 15), size));
  const shift = w.variable(c(0));
  w.if(isBelow(c(BIAS - 1), size), () => {
    const whole = w.let(x.as32(right(by.significand, wide(subtract(c(BIAS + 63), size)))));
    shift.set(x.select(x.isNonZero(signOf(by)), subtract(c(0), whole), whole));
  });
  const exponent = w.let(add(exponentOf(value), shift.value));
  needNormal(w, exponent);
  giveExact(w, address, { head: w.let(or(signOf(value), exponent)), significand: value.significand });
}

/** fxtract. */
export function giveParts(w: RoutineWriter): void {
  const { address, value } = plainAt(w, c(0));
  needRoom(w);
  w.giveUpIf(x.isZero(value.significand));
  storeExtended(w, address, fromMemory(w, "i32", subtract(exponentOf(value), c(BIAS))));
  push(w, { head: w.let(or(signOf(value), c(BIAS))), significand: value.significand });
  w.succeed();
}

interface Remainder {
  readonly quotient: Value;
  readonly rest: Value;
  /** Of the rest's highest bit, were it set. */
  readonly exponent: Value;
  readonly sign: Value;
}

/** fprem and fprem1, where the quotient has at most 64 bits. */
export function giveRemainder(w: RoutineWriter, nearest: boolean): void {
  const { address, value } = plainAt(w, c(0));
  const by = plainAt(w, c(1)).value;
  w.giveUpIf(x.isZero(by.significand));
  const distance = w.let(subtract(exponentOf(value), exponentOf(by)));
  const isLess = w.let(x.compare("LtS", distance, c(0)));
  const give = ({ quotient, rest, exponent, sign }: Remainder) => {
    const zeros = w.let(leadingZeros(rest));
    const first = w.let(subtract(exponent, x.as32(zeros)));
    const none = w.let(x.isZero(rest));
    w.giveUpIf(and(x.isZero(none), x.compare("LtS", first, c(1))));
    const head = w.let(x.select(none, signOf(value), or(sign, first)));
    storeExtended(w, address, { head, significand: w.let(left(rest, zeros)) });
    setConditions(w, quotientCodes(quotient));
    w.succeed();
  };
  w.if(or(x.isZero(value.significand), isLess), () => {
    const sign = w.let(signOf(value));
    const exponent = w.let(exponentOf(value));
    if (nearest) w.if(isOverHalf(value, by), () => give(wholeTaken(w, value, by)));
    give({ quotient: zero(), rest: value.significand, exponent, sign });
  });
  w.giveUpIf(isBelow(c(63), distance));
  const { quotient, rest } = divided(w, value.significand, by.significand, distance);
  const sign = w.variable(signOf(value));
  if (nearest) roundQuotient(w, quotient, rest, by.significand, sign);
  give({ quotient: quotient.value, rest: rest.value, exponent: w.let(exponentOf(by)), sign: w.let(sign.value) });
}

/** Whether the smaller of two numbers is more than half of the larger one. */
function isOverHalf(small: Extended, large: Extended): Value {
  const isNext = x.compare("Eq", add(exponentOf(small), c(1)), exponentOf(large));
  return and(isNext, isBelow(large.significand, small.significand));
}

/** What is left where the quotient is rounded to 1. */
function wholeTaken(w: RoutineWriter, value: Extended, by: Extended): Remainder {
  const rest = w.let(subtract(by.significand, subtract(value.significand, by.significand)));
  const sign = w.let(xor(signOf(value), c(SIGN)));
  return { quotient: wide(c(1)), rest, exponent: w.let(exponentOf(value)), sign };
}

type Variable = ReturnType<RoutineWriter["variable"]>;

/** Long division, bit by bit, of a significand times 2^places. */
function divided(w: RoutineWriter, dividend: Value, divisor: Value, places: Value) {
  const [quotient, rest, carry] = [w.variable(zero()), w.variable(dividend), w.variable(c(0))];
  const left1 = (value: Value) => left(value, c(1));
  const todo = w.variable(add(places, c(1)));
  w.while(
    () => x.isNonZero(todo.value),
    () => {
      const fits = w.let(or(carry.value, x.isZero(isBelow(rest.value, divisor))));
      rest.set(subtract(rest.value, x.select(fits, divisor, zero())));
      quotient.set(or(left1(quotient.value), wide(fits)));
      todo.set(subtract(todo.value, c(1)));
      w.if(x.isNonZero(todo.value), () => {
        carry.set(isNegative(rest.value));
        rest.set(left1(rest.value));
      });
    },
  );
  return { quotient, rest };
}

/** To the nearest integer, and of two to the even one. */
function roundQuotient(w: RoutineWriter, quotient: Variable, rest: Variable, divisor: Value, sign: Variable): void {
  const other = w.let(subtract(divisor, rest.value));
  const isTie = x.compare("Eq", other, rest.value);
  const isOdd = x.as32(and(quotient.value, wide(c(1))));
  w.if(or(isBelow(other, rest.value), and(isTie, isOdd)), () => {
    quotient.set(add(quotient.value, wide(c(1))));
    rest.set(other);
    sign.set(xor(sign.value, c(SIGN)));
  });
}

/** The low three bits of the quotient: Q0 in C1, Q1 in C3, Q2 in C0. */
function quotientCodes(quotient: Value): Value {
  const bit = (number: number, code: bigint) =>
    x.select(x.isNonZero(and(quotient, wide(c(1 << number)))), c(code), c(0));
  return or(or(bit(0, C1), bit(1, C3)), bit(2, C0));
}

/** fxam: of anything. */
export function giveKind(w: RoutineWriter): void {
  const { address, full } = anyPlace(w, c(0));
  const value = loadExtended(w, address);
  const exponent = w.let(exponentOf(value));
  const fraction = w.let(left(value.significand, c(1)));
  const choose = (condition: Value, yes: bigint, no: Value) => x.select(condition, c(yes), no);
  const special = choose(x.isZero(fraction), C2 | C0, c(C0));
  const number = x.select(x.compare("Eq", exponent, c(LARGEST_EXPONENT)), special, c(C2));
  const supported = x.select(isNegative(value.significand), number, c(0));
  const small = choose(x.isZero(value.significand), C3, c(C3 | C2));
  const content = x.select(x.isZero(exponent), small, supported);
  const kind = x.select(full, content, c(C3 | C0));
  setConditions(w, or(kind, x.select(x.isNonZero(signOf(value)), c(C1), c(0))));
  w.succeed();
}

/** fincstp and fdecstp. */
export function giveTurned(w: RoutineWriter, by: number): void {
  setStatus(w, c(0));
  turn(w, by);
  w.succeed();
}
