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

/** `first` is the function's first parameter, `tables` where those of function-tables.ts begin. */
type Body = (w: RoutineWriter, first: Value, tables: number) => void;

/** With 128 bits: for what the quick ones do not settle. */
const CAREFUL = {
  carefulAngle: giveAngle,
  carefulPower: (w, _first, tables) => givePower(w, tables),
  carefulLogarithm: (w, _first, tables) => giveLogarithm(w, tables),
  carefulLogarithmPlusOne: (w, _first, tables) => giveLogarithmPlusOne(w, tables),
  carefulArctangent: (w, _first, tables) => giveArctangent(w, tables),
} satisfies Record<string, Body>;

interface Function {
  readonly quick: (w: RoutineWriter, tables: number) => void;
  /** Called where that gives up, with this as its first parameter. */
  readonly careful: keyof typeof CAREFUL;
  readonly first?: number;
}

const angle = (which: keyof typeof ANGLE): Function => ({
  quick: (w, tables) => giveQuickAngle(w, which, tables),
  careful: "carefulAngle",
  first: ANGLE[which],
});

const FUNCTIONS: Readonly<Record<string, Function>> = {
  sine: angle("sine"),
  cosine: angle("cosine"),
  sineAndCosine: angle("sineAndCosine"),
  tangent: angle("tangent"),
  power: { quick: giveQuickPower, careful: "carefulPower" },
  logarithm: { quick: giveQuickLogarithm, careful: "carefulLogarithm" },
  logarithmPlusOne: { quick: giveQuickLogarithmPlusOne, careful: "carefulLogarithmPlusOne" },
  arctangent: { quick: giveQuickArctangent, careful: "carefulArctangent" },
};

export const ELEMENTARY_NAMES: readonly string[] = Object.keys(FUNCTIONS);

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

/** The functions with these names, each behind its careful one, all of the type with this number: two i64 give an i32. */
export function elementaryFunctions(type: number, tables: number, names: ReadonlySet<string>): FunctionBody[] {
  const functions: FunctionBody[] = [];
  const write = (name: string, body: Body) => {
    const w = new RoutineWriter([I64, I64]);
    body(w, w.parameters[0]!, tables);
    return functions.push(w.finish(type, name)) - 1;
  };
  const known = new Map<string, number>();
  for (const name of ELEMENTARY_NAMES.filter((one) => names.has(one))) {
    const { quick, careful, first = 0 } = FUNCTIONS[name]!;
    const index = known.get(careful) ?? write(careful, CAREFUL[careful]);
    known.set(careful, index);
    write(name, (w) => {
      w.otherwise = x.make(OP.call, I32, [wide(c(first)), wide(c(0))], 1, index);
      quick(w, tables);
    });
  }
  return functions;
}
