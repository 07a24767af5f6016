/** Babel's statements to statement nodes. */
import type * as babel from "@babel/types";
import type { ExpressionNode, StatementNode, VariablesNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";
import { convertExpression } from "./expressions.ts";
import { convertFunctionDeclaration } from "./functions.ts";
import { convertAnnotation } from "./types.ts";

export function convertBlock(c: Conversion, block: babel.BlockStatement): readonly StatementNode[] {
  reportDirectives(c, block.directives);
  return block.body.map((statement) => convertStatement(c, statement));
}

/** `"use strict"` and the like would be dropped silently. */
export function reportDirectives(c: Conversion, directives: readonly babel.Directive[]): void {
  for (const directive of directives) {
    c.report("KT1028", directive, `directive \`"${directive.value.value}"\``, "drop it: there are no modes");
  }
}

export function convertStatement(c: Conversion, node: babel.Statement): StatementNode {
  const place = c.place(node);
  switch (node.type) {
    case "ExpressionStatement":
      return { kind: "expression", expression: convertExpression(c, node.expression), place };
    case "VariableDeclaration":
      return { kind: "variables", variables: convertVariables(c, node), place };
    case "FunctionDeclaration":
      return { kind: "function", function: convertFunctionDeclaration(c, node), place };
    case "IfStatement":
      return {
        kind: "if",
        condition: convertExpression(c, node.test),
        then: convertStatement(c, node.consequent),
        otherwise: node.alternate ? convertStatement(c, node.alternate) : null,
        place,
      };
    case "WhileStatement":
      return {
        kind: "while",
        condition: convertExpression(c, node.test),
        body: convertStatement(c, node.body),
        place,
      };
    case "DoWhileStatement":
      return {
        kind: "doWhile",
        condition: convertExpression(c, node.test),
        body: convertStatement(c, node.body),
        place,
      };
    case "ForStatement":
      return {
        kind: "for",
        initial: convertForInitial(c, node.init),
        condition: node.test ? convertExpression(c, node.test) : null,
        update: node.update ? convertExpression(c, node.update) : null,
        body: convertStatement(c, node.body),
        place,
      };
    case "ForOfStatement":
      return convertForOf(c, node);
    case "SwitchStatement":
      return {
        kind: "switch",
        subject: convertExpression(c, node.discriminant),
        cases: node.cases.map((one) => ({
          value: one.test ? convertExpression(c, one.test) : null,
          body: one.consequent.map((statement) => convertStatement(c, statement)),
          place: c.place(one),
        })),
        place,
      };
    case "BreakStatement":
      return { kind: "break", label: node.label?.name ?? null, place };
    case "ContinueStatement":
      return { kind: "continue", label: node.label?.name ?? null, place };
    case "ReturnStatement":
      return { kind: "return", value: node.argument ? convertExpression(c, node.argument) : null, place };
    case "BlockStatement":
      return { kind: "block", body: convertBlock(c, node), place };
    case "LabeledStatement":
      if (node.body.type === "FunctionDeclaration") {
        c.report("KT1028", node, "label on a function", "drop the label");
      }
      return { kind: "labelled", label: node.label.name, body: convertStatement(c, node.body), place };
    case "EmptyStatement":
      return { kind: "empty", place };
    case "ClassDeclaration":
    case "TSEnumDeclaration":
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      c.report("KT1056", node);
      return { kind: "error", place };
    default:
      return c.reject(node);
  }
}

export function convertVariables(c: Conversion, node: babel.VariableDeclaration): VariablesNode {
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  switch (node.kind) {
    case "var":
      c.report("KT1017", node);
      break;
    case "await using":
      c.report("KT1015", node, "`await using` comes with chapter 12");
      break;
  }
  const declarators = node.declarations.flatMap((declarator) => {
    const { id } = declarator;
    if (id.type !== "Identifier") {
      c.reject(id);
      return [];
    }
    if (declarator.definite || id.optional) {
      c.report("KT1007", id, "`!` does not make a variable assigned", "give it an initial value");
    }
    return [
      {
        name: id.name,
        type: convertAnnotation(c, id.typeAnnotation),
        initial: declarator.init ? convertExpression(c, declarator.init) : null,
        place: c.place(id),
      },
    ];
  });
  return {
    mutable: node.kind === "let" || node.kind === "var",
    disposed: node.kind === "using",
    declarators,
    place: c.place(node),
  };
}

/** `using` belongs to a block: elsewhere it is unclear when it ends. */
export function reportUsing(c: Conversion, node: babel.VariableDeclaration): void {
  if (node.kind === "using") {
    c.report("KT1063", node, "`using` stands in a block, not here");
  }
}

function convertForInitial(
  c: Conversion,
  node: babel.VariableDeclaration | babel.Expression | null | undefined,
): VariablesNode | ExpressionNode | null {
  if (!node) {
    return null;
  }
  if (node.type !== "VariableDeclaration") {
    return convertExpression(c, node);
  }
  reportUsing(c, node);
  return convertVariables(c, node);
}

function convertForOf(c: Conversion, node: babel.ForOfStatement): StatementNode {
  const place = c.place(node);
  if (node.await) {
    c.report("KT1015", node, "`for await` comes with chapter 12");
  }
  if (node.left.type !== "VariableDeclaration") {
    c.report("KT1028", node.left, "`for … of` without a declaration", "write `for (const x of …)`");
    return { kind: "error", place };
  }
  reportUsing(c, node.left);
  const [variable] = convertVariables(c, node.left).declarators;
  if (variable === undefined) {
    return { kind: "error", place };
  }
  return {
    kind: "forOf",
    name: variable.name,
    mutable: node.left.kind === "let",
    type: variable.type,
    iterable: convertExpression(c, node.right),
    body: convertStatement(c, node.body),
    place,
  };
}
