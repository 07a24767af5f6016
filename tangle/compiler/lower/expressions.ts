/** Expressions to SSA values. */
import type { Block, Predicate, Value } from "../ssa/ir.ts";
import type { ComparisonOperator, Expression, Type } from "../tree.ts";
import { lowerArithmetic } from "./arithmetic.ts";
import { lowerAssembly } from "./assembly.ts";
import { lowerAwait } from "./await.ts";
import { Variable } from "./builder.ts";
import { textValue } from "./constants.ts";
import type { FunctionContext } from "./context.ts";
import { constantTexts, lowerFormat } from "./formats.ts";
import { lowerIntrinsic } from "./intrinsics.ts";
import { addressOf, locate, materialize, readLocation, readTarget, writeLocation } from "./targets.ts";
import { componentTypes, isSigned, scalarType } from "./types.ts";

/** The expression's value: no SSA value (void, never), one, or two (address and length). */
export function lowerExpression(f: FunctionContext, expression: Expression): Value[] {
  const outer = f.builder.place;
  f.builder.place = expression.place;
  const values = lowerHere(f, expression);
  f.builder.place = outer;
  return values;
}

/** The value of a scalar expression, or the address that an aggregate one denotes. */
export function lowerScalar(f: FunctionContext, expression: Expression): Value {
  const values = lowerExpression(f, expression);
  if (values.length !== 1) throw new Error(`a ${expression.kind} of type ${expression.type.kind} is not one value`);
  return values[0]!;
}

function lowerHere(f: FunctionContext, e: Expression): Value[] {
  const { builder } = f;
  switch (e.kind) {
    case "integer":
      return [builder.constant(scalarType(e.type), e.value)];
    case "string":
      return textValue(f, e.bytes);
    case "function":
      return [builder.symbol(e.target.symbol)];
    case "read":
      return readTarget(f, e.target);
    case "addressOf":
      return [materialize(f, addressOf(f, e.target))];
    case "assign": {
      const location = locate(f, e.target);
      const values = lowerExpression(f, e.value);
      writeLocation(f, location, values);
      return values;
    }
    case "update": {
      const location = locate(f, e.target);
      const before = readLocation(f, location);
      const after = lowerArithmetic(f, e.operator, before[0]!, e.value, e.target.type, e.place);
      writeLocation(f, location, [after]);
      return e.result === "before" ? before : [after];
    }
    case "negate":
    case "complement":
      return [builder.unary(e.kind, lowerScalar(f, e.operand))];
    case "not":
      return [builder.unary("complement", lowerScalar(f, e.operand))];
    case "arithmetic":
      return [lowerArithmetic(f, e.operator, lowerScalar(f, e.left), e.right, e.type, e.place)];
    case "compare": {
      const left = lowerScalar(f, e.left);
      const right = lowerScalar(f, e.right);
      return [builder.compare(predicateOf(e.operator, e.left.type), left, right)];
    }
    case "logical": {
      // The right side runs only where the left one has not decided.
      const merge = new Merge(f, e.type);
      const more = builder.newBlock();
      const decided = builder.newBlock();
      if (e.operator === "&&") lowerCondition(f, e.left, more, decided);
      else lowerCondition(f, e.left, decided, more);
      builder.beginSealed(decided);
      merge.jumpWith([builder.constant("i1", e.operator === "&&" ? 0n : 1n)]);
      builder.beginSealed(more);
      merge.jumpWith(lowerExpression(f, e.right));
      return merge.finish();
    }
    case "conditional": {
      const merge = new Merge(f, e.type);
      const then = builder.newBlock();
      const otherwise = builder.newBlock();
      lowerCondition(f, e.condition, then, otherwise);
      builder.beginSealed(then);
      merge.jumpWith(lowerExpression(f, e.then));
      builder.beginSealed(otherwise);
      merge.jumpWith(lowerExpression(f, e.otherwise));
      return merge.finish();
    }
    case "convert":
      return [builder.convert(lowerScalar(f, e.operand), scalarType(e.type), isSigned(e.operand.type))];
    case "reinterpret":
      return lowerExpression(f, e.operand);
    case "call":
      return finishCall(f, e.type, builder.call(e.target.symbol, lowerAll(f, e.arguments), componentTypes(e.type)));
    case "callIndirect": {
      const callee = lowerScalar(f, e.callee);
      const values = lowerAll(f, e.arguments);
      return finishCall(f, e.type, builder.callIndirect(callee, values, componentTypes(e.type)));
    }
    case "intrinsic":
      return lowerIntrinsic(f, e.name, lowerAll(f, e.arguments), e.type);
    case "makeSlice":
      return [lowerScalar(f, e.address), lowerScalar(f, e.length)];
    case "sliceAddress":
      return [lowerExpression(f, e.operand)[0]!];
    case "sliceLength":
      return [lowerExpression(f, e.operand)[1]!];
    case "format":
      return lowerFormat(f, e.pieces);
    case "asm":
      lowerAssembly(f, e.asm);
      return [];
    case "sequence":
      for (const first of e.first) lowerExpression(f, first);
      return lowerExpression(f, e.last);
    case "construct": {
      const address = lowerScalar(f, e.address);
      builder.call(e.constructor_.symbol, [address, ...lowerAll(f, e.arguments)], []);
      return [address];
    }
    case "panic":
      lowerPanic(f, e.message);
      return [];
    case "await":
      return lowerAwait(f, e);
  }
}

