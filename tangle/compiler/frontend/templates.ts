/** Template literals as lists of pieces, and `hex`, `binary`, `fixed`, `character`, `pad` inside of them. */
import type { Expression, FormatPiece, Type } from "../tree.ts";
import { type Body, errorExpression } from "./body.ts";
import { constantOf } from "./constants.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { encode } from "./nodes.ts";
import type { ExpressionNode } from "./syntax.ts";
import { FORMAT, isError, STRING, typeName, U8, USIZE } from "./types.ts";

type ValuePiece = FormatPiece & { readonly kind: "value" };

export function checkTemplate(
  body: Body,
  node: ExpressionNode & { readonly kind: "template" },
  expected: Type | null,
): Expression {
  const { place, texts, values } = node;
  if (expected !== null && isError(expected)) {
    return errorExpression(place);
  }
  if (expected?.kind !== "format") {
    const [text] = texts;
    if (values.length === 0 && text !== undefined) {
      return { kind: "string", bytes: encode(text), type: STRING, place };
    }
    return body.error("KT1031", place);
  }
  const pieces: FormatPiece[] = [];
  texts.forEach((text, index) => {
    if (text !== "") {
      pieces.push({ kind: "text", bytes: encode(text) });
    }
    const value = values[index];
    if (value !== undefined) {
      const piece = checkPiece(body, value);
      if (piece !== null) {
        pieces.push(
          piece.value.kind === "string" && piece.width === 0 ? { kind: "text", bytes: piece.value.bytes } : piece,
        );
      }
    }
  });
  return { kind: "format", pieces, type: FORMAT, place };
}

/** The names that shape a value; they mean something inside `${…}` only. */
export const STYLES = ["hex", "binary", "fixed", "character", "pad"] as const;

function checkPiece(body: Body, node: ExpressionNode): ValuePiece | null {
  const style =
    node.kind === "call" && node.callee.kind === "name" && body.scope.find(node.callee.name)?.kind === "builtin"
      ? STYLES.find((name) => node.callee.kind === "name" && name === node.callee.name)
      : undefined;
  if (style === undefined || node.kind !== "call") {
    return plainPiece(body, checkExpression(body, node, null));
  }
  const [valueNode, ...rest] = node.arguments;
  const most = style === "pad" ? 2 : style === "fixed" ? 1 : 0;
  const least = style === "pad" || style === "fixed" ? 1 : 0;
  if (valueNode === undefined || rest.length < least || rest.length > most) {
    body.report("KT1041", node.place, `\`${style}\` takes ${least === most ? least + 1 : "2 or 3"} arguments`);
    return null;
  }
  switch (style) {
    case "pad": {
      const piece = checkPiece(body, valueNode);
      const width = constantByte(body, rest[0]!, "the width");
      const fill = rest[1] === undefined ? 0x20 : fillByte(body, rest[1]);
      return piece && { ...piece, width, fill };
    }
    case "character":
      return shaped(checkAs(body, valueNode, U8), "character");
    case "fixed": {
      const value = numberIn(body, valueNode);
      return value && { ...shaped(value, "fixed"), digits: constantByte(body, rest[0]!, "the count of digits") };
    }
    default: {
      const value = numberIn(body, valueNode);
      return value && shaped(value, style);
    }
  }
}

function shaped(value: Expression, style: ValuePiece["style"]): ValuePiece {
  return { kind: "value", value, style, width: 0, fill: 0x20, digits: 0 };
}

function plainPiece(body: Body, value: Expression): ValuePiece | null {
  const { type, place } = value;
  switch (type.kind) {
    case "integer":
    case "enum":
      return shaped(value, "decimal");
    case "bool":
      return shaped(value, "bool");
    case "string":
      return shaped(value, "text");
    case "pointer":
      return { ...shaped(value, "hex"), width: 16, fill: 0x30 };
    case "nullable":
      return type.of.kind === "pointer" ? { ...shaped(value, "hex"), width: 16, fill: 0x30 } : notShown(body, value);
    case "never":
      if (isError(type)) {
        return null;
      }
      body.report("KT1008", place, "this gives no value to show");
      return null;
    default:
      return notShown(body, value);
  }
}

function notShown(body: Body, value: Expression): null {
  const hints: Partial<Record<Type["kind"], string>> = {
    format: "pass it on alone: `println(info.message)`",
    volatile: "read the cell: `cell.read()`",
    atomic: "load the cell: `cell.load()`",
  };
  body.report(
    "KT1008",
    value.place,
    `\`${typeName(value.type)}\` cannot be shown`,
    hints[value.type.kind] ?? "show its fields, or its address: `addressOf(x)`",
  );
  return null;
}

/** An integer, enum or pointer that is shown as a number. */
function numberIn(body: Body, node: ExpressionNode): Expression | null {
  const value = checkExpression(body, node, null);
  const { kind } = value.type;
  if (kind === "integer" || kind === "enum" || kind === "pointer") {
    return value;
  }
  if (!isError(value.type)) {
    body.report("KT1008", node.place, `\`${typeName(value.type)}\` is not a number`);
  }
  return null;
}

function constantByte(body: Body, node: ExpressionNode, what: string): number {
  const value = checkAs(body, node, USIZE);
  const constant = constantOf(value);
  if (constant !== null && constant < 256n) {
    return Number(constant);
  }
  if (!isError(value.type)) {
    body.report("KT1008", node.place, `${what} is a constant below 256`);
  }
  return 0;
}

function fillByte(body: Body, node: ExpressionNode): number {
  const value = checkAs(body, node, STRING);
  if (value.kind === "string" && value.bytes.length === 1) {
    return value.bytes[0]!;
  }
  if (!isError(value.type)) {
    body.report("KT1008", node.place, "what fills up is one ASCII character", 'write `"0"`');
  }
  return 0x20;
}
