/**
 * The x87's sines, tangents, powers and logarithms as functions of the runtime, in a module of their own. Each takes
 * nothing from the instruction, and gives 1, or 0 where it has done nothing and the routine of the book must be called.
 */
import { type FunctionBody, I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { ANGLE, giveAngle } from "./extended-angles.ts";
import { giveArctangent } from "./extended-arctangents.ts";
import { giveLogarithm, giveLogarithmPlusOne } from "./extended-logarithms.ts";
import { givePower } from "./extended-powers.ts";
import { c, wide } from "./extended-values.ts";
import { RoutineWriter } from "./routine-writer.ts";

type Body = (w: RoutineWriter, first: Value) => void;

/** With 128 bits: for what the quick ones do not settle. */
const CAREFUL: readonly (readonly [string, Body])[] = [
  ["carefulAngle", giveAngle],
  ["power", givePower],
  ["logarithm", giveLogarithm],
  ["logarithmPlusOne", giveLogarithmPlusOne],
  ["arctangent", giveArctangent],
];

/** What a careful function gives. They come first in the module, so that their indices are known. */
const carefully = (name: string, first = 0): Value => {
  const index = CAREFUL.findIndex(([other]) => other === name);
  return x.make(OP.call, I32, [wide(c(first)), wide(c(0))], 1, index);
};

const angle = (which: keyof typeof ANGLE): readonly [string, Body] => [
  which,
  (w) => w.give(carefully("carefulAngle", ANGLE[which])),
];

const FUNCTIONS = [...CAREFUL, ...(Object.keys(ANGLE) as (keyof typeof ANGLE)[]).map(angle)];

/** By the mnemonic of the instruction that calls one. */
export const ELEMENTARY: ReadonlyMap<string, string> = new Map([
  ["fsin", "sine"],
  ["fcos", "cosine"],
  ["fsincos", "sineAndCosine"],
  ["fptan", "tangent"],
  ["f2xm1", "power"],
  ["fyl2x", "logarithm"],
  ["fyl2xp1", "logarithmPlusOne"],
  ["fpatan", "arctangent"],
]);

/** The functions, all of the type with this number: two i64 give an i32. */
export function elementaryFunctions(type: number): FunctionBody[] {
  return FUNCTIONS.map(([name, body]) => {
    const w = new RoutineWriter([I64, I64]);
    body(w, w.parameters[0]!);
    return w.finish(type, name);
  });
}