function lowerAll(f: FunctionContext, expressions: readonly Expression[]): Value[] {
  return expressions.flatMap((expression) => lowerExpression(f, expression));
}

/** After a call that never returns nothing is reached. */
function finishCall(f: FunctionContext, type: Type, results: Value[]): Value[] {
  if (type.kind === "never") f.builder.unreachable();
  return results;
}

function lowerPanic(f: FunctionContext, message: Expression): void {
  const { builder } = f;
  const texts = message.kind === "format" ? constantTexts(message.pieces) : null;
  if (texts) f.panics.constant(builder, texts, builder.place!);
  else f.panics.message(builder, lowerExpression(f, message), builder.place!);
}

/** Goes to one block or the other, without making a value of `&&`, `||` and `!`. Seals neither. */
export function lowerCondition(f: FunctionContext, condition: Expression, then: Block, otherwise: Block): void {
  const { builder } = f;
  const outer = builder.place;
  builder.place = condition.place;
  if (condition.kind === "logical") {
    const more = builder.newBlock();
    if (condition.operator === "&&") lowerCondition(f, condition.left, more, otherwise);
    else lowerCondition(f, condition.left, then, more);
    builder.beginSealed(more);
    lowerCondition(f, condition.right, then, otherwise);
  } else if (condition.kind === "not") {
    lowerCondition(f, condition.operand, otherwise, then);
  } else if (condition.kind === "integer") {
    builder.jump(condition.value === 0n ? otherwise : then);
  } else {
    builder.branch(lowerScalar(f, condition), then, otherwise);
  }
  builder.place = outer;
}

/** A value that comes from whichever branch was taken. */
class Merge {
  readonly block: Block;
  private readonly variables: readonly Variable[];

  constructor(
    private readonly f: FunctionContext,
    type: Type,
  ) {
    this.block = f.builder.newBlock();
    this.variables = componentTypes(type).map((component) => new Variable(component));
  }

  /** Comes from here with this value. A branch of type never has none; of an expression of type void it is dropped. */
  jumpWith(values: readonly Value[]): void {
    this.variables.forEach((variable, i) => {
      if (values[i]) this.f.builder.write(variable, values[i]);
    });
    this.f.builder.jump(this.block);
  }

  finish(): Value[] {
    this.f.builder.beginSealed(this.block);
    return this.variables.map((variable) => this.f.builder.read(variable));
  }
}

function predicateOf(operator: ComparisonOperator, type: Type): Predicate {
  if (operator === "==") return "eq";
  if (operator === "!=") return "ne";
  const order = ({ "<": "lt", "<=": "le", ">": "gt", ">=": "ge" } as const)[operator];
  return isSigned(type) ? `s${order}` : `u${order}`;
}
