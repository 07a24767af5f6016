/** `for (const i of range(from, to))`: counting without a variable that the loop could change. */
import type { Expression, Type } from "../tree.ts";
import type { Body } from "./body.ts";
import { coerce } from "./coerce.ts";
import { constantOf } from "./constants.ts";
import { checkExpression, isUntyped } from "./expressions.ts";
import { assign, localTarget, readLocal, sequence } from "./nodes.ts";
import { resolveType } from "./resolve.ts";
import type { ExpressionNode, TypeNode } from "./syntax.ts";
import { isError, typeName } from "./types.ts";

type CallNode = ExpressionNode & { readonly kind: "call" };

export function isRange(body: Body, node: ExpressionNode): node is CallNode {
  return (
    node.kind === "call" &&
    node.callee.kind === "name" &&
    node.callee.name === "range" &&
    body.scope.find("range")?.kind === "builtin"
  );
}

/** The two ends, the second one evaluated once, before the first round; null after a report. */
export function checkRange(
  body: Body,
  node: CallNode,
  typeNode: TypeNode | null,
): { readonly from: Expression; readonly to: Expression } | null {
  const [fromNode, toNode, more] = node.arguments;
  const { place } = node;
  if (fromNode === undefined || toNode === undefined || more !== undefined) {
    body.report("KT1041", place, "`range` takes the first number and the one after the last");
    return null;
  }
  const declared: Type | null = typeNode === null ? null : resolveType(body.compilation, body.scope, typeNode);
  let from: Expression;
  let to: Expression;
  if (isUntyped(fromNode) && !isUntyped(toNode)) {
    to = checkExpression(body, toNode, declared);
    from = checkExpression(body, fromNode, to.type);
  } else {
    from = checkExpression(body, fromNode, declared);
    to = checkExpression(body, toNode, from.type);
  }
  to = coerce(body, to, from.type);
  if (from.type.kind !== "integer") {
    if (!isError(from.type)) {
      body.report("KT1008", place, `\`range\` counts integers, not \`${typeName(from.type)}\``);
    }
    return null;
  }
  if (constantOf(to) !== null) {
    return { from, to };
  }
  const end = body.temporary("end", to.type, place);
  const start = body.temporary("start", from.type, place);
  const set = [assign(localTarget(start, place), from), assign(localTarget(end, place), to)];
  return { from: sequence(set, readLocal(start, place)), to: readLocal(end, place) };
}
