/**
 * What a block cleans up on every way out, but for a panic: what its locals own, objects of its frame that own something,
 * and what `using` says aloud.
 */
import { isAggregate } from "../layout.ts";
import type { Expression, Local, Statement } from "../tree.ts";
import type { Body } from "./body.ts";
import { dropPlace, needsDrop } from "./drops.ts";
import { instantiateFunction } from "./functions.ts";
import { localTarget, readLocal } from "./nodes.ts";
import type { DeclaratorNode } from "./syntax.ts";
import { borrowed, isError, isOwning, typeName, VOID } from "./types.ts";

/** The name of the method, as the syntax tree writes it. */
export const DISPOSE = "[Symbol.dispose]";

/** Remembers that the variable just declared with `using` is cleaned up at the end of its block. */
export function disposeLater(body: Body, node: DeclaratorNode): void {
  const entity = body.scope.own(node.name);
  if (entity?.kind !== "local" || isError(entity.local.type)) {
    return;
  }
  const { local } = entity;
  if (!isOwning(local.type)) {
    body.guards.add(local);
  }
  const type = borrowed(local.type);
  const method = type.kind === "class" ? body.compilation.classes.get(type)?.methods.get(DISPOSE) : undefined;
  if (method === undefined) {
    body.report("KT1063", node.place, `\`${typeName(type)}\` has no method \`${DISPOSE}\``);
    return;
  }
  if (body.disposables.some((one) => one.local === local)) {
    return;
  }
  const { place } = local;
  const call: Expression = {
    kind: "call",
    target: instantiateFunction(body.compilation, method, []).function,
    arguments: [readLocal(local, place)],
    type: VOID,
    place,
  };
  body.disposables.push({ local, end: [{ kind: "expression", expression: call, place }] });
}

/** Remembers that what a local owns is dropped at the end of its block: an object on the heap, or one in the frame. */
export function dropLater(body: Body, local: Local): void {
  const owns = isOwning(local.type);
  const inFrame = local.storage === "frame" && isAggregate(local.type);
  if (owns) {
    body.owners.add(local);
  }
  if (owns || (inFrame && needsDrop(body.compilation, local.type))) {
    const end = dropPlace(body.compilation, localTarget(local, local.place), body.locals);
    body.disposables.push({ local, end });
  }
}

/** What cleans up all but the outermost `depth` objects, innermost first. */
export function disposeAbove(body: Body, depth: number): Statement[] {
  return body.disposables
    .slice(depth)
    .reverse()
    .flatMap(({ end }) => end);
}
