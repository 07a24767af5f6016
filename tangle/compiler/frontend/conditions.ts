/** Conditions: bool expressions, and what their outcome tells about nullable locals. */
import type { Expression, Local } from "../tree.ts";
import type { Body } from "./body.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { type Flow, merge, unreachable, withMaybeNull, withNonNull, withPath } from "./flow.ts";
import { fullExpression } from "./ownership.ts";
import { pathOf } from "./paths.ts";
import type { ExpressionNode } from "./syntax.ts";
import { BOOL, isError, typeName } from "./types.ts";

export interface Condition {
  readonly expression: Expression;
  readonly whenTrue: Flow;
  readonly whenFalse: Flow;
}

/** Checks the condition of a statement: a full expression. */
export function checkTest(body: Body, node: ExpressionNode): Condition {
  let flows: Condition | null = null;
  const expression = fullExpression(body, () => {
    flows = checkCondition(body, node);
    return flows.expression;
  });
  return { ...flows!, expression };
}

/** Checks a condition; `body.flow` afterwards is what holds in either case. */
export function checkCondition(body: Body, node: ExpressionNode): Condition {
  const condition = check(body, node);
  body.flow = merge(condition.whenTrue, condition.whenFalse);
  return condition;
}

function check(body: Body, node: ExpressionNode): Condition {
  const { place } = node;
  switch (node.kind) {
    case "boolean": {
      const expression = checkAs(body, node, BOOL);
      return node.value
        ? { expression, whenTrue: body.flow, whenFalse: unreachable(body.flow) }
        : { expression, whenTrue: unreachable(body.flow), whenFalse: body.flow };
    }
    case "unary": {
      if (node.operator !== "!") {
        break;
      }
      const operand = check(body, node.operand);
      return {
        expression: { kind: "not", operand: operand.expression, type: BOOL, place },
        whenTrue: operand.whenFalse,
        whenFalse: operand.whenTrue,
      };
    }
    case "logical": {
      const left = check(body, node.left);
      const and = node.operator === "&&";
      body.flow = and ? left.whenTrue : left.whenFalse;
      const right = check(body, node.right);
      const expression: Expression = {
        kind: "logical",
        operator: node.operator,
        left: left.expression,
        right: right.expression,
        type: BOOL,
        place,
      };
      return and
        ? { expression, whenTrue: right.whenTrue, whenFalse: merge(left.whenFalse, right.whenFalse) }
        : { expression, whenTrue: merge(left.whenTrue, right.whenTrue), whenFalse: right.whenFalse };
    }
    case "compare": {
      const expression = checkExpression(body, node, BOOL);
      const tested = nullTested(node);
      const local = tested === null ? null : nullableLocal(body, tested);
      const path = tested === null || local !== null ? null : pathOf(body, tested);
      if (local === null && path === null) {
        return { expression, whenTrue: body.flow, whenFalse: body.flow };
      }
      const isNull = local === null ? body.flow : withMaybeNull(body.flow, local);
      const notNull = local === null ? withPath(body.flow, path!) : withNonNull(body.flow, local);
      return node.operator === "==="
        ? { expression, whenTrue: isNull, whenFalse: notNull }
        : { expression, whenTrue: notNull, whenFalse: isNull };
    }
  }
  const expression = checkExpression(body, node, BOOL);
  if (expression.type.kind !== "bool" && expression.type.kind !== "never" && !isError(expression.type)) {
    body.report(
      "KT1034",
      place,
      `\`${typeName(expression.type)}\` is neither true nor false`,
      expression.type.kind === "nullable" ? "compare: `p !== null`" : undefined,
    );
  }
  return { expression, whenTrue: body.flow, whenFalse: body.flow };
}

/** What is compared with null in `x === null` or `null !== x`. */
function nullTested(node: ExpressionNode & { readonly kind: "compare" }): ExpressionNode | null {
  if (node.operator !== "===" && node.operator !== "!==") {
    return null;
  }
  return node.right.kind === "null" ? node.left : node.left.kind === "null" ? node.right : null;
}

function nullableLocal(body: Body, tested: ExpressionNode): Local | null {
  const entity = tested.kind === "name" ? body.scope.find(tested.name) : null;
  return entity?.kind === "local" && entity.owner === body && entity.local.type.kind === "nullable"
    ? entity.local
    : null;
}
