/** How the typed tree's types become SSA values. */
import { isFat } from "../layout.ts";
import type { ValueType } from "../ssa/ir.ts";
import type { Type } from "../tree.ts";

const INTEGERS = { 8: "i8", 16: "i16", 32: "i32", 64: "i64" } as const;

/** The type of a scalar, or of the address that stands for an aggregate. */
export function scalarType(type: Type): ValueType {
  switch (type.kind) {
    case "integer":
      return INTEGERS[type.bits];
    case "bool":
      return "i1";
    case "enum":
      return INTEGERS[type.repr.bits];
    case "pointer":
    case "nullable":
    case "owned":
    case "function":
    case "class":
    case "array":
    case "volatile":
    case "atomic":
      return "i64";
    default:
      throw new Error(`a value of type ${type.kind} is not one word`);
  }
}

/** The SSA values that carry a value of this type: none (void, never), one, or address and length. */
export function componentTypes(type: Type): readonly ValueType[] {
  if (type.kind === "void" || type.kind === "never") return [];
  return isFat(type) ? ["i64", "i64"] : [scalarType(type)];
}

/** Whether widening keeps the sign. */
export function isSigned(type: Type): boolean {
  if (type.kind === "enum") return type.repr.signed;
  return type.kind === "integer" && type.signed;
}
