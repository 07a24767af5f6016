/** Type arguments found from the arguments of a call, and generic functions as values. */
import type { Expression, Type } from "../tree.ts";
import { staticMember } from "./access.ts";
import { checkLent } from "./await.ts";
import { type Body, errorExpression } from "./body.ts";
import { type CallNode, checkArguments, failedCall, finishCall, parameterTypes } from "./calls.ts";
import { finishInlineCall } from "./closures.ts";
import { coerce } from "./coerce.ts";
import type { Entity, FunctionEntity, Scope, TypeArgument, TypeConstructorName } from "./entities.ts";
import { checkOwning, isUntyped } from "./expressions.ts";
import { instantiateFunction, typeOfFunction } from "./functions.ts";
import { checkConstraints } from "./interfaces.ts";
import { placeOf } from "./ownership.ts";
import { lookUp, resolveTypeArgument } from "./resolve.ts";
import type { ExpressionNode, TypeNode } from "./syntax.ts";
import { borrowed, isError } from "./types.ts";

type Bindings = Map<string, TypeArgument>;

/** A call of a generic function without type arguments: they follow from the arguments, else from the context. */
export function callGeneric(
  body: Body,
  entity: FunctionEntity,
  receiver: Expression | null,
  node: CallNode,
  expected: Type | null,
): Expression {
  const { typeParameters, parameters, result } = entity.node;
  const names = new Set(typeParameters.map((parameter) => parameter.name));
  const bindings: Bindings = new Map();
  const infer = (typeNode: TypeNode | null, type: Type): void => {
    if (typeNode !== null) {
      unify(body, entity.scope, names, typeNode, type, bindings);
    }
  };
  // Arguments that say their own type come first; literals and arrows then take theirs from the parameters.
  const values = node.arguments.map((argument, index) => {
    if (takesContext(argument)) {
      return null;
    }
    const value = checkOwning(body, argument, null);
    infer(parameters[index]?.type ?? null, placeOf(value) === null ? value.type : borrowed(value.type));
    return value;
  });
  if (values.some((value) => value !== null && isError(value.type))) {
    return errorExpression(node.place);
  }
  if (expected !== null) {
    infer(result, expected);
  }
  const args = typeParameters.map((parameter) => bindings.get(parameter.name));
  const unknown = typeParameters.find((parameter) => !bindings.has(parameter.name));
  if (unknown !== undefined) {
    body.report(
      "KT1045",
      node.place,
      `the arguments do not say what \`${unknown.name}\` is`,
      `write it out: \`${entity.node.name ?? "f"}<…>(…)\``,
    );
    return failedCall(body, node);
  }
  checkConstraints(body.compilation, entity.scope, typeParameters, args as TypeArgument[], node.place);
  const instance = instantiateFunction(body.compilation, entity, args as TypeArgument[]);
  const { function: target, scope } = instance;
  const types = parameterTypes(target, receiver);
  if (node.arguments.length !== types.length) {
    const rest = checkArguments(body, node, types, parameters, scope, `\`${entity.node.name}\``);
    return finishCall(target, receiver, rest, node.place);
  }
  const fitted = node.arguments.map((argument, index) => {
    const type = types[index]!;
    return coerce(body, values[index] ?? checkOwning(body, argument, type), type);
  });
  checkLent(body, target, receiver, fitted, node);
  return entity.inline === "always"
    ? finishInlineCall(body, instance, fitted, node)
    : finishCall(target, receiver, fitted, node.place);
}

function takesContext(node: ExpressionNode): boolean {
  const openArrow = node.kind === "function" && node.function.parameters.some((parameter) => parameter.type === null);
  return isUntyped(node) || node.kind === "null" || node.kind === "template" || openArrow;
}

/** Finds type parameters by laying a written type over a real one. */
function unify(
  body: Body,
  scope: Scope,
  names: ReadonlySet<string>,
  node: TypeNode,
  type: Type,
  bindings: Bindings,
): void {
  const bind = (name: string, argument: TypeArgument): void => {
    if (!bindings.has(name) && !(argument.kind === "never" || argument.kind === "void")) {
      bindings.set(name, argument);
    }
  };
  const inner = (part: TypeNode | undefined, of: Type): void => {
    if (part !== undefined) {
      unify(body, scope, names, part, of, bindings);
    }
  };
  if (node.kind === "name" && names.has(node.name)) {
    bind(node.name, type);
  } else if (node.kind === "nullable") {
    inner(node.of, type.kind === "nullable" ? type.of : type);
  } else if (node.kind === "function" && type.kind === "function") {
    node.parameters.forEach((parameter, index) => {
      if (type.parameters[index] !== undefined) {
        inner(parameter, type.parameters[index]!);
      }
    });
    inner(node.result, type.result);
  } else if (node.kind === "name") {
    const [first, second] = node.arguments;
    const entity = scope.find(node.name);
    if (entity?.kind === "class" && type.kind === "class") {
      const info = body.compilation.classes.get(type);
      if (info?.entity === entity) {
        node.arguments.forEach((argument, index) => {
          const actual = info.arguments[index]!;
          if (actual.kind !== "length") {
            inner(argument, actual);
          } else if (argument.kind === "name" && names.has(argument.name)) {
            bind(argument.name, actual);
          }
        });
      }
    } else if (entity?.kind === "typeConstructor" && entity.name === "Owned") {
      inner(first, borrowed(type));
    } else if (entity?.kind === "typeConstructor" && entity.name === CONSTRUCTORS[type.kind]) {
      inner(first, (type as Type & { readonly of: Type }).of);
      if (type.kind === "array" && second?.kind === "name" && names.has(second.name)) {
        bind(second.name, { kind: "length", value: type.length });
      }
    }
  }
}

const CONSTRUCTORS: Readonly<Partial<Record<Type["kind"], TypeConstructorName>>> = {
  array: "FixedArray",
  slice: "Slice",
  pointer: "Pointer",
  volatile: "Volatile",
  atomic: "Atomic",
};

/** `sort<u8>` as a value. */
export function instantiateCallee(body: Body, node: ExpressionNode & { readonly kind: "instantiate" }): Expression {
  const { function: callee, place } = node;
  let entity: Entity | null = null;
  if (callee.kind === "name") {
    entity = lookUp(body.compilation, body.scope, callee.name, callee.place);
    if (entity === null) {
      return errorExpression(place);
    }
  } else if (callee.kind === "member") {
    const fixed = staticMember(body, callee);
    entity = fixed !== null && "entity" in fixed ? fixed.entity : null;
  }
  if (entity?.kind !== "function" || entity.node.typeParameters.length !== node.typeArguments.length) {
    return body.error("KT1045", place, "only a generic function takes these type arguments");
  }
  const args = node.typeArguments.map((one) => resolveTypeArgument(body.compilation, body.scope, one));
  if (args.some((one) => one.kind !== "length" && isError(one))) {
    return errorExpression(place);
  }
  checkConstraints(body.compilation, entity.scope, entity.node.typeParameters, args, place);
  const { function: target } = instantiateFunction(body.compilation, entity, args);
  return { kind: "function", target, type: typeOfFunction(target), place };
}
