/** Functions: signatures, instances for type arguments, bodies, and functions as values. */
import type { Place } from "../../place.ts";
import type { Expression, FunctionType, Local, Statement, Function as TreeFunction, Type } from "../tree.ts";
import { Body } from "./body.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { declareAsync } from "./coroutines.ts";
import { DISPOSE, disposeAbove, dropLater } from "./disposal.ts";
import { boundScope, type FunctionEntity, type FunctionInstance, Scope, type TypeArgument } from "./entities.ts";
import { checkAs, checkExpression, checkOwning } from "./expressions.ts";
import { returnValue } from "./jumps.ts";
import { borrow, fullEffect, fullExpression, placeOf } from "./ownership.ts";
import { resolveType, typeArgumentName, typeArgumentsKey } from "./resolve.ts";
import { checkStatements } from "./statements.ts";
import type { ExpressionNode, FunctionNode, ParameterNode } from "./syntax.ts";
import { ERROR, functionType, INTERRUPT_HANDLER, INTERRUPT_HANDLER_WITH_ERROR, isError, VOID } from "./types.ts";

/** The parameters as locals; `context` gives the types that an arrow leaves out. */
export function makeParameters(
  compilation: Compilation,
  scope: Scope,
  nodes: readonly ParameterNode[],
  context: readonly Type[] | null,
): Local[] {
  return nodes.map((node, index) => {
    let type: Type = ERROR;
    if (node.type !== null) {
      type = resolveType(compilation, scope, node.type);
    } else if (context?.[index] !== undefined) {
      type = context[index]!;
    } else {
      compilation.reporter.report("KT1046", node.place, `parameter \`${node.name}\` says no type`);
    }
    if (type.kind === "void") {
      compilation.reporter.report("KT1008", node.place, "a parameter cannot be `void`");
      type = ERROR;
    }
    return { name: node.name, type, storage: "register", mutable: true, place: node.place };
  });
}

/** More instances than this can only come from a function that calls itself with ever larger types. */
export const MOST_INSTANCES = 500;

/** The function compiled for these type arguments; its body is checked later, once. */
export function instantiateFunction(
  compilation: Compilation,
  entity: FunctionEntity,
  args: readonly TypeArgument[],
): FunctionInstance {
  const key = typeArgumentsKey(args);
  const known = entity.instances.get(key);
  if (known !== undefined) {
    if (compilation.inferring.has(known.function)) {
      compilation.reporter.report(
        "KT1046",
        entity.node.place,
        "the function calls itself, and does not say what it returns",
        {
          hint: "write the type of the result: `(n: u32): u32 => …`",
        },
      );
    }
    return known;
  }
  const { node } = entity;
  if (entity.instances.size >= MOST_INSTANCES) {
    compilation.reporter.report("KT1045", node.place, "the type arguments of this function grow without end");
    return entity.instances.values().next().value!;
  }
  const scope = boundScope(entity.scope, node.typeParameters, args);
  const suffix = args.length === 0 ? "" : `<${args.map(typeArgumentName).join(", ")}>`;
  const parameters = makeParameters(compilation, scope, node.parameters, entity.context?.parameters ?? null);
  const receiver: Local | null =
    entity.receiver === null
      ? null
      : { name: "this", type: entity.receiver, storage: "register", mutable: false, place: node.place };
  const open: OpenFunction = {
    symbol: compilation.uniqueSymbol(entity.symbol + suffix),
    parameters: receiver === null ? parameters : [receiver, ...parameters],
    result: ERROR,
    convention: entity.convention,
    inline: entity.inline,
    body: [],
    locals: [],
    place: node.place,
  };
  const instance: FunctionInstance = { entity, function: open, scope };
  const declared = declaredResult(compilation, scope, entity);
  entity.instances.set(key, instance);
  if (node.async) {
    declareAsync(compilation, instance, open, receiver, parameters, declared);
    return instance;
  }
  if (declared === null) {
    inferFromExpression(compilation, instance, open, receiver, parameters);
    return instance;
  }
  if (declared.kind === "format") {
    compilation.reporter.report(
      "KT1008",
      node.place,
      "a format ends with the call that it is passed to: it is never a result",
    );
  }
  open.result = declared;
  compilation.pending.push(() => {
    const body = new Body(compilation, {
      symbol: open.symbol,
      scope: new Scope(scope, scope.module),
      owner: entity.owner,
      receiver,
      result: declared,
      source: node,
    });
    open.body = checkFunctionBody(body, node, parameters);
    open.locals = body.locals;
    if (node.name === DISPOSE && (parameters.length > 0 || declared.kind !== "void")) {
      compilation.reporter.report("KT1063", node.place, `\`${DISPOSE}\` takes no parameters and returns nothing`);
    }
    if (entity.convention === "naked") {
      checkNaked(compilation, open);
    } else if (entity.convention !== "plain") {
      checkInterruptHandler(compilation, open);
    }
  });
  return instance;
}

