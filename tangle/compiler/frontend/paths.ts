/**
 * Fields and module-level variables that have been tested for null. What a test says of them holds until something runs
 * that may store there: a call, or an assignment of anything but a plain number.
 */
import type { Target } from "../tree.ts";
import type { Body } from "./body.ts";
import { forgetPaths, withPath } from "./flow.ts";
import type { ExpressionNode } from "./syntax.ts";
import { isOwning, isPlain } from "./types.ts";

/** The fields on the way from a local, a module-level variable or `this`; null for what can change by itself. */
export function pathOf(body: Body, node: ExpressionNode): string | null {
  switch (node.kind) {
    case "this":
      return body.receiver === null ? null : "this";
    case "name": {
      const entity = body.scope.find(node.name);
      if (entity?.kind === "global") {
        return entity.symbol;
      }
      // A local may be assigned elsewhere in the function; a constant has one value.
      const isFixed = entity?.kind === "local" && entity.owner === body && !body.assigns(node.name);
      return isFixed ? `${node.name} ${entity.local.place.line}:${entity.local.place.column}` : null;
    }
    case "member": {
      const object = pathOf(body, node.object);
      return object === null ? null : `${object}.${node.name}`;
    }
    default:
      return null;
  }
}

/** After a store: fields that were tested before may be null now; this one is not, if the value was not. */
export function afterStore(body: Body, target: Target, node: ExpressionNode, isThere: boolean): void {
  if (isPlain(target.type)) {
    return;
  }
  // Another field stays as it is, unless what was here is dropped: that runs code.
  const field = target.kind === "field" && !isOwning(target.type) ? target.field.name : null;
  body.flow = forgetPaths(body.flow, field);
  const path = isThere ? pathOf(body, node) : null;
  if (path !== null) {
    body.flow = withPath(body.flow, path);
  }
}
