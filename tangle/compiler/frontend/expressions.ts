/** Expressions: one function that every other part of the checker calls, and the simple kinds. */
import type { Place } from "../../place.ts";
import type { Expression, Local, Type } from "../tree.ts";
import { checkAccess, readAccess } from "./access.ts";
import { allocateObject } from "./allocation.ts";
import { checkAssembly } from "./assembly.ts";
import { checkAssignment, checkUpdate } from "./assignments.ts";
import { checkAwait } from "./await.ts";
import type { Body } from "./body.ts";
import { errorExpression } from "./body.ts";
import { checkCall } from "./calls.ts";
import { checkClosure, passClosure } from "./closures.ts";
import { coerce, fit } from "./coerce.ts";
import type { Compilation } from "./compilation.ts";
import { checkCondition } from "./conditions.ts";
import { forgetPaths, merge } from "./flow.ts";
import { checkFunctionValue } from "./functions.ts";
import { instantiateCallee } from "./generics.ts";
import { makeClosure } from "./heap-closures.ts";
import { encode, integerOf, readLocal, sequence } from "./nodes.ts";
import { checkBinary, checkComparison, checkUnary } from "./operators.ts";
import { borrow, checkBorrows, checkUsable, move, placeOf } from "./ownership.ts";
import type { ExpressionNode } from "./syntax.ts";
import { checkTemplate } from "./templates.ts";
import { BOOL, isError, isOwning, nullableOf, rangeOf, STRING, signatureOf, typeName } from "./types.ts";

/**
 * The expression with its type; `expected` is what the context wants, for literals, arrows and `null`. What is owned is
 * borrowed, unless an owner is wanted.
 */
export function checkExpression(body: Body, node: ExpressionNode, expected: Type | null): Expression {
  const expression = checkOwning(body, node, expected);
  return expected !== null && isOwning(expected) ? expression : borrow(body, expression);
}

/** The same where ownership stays with the expression: of type `Owned<C>` it is the place of an owner, or a value without one. */
export function checkOwning(body: Body, node: ExpressionNode, expected: Type | null): Expression {
  const expression = check(body, node, expected);
  if (runsCode(node, expression)) {
    body.flow = forgetPaths(body.flow);
    checkBorrows(body, expression);
  }
  if (expression.type.kind === "never" && !isError(expression.type)) {
    body.stop();
  }
  return expression;
}

/** Whether something else may have stored to memory meanwhile: a call, but not one of a conversion or the like. */
function runsCode(node: ExpressionNode, value: Expression): boolean {
  return (
    node.kind === "asm" ||
    node.kind === "await" ||
    node.kind === "new" ||
    (node.kind === "call" && !["convert", "integer", "reinterpret", "read", "addressOf"].includes(value.kind))
  );
}

/** The expression as a value of `type`, or a report. */
export function checkAs(body: Body, node: ExpressionNode, type: Type): Expression {
  return coerce(body, checkOwning(body, node, type), type);
}

function check(body: Body, node: ExpressionNode, expected: Type | null): Expression {
  const { place } = node;
  switch (node.kind) {
    case "error":
      return errorExpression(place);
    case "number":
      return integerLiteral(body, node.value, node.text, node, expected);
    case "string":
      return { kind: "string", bytes: encode(node.value), type: STRING, place };
    case "boolean":
      return integerOf(node.value ? 1n : 0n, BOOL, place);
    case "null":
      if (expected?.kind === "nullable") {
        return integerOf(0n, expected, place);
      }
      return expected !== null && isError(expected)
        ? errorExpression(place)
        : body.error(
            "KT1008",
            place,
            expected === null ? "`null` has no type here" : `\`${typeName(expected)}\` is never null`,
            "declare the type `T | null`",
          );
    case "this":
      return body.receiver === null ? checkOuterThis(body, place) : readLocal(body.receiver, place);
    case "name": {
      const entity = body.mayCapture.has(node) ? body.scope.find(node.name) : null;
      if (entity?.kind === "closure") {
        return passClosure(body, entity, node);
      }
      const access = checkAccess(body, node);
      if (access.target?.kind === "local" && !checkUsable(body, access.target.local, place)) {
        return errorExpression(place);
      }
      return readAccess(access);
    }
    case "member":
    case "index":
      return readAccess(checkAccess(body, node));
    case "template":
      return checkTemplate(body, node, expected);
    case "asm":
      return checkAssembly(body, node);
    case "array":
      return body.error("KT1012", place, "an array literal is the initial value of a `FixedArray`, and nothing else");
    case "function":
      if (expected?.kind === "owned" && expected.of.kind === "interface") {
        const signature = signatureOf(expected.of);
        if (signature !== null) {
          return makeClosure(body, node, expected.of, signature);
        }
      }
      if (body.mayCapture.has(node)) {
        return checkClosure(body, node, expected);
      }
      return checkFunctionValue(body, node.function, expected);
    case "await":
      return checkAwait(body, node);
    case "unary":
      return checkUnary(body, node, expected);
    case "update":
      return checkUpdate(body, node);
    case "binary":
      return checkBinary(body, node, expected);
    case "compare":
      return checkComparison(body, node);
    case "logical":
      return checkCondition(body, node).expression;
    case "assign":
      return checkAssignment(body, node);
    case "conditional":
      return checkConditional(body, node, expected);
    case "call":
      return checkCall(body, node, expected);
    case "new": {
      const wanted = expected?.kind === "nullable" ? expected.of : expected;
      return allocateObject(body, node, wanted?.kind === "owned" ? wanted.of : null);
    }
    case "sequence": {
      const last = node.expressions.length - 1;
      const first = node.expressions.slice(0, last).map((one) => checkExpression(body, one, null));
      return sequence(first, checkExpression(body, node.expressions[last]!, expected));
    }
    case "instantiate":
      return instantiateCallee(body, node);
  }
}

