/** Visits every expression of the typed tree. */
import type { Expression, Statement, Target } from "../tree.ts";

export function walkStatements(statements: readonly Statement[], visit: (expression: Expression) => void): void {
  const expression = (one: Expression | null): void => {
    if (one !== null) {
      walkExpression(one, visit);
    }
  };
  for (const statement of statements) {
    switch (statement.kind) {
      case "expression":
        expression(statement.expression);
        break;
      case "let":
        expression(statement.initial);
        break;
      case "if":
        expression(statement.condition);
        walkStatements(statement.then, visit);
        walkStatements(statement.otherwise, visit);
        break;
      case "loop":
        expression(statement.test);
        expression(statement.update);
        walkStatements(statement.body, visit);
        break;
      case "block":
        walkStatements(statement.body, visit);
        break;
      case "switch":
        expression(statement.subject);
        for (const one of statement.cases) {
          walkStatements(one.body, visit);
        }
        break;
      case "return":
        expression(statement.value);
        break;
    }
  }
}

/** The expression itself first, then what it is made of. */
export function walkExpression(expression: Expression, visit: (expression: Expression) => void): void {
  visit(expression);
  const walk = (one: Expression): void => walkExpression(one, visit);
  switch (expression.kind) {
    case "read":
    case "addressOf":
      targetParts(expression.target).forEach(walk);
      break;
    case "assign":
    case "update":
      targetParts(expression.target).forEach(walk);
      walk(expression.value);
      break;
    case "negate":
    case "complement":
    case "not":
    case "convert":
    case "reinterpret":
    case "sliceAddress":
    case "sliceLength":
      walk(expression.operand);
      break;
    case "arithmetic":
    case "compare":
    case "logical":
      walk(expression.left);
      walk(expression.right);
      break;
    case "conditional":
      walk(expression.condition);
      walk(expression.then);
      walk(expression.otherwise);
      break;
    case "call":
    case "intrinsic":
      expression.arguments.forEach(walk);
      break;
    case "callIndirect":
      walk(expression.callee);
      expression.arguments.forEach(walk);
      break;
    case "makeSlice":
      walk(expression.address);
      walk(expression.length);
      break;
    case "format":
      for (const piece of expression.pieces) {
        if (piece.kind === "value") {
          walk(piece.value);
        }
      }
      break;
    case "asm":
      for (const { value } of expression.asm.operands) {
        if (value !== null) {
          walk(value);
        }
      }
      break;
    case "sequence":
      expression.first.forEach(walk);
      walk(expression.last);
      break;
    case "construct":
      walk(expression.address);
      expression.arguments.forEach(walk);
      break;
    case "panic":
      walk(expression.message);
      break;
    case "await":
      expression.first.forEach(walk);
      walk(expression.poll);
      walk(expression.result);
      walkStatements(expression.abandon, visit);
      break;
    case "integer":
    case "string":
    case "function":
      break;
  }
}

function targetParts(target: Target): readonly Expression[] {
  switch (target.kind) {
    case "local":
    case "global":
      return [];
    case "field":
      return [target.object];
    case "element":
      return [target.array, target.index];
    case "pointee":
      return [target.pointer];
  }
}

export function targetOf(expression: Expression): Target | null {
  return "target" in expression && expression.kind !== "function" && expression.kind !== "call"
    ? expression.target
    : null;
}
