/** Whether a value fits where it goes: the same type, or one of the few steps that need no conversion. */
import type { Expression, Type } from "../tree.ts";
import type { Body } from "./body.ts";
import type { Compilation } from "./compilation.ts";
import { keepFunction } from "./heap-closures.ts";
import { asInterface, asOwnedInterface } from "./interfaces.ts";
import { reinterpret, stringAsFormat } from "./nodes.ts";
import { borrow, move } from "./ownership.ts";
import { borrowed, isError, isOwning, signatureOf, typeName } from "./types.ts";

/**
 * The value as `type`, or a report (KT1008). `T` goes into `T | null`, a string into a format, an object into an interface,
 * `never` into anything.
 */
export function coerce(body: Body, given: Expression, type: Type): Expression {
  const value = isOwning(type) ? (isOwning(given.type) ? move(body, given) : given) : borrow(body, given);
  const signature = type.kind === "owned" ? signatureOf(type.of) : null;
  if (signature !== null && value.type === signature && type.kind === "owned" && type.of.kind === "interface") {
    return keepFunction(body, value, type.of, signature);
  }
  const fitted = fit(body.compilation, value, type);
  if (fitted !== null) {
    return fitted;
  }
  return body.error(
    "KT1008",
    value.place,
    `\`${typeName(value.type)}\` stands where \`${typeName(type)}\` is wanted`,
    conversionHint(value.type, type),
  );
}

/** An owner as another type of owner: of an interface that the class implements, or of that or null. */
function asOwner(compilation: Compilation, value: Expression, type: Type): Expression | null {
  const wanted = type.kind === "owned" && type.of.kind === "interface" ? type.of : null;
  return wanted === null ? null : asOwnedInterface(compilation, value, wanted);
}

/** The same without a report: null where it does not fit. */
export function fit(compilation: Compilation, value: Expression, type: Type): Expression | null {
  if (value.type === type || value.type.kind === "never" || isError(type)) {
    return value;
  }
  if (type.kind === "nullable" && type.of === value.type) {
    return reinterpret(value, type);
  }
  if (isOwning(type) && isOwning(value.type)) {
    return asOwner(compilation, value, type);
  }
  if (type.kind === "format" && value.type.kind === "string") {
    return stringAsFormat(value);
  }
  return type.kind === "interface" ? asInterface(compilation, value, type) : null;
}

function conversionHint(from: Type, to: Type): string | undefined {
  if (to.kind === "integer") {
    switch (from.kind) {
      case "integer":
      case "bool":
      case "enum":
        return `convert: \`${to.name}(…)\``;
      case "pointer":
        return "the address of a pointer is `p.address`";
      case "volatile":
        return "read the cell: `cell.read()`";
      case "atomic":
        return "load the cell: `cell.load()`";
    }
  }
  if (from.kind === "nullable" && from.of === to) {
    return "test for null first: `if (p === null) { return; }`";
  }
  if (isOwning(to) && borrowed(to) === from) {
    return "this borrows the object; only its owner can give it away";
  }
  if (to.kind === "slice" && from.kind === "array" && from.of === to.of) {
    return "take a slice of the array: `a.slice()`";
  }
  if (to.kind === "pointer" && to.of === from) {
    return "take the address: `addressOf(x)`";
  }
  if (from.kind === "pointer" && from.of === to) {
    return "follow the pointer: `p.value`";
  }
  if (to.kind === "enum" && from.kind === "integer") {
    return `name a member, or convert: \`enumFrom<${to.name}>(…)\``;
  }
  if (to.kind === "interface" && from.kind === "class") {
    return `let the class say so: \`class ${from.name} implements ${to.name}\``;
  }
  if (to.kind === "bool") {
    return "compare: `x !== 0`";
  }
  return undefined;
}
