/** Initial values built in place: objects, arrays and cells are never values that could be copied from elsewhere. */
import { isAggregate, sizeOf } from "../layout.ts";
import type { Expression, LoopLabel, Statement, Target, Type } from "../tree.ts";
import type { Body } from "./body.ts";
import { checkArguments } from "./calls.ts";
import { completeClass, constructorOf } from "./classes.ts";
import { constantOf } from "./constants.ts";
import { checkAs } from "./expressions.ts";
import { checkEscape } from "./frame.ts";
import {
  arithmetic,
  assign,
  byteOf,
  compare,
  integerOf,
  localTarget,
  pointerToObject,
  read,
  readLocal,
  reinterpret,
} from "./nodes.ts";
import { fullEffect, fullExpression } from "./ownership.ts";
import { resolveType } from "./resolve.ts";
import type { ExpressionNode } from "./syntax.ts";
import { isError, pointerTo, typeName, U8, USIZE, VOID } from "./types.ts";

/** `zeroed` says that the memory of the target holds zeros already. */
export function initialize(body: Body, target: Target, node: ExpressionNode, zeroed: boolean): Statement[] {
  const { type } = target;
  switch (type.kind) {
    case "class":
    case "atomic":
      return node.kind === "new"
        ? [expressionStatement(fullExpression(body, () => constructAt(body, target, node)))]
        : wholeValue(body, target, node, "`new`");
    case "volatile":
      return wholeValue(body, target, node, "no initial value: what it holds is the hardware's");
    case "array":
      if (node.kind === "array") {
        return initializeElements(body, target, type.of, type.length, node, zeroed);
      }
      if (isFilled(node)) {
        return fill(body, target, type, node, zeroed);
      }
      return wholeValue(body, target, node, "`filled(…)` or `[…]`");
    default: {
      const value = fullExpression(body, () => checkAs(body, node, type));
      checkEscape(body, value, "stored");
      return zeroed && constantOf(value) === 0n ? [] : [expressionStatement(assign(target, value))];
    }
  }
}

function expressionStatement(expression: Expression): Statement {
  return { kind: "expression", expression, place: expression.place };
}

/** Something else than a new value stands on the right: say whether its type or the copying is wrong. */
function wholeValue(body: Body, target: Target, node: ExpressionNode, wanted: string): Statement[] {
  const value = fullEffect(body, () => checkAs(body, node, target.type));
  if (!isError(value.type)) {
    body.report(
      "KT1036",
      node.place,
      `\`${typeName(target.type)}\` lies in place here; its initial value is ${wanted}`,
    );
  }
  return [];
}

/** `filled(x)`, whose count comes from the type of what it fills. */
export function isFilled(node: ExpressionNode): node is ExpressionNode & { readonly kind: "call" } {
  return node.kind === "call" && node.callee.kind === "name" && node.callee.name === "filled";
}

/** `new C(…)` where the memory is `target`: a constructor call, or for a cell a store. */
export function constructAt(body: Body, target: Target, node: ExpressionNode & { readonly kind: "new" }): Expression {
  const { place } = node;
  const type = newType(body, node, target.type);
  if (isError(type)) {
    return integerOf(0n, type, place);
  }
  if (type !== target.type) {
    return body.error("KT1008", place, `\`${typeName(type)}\` stands where \`${typeName(target.type)}\` is wanted`);
  }
  if (type.kind === "atomic") {
    const [argument, more] = node.arguments;
    if (argument === undefined || more !== undefined) {
      return body.error("KT1041", place, "`new Atomic` takes its initial value");
    }
    const address = pointerToObject(read(target), type.of);
    const value = checkAs(body, argument, type.of);
    return { kind: "intrinsic", name: "atomicStore", arguments: [address, value], type: VOID, place };
  }
  const info = type.kind === "class" ? body.compilation.classes.get(type) : undefined;
  if (info === undefined) {
    return body.error("KT1030", place, `\`${typeName(type)}\` is made by the compiler alone`, "take it as a parameter");
  }
  completeClass(body.compilation, info, place);
  const constructed = constructorOf(body.compilation, info);
  const parameters = constructed.parameters.slice(1);
  const nodes = info.entity.node.constructor_?.parameters ?? [];
  const args = checkArguments(
    body,
    node,
    parameters.map((one) => one.type),
    nodes,
    info.scope,
    `\`new ${info.type.name}\``,
  );
  return { kind: "construct", address: read(target), constructor_: constructed, arguments: args, type, place };
}