/** `this` in a function without one: that of the method around, where a closure may capture it. */
function checkOuterThis(body: Body, place: Place): Expression {
  for (let outer = body.captures; outer !== null; outer = outer.outer.captures) {
    const { receiver } = outer.outer;
    if (receiver !== null) {
      return outerThis(body, receiver, place);
    }
  }
  return body.owner === null
    ? body.error("KT1002", place, "`this` stands outside of a method", "pass the object as a parameter")
    : body.error(
        "KT1013",
        place,
        "`this` belongs to the method around this function",
        "pass the object as a parameter",
      );
}

function outerThis(body: Body, receiver: Local, place: Place): Expression {
  const { captures } = body;
  return captures === null
    ? readLocal(receiver, place)
    : captures.value(body, receiver, outerThis(captures.outer, receiver, place), place);
}

/** A literal takes the type that the context wants, and must fit it. */
export function integerLiteral(
  body: Body,
  value: bigint,
  text: string,
  node: ExpressionNode,
  expected: Type | null,
): Expression {
  const { place } = node;
  if (expected === null) {
    return body.error("KT1033", place, `\`${text}\` has no type here`);
  }
  if (isError(expected)) {
    return errorExpression(place);
  }
  if (expected.kind !== "integer") {
    return body.error("KT1008", place, `the number \`${text}\` stands where \`${typeName(expected)}\` is wanted`);
  }
  const { least, most } = rangeOf(expected);
  if (value < least || value > most) {
    return body.error(
      "KT1032",
      place,
      `\`${text}\` does not fit \`${expected.name}\`, which goes from ${least} to ${most}`,
    );
  }
  return integerOf(value, expected, place);
}

/** Whether an expression is made of literals alone, so that it takes its type from the context. */
export function isUntyped(node: ExpressionNode): boolean {
  switch (node.kind) {
    case "number":
      return true;
    case "unary":
      return node.operator !== "!" && isUntyped(node.operand);
    case "binary":
      return isUntyped(node.left) && (node.operator === "<<" || node.operator === ">>" || isUntyped(node.right));
    case "conditional":
      return isUntyped(node.then) && isUntyped(node.otherwise);
    case "sequence":
      return isUntyped(node.expressions.at(-1)!);
    default:
      return false;
  }
}

function checkConditional(
  body: Body,
  node: ExpressionNode & { readonly kind: "conditional" },
  expected: Type | null,
): Expression {
  const { place } = node;
  const condition = checkCondition(body, node.condition);
  const branch = (which: ExpressionNode, wanted: Type | null, whenTrue: boolean): [Expression, Body["flow"]] => {
    body.flow = whenTrue ? condition.whenTrue : condition.whenFalse;
    return [checkOwning(body, which, wanted), body.flow];
  };
  let then: [Expression, Body["flow"]];
  let otherwise: [Expression, Body["flow"]];
  // Where one branch alone says its type, it gives it to the other.
  if (needsContext(node.then) && !needsContext(node.otherwise)) {
    otherwise = branch(node.otherwise, expected, false);
    then = branch(node.then, expected ?? contextFrom(otherwise[0].type, node.then), true);
  } else {
    then = branch(node.then, expected, true);
    otherwise = branch(node.otherwise, expected ?? contextFrom(then[0].type, node.otherwise), false);
  }
  // Two owners make an owner, unless both stay where they are; what is moved or borrowed so belongs to its own branch.
  const owner =
    expected === null
      ? isOwning(then[0].type) && isOwning(otherwise[0].type) && !(placeOf(then[0]) && placeOf(otherwise[0]))
      : isOwning(expected);
  for (const one of [then, otherwise]) {
    body.flow = one[1];
    one[0] = owner && isOwning(one[0].type) ? move(body, one[0]) : borrow(body, one[0]);
    one[1] = body.flow;
  }
  body.flow = merge(then[1], otherwise[1]);
  const type = commonType(body.compilation, then[0], otherwise[0], expected);
  if (type === null) {
    return body.error(
      "KT1009",
      place,
      `the branches have different types: \`${typeName(then[0].type)}\` and \`${typeName(otherwise[0].type)}\``,
      "convert one of them",
    );
  }
  const fitted = {
    then: fit(body.compilation, then[0], type) ?? then[0],
    otherwise: fit(body.compilation, otherwise[0], type) ?? otherwise[0],
  };
  return { kind: "conditional", condition: condition.expression, ...fitted, type, place };
}

function needsContext(node: ExpressionNode): boolean {
  return isUntyped(node) || node.kind === "null";
}

function contextFrom(type: Type, node: ExpressionNode): Type | null {
  if (type.kind === "never" && !isError(type)) {
    return null;
  }
  const pointerLike = type.kind === "pointer" || type.kind === "class" || type.kind === "function";
  return node.kind === "null" && pointerLike ? nullableOf(type) : type;
}

function commonType(compilation: Compilation, a: Expression, b: Expression, expected: Type | null): Type | null {
  for (const type of expected === null ? [a.type, b.type] : [expected, a.type, b.type]) {
    if (
      (type.kind !== "never" || isError(type)) &&
      fit(compilation, a, type) !== null &&
      fit(compilation, b, type) !== null
    ) {
      return type;
    }
  }
  return a.type.kind === "never" && b.type.kind === "never" ? a.type : null;
}
