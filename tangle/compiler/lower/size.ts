/** How much code an expression makes, to decide whether it may stand twice. */
import type { Expression, Target } from "../tree.ts";

const SHORT = 16;

/** Whether the expression is short, and means the same when its code stands at two places. */
export function isShort(expression: Expression): boolean {
  return sizeOf(expression) <= SHORT;
}

function sizeOf(e: Expression): number {
  switch (e.kind) {
    case "integer":
    case "string":
    case "function":
      return 1;
    case "read":
    case "addressOf":
      return targetSize(e.target);
    case "assign":
    case "update":
      return 1 + targetSize(e.target) + sizeOf(e.value);
    case "arithmetic":
    case "compare":
    case "logical":
      return 1 + sizeOf(e.left) + sizeOf(e.right);
    case "conditional":
      return 2 + sizeOf(e.condition) + sizeOf(e.then) + sizeOf(e.otherwise);
    case "negate":
    case "complement":
    case "not":
    case "convert":
    case "sliceAddress":
    case "sliceLength":
      return 1 + sizeOf(e.operand);
    case "reinterpret":
      return sizeOf(e.operand);
    case "call":
    case "intrinsic":
      return 2 + sum(e.arguments);
    case "callIndirect":
      return 2 + sizeOf(e.callee) + sum(e.arguments);
    case "makeSlice":
      return sizeOf(e.address) + sizeOf(e.length);
    case "sequence":
      return sum(e.first) + sizeOf(e.last);
    // Assembly may define labels; the others are long.
    case "asm":
    case "format":
    case "construct":
    case "panic":
    case "await":
      return Number.POSITIVE_INFINITY;
  }
}

function targetSize(target: Target): number {
  switch (target.kind) {
    case "local":
    case "global":
      return 1;
    case "field":
      return 1 + sizeOf(target.object);
    case "element":
      return (target.checked ? 4 : 2) + sizeOf(target.array) + sizeOf(target.index);
    case "pointee":
      return 1 + sizeOf(target.pointer);
  }
}

function sum(expressions: readonly Expression[]): number {
  return expressions.reduce((total, expression) => total + sizeOf(expression), 0);
}
