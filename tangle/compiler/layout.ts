/** Sizes and alignments of the typed tree's types in memory: C layout on a 64-bit machine. */
import type { OwnedType, Type } from "./tree.ts";

/** Bytes that a value of this type takes in a field, array element or module-level variable. */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case "integer":
      return type.bits / 8;
    case "bool":
      return 1;
    case "void":
    case "never":
      return 0;
    case "string":
    case "format":
    case "slice":
    case "interface":
      return 16;
    case "pointer":
    case "nullable":
    case "function":
      return 8;
    case "array":
      return sizeOf(type.of) * type.length;
    case "volatile":
    case "atomic":
      return sizeOf(type.of);
    case "enum":
      return type.repr.bits / 8;
    case "owned":
      return sizeOfOwned(type);
    case "class":
      return type.size;
  }
}

/** The power of two that addresses of this type are multiples of, outside packed classes. */
export function alignOf(type: Type): number {
  switch (type.kind) {
    case "void":
    case "never":
      return 1;
    case "string":
    case "format":
    case "slice":
    case "interface":
    case "owned":
      return 8;
    case "array":
    case "volatile":
    case "atomic":
      return alignOf(type.of);
    case "class":
      return type.align;
    default:
      return sizeOf(type);
  }
}

/** An address, and for interfaces the method table's. */
function sizeOfOwned(type: OwnedType): number {
  return type.of.kind === "interface" ? 16 : 8;
}

/** Whether the type lives in memory, so that an expression of it denotes an address. */
export function isAggregate(type: Type): boolean {
  return type.kind === "class" || type.kind === "array" || type.kind === "volatile" || type.kind === "atomic";
}

/** Whether the type is a pair of words: address and length, or object and method table. */
export function isFat(type: Type): boolean {
  const { kind } = type.kind === "owned" ? type.of : type;
  return kind === "string" || kind === "slice" || kind === "format" || kind === "interface";
}
