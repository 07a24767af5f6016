/** Multiplication to twice the width, and division, out of what WebAssembly has. */
import type { Width } from "#machine/cpu/semantics.ts";
import { I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";

const LOW_HALF = 0xffffffffn;

function add(left: Value, right: Value): Value {
  return x.arithmetic("Add", 64, left, right);
}

function subtract(left: Value, right: Value): Value {
  return x.arithmetic("Sub", 64, left, right);
}

function multiply(left: Value, right: Value): Value {
  return x.arithmetic("Mul", 64, left, right);
}

function upper(value: Value): Value {
  return x.shift("ShrU", value, x.constant(32n));
}

function lower(value: Value): Value {
  return x.logic("And", value, x.constant(LOW_HALF));
}

/** The upper half of a product of `width` bits each. */
export function productHigh(width: Width, left: Value, right: Value, signed: boolean): Value {
  if (width === 64) return signed ? signedHigh(left, right) : unsignedHigh(left, right);
  const [a, b] = signed ? [x.signed(width, left, true), x.signed(width, right, true)] : [x.as64(left), x.as64(right)];
  return x.truncate(width, x.shift("ShrU", multiply(a, b), x.constant(BigInt(width))));
}

/** Schoolbook multiplication with digits of 32 bits. */
function unsignedHigh(left: Value, right: Value): Value {
  const [a, b] = [x.as64(left), x.as64(right)];
  const [lowA, highA, lowB, highB] = [lower(a), upper(a), lower(b), upper(b)];
  const low = multiply(lowA, lowB);
  const first = add(multiply(highA, lowB), upper(low));
  const second = add(multiply(lowA, highB), lower(first));
  return add(add(multiply(highA, highB), upper(first)), upper(second));
}

/** A negative factor counts 2^64 too much of the other one. */
function signedHigh(left: Value, right: Value): Value {
  const excess = (sign: Value, other: Value) =>
    x.logic("And", x.shift("ShrS", x.as64(sign), x.constant(63n)), x.as64(other));
  return subtract(subtract(unsignedHigh(left, right), excess(left, right)), excess(right, left));
}

export interface Division {
  readonly width: Width;
  readonly high: Value;
  readonly low: Value;
  readonly divisor: Value;
  readonly signed: boolean;
}

/**
 * When the evaluator must divide: by zero, where WebAssembly would trap, where a quotient of 64 bits has no room, and a
 * signed dividend beyond 64 bits.
 */
export function needsDivisionCheck({ width, high, low, divisor, signed }: Division): Value[] {
  const zero = x.isZero(divisor);
  if (width === 64) {
    if (!signed) return [x.isZero(x.compare("LtU", x.as64(high), x.as64(divisor)))];
    const plain = x.shift("ShrS", x.as64(low), x.constant(63n));
    return [zero, x.compare("Ne", x.as64(high), x.as64(plain)), overflows(low, divisor)];
  }
  return signed && width === 32 ? [zero, overflows(joined({ width, high, low }), x.signed(32, divisor, true))] : [zero];
}

/** The one quotient of signed numbers that has no room. */
function overflows(dividend: Value, divisor: Value): Value {
  const least = x.compare("Eq", x.as64(dividend), x.constant(1n << 63n));
  return x.logic("And", least, x.compare("Eq", x.as64(divisor), x.constant((1n << 64n) - 1n)));
}

function joined({ width, high, low }: Pick<Division, "width" | "high" | "low">): Value {
  return x.logic("Or", x.shift("Shl", high, x.constant(BigInt(width))), low);
}

export interface Divided {
  readonly quotient: Value;
  readonly remainder: Value;
  /** True where the quotient has no room: nothing must have happened. Null where it always has. */
  readonly misfit: Value | null;
}

/**
 * Divides; `hold` computes a value that is needed more than once, `wideQuotient` that of an unsigned dividend of 128 bits,
 * which has room.
 */
export function emitDivision(
  division: Division,
  hold: (value: Value) => Value,
  wideQuotient: (high: Value, low: Value, divisor: Value) => Value,
): Divided {
  const { width, high, low, divisor, signed } = division;
  const [divide, rest] = signed ? [OP.i64DivS, OP.i64RemS] : [OP.i64DivU, OP.i64RemU];
  if (width === 64) {
    const [dividend, by] = [x.as64(low), x.as64(divisor)];
    const quotient = signed ? hold(x.make(divide, I64, [dividend, by], 64)) : wideQuotient(x.as64(high), dividend, by);
    return { quotient, remainder: hold(subtract(dividend, multiply(quotient, by))), misfit: null };
  }
  const whole = joined(division);
  const wide = (width * 2) as Width;
  const dividend = hold(signed ? x.signed(wide, whole, true) : x.as64(whole));
  const by = hold(signed ? x.signed(width, divisor, true) : x.as64(divisor));
  const quotient = hold(x.make(divide, I64, [dividend, by], 64));
  const remainder = hold(x.make(rest, I64, [dividend, by], 64));
  const cut = x.truncate(width, quotient);
  const back = signed ? x.signed(width, cut, true) : x.as64(cut);
  return { quotient: cut, remainder: x.truncate(width, remainder), misfit: x.compare("Ne", back, quotient) };
}
