/** Calls: of functions by name, of methods, of function values, and of what is built in. */
import type { Place } from "../../place.ts";
import type { Expression, Function as TreeFunction, Type } from "../tree.ts";
import { staticMember, unknownMember } from "./access.ts";
import { checkLent } from "./await.ts";
import { type Body, errorExpression } from "./body.ts";
import { completeClass } from "./classes.ts";
import { allowClosures, callClosure, finishInlineCall } from "./closures.ts";
import type { Entity, FunctionEntity, Scope } from "./entities.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { instantiateFunction } from "./functions.ts";
import { callGeneric } from "./generics.ts";
import { callKept } from "./heap-closures.ts";
import { callThroughTable, checkConstraints } from "./interfaces.ts";
import { builtInMember, builtInMethod } from "./members.ts";
import { lookUp, resolveTypeArgument } from "./resolve.ts";
import type { ExpressionNode, ParameterNode } from "./syntax.ts";
import { INTERRUPT_HANDLER, INTERRUPT_HANDLER_WITH_ERROR, isError, signatureOf, typeName } from "./types.ts";

export type CallNode = ExpressionNode & { readonly kind: "call" };

export function checkCall(body: Body, node: CallNode, expected: Type | null): Expression {
  const { callee } = node;
  switch (callee.kind) {
    case "name": {
      const entity = lookUp(body.compilation, body.scope, callee.name, callee.place);
      return entity === null ? failedCall(body, node) : callEntity(body, entity, callee.name, node, expected);
    }
    case "member":
      return callMember(body, node, callee, expected);
    default:
      return callValue(body, checkExpression(body, callee, null), node);
  }
}

/** The arguments still have mistakes of their own to report. */
export function failedCall(body: Body, node: CallNode): Expression {
  for (const argument of node.arguments) {
    if (argument.kind !== "number" && argument.kind !== "function" && argument.kind !== "null") {
      checkExpression(body, argument, null);
    }
  }
  return errorExpression(node.place);
}

function callEntity(body: Body, entity: Entity, name: string, node: CallNode, expected: Type | null): Expression {
  switch (entity.kind) {
    case "function":
      return callFunction(body, entity, null, node, expected);
    case "missing":
      return failedCall(body, node);
    case "closure":
      return callClosure(body, entity, name, node);
    case "builtin":
      return entity.builtin.call(body, node, expected);
    case "local":
    case "global":
      return callValue(body, checkExpression(body, node.callee, null), node);
    case "class":
      return body.error("KT1041", node.place, `\`${name}\` is a class`, `make an object in place: \`new ${name}(…)\``);
    default:
      body.report("KT1041", node.place, `\`${name}\` cannot be called`);
      return failedCall(body, node);
  }
}

function callMember(
  body: Body,
  node: CallNode,
  callee: ExpressionNode & { readonly kind: "member" },
  expected: Type | null,
): Expression {
  const fixed = staticMember(body, callee);
  if (fixed !== null) {
    return "value" in fixed
      ? isError(fixed.value.type)
        ? failedCall(body, node)
        : callValue(body, fixed.value, node)
      : callEntity(body, fixed.entity, callee.name, node, expected);
  }
  const object = checkExpression(body, callee.object, null);
  const { type } = object;
  if (isError(type)) {
    return failedCall(body, node);
  }
  if (type.kind === "nullable") {
    body.report("KT1038", callee.place, `\`${typeName(type)}\` may be null here`);
    return failedCall(body, node);
  }
  const builtIn = builtInMethod(body, object, callee, node);
  if (builtIn !== null) {
    return builtIn;
  }
  if (type.kind === "interface") {
    return callThroughTable(body, object, type, callee, node);
  }
  if (type.kind === "class") {
    const info = body.compilation.classes.get(type);
    const method = info?.methods.get(callee.name);
    if (method !== undefined) {
      if (method.private && body.owner !== info?.entity) {
        body.report("KT1043", callee.namePlace, `\`${callee.name}\` is private to \`${type.name}\``);
      }
      return callFunction(body, method, object, node, expected);
    }
    if (info !== undefined) {
      completeClass(body.compilation, info, node.place);
    }
    const field = type.fields.find((one) => one.name === callee.name);
    if (field !== undefined) {
      return callValue(body, checkExpression(body, callee, null), node);
    }
    const names = [...type.fields.map((one) => one.name), ...(info?.methods.keys() ?? [])];
    unknownMember(body, type, callee, names);
    return failedCall(body, node);
  }
  if (builtInMember(body, object, callee) === null) {
    unknownMember(body, type, callee, []);
  }
  return failedCall(body, node);
}

