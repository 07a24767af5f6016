/**
 * Closures passed to functions wrapped in `inline(…)`: the function is compiled anew for each such call, with the closure
 * in place of the parameter, so that nothing needs the heap and both are inlined.
 */
import type { Place } from "../../place.ts";
import type { Expression, Local, Function as TreeFunction, Type } from "../tree.ts";
import { Body } from "./body.ts";
import { type CallNode, checkArguments, failedCall, finishCall } from "./calls.ts";
import { PassedCaptures } from "./captures.ts";
import type { OpenFunction } from "./compilation.ts";
import { dropLater } from "./disposal.ts";
import { type Entity, type FunctionInstance, Scope } from "./entities.ts";
import {
  checkFunctionBody,
  checkResult,
  declaredResult,
  declareParameters,
  localFunction,
  MOST_INSTANCES,
  makeParameters,
  PLAIN,
  resultStatements,
} from "./functions.ts";
import { readLocal } from "./nodes.ts";
import { forgetAssigned, fullExpression } from "./ownership.ts";
import type { ExpressionNode } from "./syntax.ts";
import { ERROR, functionType } from "./types.ts";

/** A closure as an argument: its function, and the values of the parameters that it has beyond its type. */
interface Closure {
  readonly target: TreeFunction;
  readonly values: readonly Expression[];
}

/** A parameter that stands for a closure, in a function compiled for it. */
export type ClosureEntity = Entity & { readonly kind: "closure" };

/** The closures among checked arguments; the expression is what stands for one until the call is made. */
const closures = new WeakMap<Expression, Closure>();
/** The same by the argument as it is written. */
const closureArguments = new WeakMap<ExpressionNode, Expression>();

function closureOf(value: Expression): Closure | null {
  return closures.get(value) ?? null;
}

/** Marks the arguments of a call of an inlined function that may capture variables. */
export function allowClosures(body: Body, node: CallNode): void {
  for (const argument of node.arguments) {
    const entity = argument.kind === "name" ? body.scope.find(argument.name) : null;
    if (argument.kind === "function" || entity?.kind === "closure") {
      body.mayCapture.add(argument);
    }
  }
}

/** An arrow or function expression that may capture. Without captures it is a plain function value. */
export function checkClosure(
  body: Body,
  argument: ExpressionNode & { readonly kind: "function" },
  expected: Type | null,
): Expression {
  const { function: node, place } = argument;
  const { compilation } = body;
  const entity = localFunction(body, node, node.name ?? "lambda", expected, PLAIN);
  const parameters = makeParameters(compilation, body.scope, node.parameters, entity.context?.parameters ?? null);
  const captures = new PassedCaptures(body);
  const result = declaredResult(compilation, body.scope, entity);
  const symbol = compilation.uniqueSymbol(entity.symbol);
  const inner = new Body(compilation, {
    symbol,
    scope: new Scope(body.scope, body.scope.module),
    owner: body.owner,
    result: result ?? ERROR,
    source: node,
    captures,
  });
  const open: OpenFunction = {
    symbol,
    parameters: [],
    result: result ?? ERROR,
    convention: "plain",
    inline: "always",
    body: [],
    locals: inner.locals,
    place,
  };
  forgetAssigned(body, node);
  if (result === null) {
    declareParameters(inner, node, parameters);
    const value = fullExpression(inner, () => checkResult(inner, node.body as ExpressionNode));
    open.result = value.type;
    open.body = resultStatements(inner, value, value.type);
  } else {
    open.body = checkFunctionBody(inner, node, parameters);
  }
  open.parameters = [...parameters, ...captures.parameters];
  const type = functionType(
    parameters.map((parameter) => parameter.type),
    open.result,
  );
  const value: Expression = { kind: "function", target: open, type, place };
  if (captures.parameters.length > 0) {
    closures.set(value, { target: open, values: captures.values });
    closureArguments.set(argument, value);
  }
  return value;
}

/** A closure that is passed on to another inlined function. */
export function passClosure(body: Body, entity: ClosureEntity, argument: ExpressionNode): Expression {
  const { place } = argument;
  const value: Expression = { kind: "function", target: entity.target, type: entity.type, place };
  closures.set(value, { target: entity.target, values: closureValues(body, entity, place) });
  closureArguments.set(argument, value);
  return value;
}

