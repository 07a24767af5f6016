/** Babel's expressions to expression nodes. */
import type * as babel from "@babel/types";
import type { BinaryOperator, ComparisonOperator, ExpressionNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";
import { convertArrow, convertFunctionExpression } from "./functions.ts";
import { convertTypeArguments } from "./types.ts";

const BINARY: ReadonlySet<string> = new Set<BinaryOperator>(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]);
const COMPARISON: ReadonlySet<string> = new Set<ComparisonOperator>(["===", "!==", "<", "<=", ">", ">="]);

export function convertExpression(c: Conversion, node: babel.Node): ExpressionNode {
  const place = c.place(node);
  switch (node.type) {
    case "NumericLiteral":
      return convertNumber(c, node);
    case "StringLiteral":
      if (/\p{Surrogate}/u.test(node.value)) {
        c.report("KT1024", node, "text with half of a surrogate pair has no UTF-8 form", "write the whole character");
      }
      return { kind: "string", value: node.value, place };
    case "BooleanLiteral":
      return { kind: "boolean", value: node.value, place };
    case "NullLiteral":
      return { kind: "null", place };
    case "ThisExpression":
      return { kind: "this", place };
    case "Identifier":
      return convertIdentifier(c, node);
    case "ParenthesizedExpression":
      return convertExpression(c, node.expression);
    case "TemplateLiteral":
      return {
        kind: "template",
        texts: node.quasis.map((quasi) => quasi.value.cooked ?? quasi.value.raw),
        values: node.expressions.map((value) => convertExpression(c, value)),
        place,
      };
    case "TaggedTemplateExpression":
      return convertTagged(c, node);
    case "ArrayExpression":
      return {
        kind: "array",
        elements: node.elements.map((element) => {
          if (element === null) {
            c.report("KT1012", node, "an array literal has no holes", "write every element");
            return { kind: "error", place };
          }
          return convertExpression(c, element);
        }),
        place,
      };
    case "ArrowFunctionExpression":
      return { kind: "function", function: convertArrow(c, node), place };
    case "FunctionExpression":
      return { kind: "function", function: convertFunctionExpression(c, node), place };
    case "AwaitExpression":
      return { kind: "await", operand: convertExpression(c, node.argument), place };
    case "UnaryExpression":
      return convertUnary(c, node);
    case "UpdateExpression":
      return {
        kind: "update",
        operator: node.operator === "++" ? "+" : "-",
        prefix: node.prefix,
        target: convertExpression(c, node.argument),
        place,
      };
    case "BinaryExpression":
      return convertBinary(c, node);
    case "LogicalExpression":
      if (node.operator === "??") {
        c.report("KT1023", node, "`??`", "write `p === null ? other : p`");
        return { kind: "error", place };
      }
      return {
        kind: "logical",
        operator: node.operator,
        left: convertExpression(c, node.left),
        right: convertExpression(c, node.right),
        place,
      };
    case "AssignmentExpression":
      return convertAssignment(c, node);
    case "ConditionalExpression":
      return {
        kind: "conditional",
        condition: convertExpression(c, node.test),
        then: convertExpression(c, node.consequent),
        otherwise: convertExpression(c, node.alternate),
        place,
      };
    case "CallExpression":
      return {
        kind: "call",
        callee: convertExpression(c, node.callee),
        typeArguments: convertTypeArguments(c, node.typeParameters),
        arguments: node.arguments.map((argument) => convertExpression(c, argument)),
        place,
      };
    case "NewExpression":
      if (node.callee.type !== "Identifier") {
        c.report("KT1029", node, "`new` of something computed", "name the class");
        return { kind: "error", place };
      }
      return {
        kind: "new",
        class: node.callee.name,
        typeArguments: convertTypeArguments(c, node.typeParameters),
        arguments: node.arguments.map((argument) => convertExpression(c, argument)),
        place,
      };
    case "MemberExpression":
      if (node.computed) {
        return {
          kind: "index",
          object: convertExpression(c, node.object),
          index: convertExpression(c, node.property),
          place,
        };
      }
      if (node.property.type !== "Identifier") {
        return c.reject(node.property);
      }
      return {
        kind: "member",
        object: convertExpression(c, node.object),
        name: node.property.name,
        namePlace: c.place(node.property),
        place,
      };
    case "SequenceExpression":
      return {
        kind: "sequence",
        expressions: node.expressions.map((expression) => convertExpression(c, expression)),
        place,
      };
    case "TSInstantiationExpression":
      return {
        kind: "instantiate",
        function: convertExpression(c, node.expression),
        typeArguments: convertTypeArguments(c, node.typeParameters),
        place,
      };
    default:
      return c.reject(node);
  }
}