/** A call of a function that is known by name; `receiver` is the object of a method. */
function callFunction(
  body: Body,
  entity: FunctionEntity,
  receiver: Expression | null,
  node: CallNode,
  expected: Type | null,
): Expression {
  if (entity.convention !== "plain" && entity.convention !== "naked") {
    return body.error("KT1061", node.place, "only the processor calls an interrupt handler");
  }
  if (entity.inline === "always") {
    allowClosures(body, node);
  }
  const wanted = entity.node.typeParameters.length;
  const given = node.typeArguments.length;
  if (given !== wanted && (wanted === 0 || given > 0)) {
    body.report("KT1045", node.place, `${given} type arguments where ${wanted} are wanted`);
    return failedCall(body, node);
  }
  if (wanted > 0 && given === 0) {
    return callGeneric(body, entity, receiver, node, expected);
  }
  const args = node.typeArguments.map((one) => resolveTypeArgument(body.compilation, body.scope, one));
  if (args.some((one) => one.kind !== "length" && isError(one))) {
    return failedCall(body, node);
  }
  checkConstraints(body.compilation, entity.scope, entity.node.typeParameters, args, node.place);
  const instance = instantiateFunction(body.compilation, entity, args);
  const { function: target, scope } = instance;
  const values = checkArguments(
    body,
    node,
    parameterTypes(target, receiver),
    entity.node.parameters,
    scope,
    `\`${entity.node.name ?? "the function"}\``,
  );
  checkLent(body, target, receiver, values, node);
  return entity.inline === "always"
    ? finishInlineCall(body, instance, values, node)
    : finishCall(target, receiver, values, node.place);
}

export function parameterTypes(target: TreeFunction, receiver: Expression | null): readonly Type[] {
  return target.parameters.slice(receiver === null ? 0 : 1).map((parameter) => parameter.type);
}

export function finishCall(
  target: TreeFunction,
  receiver: Expression | null,
  values: readonly Expression[],
  place: Place,
): Expression {
  return {
    kind: "call",
    target,
    arguments: receiver === null ? values : [receiver, ...values],
    type: target.result,
    place,
  };
}

/** One value for each parameter; a parameter that the call leaves out takes its default, seen from its declaration. */
export function checkArguments(
  body: Body,
  node: { readonly arguments: readonly ExpressionNode[]; readonly place: Place },
  types: readonly Type[],
  parameters: readonly ParameterNode[],
  scope: Scope,
  name: string,
): Expression[] {
  const values = node.arguments.slice(0, types.length).map((argument, index) => checkAs(body, argument, types[index]!));
  const missing = types.slice(node.arguments.length).map((_, index) => parameters[node.arguments.length + index]);
  if (node.arguments.length > types.length || missing.some((one) => !one?.initial)) {
    const optional = parameters.filter((one) => one.initial !== null).length;
    const wanted = optional === 0 ? String(types.length) : `${types.length - optional} to ${types.length}`;
    body.report("KT1041", node.place, `${name} takes ${wanted} arguments, not ${node.arguments.length}`);
    return values;
  }
  for (const [index, parameter] of missing.entries()) {
    values.push(defaultValue(body, parameter!, types[node.arguments.length + index]!, scope));
  }
  return values;
}

function defaultValue(body: Body, parameter: ParameterNode, type: Type, scope: Scope): Expression {
  const outer = { scope: body.scope, receiver: body.receiver };
  body.scope = scope;
  body.receiver = null;
  const value = checkAs(body, parameter.initial!, type);
  body.scope = outer.scope;
  body.receiver = outer.receiver;
  return value;
}

/** A call of a function value: a local, a field, an element, the result of another call. */
function callValue(body: Body, callee: Expression, node: CallNode): Expression {
  const { type } = callee;
  if (type === INTERRUPT_HANDLER || type === INTERRUPT_HANDLER_WITH_ERROR) {
    return body.error("KT1061", node.place, "only the processor calls an interrupt handler");
  }
  const signature = signatureOf(type);
  if (signature !== null) {
    return callKept(body, callee, signature, node);
  }
  if (type.kind !== "function") {
    if (type.kind === "nullable" && type.of.kind === "function") {
      body.report("KT1038", node.place, "the function may be null here");
    } else if (!isError(type)) {
      body.report("KT1041", node.place, `\`${typeName(type)}\` cannot be called`);
    }
    return failedCall(body, node);
  }
  if (node.typeArguments.length > 0) {
    body.report("KT1045", node.place, "a function value takes no type arguments");
  }
  const values = checkArguments(body, node, type.parameters, [], body.scope, "the function");
  if (callee.kind === "function") {
    return finishCall(callee.target, null, values, node.place);
  }
  return { kind: "callIndirect", callee, arguments: values, type: type.result, place: node.place };
}
