/** Loops. `for … of` becomes a counting loop over an array, a slice or a range. */
import type { Expression, Local, LoopLabel, Statement, Target } from "../tree.ts";
import type { Body, JumpTarget } from "./body.ts";
import { coerce } from "./coerce.ts";
import { type Condition, checkCondition } from "./conditions.ts";
import { checkExpression } from "./expressions.ts";
import { assignedNames, type Flow, forget, merge, unreachable } from "./flow.ts";
import { isFrameMemory } from "./frame.ts";
import { arithmetic, assign, compare, integerOf, lengthOf, localTarget, read, readLocal } from "./nodes.ts";
import { checkRange, isRange } from "./ranges.ts";
import { resolveType } from "./resolve.ts";
import { checkBranch, checkStatements } from "./statements.ts";
import type { ExpressionNode, StatementNode } from "./syntax.ts";
import { ERROR, isError, typeName, USIZE } from "./types.ts";
import { checkVariables } from "./variables.ts";

type LoopNode = StatementNode & { readonly kind: "while" | "doWhile" | "for" | "forOf" };

export function checkLoop(body: Body, node: LoopNode, name: string | null): Statement[] {
  switch (node.kind) {
    case "while":
      return whileLoop(body, node.condition, node.body, null, name, node);
    case "doWhile":
      return doWhileLoop(body, node, name);
    case "for":
      return body.scoped(() => {
        const first: Statement[] =
          node.initial === null
            ? []
            : "declarators" in node.initial
              ? checkVariables(body, node.initial)
              : [
                  {
                    kind: "expression",
                    expression: checkExpression(body, node.initial, null),
                    place: node.initial.place,
                  },
                ];
        const loop = whileLoop(body, node.condition, node.body, node.update, name, node);
        return [{ kind: "block", label: null, body: [...first, ...loop], place: node.place }];
      });
    case "forOf":
      return body.scoped(() => forOfLoop(body, node, name));
  }
}

/** Checks the body of a loop as a place that `break` and `continue` can leave. */
function loopBody(
  body: Body,
  name: string | null,
  check: () => Statement[],
): { jump: JumpTarget; statements: Statement[] } {
  const label: LoopLabel = { name: name ?? "loop" };
  const jump: JumpTarget = { name, label, kind: "loop", depth: body.disposables.length, breaks: [], continues: [] };
  body.jumps.push(jump);
  const statements = check();
  body.jumps.pop();
  body.flow = merge(body.flow, ...jump.continues);
  return { jump, statements };
}

function whileLoop(
  body: Body,
  conditionNode: ExpressionNode | null,
  inner: StatementNode,
  updateNode: ExpressionNode | null,
  name: string | null,
  node: StatementNode,
): Statement[] {
  body.flow = forget(body.flow, assignedNames(conditionNode, inner, updateNode));
  const condition = conditionNode === null ? null : checkCondition(body, conditionNode);
  const leaving: Flow = condition?.whenFalse ?? unreachable(body.flow);
  body.flow = condition?.whenTrue ?? body.flow;
  const { jump, statements } = loopBody(body, name, () => checkBranch(body, inner));
  const update = updateNode === null ? null : checkExpression(body, updateNode, null);
  body.flow = merge(leaving, ...jump.breaks);
  return [
    {
      kind: "loop",
      label: jump.label,
      test: condition?.expression ?? null,
      testAtEnd: false,
      update,
      body: statements,
      place: node.place,
    },
  ];
}

function doWhileLoop(body: Body, node: LoopNode & { readonly kind: "doWhile" }, name: string | null): Statement[] {
  body.flow = forget(body.flow, assignedNames(node.condition, node.body));
  const { jump, statements } = loopBody(body, name, () => checkBranch(body, node.body));
  const condition: Condition = checkCondition(body, node.condition);
  body.flow = merge(condition.whenFalse, ...jump.breaks);
  return [
    {
      kind: "loop",
      label: jump.label,
      test: condition.expression,
      testAtEnd: true,
      update: null,
      body: statements,
      place: node.place,
    },
  ];
}

function forOfLoop(body: Body, node: LoopNode & { readonly kind: "forOf" }, name: string | null): Statement[] {
  if (isRange(body, node.iterable)) {
    const range = checkRange(body, node.iterable, node.type);
    return range === null
      ? checkAnyway(body, node, name)
      : countingLoop(body, node, name, range.from, range.to, (counter) => readLocal(counter, node.place));
  }
  const iterable = checkExpression(body, node.iterable, null);
  const { type } = iterable;
  if (type.kind !== "array" && type.kind !== "slice") {
    if (!isError(type)) {
      const hint = type.kind === "string" ? "go through its bytes: `for (const byte of text.bytes)`" : undefined;
      body.report("KT1008", node.iterable.place, `\`for … of\` over \`${typeName(type)}\``, hint);
    }
    return checkAnyway(body, node, name);
  }
  const { place } = node;
  const all = body.temporary("elements", type, place);
  if (isFrameMemory(body, iterable)) {
    body.frameMemory.add(all);
  }
  const elements = readLocal(all, place);
  const length = type.kind === "array" ? integerOf(BigInt(type.length), USIZE, place) : lengthOf(elements);
  const from = integerOf(0n, USIZE, place);
  const loop = countingLoop(body, node, name, from, length, (counter) => {
    const index = readLocal(counter, place);
    const target: Target = { kind: "element", array: elements, index, checked: false, type: type.of, place };
    return read(target);
  });
  return [{ kind: "let", local: all, initial: iterable, place }, ...loop];
}

/** The body still has its own mistakes to report when the iterable is in error. */
function checkAnyway(body: Body, node: LoopNode & { readonly kind: "forOf" }, name: string | null): Statement[] {
  const local = body.addLocal({ name: node.name, type: ERROR, storage: "register", mutable: true, place: node.place });
  body.declare(node.name, { kind: "local", local, owner: body }, node.place);
  loopBody(body, name, () => checkBranch(body, node.body));
  return [];
}

/** Counts a hidden variable from `from` to below `to`; `element` gives the value that the loop's own variable gets. */
function countingLoop(
  body: Body,
  node: LoopNode & { readonly kind: "forOf" },
  name: string | null,
  from: Expression,
  to: Expression,
  element: (counter: Local) => Expression,
): Statement[] {
  const { place } = node;
  const counterType = from.type;
  const counter = body.temporary("index", counterType, place);
  const before = forget(body.flow, assignedNames(node.body));
  body.flow = before;
  const value = element(counter);
  const declared = node.type === null ? null : resolveType(body.compilation, body.scope, node.type);
  const fitted = declared === null ? value : coerce(body, value, declared);
  const local = body.addLocal({
    name: node.name,
    type: declared ?? value.type,
    storage: "register",
    mutable: node.mutable,
    place,
  });
  body.declare(node.name, { kind: "local", local, owner: body }, place);
  if (isFrameMemory(body, fitted)) {
    body.frameMemory.add(local);
  }
  const { jump, statements } = loopBody(body, name, () =>
    body.scoped(() => checkStatements(body, node.body.kind === "block" ? node.body.body : [node.body])),
  );
  body.flow = merge(before, ...jump.breaks);
  const one = integerOf(1n, counterType, place);
  return [
    { kind: "let", local: counter, initial: from, place },
    {
      kind: "loop",
      label: jump.label,
      test: compare("<", readLocal(counter, place), to),
      testAtEnd: false,
      update: assign(localTarget(counter, place), arithmetic("+", readLocal(counter, place), one)),
      body: [{ kind: "let", local, initial: fitted, place }, ...statements],
      place,
    },
  ];
}