function convertNumber(c: Conversion, node: babel.NumericLiteral): ExpressionNode {
  const place = c.place(node);
  const text = String(node.extra?.raw ?? node.value);
  const digits = text.replaceAll("_", "");
  if (!/^(\d+|0x[0-9a-f]+|0b[01]+|0o[0-7]+)$/i.test(digits)) {
    c.report("KT1024", node, `\`${text}\` is not an integer`);
    return { kind: "error", place };
  }
  return { kind: "number", value: BigInt(digits), text, place };
}

function convertIdentifier(c: Conversion, node: babel.Identifier): ExpressionNode {
  const place = c.place(node);
  switch (node.name) {
    case "undefined":
      c.report("KT1023", node, "there is no `undefined`");
      return { kind: "error", place };
    case "arguments":
    case "eval":
    case "globalThis":
      c.report("KT1029", node, `\`${node.name}\``);
      return { kind: "error", place };
    default:
      return { kind: "name", name: node.name, place };
  }
}

function convertTagged(c: Conversion, node: babel.TaggedTemplateExpression): ExpressionNode {
  const place = c.place(node);
  if (node.tag.type !== "Identifier" || node.tag.name !== "asm" || node.typeParameters) {
    c.report("KT1031", node, "only `asm` stands before a template literal", "call the function: `f(`…`)`");
    return { kind: "error", place };
  }
  return {
    kind: "asm",
    texts: node.quasi.quasis.map((quasi) => quasi.value.raw),
    values: node.quasi.expressions.map((value) => convertExpression(c, value)),
    place,
  };
}

function convertUnary(c: Conversion, node: babel.UnaryExpression): ExpressionNode {
  const place = c.place(node);
  switch (node.operator) {
    case "-":
    case "~":
    case "!":
      return { kind: "unary", operator: node.operator, operand: convertExpression(c, node.argument), place };
    case "+":
      c.report("KT1058", node, "unary `+` does nothing to an integer", "drop it");
      return convertExpression(c, node.argument);
    case "throw":
      c.report("KT1014", node, "`throw`");
      return { kind: "error", place };
    default:
      c.report("KT1019", node, `\`${node.operator}\``);
      return { kind: "error", place };
  }
}

function convertBinary(c: Conversion, node: babel.BinaryExpression): ExpressionNode {
  const place = c.place(node);
  const { operator } = node;
  if (operator === "in" || operator === "instanceof") {
    c.report("KT1019", node, `\`${operator}\``);
    return { kind: "error", place };
  }
  const left = convertExpression(c, node.left);
  const right = convertExpression(c, node.right);
  if (BINARY.has(operator)) {
    return { kind: "binary", operator: operator as BinaryOperator, left, right, place };
  }
  if (COMPARISON.has(operator)) {
    return { kind: "compare", operator: operator as ComparisonOperator, left, right, place };
  }
  if (operator === "==" || operator === "!=") {
    c.report("KT1018", node, `\`${operator}\` converts before it compares`, `write \`${operator}=\``);
    return { kind: "compare", operator: `${operator}=`, left, right, place };
  }
  c.report("KT1058", node, `\`${operator}\``);
  return { kind: "error", place };
}

function convertAssignment(c: Conversion, node: babel.AssignmentExpression): ExpressionNode {
  const place = c.place(node);
  const target = convertExpression(c, node.left);
  const value = convertExpression(c, node.right);
  if (node.operator === "=") {
    return { kind: "assign", operator: null, target, value, place };
  }
  const operator = node.operator.slice(0, -1);
  if (BINARY.has(operator)) {
    return { kind: "assign", operator: operator as BinaryOperator, target, value, place };
  }
  c.report(
    "KT1058",
    node,
    `\`${node.operator}\``,
    operator === ">>>" ? undefined : "write the condition out: `if (…) { x = …; }`",
  );
  return { kind: "error", place };
}
