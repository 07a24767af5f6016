/** Runs functions of a checked program in the plain evaluator, and computes initial values for the image. */
import type { Place } from "../place.ts";
import { Evaluator, Panicked, Stopped } from "./evaluate/evaluator.ts";
import { MemoryFault } from "./evaluate/memory.ts";
import type { Program, Function as TreeFunction } from "./tree.ts";

export type Outcome =
  /** The function's result: an integer, bool (0, 1), enum or address; 0 where it returns nothing. */
  | { readonly kind: "value"; readonly value: bigint }
  /** `place` is the chapter's, as the panic handler would print it. */
  | { readonly kind: "panic"; readonly place: Place; readonly message: string }
  /** The evaluator gave up: out of steps, hardware, assembly, a wild pointer. */
  | { readonly kind: "stopped"; readonly reason: string };

export interface EvaluateOptions {
  /** Values for the function's parameters. */
  readonly arguments?: readonly bigint[];
  /** Statements and calls before the evaluator gives up. */
  readonly steps?: number;
  /** Memory at fixed addresses, such as the screen's; it is changed in place. */
  readonly mapped?: readonly { readonly address: bigint; readonly bytes: Uint8Array }[];
}

const DEFAULT_STEPS = 5_000_000;

/** Runs the program's initializers, then the function with this symbol. */
export function evaluateProgram(program: Program, symbol: string, options: EvaluateOptions = {}): Outcome {
  const target = program.functions.find((one) => one.symbol === symbol);
  if (target === undefined) {
    throw new Error(`the program has no function ${symbol}`);
  }
  const evaluator = new Evaluator(options.steps ?? DEFAULT_STEPS, false);
  for (const { address, bytes } of options.mapped ?? []) {
    evaluator.memory.map(address, bytes);
  }
  return outcomeOf(program, () => {
    for (const initializer of program.initializers) {
      evaluator.call(initializer, []);
    }
    return run(evaluator, target, options.arguments ?? []);
  });
}

function run(evaluator: Evaluator, target: TreeFunction, args: readonly bigint[]): bigint {
  const value = evaluator.call(target, args);
  if (typeof value !== "bigint") {
    throw new Stopped("the result is not one word");
  }
  return value;
}

function outcomeOf(program: Program, action: () => bigint): Outcome {
  try {
    return { kind: "value", value: action() };
  } catch (error) {
    if (error instanceof Panicked) {
      return { kind: "panic", place: program.placeOf(error.place), message: error.text };
    }
    if (error instanceof Stopped || error instanceof MemoryFault) {
      return { kind: "stopped", reason: error.message };
    }
    throw error;
  }
}
