/** Statements but loops. */

import { isAggregate } from "../layout.ts";
import type { LoopLabel, Statement, Type } from "../tree.ts";
import type { Body, JumpTarget } from "./body.ts";
import { completeEmbedded } from "./classes.ts";
import { coerce } from "./coerce.ts";
import { checkCondition } from "./conditions.ts";
import { constantOf } from "./constants.ts";
import type { FunctionEntity } from "./entities.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { merge, withNonNull } from "./flow.ts";
import { isFrameMemory } from "./frame.ts";
import { instantiateFunction, localFunction, PLAIN } from "./functions.ts";
import { constructAt, initialize, isFilled, newType } from "./initialize.ts";
import { checkLoop } from "./loops.ts";
import { localTarget } from "./nodes.ts";
import { resolveType } from "./resolve.ts";
import type { DeclaratorNode, ExpressionNode, StatementNode, VariablesNode } from "./syntax.ts";
import { isError, isPlain, typeName } from "./types.ts";
import { wrappedFunction } from "./wrappers.ts";

export function checkStatements(body: Body, nodes: readonly StatementNode[]): Statement[] {
  // Functions can be called before the line that declares them, and are checked even where nothing calls them.
  const functions = nodes.flatMap((node) => {
    if (node.kind !== "function") {
      return [];
    }
    const name = node.function.name ?? "";
    const entity = localFunction(body, node.function, name, null, PLAIN);
    body.declare(name, entity, node.place);
    return [entity];
  });
  for (const entity of functions) {
    checkPlain(body, entity);
  }
  return nodes.flatMap((node) => checkStatement(body, node));
}

function checkPlain(body: Body, entity: FunctionEntity): void {
  if (entity.node.typeParameters.length === 0) {
    instantiateFunction(body.compilation, entity, []);
  }
}

/** A statement in a scope of its own, as the body of a loop or branch. */
export function checkBranch(body: Body, node: StatementNode): Statement[] {
  return body.scoped(() => checkStatements(body, node.kind === "block" ? node.body : [node]));
}

export function checkStatement(body: Body, node: StatementNode): Statement[] {
  const { place } = node;
  switch (node.kind) {
    case "empty":
    case "error":
    case "function":
      return [];
    case "expression": {
      const expression = checkExpression(body, node.expression, null);
      return [{ kind: "expression", expression, place }];
    }
    case "variables":
      return checkVariables(body, node.variables);
    case "if": {
      const condition = checkCondition(body, node.condition);
      body.flow = condition.whenTrue;
      const then = checkBranch(body, node.then);
      const afterThen = body.flow;
      body.flow = condition.whenFalse;
      const otherwise = node.otherwise === null ? [] : checkBranch(body, node.otherwise);
      body.flow = merge(afterThen, body.flow);
      return [{ kind: "if", condition: condition.expression, then, otherwise, place }];
    }
    case "block":
      return [{ kind: "block", label: null, body: checkBranch(body, node), place }];
    case "labelled":
      return checkLabelled(body, node);
    case "switch":
      return checkSwitch(body, node, null);
    case "break":
    case "continue":
      return checkJump(body, node);
    case "return":
      return checkReturn(body, node);
    default:
      return checkLoop(body, node, null);
  }
}

function checkLabelled(body: Body, node: StatementNode & { readonly kind: "labelled" }): Statement[] {
  const { label: name, body: inner, place } = node;
  if (body.jumps.some((jump) => jump.name === name)) {
    body.report("KT1003", place, `label \`${name}\` is used twice, one inside the other`);
  }
  switch (inner.kind) {
    case "while":
    case "doWhile":
    case "for":
    case "forOf":
      return checkLoop(body, inner, name);
    case "switch":
      return checkSwitch(body, inner, name);
    default: {
      const label: LoopLabel = { name };
      const jump: JumpTarget = { name, label, kind: "block", breaks: [], continues: [] };
      body.jumps.push(jump);
      const statements = checkBranch(body, inner);
      body.jumps.pop();
      body.flow = merge(body.flow, ...jump.breaks);
      return [{ kind: "block", label, body: statements, place }];
    }
  }
}