/** The type that `new` names; type arguments may be left out where the context gives them. */
export function newType(body: Body, node: ExpressionNode & { readonly kind: "new" }, context: Type | null): Type {
  if (node.typeArguments.length === 0 && context !== null) {
    const entity = body.scope.find(node.class);
    const cell = entity?.kind === "typeConstructor" && entity.name === "Atomic" && context.kind === "atomic";
    const info = context.kind === "class" ? body.compilation.classes.get(context) : undefined;
    if (cell || (info !== undefined && info.entity === entity)) {
      return context;
    }
  }
  return resolveType(body.compilation, body.scope, {
    kind: "name",
    name: node.class,
    arguments: node.typeArguments,
    place: node.place,
  });
}

function initializeElements(
  body: Body,
  target: Target,
  element: Type,
  length: number,
  node: ExpressionNode & { readonly kind: "array" },
  zeroed: boolean,
): Statement[] {
  if (node.elements.length !== length) {
    body.report("KT1008", node.place, `${node.elements.length} elements for an array of ${length}`);
    return [];
  }
  return node.elements.flatMap((value, index) => {
    const at = integerOf(BigInt(index), USIZE, value.place);
    const place: Target = {
      kind: "element",
      array: read(target),
      index: at,
      checked: false,
      type: element,
      place: value.place,
    };
    return initialize(body, place, value, zeroed);
  });
}

function fill(
  body: Body,
  target: Target,
  type: Type & { readonly kind: "array" },
  node: ExpressionNode & { readonly kind: "call" },
  zeroed: boolean,
): Statement[] {
  const [value, more] = node.arguments;
  const { place } = node;
  if (value === undefined || more !== undefined) {
    body.report("KT1041", place, "`filled` takes the one value that each element has");
    return [];
  }
  const { once, kept } = isAggregate(type.of) ? { once: [], kept: null } : evaluateOnce(body, value, type.of);
  const counter = body.temporary("index", USIZE, place);
  const element: Target = {
    kind: "element",
    array: read(target),
    index: readLocal(counter, place),
    checked: false,
    type: type.of,
    place,
  };
  const each =
    kept === null
      ? initialize(body, element, value, true)
      : constantOf(kept) === 0n
        ? []
        : [expressionStatement(assign(element, kept))];
  if (each.length === 0) {
    return zeroed ? [] : [zeroFill(read(target), type)];
  }
  // Elements that need more than zeros are built one by one; those of array type start from zeros.
  const label: LoopLabel = { name: "filled" };
  const one = integerOf(1n, USIZE, place);
  return [
    ...once,
    ...(zeroed || type.of.kind !== "array" ? [] : [zeroFill(read(target), type)]),
    { kind: "let", local: counter, initial: integerOf(0n, USIZE, place), place },
    {
      kind: "loop",
      label,
      test: compare("<", readLocal(counter, place), integerOf(BigInt(type.length), USIZE, place)),
      testAtEnd: false,
      update: assign(localTarget(counter, place), arithmetic("+", readLocal(counter, place), one)),
      body: each,
      place,
    },
  ];
}

/** The value that all elements share; objects and arrays are built anew for each element instead. */
function evaluateOnce(
  body: Body,
  node: ExpressionNode,
  type: Type,
): { readonly once: readonly Statement[]; readonly kept: Expression } {
  const value = fullExpression(body, () => checkAs(body, node, type));
  if (constantOf(value) !== null || isError(value.type)) {
    return { once: [], kept: value };
  }
  const local = body.temporary("value", type, node.place);
  return {
    once: [{ kind: "let", local, initial: value, place: node.place }],
    kept: readLocal(local, node.place),
  };
}

/** Fills an object or array with zero bytes. */
export function zeroFill(reference: Expression, type: Type): Statement {
  const { place } = reference;
  return expressionStatement({
    kind: "intrinsic",
    name: "fillMemory",
    arguments: [reinterpret(reference, pointerTo(U8)), byteOf(0, place), integerOf(BigInt(sizeOf(type)), USIZE, place)],
    type: VOID,
    place,
  });
}
