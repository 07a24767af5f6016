/** Whether a call's result may refer to memory of what was passed to it, judged by their types alone. */
import type { Type } from "../tree.ts";
import { U8 } from "./types.ts";

/**
 * Whether a reference of type `result` may point into what a reference of type `given` refers to: the object itself, its
 * fields and elements, what it owns and what its pointers point at.
 */
export function mayLend(given: Type, result: Type): boolean {
  const wanted = referred(result);
  const held = referred(given);
  return wanted !== null && held !== null && holds(held, wanted, new Set());
}

/** The type of the memory that a reference refers to; null for what refers to none, or is raw. */
function referred(type: Type): Type | null {
  switch (type.kind) {
    case "class":
    case "array":
    case "interface":
      return type;
    case "slice":
      return type.of;
    case "string":
      return U8;
    case "nullable":
      return type.of.kind === "owned" ? null : referred(type.of);
    default:
      return null;
  }
}

function holds(whole: Type, part: Type, seen: Set<Type>): boolean {
  if (whole === part || whole.kind === "interface") {
    return whole === part || part.kind === "class" || part.kind === "interface";
  }
  if (seen.has(whole)) {
    return false;
  }
  seen.add(whole);
  switch (whole.kind) {
    case "class":
      return part.kind === "interface" || whole.fields.some((field) => holds(field.type, part, seen));
    case "array":
    case "slice":
    case "pointer":
    case "owned":
      return holds(whole.of, part, seen);
    case "nullable":
      return whole.of.kind === "owned" && holds(whole.of.of, part, seen);
    case "string":
      return part === U8;
    default:
      return false;
  }
}
