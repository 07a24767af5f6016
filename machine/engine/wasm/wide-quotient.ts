/** The quotient of 128 by 64 bits, as a function of the runtime: WebAssembly divides 64 by 64. */
import { type FunctionBody, type FunctionType, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { RoutineWriter } from "./routine-writer.ts";

/** Upper and lower half of the dividend, divisor. */
export const WIDE_QUOTIENT_TYPE: FunctionType = { parameters: [I64, I64, I64], results: [I64] };

const c = (value: bigint) => x.as64(x.constant(value));
const DIGIT = 32n;
const MASK = 0xffffffffn;

const sum = (left: Value, right: Value) => x.arithmetic("Add", 64, left, right);
const difference = (left: Value, right: Value) => x.arithmetic("Sub", 64, left, right);
const product = (left: Value, right: Value) => x.arithmetic("Mul", 64, left, right);
const upper = (value: Value) => x.as64(x.shift("ShrU", value, c(DIGIT)));
const lower = (value: Value) => x.as64(x.logic("And", value, c(MASK)));
const joined = (high: Value, low: Value) => x.as64(x.logic("Or", x.shift("Shl", high, c(DIGIT)), low));

/**
 * One digit of 32 bits: of `high` and the digit `next` behind it, by a divisor whose top bit is set. It is guessed from
 * the divisor's upper digit, which makes it too large by two at most (Knuth, The Art of Computer Programming, vol. 2,
 * section 4.3.1).
 */
function digitOf(w: RoutineWriter, high: Value, next: Value, divisor: Value): Value {
  const first = w.let(upper(divisor));
  const digit = w.variable(x.make(OP.i64DivU, I64, [high, first], 64));
  const rest = w.variable(difference(high, product(digit.value, first)));
  const isTooLarge = () => {
    const wanted = product(digit.value, lower(divisor));
    const isLess = x.compare("LtU", joined(rest.value, next), wanted);
    const isLong = x.isNonZero(upper(digit.value));
    return x.logic("And", x.isZero(upper(rest.value)), x.logic("Or", isLong, isLess));
  };
  w.while(isTooLarge, () => {
    digit.set(difference(digit.value, c(1n)));
    rest.set(sum(rest.value, first));
  });
  return digit.value;
}

/** The dividend's upper half must be below the divisor. */
export function wideQuotient(type: number): FunctionBody {
  const w = new RoutineWriter([I64, I64, I64]);
  const [high, low, divisor] = w.parameters as [Value, Value, Value];
  const by = w.let(x.make(OP.i64Clz, I64, [divisor], 7));
  const scaled = w.let(x.as64(x.shift("Shl", divisor, by)));
  const carried = x.shift("ShrU", x.shift("ShrU", low, c(1n)), difference(c(63n), by));
  const top = w.let(x.as64(x.logic("Or", x.shift("Shl", high, by), carried)));
  const bottom = w.let(x.as64(x.shift("Shl", low, by)));
  const first = w.let(digitOf(w, top, upper(bottom), scaled));
  const rest = w.let(difference(joined(top, upper(bottom)), product(first, scaled)));
  const second = digitOf(w, rest, lower(bottom), scaled);
  w.giveWide(sum(x.as64(x.shift("Shl", first, c(DIGIT))), second));
  return w.finish(type, "wideQuotient");
}
