/** Integer arithmetic with the meanings of kernel TypeScript: wrapping, checked division, shift counts modulo the width. */
import type { Place } from "../../place.ts";
import { BITS, type BinaryOperation, type Value } from "../ssa/ir.ts";
import { type ArithmeticOperator, type Expression, PANIC_MESSAGE, type Type } from "../tree.ts";
import { Variable } from "./builder.ts";
import type { FunctionContext } from "./context.ts";
import { lowerScalar } from "./expressions.ts";
import { isSigned } from "./types.ts";

const DIVISION_BY_ZERO = new TextEncoder().encode(PANIC_MESSAGE.division);

/** `left operator right` in the type of the left operand. `place` is where a division by zero panics. */
export function lowerArithmetic(
  f: FunctionContext,
  operator: ArithmeticOperator,
  left: Value,
  rightExpression: Expression,
  type: Type,
  place: Place,
): Value {
  const right = lowerScalar(f, rightExpression);
  switch (operator) {
    case "/":
    case "%":
      return lowerDivision(f, operator, left, right, rightExpression, isSigned(type), place);
    case "<<":
      return f.builder.binary("shl", left, f.builder.convert(right, left.type, false));
    case ">>":
      return f.builder.binary(isSigned(type) ? "sar" : "shr", left, f.builder.convert(right, left.type, false));
    default:
      return f.builder.binary(OPERATIONS[operator], left, right);
  }
}

const OPERATIONS = { "+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor" } as const;

function lowerDivision(
  f: FunctionContext,
  operator: "/" | "%",
  left: Value,
  right: Value,
  rightExpression: Expression,
  signed: boolean,
  place: Place,
): Value {
  const { builder } = f;
  const known = rightExpression.kind === "integer" ? BigInt.asIntN(BITS[right.type], rightExpression.value) : null;
  if (known === null || known === 0n) checkDivisor(f, right, place);
  const operation: BinaryOperation = operator === "/" ? (signed ? "sdiv" : "udiv") : signed ? "srem" : "urem";
  if (!signed || (known !== null && known !== -1n)) return builder.binary(operation, left, right);
  // The most negative value divided by -1 does not fit and would trap, so -1 goes its own way.
  const special = builder.newBlock();
  const usual = builder.newBlock();
  const merge = builder.newBlock();
  const result = new Variable(left.type);
  builder.branch(builder.compare("eq", right, builder.constant(right.type, -1n)), special, usual);
  builder.beginSealed(special);
  builder.write(result, operator === "/" ? builder.unary("negate", left) : builder.constant(left.type, 0n));
  builder.jump(merge);
  builder.beginSealed(usual);
  builder.write(result, builder.binary(operation, left, right));
  builder.jump(merge);
  builder.beginSealed(merge);
  return builder.read(result);
}

function checkDivisor(f: FunctionContext, divisor: Value, place: Place): void {
  const { builder } = f;
  const divide = builder.newBlock();
  const zero = builder.newBlock();
  builder.branch(builder.compare("ne", divisor, builder.constant(divisor.type, 0n)), divide, zero);
  builder.beginSealed(zero);
  f.panics.constant(builder, [DIVISION_BY_ZERO], place);
  builder.beginSealed(divide);
}
