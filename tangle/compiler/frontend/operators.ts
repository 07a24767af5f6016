/** Unary, binary and comparison operators: both sides of one type, nothing converted silently. */
import type { ComparisonOperator, Expression, IntegerType, Type } from "../tree.ts";
import { type Body, errorExpression } from "./body.ts";
import { fit } from "./coerce.ts";
import { checkCondition } from "./conditions.ts";
import { constantOf } from "./constants.ts";
import { checkExpression, integerLiteral, isUntyped } from "./expressions.ts";
import type { BinaryOperator, ExpressionNode } from "./syntax.ts";
import { sameText } from "./text-equality.ts";
import { BOOL, isError, nullableOf, typeName, U8 } from "./types.ts";

export function checkUnary(
  body: Body,
  node: ExpressionNode & { readonly kind: "unary" },
  expected: Type | null,
): Expression {
  const { operand: operandNode, operator, place } = node;
  if (operator === "!") {
    return checkCondition(body, node).expression;
  }
  if (operator === "-" && operandNode.kind === "number") {
    return integerLiteral(body, -operandNode.value, `-${operandNode.text}`, node, expected);
  }
  const operand = checkExpression(body, operandNode, isUntyped(operandNode) ? expected : null);
  if (!isInteger(body, operand, operator)) {
    return errorExpression(place);
  }
  return { kind: operator === "-" ? "negate" : "complement", operand, type: operand.type, place };
}

/** Both operands of an operator; a side made of literals takes the type of the other, or of the context. */
function checkOperands(
  body: Body,
  leftNode: ExpressionNode,
  rightNode: ExpressionNode,
  expected: Type | null,
): readonly [Expression, Expression] {
  if (needsOther(leftNode) && !needsOther(rightNode)) {
    const right = checkExpression(body, rightNode, null);
    return [checkExpression(body, leftNode, contextFrom(leftNode, right.type)), right];
  }
  const left = checkExpression(body, leftNode, needsOther(leftNode) ? expected : null);
  return [left, checkExpression(body, rightNode, needsOther(rightNode) ? contextFrom(rightNode, left.type) : null)];
}

function needsOther(node: ExpressionNode): boolean {
  return isUntyped(node) || node.kind === "null";
}

/** `p === null` compares as `T | null`, also where `p` has been tested before. */
function contextFrom(node: ExpressionNode, other: Type): Type {
  const addressed = other.kind === "pointer" || other.kind === "class" || other.kind === "function";
  return node.kind === "null" && addressed ? nullableOf(other) : other;
}

export function checkBinary(
  body: Body,
  node: ExpressionNode & { readonly kind: "binary" },
  expected: Type | null,
): Expression {
  const { operator, place } = node;
  if (operator === "<<" || operator === ">>") {
    return checkShift(body, node, expected);
  }
  const [left, right] = checkOperands(body, node.left, node.right, expected);
  if (!isInteger(body, left, operator) || !isInteger(body, right, operator)) {
    return errorExpression(place);
  }
  if (left.type !== right.type) {
    return mixed(body, left, right, operator, node);
  }
  checkDivisor(body, operator, right);
  return { kind: "arithmetic", operator, left, right, type: left.type, place };
}

function mixed(body: Body, left: Expression, right: Expression, operator: string, node: ExpressionNode): Expression {
  const a = typeName(left.type);
  const b = typeName(right.type);
  const bits = (type: Type): number => (type.kind === "integer" ? type.bits : 0);
  const [narrow, wide] = bits(left.type) < bits(right.type) ? ["left", b] : ["right", a];
  return body.error(
    "KT1009",
    node.place,
    `\`${a} ${operator} ${b}\` mixes two types`,
    left.type.kind === "integer" && right.type.kind === "integer"
      ? `convert the ${narrow} side: \`${wide}(…)\``
      : undefined,
  );
}

