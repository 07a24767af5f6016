/** Whether a random program means the same after every pass as it did before the first. */
import { lower } from "../../tangle/compiler/lower/lower.ts";
import type { IrProgram } from "../../tangle/compiler/ssa/ir.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { PANIC_HANDLER } from "./build-tree.ts";
import { IrInterpreter, IrPanic, OutOfFuel } from "./interpret-ir.ts";
import { type RandomProgram, randomProgram } from "./random-tree.ts";

const FUEL = 20_000;

/** What a run of the program shows: its result or panic, and the bytes of its module-level variables. */
function outcome(ir: IrProgram, { program, main, arguments: args }: RandomProgram): string {
  const machine = new IrInterpreter(ir, PANIC_HANDLER, FUEL);
  let end: string;
  try {
    end = machine.call(main.symbol, args).join();
  } catch (error) {
    if (error instanceof OutOfFuel) return "out of fuel";
    if (!(error instanceof IrPanic)) throw error;
    end = error.message;
  }
  const memory = program.globals.map((g) => {
    const object = ir.data.find((candidate) => candidate.symbol === g.symbol);
    return object ? machine.bytes(machine.address(g.symbol), object.size).join() : "";
  });
  return [end, ...memory, ...machine.events].join("\n");
}

/** Throws where a pass changed the meaning; says how the run ended. */
export function checkPasses(seed: number): "result" | "panic" | "out of fuel" {
  const random = randomProgram(seed);
  const before = lower(random.program);
  verifyProgram(before);
  const expected = outcome(before, random);
  if (expected === "out of fuel") return "out of fuel";
  const working = lower(random.program);
  optimize(working, {
    keep: (symbol) => symbol === random.main.symbol,
    observe: (pass) => {
      verifyProgram(working);
      if (outcome(working, random) !== expected) throw new Error(`seed ${seed}: ${pass} changed the meaning`);
    },
  });
  verifyProgram(working);
  return expected.startsWith("panic") ? "panic" : "result";
}
