/** Loops. `for … of` becomes a counting loop over an array, a slice or a range. */
import type { Expression, Local, LoopLabel, Statement, Target } from "../tree.ts";
import { type Body, errorExpression, type JumpTarget } from "./body.ts";
import type { CallNode } from "./calls.ts";
import { coerce } from "./coerce.ts";
import { type Condition, checkTest } from "./conditions.ts";
import { disposeAbove } from "./disposal.ts";
import { checkExpression } from "./expressions.ts";
import { type Flow, merge, unreachable } from "./flow.ts";
import { borrowFrom, lenders } from "./frame.ts";
import { arithmetic, assign, compare, integerOf, lengthOf, localTarget, read, readLocal } from "./nodes.ts";
import { borrow, forgetAssigned, fullEffect, fullExpression } from "./ownership.ts";
import { checkRange, isRange } from "./ranges.ts";
import { resolveType } from "./resolve.ts";
import { checkBranch, checkStatements } from "./statements.ts";
import type { ExpressionNode, StatementNode, TypeNode } from "./syntax.ts";
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
        const depth = body.disposables.length;
        const first: Statement[] =
          node.initial === null
            ? []
            : "declarators" in node.initial
              ? checkVariables(body, node.initial)
              : [
                  {
                    kind: "expression",
                    expression: checkEffect(body, node.initial),
                    place: node.initial.place,
                  },
                ];
        const loop = whileLoop(body, node.condition, node.body, node.update, name, node);
        const disposed = body.flow.reachable ? disposeAbove(body, depth) : [];
        body.disposables.length = depth;
        return [{ kind: "block", label: null, body: [...first, ...loop, ...disposed], place: node.place }];
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

function checkEffect(body: Body, node: ExpressionNode): Expression {
  return fullEffect(body, () => checkExpression(body, node, null));
}

/** Reports what a round of a loop moves away though the next one would use it. Locals from `first` on are each round's own. */
function checkRounds(body: Body, start: Flow, first: number): void {
  if (!body.flow.reachable) {
    return;
  }
  const own = new Set(body.locals.slice(first));
  for (const [local, { place, owner }] of body.flow.moved) {
    if (local === owner && !start.moved.has(local) && !own.has(local)) {
      body.report("KT1066", place, `\`${local.name}\` is moved here, and the next round would move it again`);
    }
  }
}

function whileLoop(
  body: Body,
  conditionNode: ExpressionNode | null,
  inner: StatementNode,
  updateNode: ExpressionNode | null,
  name: string | null,
  node: StatementNode,
): Statement[] {
  forgetAssigned(body, conditionNode, inner, updateNode);
  const condition = conditionNode === null ? null : checkTest(body, conditionNode);
  const leaving: Flow = condition?.whenFalse ?? unreachable(body.flow);
  body.flow = condition?.whenTrue ?? body.flow;
  const start = body.flow;
  const first = body.locals.length;
  const { jump, statements } = loopBody(body, name, () => checkBranch(body, inner));
  const update = updateNode === null ? null : checkEffect(body, updateNode);
  checkRounds(body, start, first);
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
  forgetAssigned(body, node.condition, node.body);
  const start = body.flow;
  const first = body.locals.length;
  const { jump, statements } = loopBody(body, name, () => checkBranch(body, node.body));
  const condition: Condition = checkTest(body, node.condition);
  checkRounds(body, start, first);
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

/** The ends of a range; both are evaluated with the first one. */
function fullRange(body: Body, node: CallNode, type: TypeNode | null): ReturnType<typeof checkRange> {
  let to: Expression | null = null;
  const from = fullExpression(body, () => {
    const range = checkRange(body, node, type);
    to = range?.to ?? null;
    return range?.from ?? errorExpression(node.place);
  });
  return to === null ? null : { from, to };
}

function forOfLoop(body: Body, node: LoopNode & { readonly kind: "forOf" }, name: string | null): Statement[] {
  if (isRange(body, node.iterable)) {
    const range = fullRange(body, node.iterable, node.type);
    return range === null
      ? checkAnyway(body, node, name)
      : countingLoop(body, node, name, range.from, range.to, (counter) => readLocal(counter, node.place));
  }
  const iterable = fullExpression(body, () => checkExpression(body, node.iterable, null));
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
  borrowFrom(body, all, lenders(body, iterable));
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
  forgetAssigned(body, node.body);
  const before = body.flow;
  const value = element(counter);
  const declared = node.type === null ? null : resolveType(body.compilation, body.scope, node.type);
  const fitted = declared === null ? borrow(body, value) : coerce(body, value, declared);
  const local = body.addLocal({
    name: node.name,
    type: declared ?? fitted.type,
    storage: "register",
    mutable: node.mutable,
    place,
  });
  body.declare(node.name, { kind: "local", local, owner: body }, place);
  borrowFrom(body, local, lenders(body, fitted));
  const first = body.locals.length;
  const { jump, statements } = loopBody(body, name, () =>
    body.scoped(() => checkStatements(body, node.body.kind === "block" ? node.body.body : [node.body])),
  );
  checkRounds(body, before, first);
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