/** Whether an operand can take part in arithmetic; says what else to do where not. */
export function isInteger(
  body: Body,
  operand: Expression,
  operator: string,
): operand is Expression & { readonly type: IntegerType } {
  const { type, place } = operand;
  if (type.kind === "integer") {
    return true;
  }
  if (type.kind === "never") {
    return false;
  }
  const hints: Partial<Record<Type["kind"], string>> = {
    string: "join text in a template literal: `${a}${b}`",
    pointer: "move a pointer with `p.offset(n)`, compute with `p.address`",
    enum: "convert the member to its number first: `u8(Color.Red)`",
    bool: "use `&&`, `||`, `!` and `!==` on truth values, or convert: `u8(flag)`",
    volatile: "read the cell: `cell.read()`",
    atomic: "load the cell: `cell.load()`, or `cell.add(n)`",
  };
  body.report("KT1009", place, `\`${operator}\` on \`${typeName(type)}\``, hints[type.kind] ?? "compute with integers");
  return false;
}

export function checkDivisor(body: Body, operator: BinaryOperator, right: Expression): void {
  if ((operator === "/" || operator === "%") && constantOf(right) === 0n) {
    body.report("KT1050", right.place, "division by zero");
  }
}

function checkShift(body: Body, node: ExpressionNode & { readonly kind: "binary" }, expected: Type | null): Expression {
  const { place, operator } = node;
  const left = checkExpression(body, node.left, isUntyped(node.left) ? expected : null);
  const right = checkShiftCount(body, node.right, left.type);
  if (!isInteger(body, left, operator) || right === null) {
    return errorExpression(place);
  }
  return { kind: "arithmetic", operator, left, right, type: left.type, place };
}

/** The count may have any unsigned type; a constant one is less than the width. */
export function checkShiftCount(body: Body, node: ExpressionNode, shifted: Type): Expression | null {
  const count = checkExpression(body, node, isUntyped(node) ? U8 : null);
  if (!isInteger(body, count, "<<")) {
    return null;
  }
  const constant = constantOf(count);
  if (constant !== null && shifted.kind === "integer" && (constant < 0n || constant >= BigInt(shifted.bits))) {
    body.report("KT1050", node.place, `a shift by ${constant} leaves nothing of \`${shifted.name}\``);
  } else if (count.type.signed) {
    body.report("KT1008", node.place, `\`${count.type.name}\` as the count of a shift`, "counts are unsigned: `u8(n)`");
  }
  return count;
}

const TREE_OPERATORS: Readonly<Record<string, ComparisonOperator>> = { "===": "==", "!==": "!=" };

export function checkComparison(body: Body, node: ExpressionNode & { readonly kind: "compare" }): Expression {
  const { place, operator } = node;
  let [left, right] = checkOperands(body, node.left, node.right, null);
  if (isError(left.type) || isError(right.type)) {
    return { ...errorExpression(place), type: BOOL };
  }
  left = fit(body.compilation, left, right.type) ?? left;
  right = fit(body.compilation, right, left.type) ?? right;
  if (left.type !== right.type) {
    return { ...mixed(body, left, right, operator, node), type: BOOL };
  }
  const equality = operator === "===" || operator === "!==";
  const { kind } = left.type;
  if (kind === "integer" || (equality && isComparable(kind))) {
    return {
      kind: "compare",
      operator: TREE_OPERATORS[operator] ?? (operator as ComparisonOperator),
      left,
      right,
      type: BOOL,
      place,
    };
  }
  if (equality && kind === "string") {
    const same = { ...sameText(body.compilation, left, right), place };
    return operator === "===" ? same : { kind: "not", operand: same, type: BOOL, place };
  }
  if (!equality) {
    isInteger(body, left, operator);
  } else {
    body.report("KT1009", place, `\`${operator}\` on \`${typeName(left.type)}\``, "compare what they hold");
  }
  return { ...errorExpression(place), type: BOOL };
}

function isComparable(kind: Type["kind"]): boolean {
  return (
    kind === "bool" ||
    kind === "enum" ||
    kind === "pointer" ||
    kind === "nullable" ||
    kind === "function" ||
    kind === "class"
  );
}
