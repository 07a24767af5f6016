/**
 * Floating-point operations of SSE where a quick look at the result does not settle that all is plain. Each function says
 * whether WebAssembly's own result is the processor's and leaves MXCSR as it is: all exceptions masked, rounding to
 * nearest, and every exception met has been met before. Whether a result is exact is found without rounding anything
 * (Knuth, The Art of Computer Programming, section 4.2.2, theorem B; products by counting bits).
 */
import * as at from "#machine/cpu/layout.ts";
import type { FloatOperation, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import { type FunctionBody, I32, I64, OP, V128 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { add, and, c, isBelow, left, or, right, wide } from "./extended-values.ts";
import { FORMATS, SETTINGS } from "./float-lanes.ts";
import { RoutineWriter } from "./routine-writer.ts";
import { bitsOf, computedScalar, floatValue, isDenormal, type Scalar } from "./scalar-floats.ts";
import { extract } from "./simd.ts";

/** Exception flags of MXCSR. */
const MET = { denormal: 0x02n, zeroDivide: 0x04n, overflow: 0x08n, underflow: 0x10n, inexact: 0x20n };

const mxcsr = () => x.stateWord(at.MXCSR, I32);
const haveBeenMet = (flags: Value) => x.compare("Eq", and(mxcsr(), flags), flags);

type Test = "Eq" | "Ne" | "Lt" | "Le";
const shapeOf = (width: FloatWidth) => (width === 64 ? "f64" : "f32");
const test = (width: FloatWidth, name: Test, a: Value, b: Value) =>
  x.make(OP[`${shapeOf(width)}${name}`], I32, [a, b], 1);
const binary = (width: FloatWidth, name: "Add" | "Sub" | "Mul", a: Value, b: Value) =>
  x.make(OP[`${shapeOf(width)}${name}`], x.FLOAT[shapeOf(width)], [a, b], width);
const unary = (width: FloatWidth, name: "Abs" | "Neg", a: Value) =>
  x.make(OP[`${shapeOf(width)}${name}`], x.FLOAT[shapeOf(width)], [a], width);
const promoted = (value: Value) => x.make(OP.f64PromoteF32, x.FLOAT.f64, [value], 64);
const demoted = (value: Value) => x.make(OP.f32DemoteF64, x.FLOAT.f32, [value], 32);

function scalarOf(w: RoutineWriter, width: FloatWidth, word: Value): Scalar {
  const bits = width === 64 ? word : w.let(x.as32(word));
  return { bits, number: w.let(floatValue(width, bits)) };
}

const infinityOf = (width: FloatWidth) => floatValue(width, c(FORMATS[width].infinity));
const leastOf = (width: FloatWidth) => floatValue(width, c(FORMATS[width].least));
const isInfinite = (width: FloatWidth, number: Value) =>
  test(width, "Eq", unary(width, "Abs", number), infinityOf(width));

/** Gives up unless exceptions are masked, rounding is to nearest, and denormals are what they are. */
function needSettings(w: RoutineWriter): void {
  w.giveUpIf(x.compare("Ne", and(mxcsr(), c(SETTINGS.mask)), c(SETTINGS.value)));
}

function needMet(w: RoutineWriter, flag: bigint, where: Value): void {
  w.if(where, () => w.giveUpIf(x.isZero(haveBeenMet(c(flag)))));
}

/** Ends a function whose operands are in order. A result without all its digits is one that denormals have been met before. */
function giveByResult(w: RoutineWriter, width: FloatWidth, result: Value, isExact: Value): void {
  const size = w.let(unary(width, "Abs", result));
  const finite = w.let(test(width, "Lt", size, infinityOf(width)));
  needMet(w, MET.denormal, isDenormal(width, w.let(bitsOf(width, result))));
  w.if(and(finite, isExact), () => w.succeed());
  const small = x.select(test(width, "Le", size, leastOf(width)), c(MET.underflow), c(0));
  const beyond = x.select(finite, small, c(MET.overflow));
  w.give(haveBeenMet(w.let(or(beyond, c(MET.inexact)))));
}

/** What a sum has lost by rounding is itself a number, and these steps find it. */
function isExactSum(w: RoutineWriter, width: FloatWidth, a: Value, b: Value, sum: Value): Value {
  const late = w.let(binary(width, "Sub", sum, a));
  const early = w.let(binary(width, "Sub", sum, late));
  const lost = binary(width, "Add", binary(width, "Sub", a, early), binary(width, "Sub", b, late));
  return w.let(test(width, "Eq", lost, floatValue(width, c(0))));
}

const FRACTION = (1n << 52n) - 1n;
/** What the exponents of the last bits of two doubles add up to where their product ends with the smallest double. */
const LAST_EXPONENTS = 2n * 1075n - 1074n;

/** A double's significand without the zeros at its end, and the biased exponent of its last bit. */
function oddPart(w: RoutineWriter, number: Value): { odd: Value; last: Value } {
  const bits = w.let(bitsOf(64, number));
  const exponent = w.let(and(right(bits, c(52)), c(0x7ff)));
  const first = left(wide(x.isNonZero(exponent)), c(52));
  const whole = w.let(or(and(bits, c(FRACTION)), first));
  const zeros = w.let(x.make(OP.i64Ctz, I64, [whole], 7));
  const last = w.let(add(add(wide(exponent), wide(x.isZero(exponent))), zeros));
  return { odd: w.let(right(whole, zeros)), last };
}

/** Whether the product of two finite doubles is a double. */
function isExactProduct(w: RoutineWriter, a: Value, b: Value): Value {
  const [one, other] = [oddPart(w, a), oddPart(w, b)];
  const leading = (value: Value) => x.make(OP.i64Clz, I64, [value], 7);
  const short = isBelow(c(73), x.as32(add(leading(one.odd), leading(other.odd))));
  const product = w.let(x.make(OP.i64Mul, I64, [one.odd, other.odd], 64));
  const inRange = isBelow(wide(c(LAST_EXPONENTS - 1n)), add(one.last, other.last));
  const fits = and(short, isBelow(product, c(1n << 53n)));
  return w.let(and(fits, or(x.isZero(product), inRange)));
}

/** Whether one number times another is a third, exactly; singles are multiplied as doubles, where all fits. */
function isProduct(w: RoutineWriter, width: FloatWidth, a: Value, b: Value, product: Value): Value {
  const [one, other, wanted] = [a, b, product].map((value) => (width === 64 ? value : w.let(promoted(value))));
  const same = w.let(test(64, "Eq", binary(64, "Mul", one!, other!), wanted!));
  return width === 64 ? w.let(and(same, isExactProduct(w, one!, other!))) : same;
}

type Rounded = "add" | "subtract" | "multiply" | "divide" | "squareRoot";
const OPERATIONS: readonly Rounded[] = ["add", "subtract", "multiply", "divide", "squareRoot"];

function isExact(w: RoutineWriter, operation: Rounded, width: FloatWidth, a: Value, b: Value, result: Value): Value {
  switch (operation) {
    case "add":
      return isExactSum(w, width, a, b, result);
    case "subtract":
      return isExactSum(w, width, a, w.let(unary(width, "Neg", b)), result);
    case "multiply":
      return isProduct(w, width, a, b, result);
    case "divide":
      return isProduct(w, width, result, b, a);
    case "squareRoot":
      return isProduct(w, width, result, result, b);
  }
}

function giveComputed(w: RoutineWriter, operation: Rounded, width: FloatWidth, left: Value, right: Value): void {
  needSettings(w);
  const [a, b] = [scalarOf(w, width, left), scalarOf(w, width, right)];
  const operands = operation === "squareRoot" ? [b] : [a, b];
  const result = w.let(computedScalar(operation, width, a, b));
  w.giveUpIf(test(width, "Ne", result, result));
  for (const { bits } of operands) needMet(w, MET.denormal, isDenormal(width, bits));
  for (const { number } of operands) w.if(isInfinite(width, number), () => w.succeed());
  if (operation === "divide")
    w.if(test(width, "Eq", b.number, floatValue(width, c(0))), () => {
      needMet(w, MET.zeroDivide, c(1));
      w.succeed();
    });
  giveByResult(w, width, result, isExact(w, operation, width, a.number, b.number, result));
}

/** From double to single. */
function giveNarrowed(w: RoutineWriter, word: Value): void {
  needSettings(w);
  const { bits, number } = scalarOf(w, 64, word);
  w.giveUpIf(test(64, "Ne", number, number));
  needMet(w, MET.denormal, isDenormal(64, bits));
  w.if(isInfinite(64, number), () => w.succeed());
  const result = w.let(demoted(number));
  giveByResult(w, 32, result, w.let(test(64, "Eq", promoted(result), number)));
}

type Body = (w: RoutineWriter, left: Value, right: Value) => void;
const WIDTHS: readonly FloatWidth[] = [32, 64];

/** Of the function for one number, and for so many lanes. */
export const scalarRoutine = (operation: FloatOperation, width: FloatWidth) => `${operation}.f${width}`;
export const lanesRoutine = (operation: FloatOperation, width: FloatWidth, lanes: number) =>
  `${operation}.f${width}x${lanes}`;
export const NARROW_ROUTINE = "narrow.f64";

const SCALARS: readonly [string, Body][] = [
  ...WIDTHS.flatMap((width) =>
    OPERATIONS.map((operation): [string, Body] => [
      scalarRoutine(operation, width),
      (w, a, b) => giveComputed(w, operation, width, a, b),
    ]),
  ),
  [NARROW_ROUTINE, giveNarrowed],
];

/** All lanes one after the other, by the function for one. */
function lanesFunction(type: number, operation: Rounded, width: FloatWidth): FunctionBody {
  const lanes = 128 / width;
  const w = new RoutineWriter([V128, V128]);
  const single = SCALARS.findIndex(([name]) => name === scalarRoutine(operation, width));
  for (let lane = 0; lane < lanes; lane++) {
    const parameters = w.parameters.map((vector) => wide(extract(width, lane, vector)));
    w.giveUpIf(x.isZero(x.make(OP.call, I32, parameters, 1, single)));
  }
  w.succeed();
  return w.finish(type, lanesRoutine(operation, width, lanes));
}

/** The functions; they must come first in their module. Types of two i64, and of two vectors, that give an i32. */
export function floatRoutines(type: number, lanesType: number): FunctionBody[] {
  const scalars = SCALARS.map(([name, body]) => {
    const w = new RoutineWriter([I64, I64]);
    body(w, w.parameters[0]!, w.parameters[1]!);
    return w.finish(type, name);
  });
  const lanes = WIDTHS.flatMap((width) => OPERATIONS.map((operation) => lanesFunction(lanesType, operation, width)));
  return [...scalars, ...lanes];
}