function checkJump(body: Body, node: StatementNode & { readonly kind: "break" | "continue" }): Statement[] {
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
  (kind === "break" ? jump.breaks : jump.continues).push(body.flow);
  body.stop();
  return [{ kind, label: jump.label, place }];
}

function checkReturn(body: Body, node: StatementNode & { readonly kind: "return" }): Statement[] {
  const { value: valueNode, place } = node;
  const { result } = body;
  if (valueNode === null) {
    if (result.kind !== "void" && !isError(result)) {
      body.report("KT1008", place, `\`return\` without a value in a function of type \`${typeName(result)}\``);
    }
    body.stop();
    return [{ kind: "return", value: null, place }];
  }
  if (result.kind === "void") {
    const value = checkExpression(body, valueNode, null);
    if (value.type.kind !== "void" && value.type.kind !== "never") {
      body.report(
        "KT1008",
        valueNode.place,
        "a function of type `void` returns no value",
        "write the type of the result",
      );
    }
    body.stop();
    return [
      { kind: "expression", expression: value, place },
      { kind: "return", value: null, place },
    ];
  }
  const value = checkAs(body, valueNode, result);
  if (isFrameMemory(body, value)) {
    body.report("KT1037", valueNode.place, "this memory ends with the call that returns it");
  }
  body.stop();
  return [{ kind: "return", value, place }];
}

export function checkVariables(body: Body, node: VariablesNode): Statement[] {
  return node.declarators.flatMap((declarator) => checkDeclarator(body, declarator, node.mutable));
}

function checkDeclarator(body: Body, node: DeclaratorNode, mutable: boolean): Statement[] {
  const { name, place, initial } = node;
  const wrapped = initial === null || node.type !== null || mutable ? null : wrappedFunction(body, initial);
  if (wrapped !== null) {
    const entity = localFunction(body, wrapped.node, name, null, wrapped.traits);
    body.declare(name, entity, place);
    checkPlain(body, entity);
    return [];
  }
  const declared = node.type === null ? null : resolveType(body.compilation, body.scope, node.type);
  if (declared?.kind === "array" && (initial === null || initial.kind === "array" || isFilled(initial))) {
    const local = body.addLocal({ name, type: declared, storage: "frame", mutable, place });
    const filling = initial === null ? [] : initialize(body, localTarget(local, place), initial, true);
    body.declare(name, { kind: "local", local, owner: body }, place);
    return [{ kind: "let", local, initial: null, place }, ...filling];
  }
  if (initial !== null && isOnStack(body, initial)) {
    return declareOnStack(body, node, initial, declared, mutable);
  }
  if (initial === null) {
    return declareEmpty(body, node, declared, mutable);
  }
  const plain = checkExpression(body, initial, declared);
  const value = declared === null ? plain : coerce(body, plain, declared);
  const type = declared ?? plain.type;
  if (type.kind === "void" || (type.kind === "format" && !isError(type))) {
    body.report(
      "KT1008",
      initial.place,
      type.kind === "void" ? "the call gives no value" : "a format is passed on or read, never kept",
    );
  }
  const local = body.addLocal({ name, type, storage: "register", mutable, place });
  if (isFrameMemory(body, value)) {
    body.frameMemory.add(local);
  }
  if (type.kind === "nullable" && plain.type === type.of) {
    body.flow = withNonNull(body.flow, local);
  }
  body.declare(name, { kind: "local", local, owner: body }, place);
  return [{ kind: "let", local, initial: value, place }];
}

type OnStack = ExpressionNode & { readonly kind: "call" };

