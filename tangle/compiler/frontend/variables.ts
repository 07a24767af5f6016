/** Variables of a function: in registers, or in its frame. */
import { isAggregate } from "../layout.ts";
import type { Statement, Type } from "../tree.ts";
import { checkUnused } from "./await.ts";
import type { Body } from "./body.ts";
import { completeEmbedded } from "./classes.ts";
import { coerce } from "./coerce.ts";
import { disposeLater, dropLater } from "./disposal.ts";
import { checkOwning } from "./expressions.ts";
import { withNonNull } from "./flow.ts";
import { borrowFrom, lenders } from "./frame.ts";
import { localFunction } from "./functions.ts";
import { constructAt, initialize, isFilled, newType } from "./initialize.ts";
import { localTarget } from "./nodes.ts";
import { borrow, fullExpression, placeOf } from "./ownership.ts";
import { resolveType } from "./resolve.ts";
import { checkPlain } from "./statements.ts";
import type { DeclaratorNode, ExpressionNode, VariablesNode } from "./syntax.ts";
import { borrowed, ERROR, isError, isPlain, typeName } from "./types.ts";
import { wrappedFunction } from "./wrappers.ts";

export function checkVariables(body: Body, node: VariablesNode): Statement[] {
  return node.declarators.flatMap((declarator) => {
    const statements = checkDeclarator(body, declarator, node.mutable);
    if (node.disposed) {
      disposeLater(body, declarator);
    }
    return statements;
  });
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
    dropLater(body, local);
    return [{ kind: "let", local, initial: null, place }, ...filling];
  }
  if (initial !== null && isOnStack(body, initial)) {
    return declareOnStack(body, node, initial, declared, mutable);
  }
  if (initial === null) {
    return declareEmpty(body, node, declared, mutable);
  }
  let plain = ERROR as Type;
  const value = fullExpression(body, () => {
    const given = checkOwning(body, initial, declared);
    plain = given.type;
    // What a place owns stays there, unless the variable says that it wants it.
    return declared === null && placeOf(given) !== null ? borrow(body, given) : coerce(body, given, declared ?? plain);
  });
  const type = declared ?? value.type;
  if (type.kind === "void" || (type.kind === "format" && !isError(type))) {
    body.report(
      "KT1008",
      initial.place,
      type.kind === "void" ? "the call gives no value" : "a format is passed on or read, never kept",
    );
  }
  checkUnused(body, name, type, place);
  const local = body.addLocal({ name, type, storage: "register", mutable, place });
  borrowFrom(body, local, lenders(body, value));
  if (type.kind === "nullable" && (plain === type.of || borrowed(plain) === type.of)) {
    body.flow = withNonNull(body.flow, local);
  }
  body.declare(name, { kind: "local", local, owner: body }, place);
  dropLater(body, local);
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
  const value = fullExpression(body, () => constructAt(body, localTarget(local, place), object));
  if (declared !== null) {
    coerce(body, value, declared);
  }
  body.declare(name, { kind: "local", local, owner: body }, place);
  dropLater(body, local);
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
  dropLater(body, local);
  return [{ kind: "let", local, initial: null, place }];
}
