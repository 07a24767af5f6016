/** Whether a program means the same after every pass as it did before the first. */
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { splitCoroutines } from "../../tangle/compiler/ssa/coroutine.ts";
import type { IrProgram } from "../../tangle/compiler/ssa/ir.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import type { Program } from "../../tangle/compiler/tree.ts";
import { IrInterpreter, IrPanic, OutOfFuel } from "./interpret-ir.ts";

/** A program, and what to call in it, one after the other; the result is that of the last call. */
export interface Subject {
  readonly program: Program;
  readonly calls: readonly { readonly symbol: string; readonly arguments: readonly bigint[] }[];
  /** Module-level variables whose bytes may differ: the memory that frames are allocated in, whose sizes passes change. */
  readonly except?: readonly string[];
}

export interface IrOutcome {
  /** The result's bits, `panic: message (file:line:column)`, or `out of fuel`. */
  readonly end: string;
  /** The bytes of the module-level variables that are left. */
  readonly memory: ReadonlyMap<string, string>;
  /** What hardware saw. */
  readonly events: string;
}

export function interpret(ir: IrProgram, { program, calls, except }: Subject, fuel: number): IrOutcome {
  const machine = new IrInterpreter(ir, program.panicHandler.symbol, fuel);
  let end = "";
  try {
    for (const { symbol, arguments: args } of calls) end = machine.call(symbol, args).join();
  } catch (error) {
    if (error instanceof OutOfFuel) return { end: "out of fuel", memory: new Map(), events: "" };
    if (!(error instanceof IrPanic)) throw error;
    end = error.message;
  }
  const memory = new Map<string, string>();
  for (const { symbol } of program.globals) {
    const object = ir.data.find((candidate) => candidate.symbol === symbol);
    if (object && holdsNoAddress(object) && !except?.includes(symbol)) {
      memory.set(symbol, machine.bytes(machine.address(symbol), object.size).join());
    }
  }
  return { end, memory, events: machine.events.join("\n") };
}

/** Addresses may differ from one compilation to another. */
function holdsNoAddress(object: IrProgram["data"][number]): boolean {
  return object.relocations.length === 0;
}

/**
 * Throws where lowering or a pass made something ill-formed or changed the meaning; gives the outcome. `thorough` looks
 * at the program after every pass, otherwise only after the last.
 */
export function checkPasses(subject: Subject, fuel: number, thorough = true): IrOutcome {
  const before = splitCoroutines(lower(subject.program));
  verifyProgram(before);
  const expected = interpret(before, subject, fuel);
  if (expected.end === "out of fuel") return expected;
  const working = lower(subject.program);
  const compare = (pass: string): void => {
    verifyProgram(working);
    const { end, memory, events } = interpret(working, subject, 2 * fuel);
    if (end !== expected.end) throw new Error(`${pass} made ${end} of ${expected.end}`);
    if (events !== expected.events) throw new Error(`${pass} changed what hardware sees`);
    for (const [symbol, bytes] of memory) {
      if (bytes !== expected.memory.get(symbol)) throw new Error(`${pass} left other bytes in ${symbol}`);
    }
  };
  const kept = new Set(subject.calls.map(({ symbol }) => symbol));
  optimize(working, { keep: (symbol) => kept.has(symbol), observe: thorough ? compare : () => {} });
  compare("optimize");
  return expected;
}
