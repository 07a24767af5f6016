/** Single flags from the words of the processor's state, whichever kind of instruction set them: see flags.ts in the book. */
import { ADD, DECREMENT, FLAG, type Flag, INCREMENT, KNOWN, SUBTRACT } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";

const word = (offset: number) => x.stateWord(offset, I64);
const left = () => word(at.LAZY_LEFT);
const right = () => word(at.LAZY_RIGHT);
const result = () => word(at.LAZY_RESULT);
const not = (value: Value) => x.logic("Xor", value, x.constant(0xffffffffffffffffn));
const both = (a: Value, b: Value) => x.logic("And", a, b);
const either = (a: Value, b: Value) => x.logic("Or", a, b);
const differ = (a: Value, b: Value) => x.logic("Xor", a, b);
const bit = (value: Value) => x.isNonZero(both(value, x.constant(1n)));
const lastBit = () => x.as64(x.arithmetic("Sub", 32, x.stateWord(at.LAZY_WIDTH, I32), x.constant(1n)));
const sign = (value: Value) => bit(x.shift("ShrU", value, lastBit()));
const isKind = (kind: number) => x.compare("Eq", x.stateWord(at.LAZY_KIND, I32), x.constant(BigInt(kind)));

function carry(): Value {
  const out = either(both(left(), right()), both(either(left(), right()), not(result())));
  const borrow = either(both(not(left()), right()), both(either(not(left()), right()), result()));
  const isLater = x.compare("LtU", x.constant(BigInt(SUBTRACT)), x.stateWord(at.LAZY_KIND, I32));
  return x.select(isLater, bit(left()), sign(x.select(isKind(ADD), out, borrow)));
}

function overflow(): Value {
  const top = x.shift("Shl", x.constant(1n), lastBit());
  const sum = both(differ(left(), result()), differ(right(), result()));
  const difference = both(differ(left(), right()), differ(left(), result()));
  const stepped = x.arithmetic("Sub", 64, top, x.select(isKind(DECREMENT), x.constant(1n), x.constant(0n)));
  const isStep = either(isKind(INCREMENT), isKind(DECREMENT));
  const later = x.select(isStep, x.compare("Eq", result(), stepped), bit(right()));
  const isSum = either(isKind(ADD), isKind(SUBTRACT));
  return x.select(isSum, sign(x.select(isKind(ADD), sum, difference)), later);
}

const FLAGS = new Map<Flag, () => Value>([
  [FLAG.CF, carry],
  [FLAG.ZF, () => x.isZero(result())],
  [FLAG.SF, () => sign(result())],
  [FLAG.OF, overflow],
]);

/** The flag as the state's words have it; null for those that are computed together. */
export function loadedFlag(flag: Flag): Value | null {
  const computed = FLAGS.get(flag);
  if (computed === undefined) return null;
  const known = bit(x.shift("ShrU", word(at.RFLAGS), x.constant(BigInt(flag))));
  return x.select(isKind(KNOWN), known, computed());
}

/** A condition of jcc by its code; null where not all of its flags can be had one by one. */
export function loadedCondition(code: number): Value | null {
  const [zero, less] = [loadedFlag(FLAG.ZF)!, () => differ(loadedFlag(FLAG.SF)!, loadedFlag(FLAG.OF)!)];
  const conditions: readonly ((() => Value) | null)[] = [
    () => loadedFlag(FLAG.OF)!,
    () => loadedFlag(FLAG.CF)!,
    () => zero,
    () => either(loadedFlag(FLAG.CF)!, zero),
    () => loadedFlag(FLAG.SF)!,
    null,
    less,
    () => either(zero, less()),
  ];
  const condition = conditions[code >> 1]?.() ?? null;
  return condition === null || (code & 1) === 0 ? condition : x.isZero(condition);
}
