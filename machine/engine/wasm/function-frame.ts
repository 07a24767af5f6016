/** What elementary functions of plain numbers share: their operands, and how what they find is rounded and put in place. */
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { plainAt, pop } from "./extended-stack.ts";
import {
  BIAS,
  c,
  type Extended,
  exponentOf,
  isBelow,
  or,
  rounded,
  setStatus,
  signOf,
  storeExtended,
  subtract,
  type Unrounded,
} from "./extended-values.ts";
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

/** The top register, where its first bit stands for 2^least to 2^most. */
export function operandWithin(w: RoutineWriter, least: number, most: number): Operand {
  const { address, value } = plainAt(w, c(0));
  const found = operand(w, address, value);
  w.giveUpIf(x.isZero(isBelow(x.as32(subtract(found.exponent, c(BIAS + least))), c(most - least + 1))));
  return found;
}

/** The top register and the one below, whose place the result takes; neither is zero. */
export function operandPair(w: RoutineWriter): { readonly top: Operand; readonly below: Operand } {
  const [top, below] = [0, 1].map((place) => {
    const { address, value } = plainAt(w, c(place));
    return operand(w, address, value);
  }) as [Operand, Operand];
  w.giveUpIf(or(x.isZero(top.significand), x.isZero(below.significand)));
  return { top, below };
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

/** The same for functions of one number, and for those of two. */
export const giveFound = (w: RoutineWriter, { address }: Operand, found: Unrounded) =>
  giveResult(w, address, roundedFully(w, found));
export const giveFoundBelow = (w: RoutineWriter, { address }: Operand, found: Unrounded) =>
  giveResult(w, address, roundedFully(w, found), () => pop(w));
