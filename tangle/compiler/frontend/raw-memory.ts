/**
 * Ownership by hand, for those who write containers: values put into raw memory, taken out and dropped there, owners made
 * from pointers and back, and the kernel's allocator called directly.
 */
import type { Place } from "../../place.ts";
import { isAggregate, sizeOf } from "../layout.ts";
import type { Expression, Target, Type } from "../tree.ts";
import { allocateCall, freeCall } from "./allocation.ts";
import { checkTarget } from "./assignments.ts";
import { type Body, errorExpression } from "./body.ts";
import type { CallNode } from "./calls.ts";
import { completeEmbedded } from "./classes.ts";
import { dropFunction, dropValue, needsDrop } from "./drops.ts";
import { checkAs, checkExpression, checkOwning } from "./expressions.ts";
import { withMaybeNull } from "./flow.ts";
import { constructAt } from "./initialize.ts";
import { assign, integerOf, localTarget, read, readLocal, reinterpret, sequence } from "./nodes.ts";
import { loseBorrows, move, stableTarget, zeroOf } from "./ownership.ts";
import { isError, isOwning, ownedOf, pointerTo, STRING, sliceOf, typeName, U8, U64, USIZE, VOID } from "./types.ts";

/** `p.put(x)`: the memory held nothing before, so nothing is dropped there. Objects are made in place, or copied. */
export function putValue(body: Body, pointer: Expression, of: Type, node: CallNode): Expression {
  const [valueNode, more] = node.arguments;
  const { place } = node;
  if (valueNode === undefined || more !== undefined) {
    return body.error("KT1041", place, "`put` takes the one value that goes there");
  }
  const target: Target = { kind: "pointee", pointer, type: of, place };
  if (!isAggregate(of)) {
    return { ...assign(target, checkAs(body, valueNode, of)), type: VOID, place };
  }
  if (valueNode.kind === "new" && of.kind === "class") {
    return { ...constructAt(body, target, valueNode), type: VOID };
  }
  const value = checkAs(body, valueNode, of);
  if (!isCopied(body, of, valueNode.place)) {
    return errorExpression(place);
  }
  const bytes = integerOf(BigInt(sizeOf(of)), USIZE, place);
  const args = [reinterpret(pointer, pointerTo(U8)), reinterpret(value, pointerTo(U8)), bytes];
  return { kind: "intrinsic", name: "copyMemory", arguments: args, type: VOID, place };
}

/** Whether the bytes of an object may stand twice: what it owns would be dropped twice. Reports where not. */
export function isCopied(body: Body, type: Type, place: Place): boolean {
  completeEmbedded(body.compilation, type, place);
  if (!needsDrop(body.compilation, type)) {
    return true;
  }
  body.report("KT1071", place, `\`${typeName(type)}\` owns something, or cleans up: two copies would do that twice`);
  return false;
}

/** `p.take()`: whoever gets the value owns it, and the memory holds nothing. */
export function takeValue(body: Body, pointer: Expression, of: Type, node: CallNode): Expression {
  const { place } = node;
  if (isAggregate(of)) {
    return body.error("KT1071", place, `\`${typeName(of)}\` lies in place and cannot be taken out`);
  }
  return keep(body, read({ kind: "pointee", pointer, type: of, place }), []);
}

/** The value, read now; it belongs to no place any more. */
function keep(body: Body, value: Expression, then: readonly Expression[]): Expression {
  const { type, place } = value;
  const kept = body.temporary("taken", type, place);
  return sequence([assign(localTarget(kept, place), value), ...then], readLocal(kept, place));
}

/** `p.drop()`: what the memory holds comes to its end there. */
export function dropThere(body: Body, pointer: Expression, of: Type, node: CallNode): Expression {
  const { place } = node;
  const { compilation } = body;
  completeEmbedded(compilation, of, place);
  if (isOwning(of)) {
    const held = body.temporary("held", of, place);
    const value = read({ kind: "pointee", pointer, type: of, place });
    return sequence([assign(localTarget(held, place), value)], dropValue(compilation, readLocal(held, place)));
  }
  if (needsDrop(compilation, of)) {
    return {
      kind: "call",
      target: dropFunction(compilation, of),
      arguments: [reinterpret(pointer, of)],
      type: VOID,
      place,
    };
  }
  return { kind: "sequence", first: [pointer], last: integerOf(0n, U8, place), type: VOID, place };
}

