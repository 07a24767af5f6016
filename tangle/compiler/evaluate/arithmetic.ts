/** Integer arithmetic of the evaluator: exact, then wrapped at the width of the type. */
import type { Place } from "../../place.ts";
import { type ArithmeticOperator, PANIC_MESSAGE, type Type } from "../tree.ts";
import { Panicked } from "./evaluator.ts";

/** The number that a value of this type has after it was cut to its width: two's complement for signed types. */
export function wrapTo(value: bigint, type: Type): bigint {
  switch (type.kind) {
    case "integer":
      return type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value);
    case "enum":
      return wrapTo(value, type.repr);
    case "bool":
      return value === 0n ? 0n : 1n;
    case "volatile":
    case "atomic":
      return wrapTo(value, type.of);
    default:
      return BigInt.asUintN(64, value);
  }
}

/** Panics on a division by zero. */
export function arithmetic(
  operator: ArithmeticOperator,
  left: bigint,
  right: bigint,
  type: Type,
  place: Place,
): bigint {
  if (type.kind !== "integer") {
    throw new Error(`arithmetic on ${type.kind}`);
  }
  if ((operator === "/" || operator === "%") && right === 0n) {
    throw new Panicked(place, PANIC_MESSAGE.division);
  }
  return wrapTo(exact(operator, left, right, BigInt(type.bits)), type);
}

function exact(operator: ArithmeticOperator, left: bigint, right: bigint, bits: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "&":
      return left & right;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "<<":
      return left << (right % bits);
    case ">>":
      return left >> (right % bits);
  }
}
