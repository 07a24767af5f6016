/** Babel's functions, arrows, methods and their parameters to function nodes. */
import type * as babel from "@babel/types";
import type { FunctionNode, ParameterNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";
import { convertExpression } from "./expressions.ts";
import { convertBlock } from "./statements.ts";
import { convertAnnotation, convertTypeParameters } from "./types.ts";

type AnyFunction =
  | babel.FunctionDeclaration
  | babel.FunctionExpression
  | babel.ArrowFunctionExpression
  | babel.ClassMethod;

export function convertFunctionDeclaration(c: Conversion, node: babel.FunctionDeclaration): FunctionNode {
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  return convertFunction(c, node, node.id?.name ?? null);
}

export function convertFunctionExpression(c: Conversion, node: babel.FunctionExpression): FunctionNode {
  return convertFunction(c, node, node.id?.name ?? null);
}

export function convertArrow(c: Conversion, node: babel.ArrowFunctionExpression): FunctionNode {
  return convertFunction(c, node, null);
}

/** Methods and constructors; the caller has judged their modifiers. */
export function convertMethodFunction(c: Conversion, node: babel.ClassMethod, name: string): FunctionNode {
  return convertFunction(c, node, name);
}

function convertFunction(c: Conversion, node: AnyFunction, name: string | null): FunctionNode {
  if (node.generator) {
    c.report("KT1016", node, "generator function");
  }
  return {
    name,
    typeParameters: convertTypeParameters(c, node.typeParameters),
    parameters: node.params.flatMap((parameter) => convertParameter(c, parameter)),
    result: convertAnnotation(c, node.returnType),
    body: node.body.type === "BlockStatement" ? convertBlock(c, node.body) : convertExpression(c, node.body),
    place: c.place(node),
    end: c.end(node),
    async: node.async === true,
  };
}

function convertParameter(c: Conversion, node: babel.Node): ParameterNode[] {
  let pattern = node;
  let initial: babel.Expression | null = null;
  if (pattern.type === "AssignmentPattern") {
    initial = pattern.right;
    pattern = pattern.left;
  }
  if (pattern.type !== "Identifier") {
    c.reject(pattern);
    return [];
  }
  if (pattern.name === "this") {
    c.report("KT1021", pattern, "a `this` parameter", "name the parameter, and pass the object");
    return [];
  }
  if (pattern.optional) {
    c.report("KT1023", pattern, `optional parameter \`${pattern.name}\``);
  }
  if (pattern.decorators?.length) {
    c.report("KT1022", pattern.decorators[0]!, "decorator on a parameter", "drop it");
  }
  return [
    {
      name: pattern.name,
      type: convertAnnotation(c, pattern.typeAnnotation),
      initial: initial && convertExpression(c, initial),
      place: c.place(pattern),
    },
  ];
}
