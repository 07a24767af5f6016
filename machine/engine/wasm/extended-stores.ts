/** Plain 80-bit numbers as the formats in memory have them: see `resize` and `toInteger` in the book. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type Format, LAYOUT } from "./extended-stack.ts";
import {
  add,
  and,
  BIAS,
  c,
  type Extended,
  exponentOf,
  isBelow,
  left,
  lossFlags,
  needMaskedInexact,
  or,
  right,
  roundsUp,
  setStatus,
  signOf,
  subtract,
  wide,
} from "./extended-values.ts";
import type { RoutineWriter } from "./routine-writer.ts";

/** The bits of a number of 32 or 64 bits; gives up where it has none that is normal. */
export function floatInMemory(w: RoutineWriter, format: Format, value: Extended): Value {
  const { fraction, largest } = LAYOUT[format as "m32" | "m64"];
  const sign = w.let(left(signOf(value), c(format === "m32" ? 16 : 48)));
  const bits = w.variable(sign);
  w.if(
    x.isZero(value.significand),
    () => setStatus(w, c(0)),
    () => {
      const rest = w.let(left(value.significand, c(fraction + 1)));
      needMaskedInexact(w, rest);
      const kept = w.let(right(value.significand, c(63 - fraction)));
      const up = roundsUp(w, signOf(value), rest, and(kept, c(1)));
      const rounded = w.let(add(wide(kept), wide(up)));
      const carry = right(rounded, c(fraction + 1));
      const exponent = w.let(add(subtract(exponentOf(value), c(BIAS - (largest >> 1))), x.as32(carry)));
      w.giveUpIf(x.isZero(isBelow(x.as32(subtract(exponent, c(1))), c(largest - 1))));
      const digits = and(rounded, c((1n << BigInt(fraction)) - 1n));
      bits.set(or(or(sign, left(exponent, c(fraction))), wide(digits)));
      setStatus(w, lossFlags(rest, up));
    },
  );
  return bits.value;
}

/** The size of the whole number that a number below 2^63 is rounded to, and what the status word says of it. */
export function nearestWhole(w: RoutineWriter, value: Extended): { whole: Value; flags: Value } {
  const by = w.let(wide(subtract(c(BIAS + 63), exponentOf(value))));
  const kept = w.variable(wide(c(0)));
  const rest = w.variable(wide(c(1)));
  w.if(
    isBelow(by, wide(c(64))),
    () => {
      kept.set(right(value.significand, by));
      rest.set(left(value.significand, subtract(wide(c(64)), by)));
    },
    () => w.if(x.compare("Eq", by, wide(c(64))), () => rest.set(value.significand)),
  );
  needMaskedInexact(w, rest.value);
  const up = roundsUp(w, signOf(value), rest.value, and(kept.value, wide(c(1))));
  return { whole: w.let(add(kept.value, wide(up))), flags: w.let(lossFlags(rest.value, up)) };
}

/** A signed integer of 16, 32 or 64 bits; gives up where it may not fit. */
export function integerInMemory(w: RoutineWriter, format: Format, value: Extended): Value {
  const width = Number(format.slice(1));
  const number = w.variable(wide(c(0)));
  w.if(
    x.isZero(value.significand),
    () => setStatus(w, c(0)),
    () => {
      w.giveUpIf(x.isZero(isBelow(exponentOf(value), c(BIAS + 63))));
      const { whole, flags } = nearestWhole(w, value);
      w.giveUpIf(x.isZero(isBelow(whole, wide(c(1n << BigInt(width - 1))))));
      number.set(x.select(x.isNonZero(signOf(value)), subtract(wide(c(0)), whole), whole));
      setStatus(w, flags);
    },
  );
  return and(number.value, c((1n << BigInt(width)) - 1n));
}
