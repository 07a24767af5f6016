/** The intrinsics that mean something without a processor: cells and memory. */
import type { Expression, IntrinsicName, Type } from "../tree.ts";
import { wrapTo } from "./arithmetic.ts";
import { type Evaluator, Stopped, type Value } from "./evaluator.ts";

/** Bytes and alignment of a coroutine's frame; what it holds lies elsewhere. */
const NOMINAL_FRAME = 8n;

/** Runs an intrinsic on its arguments; stops at those that need hardware. */
export function intrinsic(
  evaluator: Evaluator,
  name: IntrinsicName,
  args: readonly Value[],
  expression: Expression & { readonly kind: "intrinsic" },
): Value {
  const { memory } = evaluator;
  const number = (index: number): bigint => args[index] as bigint;
  const cell = (): Type => {
    const { type } = expression.arguments[0]!;
    if (type.kind !== "pointer") {
      throw new Error(`${name} on ${type.kind}`);
    }
    return type.of;
  };
  switch (name) {
    case "volatileLoad":
    case "volatileStore":
      if (evaluator.constant) {
        throw new Stopped("a volatile access");
      }
      return access(evaluator, name === "volatileLoad", number(0), cell(), args[1]);
    case "atomicLoad":
    case "atomicStore":
      return access(evaluator, name === "atomicLoad", number(0), cell(), args[1]);
    case "atomicExchange": {
      const old = evaluator.load(number(0), cell());
      evaluator.store(number(0), cell(), args[1]!);
      return old;
    }
    case "atomicCompareExchange": {
      const same = evaluator.load(number(0), cell()) === args[1];
      if (same) {
        evaluator.store(number(0), cell(), args[2]!);
      }
      return same ? 1n : 0n;
    }
    case "atomicAdd": {
      const old = evaluator.load(number(0), cell()) as bigint;
      evaluator.store(number(0), cell(), wrapTo(old + number(1), cell()));
      return old;
    }
    case "frameSize":
    case "frameAlign":
      return NOMINAL_FRAME;
    case "fence":
    case "spinHint":
      return 0n;
    case "copyMemory":
      memory.writeBytes(number(0), memory.readBytes(number(1), Number(number(2))));
      return 0n;
    case "fillMemory":
      memory.writeBytes(number(0), new Uint8Array(Number(number(2))).fill(Number(number(1))));
      return 0n;
    default:
      throw new Stopped(`${name} needs a processor`);
  }
}

function access(evaluator: Evaluator, isLoad: boolean, address: bigint, type: Type, value: Value | undefined): Value {
  if (isLoad) {
    return evaluator.load(address, type);
  }
  evaluator.store(address, type, value!);
  return 0n;
}