/** `onStack(new C(…))`: an object in this function's frame. */
function isOnStack(body: Body, node: ExpressionNode): node is OnStack {
  const { callee } = node as OnStack;
  return (
    node.kind === "call" &&
    callee.kind === "name" &&
    callee.name === "onStack" &&
    body.scope.find("onStack")?.kind === "builtin"
  );
}

function declareOnStack(
  body: Body,
  node: DeclaratorNode,
  initial: OnStack,
  declared: Type | null,
  mutable: boolean,
): Statement[] {
  const { name, place } = node;
  const [object, more] = initial.arguments;
  if (object?.kind !== "new" || more !== undefined) {
    body.report("KT1041", initial.place, "`onStack` takes a new object", "write `onStack(new C(…))`");
    return [];
  }
  const type = newType(body, object, declared);
  completeEmbedded(body.compilation, type, object.place);
  const local = body.addLocal({ name, type, storage: isAggregate(type) ? "frame" : "register", mutable, place });
  const value = constructAt(body, localTarget(local, place), object);
  if (declared !== null) {
    coerce(body, value, declared);
  }
  body.declare(name, { kind: "local", local, owner: body }, place);
  return type.kind === "class"
    ? [{ kind: "let", local, initial: value, place }]
    : [
        { kind: "let", local, initial: null, place },
        { kind: "expression", expression: value, place },
      ];
}

function declareEmpty(body: Body, node: DeclaratorNode, declared: Type | null, mutable: boolean): Statement[] {
  const { name, place } = node;
  if (declared === null) {
    body.report("KT1046", place, `\`${name}\` says neither its type nor its initial value`);
    return [];
  }
  if (!mutable) {
    body.report("KT1060", place, `the constant \`${name}\` needs its value`);
  } else if (!isPlain(declared) && declared.kind !== "nullable" && !isError(declared)) {
    body.report("KT1060", place, `\`${name}\` of type \`${typeName(declared)}\` needs an initial value`);
  }
  const local = body.addLocal({ name, type: declared, storage: "register", mutable, place });
  body.declare(name, { kind: "local", local, owner: body }, place);
  return [{ kind: "let", local, initial: null, place }];
}

function checkSwitch(body: Body, node: StatementNode & { readonly kind: "switch" }, name: string | null): Statement[] {
  const { place } = node;
  const subject = checkExpression(body, node.subject, null);
  const { type } = subject;
  if (!isPlain(type) && !isError(type)) {
    body.report(
      "KT1049",
      node.subject.place,
      `\`switch\` over \`${typeName(type)}\``,
      "switch over an integer or an enum",
    );
  }
  const label: LoopLabel = { name: name ?? "switch" };
  const jump: JumpTarget = { name, label, kind: "switch", breaks: [], continues: [] };
  const start = body.flow;
  const seen = new Set<bigint>();
  body.jumps.push(jump);
  body.stop();
  const cases = body.scoped(() =>
    node.cases.map((one) => {
      const fallen = body.flow;
      body.flow = start;
      const value = one.value === null ? null : caseValue(body, one.value, type);
      if (value !== null) {
        if (seen.has(value)) {
          body.report("KT1049", one.place, `case ${value} stands twice`);
        }
        seen.add(value);
      }
      body.flow = merge(fallen, start);
      const statements = checkStatements(body, one.body);
      // A label that is in error must not look like `default`.
      return { value: one.value === null ? null : (value ?? 0n), body: statements };
    }),
  );
  body.jumps.pop();
  const defaults = node.cases.filter((one) => one.value === null);
  body.flow = merge(body.flow, ...(defaults.length === 0 ? [start] : []), ...jump.breaks);
  return [{ kind: "switch", label, subject, cases, place }];
}

function caseValue(body: Body, node: ExpressionNode, type: Type): bigint | null {
  const value = checkAs(body, node, type);
  const constant = constantOf(value);
  if (constant === null && !isError(value.type)) {
    body.report("KT1049", node.place, "the label of a case is a constant");
  }
  return constant;
}
