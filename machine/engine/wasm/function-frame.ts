/** What elementary functions share: their operands, and how what they find is rounded and put in place. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { plainAt, pop } from "./extended-stack.ts";
import {
  BIAS,
  c,
  type Extended,
  exponentOf,
  isBelow,
  left,
  or,
  right,
  rounded,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  type Unrounded,
  wide,
} from "./extended-values.ts";
import type { Fixed } from "./fixed-point.ts";
import type { RoutineWriter } from "./routine-writer.ts";

export interface Operand {
  /** Of its register. */
  readonly address: Value;
  readonly sign: Value;
  /** As the register has it. */
  readonly exponent: Value;
  readonly significand: Value;
}

const operand = (w: RoutineWriter, address: Value, value: Extended): Operand => ({
  address,
  sign: w.let(signOf(value)),
  exponent: w.let(exponentOf(value)),
  significand: value.significand,
});

/** The top register. */
export function topOperand(w: RoutineWriter): Operand {
  const { address, value } = plainAt(w, c(0));
  return operand(w, address, value);
}

/** The top register, where its first bit stands for 2^least to 2^most. */
export function operandWithin(w: RoutineWriter, least: number, most: number): Operand {
  const found = topOperand(w);
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(found.exponent, c(BIAS + least))), c(most - least + 1))));
  return found;
}

/** The exponent of a number's first bit, as a signed word. */
export const placesOf = (w: RoutineWriter, { exponent }: Operand): Value =>
  w.let(x.signed(32, subtract(exponent, c(BIAS)), true));

/** The size of a number below 1, from 2^-63 on, in units of 2^-127. The lower word is right for larger ones' upper one. */
export function fractionOf(w: RoutineWriter, number: Operand): Fixed {
  const places = placesOf(w, number);
  const high = right(number.significand, subtract(wide(c(0)), places));
  return { high: w.let(high), low: w.let(left(number.significand, places)) };
}

export interface Pair {
  readonly top: Operand;
  readonly below: Operand;
}

/** The top register and the one below, whose place the result takes. */
export function pairOf(w: RoutineWriter): Pair {
  const [top, below] = [0, 1].map((place) => {
    const { address, value } = plainAt(w, c(place));
    return operand(w, address, value);
  }) as [Operand, Operand];
  return { top, below };
}

export const hasZero = ({ top, below }: Pair): Value => or(x.isZero(top.significand), x.isZero(below.significand));

/** The same two, neither of which is zero. */
export function operandPair(w: RoutineWriter): Pair {
  const pair = pairOf(w);
  w.giveUpIf(hasZero(pair));
  return pair;
}

type Rounded = ReturnType<typeof rounded>;

/** To all 64 bits, whatever the control word says of precision. */
export const roundedFully = (w: RoutineWriter, found: Unrounded): Rounded => rounded(w, found, true);

/** Puts a result in place, does what else is to be done, and ends. */
export function giveResult(w: RoutineWriter, address: Value, result: Rounded, more: () => void = () => {}): void {
  storeExtended(w, address, result);
  setStatus(w, result.flags);
  more();
  w.succeed();
}

/** Zero in place of an operand. */
export const zeroLike = (sign: Value): Rounded => ({ head: sign, significand: wide(c(0)), flags: c(0) });

/** The same for functions of one number, and for those of two. */
export const giveFound = (w: RoutineWriter, { address }: Operand, found: Unrounded) =>
  giveResult(w, address, roundedFully(w, found));
export const giveBelow = (w: RoutineWriter, address: Value, result: Rounded) =>
  giveResult(w, address, result, () => pop(w));
export const giveFoundBelow = (w: RoutineWriter, { address }: Operand, found: Unrounded) =>
  giveBelow(w, address, roundedFully(w, found));