/** The result's type where it is written or plain to see; null for `=> expression`, whose type is the expression's. */
export function declaredResult(
  compilation: Compilation,
  scope: Scope,
  entity: Pick<FunctionEntity, "node" | "context">,
): Type | null {
  const { node } = entity;
  if (node.result !== null) {
    return resolveType(compilation, scope, node.result);
  }
  if (entity.context !== null) {
    return entity.context.result;
  }
  if (!Array.isArray(node.body)) {
    return null;
  }
  if (returnsValue(node.body)) {
    compilation.reporter.report("KT1046", node.place, "the function does not say what it returns", {
      hint: "write the type of the result: `function f(): u32 { … }`",
    });
    return ERROR;
  }
  return VOID;
}

/** Whether `return value` stands anywhere in the body, not counting functions within. */
function returnsValue(part: unknown): boolean {
  if (Array.isArray(part)) {
    return part.some(returnsValue);
  }
  if (typeof part !== "object" || part === null) {
    return false;
  }
  const { kind, value } = part as { kind?: unknown; value?: unknown };
  if (kind === "return") {
    return value !== null;
  }
  return kind !== "function" && Object.values(part).some(returnsValue);
}

function inferFromExpression(
  compilation: Compilation,
  instance: FunctionInstance,
  open: OpenFunction,
  receiver: Local | null,
  parameters: readonly Local[],
): void {
  const { entity, scope } = instance;
  const { node } = entity;
  const body = new Body(compilation, {
    symbol: open.symbol,
    scope: new Scope(scope, scope.module),
    owner: entity.owner,
    receiver,
    result: ERROR,
    source: node,
  });
  compilation.inferring.add(open);
  declareParameters(body, node, parameters);
  const value = fullExpression(body, () => checkResult(body, node.body as ExpressionNode));
  compilation.inferring.delete(open);
  open.result = value.type;
  open.body = resultStatements(body, value, value.type);
  open.locals = body.locals;
}

/** The expression after `=>` where it says the type of the result: a new object is given away, a place is borrowed. */
export function checkResult(body: Body, node: ExpressionNode): Expression {
  const value = checkOwning(body, node, null);
  return placeOf(value) === null ? value : borrow(body, value);
}

/** `return value`, or the value for its effect alone where the function returns nothing. */
export function resultStatements(body: Body, value: Expression, result: Type): Statement[] {
  const { place } = value;
  return result.kind === "void" || result.kind === "never"
    ? [{ kind: "expression", expression: value, place }, ...disposeAbove(body, 0)]
    : returnValue(body, value, place);
}

export function declareParameters(body: Body, node: FunctionNode, parameters: readonly Local[]): void {
  parameters.forEach((local, index) => {
    body.declare(local.name, { kind: "local", local, owner: body }, node.parameters[index]?.place ?? node.place);
    dropLater(body, local);
  });
}

/** Checks the statements of a function, or the expression after `=>`, and that the end is not reached where it must not. */
export function checkFunctionBody(body: Body, node: FunctionNode, parameters: readonly Local[]): Statement[] {
  declareParameters(body, node, parameters);
  if (!Array.isArray(node.body)) {
    const expression = node.body as ExpressionNode;
    const value =
      body.result.kind === "void"
        ? fullEffect(body, () => checkExpression(body, expression, null))
        : fullExpression(body, () => checkAs(body, expression, body.result));
    return resultStatements(body, value, body.result);
  }
  const statements = checkStatements(body, node.body);
  if (body.temporaries.length > 0) {
    throw new Error(`${body.symbol} does not drop ${body.temporaries[0]!.name}`);
  }
  if (body.flow.reachable) {
    statements.push(...disposeAbove(body, 0));
  }
  if (body.flow.reachable && body.result.kind !== "void" && !isError(body.result)) {
    body.report(
      "KT1039",
      node.end,
      body.result.kind === "never"
        ? "the end of a function of type `never` is reached"
        : "the end of the function is reached without a `return`",
    );
  }
  return statements;
}

