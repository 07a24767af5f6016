/**
 * Initial values for the image. Each initializer runs in the evaluator, in the order in which the kernel would run it;
 * what touches hardware, other variables, or anything else that is known at run time only, stays a function.
 */
import { Evaluator, Panicked, Stopped } from "../evaluate/evaluator.ts";
import { isMadeUp, MemoryFault, type Region } from "../evaluate/memory.ts";
import { isAggregate, sizeOf } from "../layout.ts";
import type { ConstantValue, Global, Function as TreeFunction, Type } from "../tree.ts";
import type { Reporter } from "./diagnostics.ts";
import type { CheckedGlobal } from "./entities.ts";

/** Statements and calls that one run may take; longer computations run when the kernel starts. */
const STEPS = 1_000_000;

/** Fills in `initial` where it is constant; gives the other initializers in their order. */
export function foldGlobals(globals: readonly CheckedGlobal[], reporter: Reporter): TreeFunction[] {
  const folding = new Folding();
  const initializers: TreeFunction[] = [];
  for (const { global, initializer } of globals) {
    try {
      global.initial = folding.fold(global, initializer);
    } catch (error) {
      if (!(error instanceof Panicked)) {
        throw error;
      }
      const related = [{ place: error.place, message: "the panic happens here" }];
      reporter.report("KT1055", global.place, `the initial value panics: ${error.text}`, { related });
    }
    if (global.initial === null) {
      folding.runsLater = true;
      initializers.push(initializer);
    }
  }
  return initializers;
}

class Folding {
  /** Whether some initializer before this one is left for run time and may change variables there. */
  runsLater = false;
  private readonly settled = new Set<Global>();

  fold(global: Global, initializer: TreeFunction): ConstantValue | null {
    if (initializer.body.length === 0) {
      this.settled.add(global);
      return { kind: "zero" };
    }
    const evaluator = new Evaluator(STEPS, true);
    evaluator.memory.beforeRead = (region) => this.checkRead(region, global);
    evaluator.memory.beforeWrite = (region) => checkWrite(region, global);
    try {
      const address = evaluator.addressOfGlobal(global);
      evaluator.call(initializer, []);
      const value = constantAt(evaluator, address, global.type);
      this.settled.add(global);
      return value;
    } catch (error) {
      if (error instanceof Stopped || error instanceof MemoryFault) {
        return null;
      }
      throw error;
    }
  }

  /** What another variable holds is known if nothing can have changed it since it was folded. */
  private checkRead(region: Region, own: Global): void {
    const { origin } = region;
    if (origin.kind !== "global" || origin.global === own) {
      return;
    }
    const fixed = !origin.global.mutable && !isAggregate(origin.global.type);
    if (!this.settled.has(origin.global) || (this.runsLater && !fixed)) {
      throw new Stopped(`${origin.global.symbol} is not known yet`);
    }
  }
}

function checkWrite(region: Region, own: Global): void {
  const { origin } = region;
  if (origin.kind === "text" || (origin.kind === "global" && origin.global !== own)) {
    throw new Stopped("a write to something else");
  }
}

/** The value at an address as the image holds it. */
function constantAt(evaluator: Evaluator, address: bigint, type: Type): ConstantValue {
  const { memory } = evaluator;
  const size = sizeOf(type);
  if (memory.readBytes(address, size).every((byte) => byte === 0)) {
    return { kind: "zero" };
  }
  const part = (offset: number, of: Type): ConstantValue => constantAt(evaluator, address + BigInt(offset), of);
  switch (type.kind) {
    case "class":
      return { kind: "aggregate", elements: type.fields.map((field) => part(field.offset, field.type)) };
    case "array":
      return {
        kind: "aggregate",
        elements: Array.from({ length: type.length }, (_, index) => part(index * sizeOf(type.of), type.of)),
      };
    case "volatile":
    case "atomic":
      return part(0, type.of);
    case "pointer":
    case "nullable":
    case "function":
      return addressAt(evaluator, memory.read(address, 8));
    case "slice": {
      const length = memory.read(address + 8n, 8);
      const start = addressAt(evaluator, memory.read(address, 8));
      return { kind: "aggregate", elements: [start, { kind: "integer", value: length }] };
    }
    case "interface":
      return {
        kind: "aggregate",
        elements: [addressAt(evaluator, memory.read(address, 8)), addressAt(evaluator, memory.read(address + 8n, 8))],
      };
    case "string": {
      const start = memory.read(address, 8);
      const length = Number(memory.read(address + 8n, 8));
      if (length > 0 && memory.regionAt(start)?.origin.kind !== "text") {
        throw new Stopped("text that is not constant");
      }
      return { kind: "string", bytes: memory.readBytes(start, length) };
    }
    default:
      return { kind: "integer", value: evaluator.load(address, type) as bigint };
  }
}

function addressAt(evaluator: Evaluator, value: bigint): ConstantValue {
  if (!isMadeUp(value)) {
    return { kind: "integer", value };
  }
  const region = evaluator.memory.regionAt(value);
  switch (region?.origin.kind) {
    case "global":
      return { kind: "address", target: region.origin.global, offset: Number(value - region.base) };
    case "code":
      return { kind: "function", target: region.origin.target };
    default:
      throw new Stopped("an address that the image has no name for");
  }
}
