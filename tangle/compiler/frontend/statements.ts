/** Statements: which kind is checked where, blocks and branches. */
import type { LoopLabel, Statement } from "../tree.ts";
import { checkKept } from "./await.ts";
import type { Body, JumpTarget } from "./body.ts";
import { checkTest } from "./conditions.ts";
import { disposeAbove } from "./disposal.ts";
import type { FunctionEntity } from "./entities.ts";
import { checkExpression } from "./expressions.ts";
import { merge } from "./flow.ts";
import { instantiateFunction, localFunction, PLAIN } from "./functions.ts";
import { checkJump, checkReturn } from "./jumps.ts";
import { checkLoop } from "./loops.ts";
import { fullEffect } from "./ownership.ts";
import { checkSwitch } from "./switches.ts";
import type { StatementNode } from "./syntax.ts";
import { checkVariables } from "./variables.ts";

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
  const depth = body.disposables.length;
  const statements = nodes.flatMap((node) => checkStatement(body, node));
  if (body.flow.reachable) {
    statements.push(...disposeAbove(body, depth));
  }
  body.disposables.length = depth;
  return statements;
}

export function checkPlain(body: Body, entity: FunctionEntity): void {
  if (entity.node.typeParameters.length === 0) {
    instantiateFunction(body.compilation, entity, []);
  }
}

/** A statement in a scope of its own, as the body of a loop or branch. */
export function checkBranch(body: Body, node: StatementNode): Statement[] {
  return body.scoped(() => checkStatements(body, node.kind === "block" ? node.body : [node]));
}

function checkStatement(body: Body, node: StatementNode): Statement[] {
  const { place } = node;
  switch (node.kind) {
    case "empty":
    case "error":
    case "function":
      return [];
    case "expression": {
      const expression = fullEffect(body, () =>
        checkKept(body, node.expression, checkExpression(body, node.expression, null)),
      );
      return [{ kind: "expression", expression, place }];
    }
    case "variables":
      return checkVariables(body, node.variables);
    case "if": {
      const condition = checkTest(body, node.condition);
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
      const jump: JumpTarget = {
        name,
        label,
        kind: "block",
        depth: body.disposables.length,
        breaks: [],
        continues: [],
      };
      body.jumps.push(jump);
      const statements = checkBranch(body, inner);
      body.jumps.pop();
      body.flow = merge(body.flow, ...jump.breaks);
      return [{ kind: "block", label, body: statements, place }];
    }
  }
}