/** A naked function has no frame: asm alone, which returns by itself. */
function checkNaked(compilation: Compilation, open: OpenFunction): void {
  for (const statement of open.body) {
    if (statement.kind !== "expression" || statement.expression.kind !== "asm") {
      compilation.reporter.report("KT1052", statement.place, "the body of a naked function is asm`…` alone");
    } else if (statement.expression.asm.operands.length > 0) {
      compilation.reporter.report("KT1052", statement.place, "asm in a naked function has no operands", {
        hint: "arguments are where the System V calling convention puts them: rdi, rsi, rdx, rcx, r8, r9",
      });
    }
  }
}

/** The processor decides what a handler gets, and takes nothing back. */
function checkInterruptHandler(compilation: Compilation, open: OpenFunction): void {
  const wanted = open.convention === "interrupt" ? INTERRUPT_HANDLER : INTERRUPT_HANDLER_WITH_ERROR;
  const fits = open.parameters.every(({ type }, index) => type === wanted.parameters[index] || isError(type));
  if (!fits || (open.result.kind !== "void" && open.result.kind !== "never")) {
    compilation.reporter.report(
      "KT1061",
      open.place,
      "an interrupt handler has the type `(frame: InterruptFrame) => void` or `(frame: InterruptFrame, error: u64) => void`",
    );
  }
}

export function typeOfFunction(target: TreeFunction): FunctionType {
  if (target.convention === "interrupt") {
    return INTERRUPT_HANDLER;
  }
  if (target.convention === "interruptWithError") {
    return INTERRUPT_HANDLER_WITH_ERROR;
  }
  return functionType(
    target.parameters.map((parameter) => parameter.type),
    target.result,
  );
}

/** What a wrapper such as `inline(…)` says about the function in it. */
export interface FunctionTraits {
  readonly convention: TreeFunction["convention"];
  readonly inline: TreeFunction["inline"];
  /** Types of parameters and result where the wrapper fixes them. */
  readonly context: FunctionEntity["context"];
}
export const PLAIN: FunctionTraits = { convention: "plain", inline: "auto", context: null };

/** An arrow or function expression as a value: a function of its own that sees no local of the one around it. */
export function checkFunctionValue(
  body: Body,
  node: FunctionNode,
  expected: Type | null,
  traits: FunctionTraits = PLAIN,
): Expression {
  const { place } = node;
  if (node.typeParameters.length > 0) {
    return body.error("KT1045", place, "a function value cannot be generic", "declare the function by name");
  }
  const entity = localFunction(body, node, node.name ?? "lambda", expected, traits);
  const { function: target } = instantiateFunction(body.compilation, entity, []);
  return { kind: "function", target, type: typeOfFunction(target), place };
}

/** A function inside another one. */
export function localFunction(
  body: Body,
  node: FunctionNode,
  name: string,
  expected: Type | null,
  traits: FunctionTraits,
): FunctionEntity {
  const wanted = expected?.kind === "nullable" ? expected.of : expected;
  return {
    kind: "function",
    node,
    symbol: `${body.symbol}.${name}`,
    scope: body.scope,
    owner: body.owner,
    receiver: null,
    ...traits,
    instances: new Map(),
    context: traits.context ?? (wanted?.kind === "function" ? wanted : null),
    private: false,
  };
}

/** Reports a generic function where its type arguments are not said; else its instance as a value. */
export function functionAsValue(body: Body, entity: FunctionEntity, place: Place): Expression {
  if (entity.node.typeParameters.length > 0) {
    return body.error("KT1045", place, "a generic function as a value says its type arguments", "write `sort<u8>`");
  }
  const { function: target } = instantiateFunction(body.compilation, entity, []);
  return { kind: "function", target, type: typeOfFunction(target), place };
}
