/** Reads of immutable module-level values, as the constants they are. */
import { isAggregate } from "../layout.ts";
import type { Value } from "../ssa/ir.ts";
import type { Target } from "../tree.ts";
import type { FunctionContext } from "./context.ts";
import { componentTypes, scalarType } from "./types.ts";

/** The value in a target, if it is a global that never changes and whose value was folded; else null. */
export function constantOf(f: FunctionContext, target: Target): Value[] | null {
  if (target.kind !== "global" || target.global.mutable || isAggregate(target.type)) return null;
  const { builder } = f;
  const initial = target.global.initial;
  switch (initial?.kind) {
    case "integer":
      return [builder.constant(scalarType(target.type), initial.value)];
    case "zero":
      return componentTypes(target.type).map((type) => builder.constant(type, 0n));
    case "string":
      return textValue(f, initial.bytes);
    case "function":
      return [builder.symbol(initial.target.symbol)];
    case "aggregate": {
      // A slice.
      const [address, length] = initial.elements;
      if (address?.kind !== "address" || length?.kind !== "integer") return null;
      return [builder.symbol(address.target.symbol, address.offset), builder.constant("i64", length.value)];
    }
    case "address":
      return [builder.symbol(initial.target.symbol, initial.offset)];
    default:
      return null;
  }
}

/** Address and length of text in read-only memory. */
export function textValue(f: FunctionContext, bytes: Uint8Array): Value[] {
  return [f.builder.symbol(f.data.text(bytes)), f.builder.constant("i64", BigInt(bytes.length))];
}
