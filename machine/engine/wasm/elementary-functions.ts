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
import { giveQuickAngle } from "./quick-angles.ts";
import { giveQuickArctangent } from "./quick-arctangents.ts";
import { giveQuickLogarithm, giveQuickLogarithmPlusOne } from "./quick-logarithms.ts";
import { giveQuickPower } from "./quick-powers.ts";
import { RoutineWriter } from "./routine-writer.ts";

/** `tables`: where those of function-tables.ts begin. */
type Body = (w: RoutineWriter, first: Value, tables: number) => void;

/** With 128 bits: for what the quick ones do not settle. */
const CAREFUL: readonly (readonly [string, Body])[] = [
  ["carefulAngle", giveAngle],
  ["carefulPower", (w, _first, tables) => givePower(w, tables)],
  ["carefulLogarithm", (w, _first, tables) => giveLogarithm(w, tables)],
  ["carefulLogarithmPlusOne", (w, _first, tables) => giveLogarithmPlusOne(w, tables)],
  ["carefulArctangent", (w, _first, tables) => giveArctangent(w, tables)],
];

/** What a careful function gives. They come first in the module, so that their indices are known. */
const carefully = (name: string, first = 0): Value => {
  const index = CAREFUL.findIndex(([other]) => other === name);
  return x.make(OP.call, I32, [wide(c(first)), wide(c(0))], 1, index);
};

type Quick = (w: RoutineWriter, tables: number) => void;

const quick = (name: string, body: Quick, careful: string, first = 0): readonly [string, Body] => [
  name,
  (w, _first, tables) => {
    w.otherwise = carefully(careful, first);
    body(w, tables);
  },
];

const angle = (which: keyof typeof ANGLE) =>
  quick(which, (w, tables) => giveQuickAngle(w, which, tables), "carefulAngle", ANGLE[which]);

const FUNCTIONS = [
  ...CAREFUL,
  ...(Object.keys(ANGLE) as (keyof typeof ANGLE)[]).map(angle),
  quick("power", giveQuickPower, "carefulPower"),
  quick("logarithm", giveQuickLogarithm, "carefulLogarithm"),
  quick("logarithmPlusOne", giveQuickLogarithmPlusOne, "carefulLogarithmPlusOne"),
  quick("arctangent", giveQuickArctangent, "carefulArctangent"),
];

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
export function elementaryFunctions(type: number, tables: number): FunctionBody[] {
  return FUNCTIONS.map(([name, body]) => {
    const w = new RoutineWriter([I64, I64]);
    body(w, w.parameters[0]!, tables);
    return w.finish(type, name);
  });
}
