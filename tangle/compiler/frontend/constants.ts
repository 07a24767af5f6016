/** Values of expressions that are known while checking: case labels, array lengths, constant indexes and divisors. */
import type { ArithmeticOperator, Expression, IntegerType, Type } from "../tree.ts";
import { wrap } from "./types.ts";

/** The initial values of immutable module-level variables, found by the checker as it goes. */
const initialValues = new WeakMap<object, Expression>();

/** Remembers what an immutable variable starts with, and so always holds. */
export function rememberConstant(global: object, initial: Expression): void {
  initialValues.set(global, initial);
}

/** The value of an integer, bool or enum expression, or null where it is not constant. */
export function constantOf(expression: Expression): bigint | null {
  switch (expression.kind) {
    case "integer":
      return isWhole(expression.type) ? expression.value : null;
    case "read": {
      const initial = expression.target.kind === "global" ? initialValues.get(expression.target.global) : undefined;
      return initial === undefined ? null : constantOf(initial);
    }
    case "negate":
    case "complement": {
      const operand = constantOf(expression.operand);
      if (operand === null || expression.type.kind !== "integer") {
        return null;
      }
      return wrap(expression.kind === "negate" ? -operand : ~operand, expression.type);
    }
    case "arithmetic": {
      const left = constantOf(expression.left);
      const right = constantOf(expression.right);
      return left === null || right === null || expression.type.kind !== "integer"
        ? null
        : compute(expression.operator, left, right, expression.type);
    }
    case "convert": {
      const operand = constantOf(expression.operand);
      return operand === null || expression.type.kind !== "integer" ? null : wrap(operand, expression.type);
    }
    case "reinterpret":
      return isWhole(expression.type) && isWhole(expression.operand.type) ? constantOf(expression.operand) : null;
    default:
      return null;
  }
}

function isWhole(type: Type): boolean {
  return type.kind === "integer" || type.kind === "bool" || type.kind === "enum";
}

/** Arithmetic in the width of `type`; null for a division by zero. Shift counts are taken modulo the width. */
export function compute(operator: ArithmeticOperator, left: bigint, right: bigint, type: IntegerType): bigint | null {
  const count = BigInt.asUintN(64, right) % BigInt(type.bits);
  switch (operator) {
    case "+":
      return wrap(left + right, type);
    case "-":
      return wrap(left - right, type);
    case "*":
      return wrap(left * right, type);
    case "/":
      return right === 0n ? null : wrap(left / right, type);
    case "%":
      return right === 0n ? null : wrap(left % right, type);
    case "&":
      return wrap(left & right, type);
    case "|":
      return wrap(left | right, type);
    case "^":
      return wrap(left ^ right, type);
    case "<<":
      return wrap(left << count, type);
    case ">>":
      return wrap(left >> count, type);
  }
}