/** `own(pointer)`: from here on the object has an owner. */
export function own(body: Body, node: CallNode): Expression {
  const [argument] = node.arguments;
  const pointer = checkExpression(body, argument!, null);
  const { type } = pointer;
  if (type.kind !== "pointer" || type.of.kind !== "class") {
    return isError(type)
      ? pointer
      : body.error("KT1070", node.place, `\`own\` takes a pointer to an object, not \`${typeName(type)}\``);
  }
  return { ...reinterpret(pointer, ownedOf(type.of)), place: node.place };
}

/** `disown(object)`: from here on nobody drops it. */
export function disown(body: Body, node: CallNode): Expression {
  const [argument] = node.arguments;
  const given = checkOwning(body, argument!, null);
  const value = isOwning(given.type) ? move(body, given) : given;
  const { type } = value;
  if (type.kind !== "owned" || type.of.kind !== "class") {
    return isError(type)
      ? value
      : body.error("KT1070", node.place, `\`disown\` takes an owned object, not \`${typeName(type)}\``);
  }
  return { ...reinterpret(value, pointerTo(type.of)), place: node.place };
}

/** `take(place)`: what the place owned, or null; null stays behind. */
export function take(body: Body, node: CallNode): Expression {
  const { place } = node;
  const target = checkTarget(body, node.arguments[0]!);
  if (target === null) {
    return errorExpression(place);
  }
  const { type } = target;
  if (type.kind !== "nullable") {
    return body.error("KT1067", place, `null cannot stay behind in a place of type \`${typeName(type)}\``);
  }
  const first: Expression[] = [];
  const stable = stableTarget(body, target, first);
  const taken = keep(body, { ...read(stable), place }, [assign(stable, zeroOf(type, node))]);
  if (target.kind === "local") {
    loseBorrows(body, target.local, place, false);
    const known = body.flow.nonNull.has(target.local);
    body.flow = withMaybeNull(body.flow, target.local);
    return sequence(first, known ? reinterpret(taken, type.of) : taken);
  }
  return sequence(first, taken);
}

/** `replace(place, value)`: the value goes there, and what was there comes back. */
export function replace(body: Body, node: CallNode): Expression {
  const { place } = node;
  const [placeNode, valueNode] = node.arguments;
  const target = checkTarget(body, placeNode!);
  if (target === null) {
    return errorExpression(place);
  }
  const { type } = target;
  if (isAggregate(type)) {
    return body.error("KT1036", place, `\`${typeName(type)}\` is not replaced as a whole`);
  }
  const first: Expression[] = [];
  const stable = stableTarget(body, target, first);
  const fresh = body.temporary("new", type, place);
  first.push(assign(localTarget(fresh, place), checkAs(body, valueNode!, type)));
  if (target.kind === "local") {
    loseBorrows(body, target.local, place, false);
    body.flow = withMaybeNull(body.flow, target.local);
  }
  return sequence(first, keep(body, { ...read(stable), place }, [assign(stable, readLocal(fresh, place))]));
}

export function allocateMemory(body: Body, node: CallNode): Expression {
  const [bytes, alignment] = node.arguments;
  const count = checkAs(body, bytes!, USIZE);
  return allocateCall(body.compilation, count, checkAs(body, alignment!, USIZE), node.place);
}

export function freeMemory(body: Body, node: CallNode): Expression {
  const [address, bytes, alignment] = node.arguments;
  const start = checkAs(body, address!, U64);
  const count = checkAs(body, bytes!, USIZE);
  return freeCall(body.compilation, start, count, checkAs(body, alignment!, USIZE), node.place);
}

/** `sliceFrom(pointer, length)`: nothing checks that so many elements are there. */
export function sliceFrom(body: Body, node: CallNode): Expression {
  const [pointerNode, lengthNode] = node.arguments;
  const pointer = checkExpression(body, pointerNode!, null);
  const length = checkAs(body, lengthNode!, USIZE);
  const { type } = pointer;
  if (type.kind !== "pointer" || type.of.kind === "void") {
    return isError(type)
      ? pointer
      : body.error("KT1008", node.place, `\`sliceFrom\` takes a pointer to elements, not \`${typeName(type)}\``);
  }
  return { kind: "makeSlice", address: pointer, length, type: sliceOf(type.of), place: node.place };
}

/** `stringFrom(bytes)`: the bytes seen as text. */
export function stringFrom(body: Body, node: CallNode): Expression {
  return { ...reinterpret(checkAs(body, node.arguments[0]!, sliceOf(U8)), STRING), place: node.place };
}
