/** Assignments, compound assignments, `++` and `--`. */

import { isAggregate } from "../layout.ts";
import type { Expression, Target } from "../tree.ts";
import { checkAccess } from "./access.ts";
import { type Body, errorExpression } from "./body.ts";
import { coerce } from "./coerce.ts";
import { checkExpression, checkOwning } from "./expressions.ts";
import { withMaybeNull, withNonNull, withValue } from "./flow.ts";
import { borrowFrom, checkEscape, lenders } from "./frame.ts";
import { constructAt } from "./initialize.ts";
import { assign, integerOf } from "./nodes.ts";
import { checkDivisor, checkShiftCount, isInteger } from "./operators.ts";
import { assignOwned } from "./ownership.ts";
import { afterStore } from "./paths.ts";
import type { ExpressionNode } from "./syntax.ts";
import { borrowed, ERROR, isError, isOwning, typeName } from "./types.ts";

/** What can be assigned; null after a report. */
export function checkTarget(body: Body, node: ExpressionNode): Target | null {
  if (node.kind !== "name" && node.kind !== "member" && node.kind !== "index") {
    if (node.kind !== "error") {
      body.report("KT1035", node.place, "this cannot be assigned", "assign a variable, a field or an element");
    }
    return null;
  }
  const access = checkAccess(body, node);
  if (access.target === null) {
    if (!isError(access.value.type)) {
      body.report("KT1035", node.place, "this is a value, not a place in memory");
    }
    return null;
  }
  if (access.readonly !== null) {
    body.report("KT1035", node.place, access.readonly);
    return null;
  }
  return access.target;
}

export function checkAssignment(body: Body, node: ExpressionNode & { readonly kind: "assign" }): Expression {
  const { place, operator } = node;
  const target = checkTarget(body, node.target);
  if (target === null) {
    checkExpression(body, node.value, ERROR);
    return errorExpression(place);
  }
  if (operator !== null) {
    return checkCompound(body, target, node, operator);
  }
  const { type } = target;
  if (isAggregate(type) && !(target.kind === "local" && target.local.storage === "register")) {
    if (node.value.kind === "new" && (type.kind === "class" || type.kind === "atomic")) {
      return constructAt(body, target, node.value);
    }
    const cell = type.kind === "volatile" || type.kind === "atomic";
    return body.error(
      "KT1036",
      place,
      `\`${typeName(type)}\` is not assigned as a whole`,
      type.kind === "volatile"
        ? "write the cell: `cell.write(x)`"
        : cell
          ? "store into the cell: `cell.store(x)`"
          : undefined,
    );
  }
  const plain = checkOwning(body, node.value, type);
  const value = coerce(body, plain, type);
  if (isError(value.type)) {
    return errorExpression(place);
  }
  if (target.kind === "local") {
    borrowFrom(body, target.local, lenders(body, value));
    body.flow = withValue(body.flow, target.local);
    if (type.kind === "nullable") {
      const isThere = plain.type === type.of || borrowed(plain.type) === type.of;
      body.flow = isThere ? withNonNull(body.flow, target.local) : withMaybeNull(body.flow, target.local);
    }
  } else {
    checkEscape(body, value, "stored");
    afterStore(
      body,
      target,
      node.target,
      type.kind === "nullable" && (plain.type === type.of || borrowed(plain.type) === type.of),
    );
  }
  return isOwning(type) ? { ...assignOwned(body, target, value), place } : { ...assign(target, value), place };
}

function checkCompound(
  body: Body,
  target: Target,
  node: ExpressionNode & { readonly kind: "assign" },
  operator: Exclude<(ExpressionNode & { kind: "assign" })["operator"], null>,
): Expression {
  const { place } = node;
  if (!isInteger(body, { kind: "read", target, type: target.type, place: node.target.place }, `${operator}=`)) {
    checkExpression(body, node.value, target.type);
    return errorExpression(place);
  }
  if (operator === "<<" || operator === ">>") {
    const count = checkShiftCount(body, node.value, target.type);
    return count === null
      ? errorExpression(place)
      : { kind: "update", target, operator, value: count, result: "after", type: target.type, place };
  }
  const value = checkExpression(body, node.value, target.type);
  if (isError(value.type)) {
    return errorExpression(place);
  }
  if (value.type !== target.type && value.type.kind !== "never") {
    return body.error(
      "KT1009",
      place,
      `\`${typeName(target.type)} ${operator}= ${typeName(value.type)}\` mixes two types`,
      `convert the right side: \`${typeName(target.type)}(…)\``,
    );
  }
  checkDivisor(body, operator, value);
  return { kind: "update", target, operator, value, result: "after", type: target.type, place };
}

export function checkUpdate(body: Body, node: ExpressionNode & { readonly kind: "update" }): Expression {
  const { place, operator } = node;
  const target = checkTarget(body, node.target);
  if (target === null || !isInteger(body, { kind: "read", target, type: target.type, place }, operator.repeat(2))) {
    return errorExpression(place);
  }
  const one = integerOf(1n, target.type, place);
  const result = node.prefix ? "after" : "before";
  return { kind: "update", target, operator, value: one, result, type: target.type, place };
}
