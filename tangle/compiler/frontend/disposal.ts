/** `using`: the object's `[Symbol.dispose]` method is called on every way out of the block, but for a panic. */
import type { Statement } from "../tree.ts";
import type { Body } from "./body.ts";
import { instantiateFunction } from "./functions.ts";
import { readLocal } from "./nodes.ts";
import type { DeclaratorNode } from "./syntax.ts";
import { isError, typeName, VOID } from "./types.ts";

/** The name of the method, as the syntax tree writes it. */
export const DISPOSE = "[Symbol.dispose]";

/** Remembers that the variable just declared is cleaned up at the end of its block. */
export function disposeLater(body: Body, node: DeclaratorNode): void {
  const entity = body.scope.own(node.name);
  if (entity?.kind !== "local" || isError(entity.local.type)) {
    return;
  }
  const { local } = entity;
  const method =
    local.type.kind === "class" ? body.compilation.classes.get(local.type)?.methods.get(DISPOSE) : undefined;
  if (method === undefined) {
    body.report("KT1063", node.place, `\`${typeName(local.type)}\` has no method \`${DISPOSE}\``);
    return;
  }
  body.disposables.push({ local, dispose: instantiateFunction(body.compilation, method, []).function });
}

/** The calls that clean up all but the outermost `depth` objects, innermost first. */
export function disposeAbove(body: Body, depth: number): Statement[] {
  return body.disposables
    .slice(depth)
    .reverse()
    .map(({ local, dispose }) => {
      const { place } = local;
      return {
        kind: "expression",
        expression: { kind: "call", target: dispose, arguments: [readLocal(local, place)], type: VOID, place },
        place,
      };
    });
}
