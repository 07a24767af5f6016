/** Division by constants without a division gives what a division gives. */
import { describe, expect, it } from "vitest";
import { simplifyArithmetic } from "../../tangle/compiler/ssa/algebra.ts";
import { divideByMultiplying } from "../../tangle/compiler/ssa/division.ts";
import { foldConstants } from "../../tangle/compiler/ssa/fold.ts";
import { BITS, type BinaryOperation, IrFunction, type ValueType } from "../../tangle/compiler/ssa/ir.ts";
import { simplify } from "../../tangle/compiler/ssa/simplify.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { IrInterpreter } from "./interpret-ir.ts";

function division(type: ValueType, operation: BinaryOperation, divisor: bigint): IrInterpreter {
  const f = new IrFunction("f", [type], "plain", "auto", null);
  const block = f.block();
  const [x, d, q] = [f.value(type), f.value(type), f.value(type)];
  block.parameters = [x];
  block.instructions = [
    { kind: "constant", value: BigInt.asUintN(BITS[type], divisor), results: [d], place: null },
    { kind: "binary", operation, left: x, right: d, results: [q], place: null },
  ];
  block.terminator = { kind: "return", values: [q], place: null };
  f.blocks.push(block);
  simplify(f, [foldConstants, simplifyArithmetic, divideByMultiplying]);
  expect(f.blocks[0]!.instructions.some((i) => i.kind === "binary" && /div|rem/.test(i.operation))).toBe(false);
  const program = { functions: [f], data: [], coroutines: [], entry: "f" };
  verifyProgram(program);
  return new IrInterpreter(program, "", Number.POSITIVE_INFINITY);
}

function check(type: ValueType, divisor: bigint, values: readonly bigint[]): void {
  const bits = BITS[type];
  const unsignedDivisor = BigInt.asUintN(bits, divisor);
  const signedDivisor = BigInt.asIntN(bits, divisor);
  const machines = (["udiv", "urem", "sdiv", "srem"] as const).map((o) => division(type, o, divisor));
  for (const value of values) {
    const u = BigInt.asUintN(bits, value);
    const s = BigInt.asIntN(bits, value);
    const wanted = [u / unsignedDivisor, u % unsignedDivisor, s / signedDivisor, s % signedDivisor];
    const got = machines.map((machine) => machine.call("f", [u])[0]!);
    expect(got, `${value} by ${divisor} in ${type}`).toEqual(wanted.map((n) => BigInt.asUintN(bits, n)));
  }
}

/** Values around powers of two, multiples of the divisor, and the ends of the range. */
function telling(bits: number, divisor: bigint): bigint[] {
  const values = new Set<bigint>();
  const around = (n: bigint): void => {
    for (const near of [n - 1n, n, n + 1n]) values.add(BigInt.asUintN(bits, near));
  };
  for (let k = 0; k <= bits; k++) around(1n << BigInt(k));
  for (const d of [BigInt.asUintN(bits, divisor), BigInt.asIntN(bits, divisor)]) {
    for (const n of [1n, 2n, 3n, 1000n]) around(d * n);
    for (const limit of [(1n << BigInt(bits)) - 1n, (1n << BigInt(bits - 1)) - 1n]) around((limit / d) * d);
  }
  return [...values];
}

describe("division by constants", () => {
  it("is exact for every pair of bytes", () => {
    const all = Array.from({ length: 256 }, (_, i) => BigInt(i));
    for (const divisor of all.slice(1)) check("i8", divisor, all);
  });

  it.each(["i16", "i32", "i64"] as const)("is exact at the telling values of %s", (type) => {
    const bits = BITS[type];
    const divisors = new Set<bigint>([3n, 5n, 6n, 7n, 10n, 14n, 25n, 28n, 80n, 100n, 160n, 641n, 1000n, 10_007n]);
    for (let k = 1; k < bits; k++) for (const n of [-1n, 0n, 1n]) divisors.add((1n << BigInt(k)) + n);
    for (const divisor of [...divisors]) divisors.add(-divisor);
    for (const divisor of divisors) {
      if (BigInt.asUintN(bits, divisor) !== 0n) check(type, divisor, telling(bits, divisor));
    }
  });
});
