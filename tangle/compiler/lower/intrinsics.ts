/** Intrinsics: volatile accesses become marked loads and stores, the rest passes through to the back end. */
import type { Value } from "../ssa/ir.ts";
import type { IntrinsicName, Type } from "../tree.ts";
import type { FunctionContext } from "./context.ts";
import { componentTypes, scalarType } from "./types.ts";

export function lowerIntrinsic(f: FunctionContext, name: IntrinsicName, values: readonly Value[], type: Type): Value[] {
  const { builder } = f;
  switch (name) {
    case "volatileLoad":
      return [builder.volatileLoad(scalarType(type), values[0]!)];
    case "volatileStore":
      builder.volatileStore(values[0]!, values[1]!);
      return [];
    case "unreachable":
      builder.unreachable();
      return [];
    default:
      return builder.intrinsic(name, values, componentTypes(type));
  }
}
