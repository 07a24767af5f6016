/** Memory that ends with the call, or before: a function's own frame, and what its locals own. Where references to it may not go. */
import { isAggregate } from "../layout.ts";
import type { Expression, Local } from "../tree.ts";
import type { Body } from "./body.ts";
import { mayLend } from "./lending.ts";
import { isOwning } from "./types.ts";

/**
 * The locals of this function that hold or own the memory which a reference or slice points into. Raw pointers are nobody's
 * business but their author's, unless they point into the frame itself.
 */
export function lenders(body: Body, value: Expression): ReadonlySet<Local> {
  const found = new Set<Local>();
  collect(body, value, found);
  const { kind } = value.type;
  return kind === "pointer" || kind === "integer" ? new Set([...found].filter((one) => !body.owners.has(one))) : found;
}

/** Whether a reference or slice points into memory that ends with this call. */
export function isFrameMemory(body: Body, value: Expression): boolean {
  return lenders(body, value).size > 0;
}

/** Remembers what a local refers to. */
export function borrowFrom(body: Body, local: Local, from: ReadonlySet<Local>): void {
  if (from.size > 0) {
    body.borrows.set(local, new Set([...(body.borrows.get(local) ?? []), ...from]));
  }
}

/** Reports a reference that goes where it outlives its memory; `kept` says where that is. */
export function checkEscape(body: Body, value: Expression, kept: "returned" | "stored"): void {
  const from = lenders(body, value);
  if (from.size === 0) {
    return;
  }
  const owner = [...from].find((local) => body.owners.has(local));
  if (owner === undefined) {
    const end = kept === "returned" ? "the call that returns it" : "the call, but is kept beyond it";
    body.report("KT1037", value.place, `this memory ends with ${end}`);
    return;
  }
  const what = owner.name.startsWith("$") ? "the object that this borrows from" : `\`${owner.name}\``;
  body.report("KT1068", value.place, `${what} is dropped when the function ends, but the borrow is ${kept}`);
}

function collect(body: Body, value: Expression, found: Set<Local>): void {
  switch (value.kind) {
    case "read": {
      const { target } = value;
      switch (target.kind) {
        case "local": {
          const { local } = target;
          if ((local.storage === "frame" && isAggregate(local.type)) || body.owners.has(local)) {
            found.add(local);
          }
          for (const from of body.borrows.get(local) ?? []) {
            found.add(from);
          }
          return;
        }
        case "element":
          if (target.array.type.kind === "array" && (isAggregate(value.type) || isOwning(value.type))) {
            collect(body, target.array, found);
          }
          return;
        case "field":
          if (isAggregate(value.type) || isOwning(value.type)) {
            collect(body, target.object, found);
          }
          return;
        default:
          return;
      }
    }
    case "addressOf":
      if (value.target.kind === "element") {
        collect(body, value.target.array, found);
      }
      return;
    case "reinterpret":
    case "sliceAddress":
      collect(body, value.operand, found);
      return;
    case "arithmetic":
      collect(body, value.left, found);
      return;
    case "makeSlice":
      collect(body, value.address, found);
      return;
    case "sequence":
      collect(body, value.last, found);
      return;
    case "conditional":
      collect(body, value.then, found);
      collect(body, value.otherwise, found);
      return;
    case "call":
    case "callIndirect":
      for (const argument of value.arguments) {
        if (mayLend(argument.type, value.type)) {
          collect(body, argument, found);
        }
      }
      return;
    default:
      return;
  }
}
