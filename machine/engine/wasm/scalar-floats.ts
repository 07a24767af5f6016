/** Sums, products, quotients and roots of one number: WebAssembly's own, where a look at the bits shows that all is plain. */
import type { FloatOperation, FloatWidth } from "#machine/cpu/vector-semantics.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { extract, replace, vectorConstant } from "./simd.ts";

/** One number, as bits and as WebAssembly's number. */
export interface Scalar {
  readonly bits: Value;
  readonly number: Value;
}

const NAMES: Partial<Record<FloatOperation, "Add" | "Sub" | "Mul" | "Div">> = {
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
};
/** Extraction and replacement of a lane as a number. */
const LANE = { 32: { extract: 31, replace: 32 }, 64: { extract: 33, replace: 34 } } as const;
const FRACTION = { 32: 23n, 64: 52n } as const;
const EXPONENTS = { 32: 0xffn, 64: 0x7ffn } as const;
const shapeOf = (width: FloatWidth) => (width === 64 ? "f64" : "f32");

const numberLane = (width: FloatWidth, vector: Value) =>
  x.make(x.VECTOR_OPERATIONS + LANE[width].extract, x.FLOAT[shapeOf(width)], [vector], width, 0, [0]);

/** The lowest lane of a vector; where that was put there alone, the vector itself is not needed. */
export function lowest(width: FloatWidth, vector: Value, hold: (value: Value) => Value): Scalar {
  const [under, lane] = vector.operands;
  if (vector.op === replace(width, 0, vectorConstant(0n, 0n), x.constant(0n)).op && isZeroVector(under!)) {
    const bits = hold(lane!);
    return { bits, number: floatValue(width, bits) };
  }
  const held = hold(vector);
  return { bits: extract(width, 0, held), number: numberLane(width, held) };
}

function isZeroVector({ operands, immediate }: Value): boolean {
  return operands.length === 0 && immediate.length === 16 && immediate.every((byte) => byte === 0);
}

/** Whether the operation is one of those done here. */
export function isScalarOperation(operation: FloatOperation): boolean {
  return operation === "squareRoot" || NAMES[operation] !== undefined;
}

export function computedScalar(operation: FloatOperation, width: FloatWidth, left: Scalar, right: Scalar): Value {
  const shape = shapeOf(width);
  const type = x.FLOAT[shape];
  if (operation === "squareRoot") return x.make(OP[`${shape}Sqrt`], type, [right.number], width);
  return x.make(OP[`${shape}${NAMES[operation]!}`], type, [left.number, right.number], width);
}

/** The number that some bits stand for. */
export const floatValue = (width: FloatWidth, bits: Value): Value =>
  width === 64
    ? x.make(OP.f64ReinterpretI64, x.FLOAT.f64, [x.as64(bits)], 64)
    : x.make(OP.f32ReinterpretI32, x.FLOAT.f32, [x.as32(bits)], 32);

export const bitsOf = (width: FloatWidth, number: Value): Value =>
  width === 64 ? x.make(OP.i64ReinterpretF64, I64, [number], 64) : x.make(OP.i32ReinterpretF32, I32, [number], 32);

/** A vector with its lowest lane replaced by a number. */
export const withNumber = (width: FloatWidth, vector: Value, number: Value): Value =>
  x.make(x.VECTOR_OPERATIONS + LANE[width].replace, vector.type, [vector, number], 128, 0, [0]);

/** A number with all its digits, and not the smallest of those, where rounding may have helped. */
export function isWellInside(width: FloatWidth, bits: Value): Value {
  const exponent = x.logic("And", x.shift("ShrU", bits, x.constant(FRACTION[width])), x.constant(EXPONENTS[width]));
  const above = x.arithmetic("Sub", 32, x.as32(exponent), x.constant(2n));
  return x.compare("LtU", above, x.constant(EXPONENTS[width] - 2n));
}

export function isDenormal(width: FloatWidth, bits: Value): Value {
  const size = x.logic("And", bits, x.constant(x.maskOf(width - 1)));
  const least = 1n << FRACTION[width];
  const less = x.arithmetic("Sub", width, size, x.constant(1n));
  return x.compare("LtU", less, width === 64 ? x.as64(x.constant(least - 1n)) : x.constant(least - 1n));
}
