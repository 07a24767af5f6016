/** What passes make of functions that are written as text. */
import { simplifyArithmetic } from "../../tangle/compiler/ssa/algebra.ts";
import { simplifyComparisons } from "../../tangle/compiler/ssa/comparisons.ts";
import { foldConstants } from "../../tangle/compiler/ssa/fold.ts";
import type { IrFunction, IrProgram } from "../../tangle/compiler/ssa/ir.ts";
import { printFunction } from "../../tangle/compiler/ssa/print.ts";
import { simplify } from "../../tangle/compiler/ssa/simplify.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { readIr } from "./read-ir.ts";

const RULES = [foldConstants, simplifyComparisons, simplifyArithmetic];

export function withData(program: IrProgram): IrProgram {
  for (const symbol of ["table", "cell"]) {
    program.data.push({
      symbol,
      section: "data",
      align: 8,
      size: 64,
      bytes: new Uint8Array(64),
      relocations: [],
      place: null,
    });
  }
  return program;
}

/** The instructions and terminators that are left of the first function, without constants, names and types. */
export function after(text: string, ...passes: ((f: IrFunction) => unknown)[]): string[] {
  const program = withData(readIr(text));
  const f = program.functions[0]!;
  for (const pass of passes) {
    pass(f);
    verifyProgram(program);
  }
  return printFunction(f)
    .split("\n")
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/ = (constant|symbol|slot) /.test(line) && !line.startsWith("b0("));
}

export const rules = (f: IrFunction): void => simplify(f, RULES);

export const count = (lines: readonly string[], what: RegExp): number => lines.filter((line) => what.test(line)).length;
