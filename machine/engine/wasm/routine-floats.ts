/** WebAssembly's own numbers of type f64 in routines of the runtime, on the way to results that are whole numbers. */
import { F64, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { c, wide } from "./extended-values.ts";

const f64 = (op: number, ...operands: Value[]) => x.make(op, F64, operands, 64);
const bitsOf = (number: number): bigint => new BigUint64Array(Float64Array.of(number).buffer)[0]!;
/** `i64.trunc_sat_f64_s`. */
const TRUNCATE = 6;

/** A constant. */
export const float = (number: number) => f64(OP.f64ReinterpretI64, wide(c(bitsOf(number))));
/** The number with these 64 bits. */
export const floatFrom = (bits: Value) => f64(OP.f64ReinterpretI64, wide(bits));
/** Of a signed number: the conversion of unsigned ones is dear. */
export const floatOf = (value: Value) => f64(OP.f64ConvertI64S, wide(value));
export const plus = (a: Value, b: Value) => f64(OP.f64Add, a, b);
export const minus = (a: Value, b: Value) => f64(OP.f64Sub, a, b);
export const times = (a: Value, b: Value) => f64(OP.f64Mul, a, b);
export const over = (a: Value, b: Value) => f64(OP.f64Div, a, b);
export const rootOf = (value: Value) => f64(OP.f64Sqrt, value);
export const nearestWhole = (value: Value) => f64(OP.f64Nearest, value);
/** The whole part as a signed number of 64 bits. */
export const truncated = (value: Value) => x.make(x.SATURATING, I64, [value], 64, 0, [TRUNCATE]);

/** c0 + u (c1 + u (c2 + …)). */
export const polynomial = (u: Value, coefficients: readonly number[]): Value =>
  coefficients
    .slice(0, -1)
    .reduceRight((sum, coefficient) => plus(float(coefficient), times(u, sum)), float(coefficients.at(-1)!));