/** What a closure's own parameters are filled with, seen from a function that has it as a parameter, or from a closure in there. */
function closureValues(body: Body, entity: ClosureEntity, place: Place): Expression[] {
  for (let inner = body; inner !== entity.owner && inner.captures !== null; inner = inner.captures.outer) {
    if (inner.captures.escapes) {
      body.report("KT1013", place, "a closure on the heap cannot keep one that ends with its call");
    }
  }
  return entity.parameters.map((parameter) => {
    const value = readLocal(parameter, place);
    return entity.owner === body || body.captures === null ? value : body.captures.value(body, parameter, value, place);
  });
}

/** A call of a parameter that stands for a closure. */
export function callClosure(body: Body, entity: ClosureEntity, name: string, node: CallNode): Expression {
  if (node.typeArguments.length > 0) {
    body.report("KT1045", node.place, "a function value takes no type arguments");
  }
  if (entity.owner !== body && body.captures === null) {
    body.report("KT1013", node.place, `\`${name}\` belongs to the function around this one`);
    return failedCall(body, node);
  }
  const values = checkArguments(body, node, entity.type.parameters, [], body.scope, `\`${name}\``);
  return finishCall(entity.target, null, [...values, ...closureValues(body, entity, node.place)], node.place);
}

/** The call of an inlined function whose arguments may be closures. */
export function finishInlineCall(
  body: Body,
  instance: FunctionInstance,
  values: readonly Expression[],
  node: CallNode,
): Expression {
  node.arguments.forEach((argument, index) => {
    body.mayCapture.delete(argument);
    const closure = closureArguments.get(argument);
    if (closure !== undefined && values[index] !== closure) {
      body.report("KT1013", argument.place, "a parameter that takes closures is a function, never null");
    }
  });
  const given = values.map(closureOf);
  if (given.every((closure) => closure === null) || values.length < instance.function.parameters.length) {
    return finishCall(instance.function, null, values, node.place);
  }
  const target = compileFor(body, instance, given, node.place);
  const plain = values.filter((_, index) => given[index] === null);
  const extra = given.flatMap((closure) => closure?.values ?? []);
  return finishCall(target, null, [...plain, ...extra], node.place);
}

/** The function with closures in place of some parameters; it has those closures' further parameters instead. */
function compileFor(
  body: Body,
  { entity, function: general, scope }: FunctionInstance,
  given: readonly (Closure | null)[],
  place: Place,
): TreeFunction {
  const { compilation } = body;
  const { node } = entity;
  const count = (compilation.closureCopies.get(entity) ?? 0) + 1;
  compilation.closureCopies.set(entity, count);
  if (count > MOST_INSTANCES) {
    compilation.reporter.report("KT1013", place, "the function passes ever new closures to itself");
    return general;
  }
  const symbol = compilation.uniqueSymbol(`${general.symbol}.for`);
  const inner = new Body(compilation, {
    symbol,
    scope: new Scope(scope, scope.module),
    owner: entity.owner,
    result: general.result,
    source: node,
  });
  const parameters: Local[] = [];
  const further: Local[] = [];
  general.parameters.forEach((parameter, index) => {
    const closure = given[index] ?? null;
    if (closure === null) {
      const local: Local = { ...parameter, storage: "register" };
      parameters.push(local);
      inner.declare(local.name, { kind: "local", local, owner: inner }, local.place);
      dropLater(inner, local);
      return;
    }
    const own = closure.target.parameters.length - closure.values.length;
    const passed = closure.target.parameters
      .slice(own)
      .map((one): Local => ({ ...one, name: `${parameter.name}.${one.name}` }));
    further.push(...passed);
    const type = functionType(
      closure.target.parameters.slice(0, own).map((one) => one.type),
      closure.target.result,
    );
    inner.declare(
      parameter.name,
      { kind: "closure", target: closure.target, parameters: passed, type, owner: inner },
      parameter.place,
    );
  });
  const open: OpenFunction = {
    symbol,
    parameters: [...parameters, ...further],
    result: general.result,
    convention: "plain",
    inline: "always",
    body: [],
    locals: inner.locals,
    place: general.place,
  };
  compilation.pending.push(() => {
    open.body = checkFunctionBody(inner, node, []);
  });
  return open;
}
