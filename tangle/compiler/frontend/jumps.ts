/** `break`, `continue` and `return`: they leave blocks, and clean up what those have in use. */
import type { Place } from "../../place.ts";
import type { Expression, Statement } from "../tree.ts";
import type { Body } from "./body.ts";
import { disposeAbove } from "./disposal.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { checkEscape } from "./frame.ts";
import { readLocal } from "./nodes.ts";
import { fullExpression } from "./ownership.ts";
import type { StatementNode } from "./syntax.ts";
import { isError, typeName } from "./types.ts";

export function checkJump(body: Body, node: StatementNode & { readonly kind: "break" | "continue" }): Statement[] {
  const { kind, label: name, place } = node;
  const jump = body.jumps.findLast((candidate) =>
    name === null
      ? candidate.kind === "loop" || (kind === "break" && candidate.kind === "switch")
      : candidate.name === name,
  );
  if (jump === undefined || (kind === "continue" && jump.kind !== "loop")) {
    const where = name === null ? "here" : `with the label \`${name}\``;
    body.report("KT1040", place, `there is no ${kind === "continue" ? "loop" : "loop or switch"} ${where} to ${kind}`);
    return [];
  }
  const disposed = disposeAbove(body, jump.depth);
  (kind === "break" ? jump.breaks : jump.continues).push(body.flow);
  body.stop();
  return [...disposed, { kind, label: jump.label, place }];
}

export function checkReturn(body: Body, node: StatementNode & { readonly kind: "return" }): Statement[] {
  const { value: valueNode, place } = node;
  const { result } = body;
  if (valueNode === null) {
    if (result.kind !== "void" && !isError(result)) {
      body.report("KT1008", place, `\`return\` without a value in a function of type \`${typeName(result)}\``);
    }
    const disposed = disposeAbove(body, 0);
    body.stop();
    return [...disposed, { kind: "return", value: null, place }];
  }
  if (result.kind === "void") {
    const value = fullExpression(body, () => checkExpression(body, valueNode, null));
    if (value.type.kind !== "void" && value.type.kind !== "never") {
      body.report(
        "KT1008",
        valueNode.place,
        "a function of type `void` returns no value",
        "write the type of the result",
      );
    }
    const disposed = disposeAbove(body, 0);
    body.stop();
    return [{ kind: "expression", expression: value, place }, ...disposed, { kind: "return", value: null, place }];
  }
  const value = fullExpression(body, () => checkAs(body, valueNode, result));
  return returnValue(body, value, place);
}

/** `return value`, with all that the function cleans up on the way. */
export function returnValue(body: Body, value: Expression, place: Place): Statement[] {
  checkEscape(body, value, "returned");
  const disposed = disposeAbove(body, 0);
  body.stop();
  if (disposed.length === 0) {
    return [{ kind: "return", value, place }];
  }
  // The value comes first: it may need what is cleaned up.
  const kept = body.temporary("result", value.type, place);
  return [
    { kind: "let", local: kept, initial: value, place },
    ...disposed,
    { kind: "return", value: readLocal(kept, place), place },
  ];
}
