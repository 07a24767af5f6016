/** Babel's classes to class nodes: every modifier is either understood or rejected. */
import type * as babel from "@babel/types";
import type { ClassNode, ExpressionNode, FieldNode, FunctionNode, MethodNode, TypeNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";
import { convertExpression } from "./expressions.ts";
import { convertMethodFunction } from "./functions.ts";
import { convertAnnotation, convertTypeArguments, convertTypeParameters } from "./types.ts";

export function convertClass(c: Conversion, node: babel.ClassDeclaration): ClassNode {
  if (node.superClass) {
    c.report("KT1021", node.superClass, "`extends`");
  }
  if (node.abstract) {
    c.report("KT1021", node, "`abstract` class");
  }
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  const contracts = (node.implements ?? []).map((contract) => convertContract(c, contract));
  let packed = false;
  let size: ExpressionNode | null = null;
  for (const decorator of node.decorators ?? []) {
    const { expression } = decorator;
    if (expression.type === "Identifier" && expression.name === "packed") {
      packed = true;
    } else {
      size = decoratorArgument(c, decorator, "size") ?? size;
    }
  }
  const fields: FieldNode[] = [];
  const methods: MethodNode[] = [];
  let constructorNode: FunctionNode | null = null;
  for (const member of node.body.body) {
    if (member.type === "ClassProperty") {
      fields.push(...convertField(c, member));
    } else if (member.type === "ClassMethod" && member.kind === "constructor") {
      reportMemberModifiers(c, member);
      reportDecorators(c, member);
      if (constructorNode !== null) {
        c.report(
          "KT1003",
          member,
          "a class has one constructor",
          "give parameters default values, or write static methods",
        );
      }
      constructorNode = convertMethodFunction(c, member, "constructor");
    } else if (member.type === "ClassMethod") {
      methods.push(...convertMethod(c, member));
    } else {
      c.reject(member);
    }
  }
  return {
    name: node.id?.name ?? "",
    typeParameters: convertTypeParameters(c, node.typeParameters),
    packed,
    size,
    fields,
    methods,
    constructor_: constructorNode,
    contracts,
    place: c.place(node.id ?? node),
  };
}

/** An interface after `implements`. */
function convertContract(c: Conversion, node: babel.Node): TypeNode {
  const place = c.place(node);
  if (node.type !== "TSExpressionWithTypeArguments" || node.expression.type !== "Identifier") {
    c.report("KT1026", node, "what is implemented is an interface, by its name");
    return { kind: "error", place };
  }
  return { kind: "name", name: node.expression.name, arguments: convertTypeArguments(c, node.typeParameters), place };
}

/** The one argument of `@name(argument)`; anything else is reported and null. */
function decoratorArgument(c: Conversion, decorator: babel.Decorator, name: string): ExpressionNode | null {
  const { expression } = decorator;
  const [argument, ...more] = expression.type === "CallExpression" ? expression.arguments : [];
  if (
    expression.type === "CallExpression" &&
    expression.callee.type === "Identifier" &&
    expression.callee.name === name &&
    argument !== undefined &&
    more.length === 0
  ) {
    return convertExpression(c, argument);
  }
  c.report("KT1022", decorator);
  return null;
}

function reportDecorators(c: Conversion, node: babel.ClassMethod): void {
  for (const decorator of node.decorators ?? []) {
    c.report("KT1022", decorator, "decorator on a method", "drop it");
  }
}

function reportMemberModifiers(c: Conversion, node: babel.ClassProperty | babel.ClassMethod): void {
  if (node.accessibility === "protected") {
    c.report("KT1021", node, "`protected`: there is no inheritance", "write `private`");
  }
  if (node.abstract || node.override) {
    c.report("KT1021", node, node.abstract ? "`abstract` member" : "`override`", "drop it");
  }
  if (node.optional) {
    c.report("KT1023", node, "optional member");
  }
}

function isSymbolDispose(key: babel.Node): boolean {
  return (
    key.type === "MemberExpression" &&
    !key.computed &&
    key.object.type === "Identifier" &&
    key.object.name === "Symbol" &&
    key.property.type === "Identifier" &&
    key.property.name === "dispose"
  );
}

/** The plain name of a member, or null after a report. */
function memberName(c: Conversion, node: babel.ClassProperty | babel.ClassMethod): string | null {
  const { key } = node;
  if (node.type === "ClassMethod" && node.computed && isSymbolDispose(key)) {
    return "[Symbol.dispose]";
  }
  if (node.computed || key.type !== "Identifier") {
    c.report("KT1027", key, "computed or quoted member name");
    return null;
  }
  return key.name;
}

function convertField(c: Conversion, node: babel.ClassProperty): FieldNode[] {
  reportMemberModifiers(c, node);
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  if (node.definite) {
    c.report("KT1007", node, "`!` does not make a field assigned", "drop it: fields without an initial value are zero");
  }
  let offset: ExpressionNode | null = null;
  for (const decorator of node.decorators ?? []) {
    offset = decoratorArgument(c, decorator, "offset") ?? offset;
  }
  const name = memberName(c, node);
  if (name === null) {
    return [];
  }
  return [
    {
      name,
      type: convertAnnotation(c, node.typeAnnotation),
      initial: node.value ? convertExpression(c, node.value) : null,
      static: node.static === true,
      readonly: node.readonly === true,
      private: node.accessibility === "private",
      offset,
      place: c.place(node.key),
    },
  ];
}

function convertMethod(c: Conversion, node: babel.ClassMethod): MethodNode[] {
  reportMemberModifiers(c, node);
  reportDecorators(c, node);
  if (node.kind === "get" || node.kind === "set") {
    c.report("KT1020", node, `\`${node.kind}\` accessor`);
    return [];
  }
  const name = memberName(c, node);
  if (name === null) {
    return [];
  }
  return [
    {
      name,
      static: node.static,
      private: node.accessibility === "private",
      function: convertMethodFunction(c, node, name),
      place: c.place(node.key),
    },
  ];
}
