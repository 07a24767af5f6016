/**
 * Random programs compiled and run by the host's processor, against the interpreter of SSA form:
 * `tsx tests/compiler/x86-campaign.ts FROM TO` compares the programs of these seeds.
 */
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { BITS, type IrProgram, type ValueType } from "../../tangle/compiler/ssa/ir.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { PANIC_HANDLER } from "./build-tree.ts";
import { IrInterpreter, IrPanic, OutOfFuel } from "./interpret-ir.ts";
import { type NativeOutcome, type NativeProgram, runNatively } from "./native.ts";
import { randomIr } from "./random-ir.ts";
import { randomProgram } from "./random-tree.ts";

export interface Mismatch {
  readonly program: string;
  readonly expected: string;
  readonly actual: string;
}

export interface Comparison {
  /** Programs that ended within the interpreter's patience. */
  readonly compared: number;
  readonly mismatches: readonly Mismatch[];
}

const FUEL = 100_000;

interface Candidate {
  readonly name: string;
  readonly ir: IrProgram;
  /** The same program before any pass, whose meaning counts. */
  readonly original: IrProgram;
  readonly main: string;
  readonly arguments: readonly bigint[];
  readonly results: readonly ValueType[];
}

/** Random programs in SSA form, as they are. */
export function compareIr(seeds: readonly number[]): Comparison {
  return compare(
    seeds.map((seed): Candidate => {
      const random = randomIr(seed);
      verifyProgram(random.program);
      return { ...random, name: `ir ${seed}`, ir: random.program, original: random.program };
    }),
  );
}

/** Random typed trees, lowered, with and without optimisation. */
export function compareTrees(seeds: readonly number[]): Comparison {
  return compare(
    seeds.flatMap((seed): Candidate[] => {
      const { program, main, arguments: args } = randomProgram(seed);
      const original = lower(program);
      const common = { original, main: main.symbol, arguments: args };
      const results = original.functions.find((f) => f.symbol === main.symbol)!.results;
      const optimized = optimize(lower(program), {
        keep: (symbol) => symbol === main.symbol || symbol === PANIC_HANDLER,
      });
      return [
        { ...common, results, name: `tree ${seed}`, ir: original },
        { ...common, results, name: `optimized tree ${seed}`, ir: optimized },
      ];
    }),
  );
}

function compare(candidates: readonly Candidate[]): Comparison {
  const expected: { candidate: Candidate; outcome: string }[] = [];
  const programs: NativeProgram[] = [];
  for (const candidate of candidates) {
    const outcome = interpret(candidate);
    if (outcome === null) continue;
    expected.push({ candidate, outcome });
    const call = { symbol: candidate.main, arguments: candidate.arguments };
    programs.push({ object: compiled(candidate), panicHandler: PANIC_HANDLER, calls: [call] });
  }
  const outcomes = runNatively(programs);
  const mismatches = expected.flatMap(({ candidate, outcome }, i) => {
    const actual = describe(outcomes[i]![0]!, candidate.results);
    return actual === outcome ? [] : [{ program: candidate.name, expected: outcome, actual }];
  });
  return { compared: expected.length, mismatches };
}

function compiled({ name, ir, main }: Candidate) {
  try {
    // The program's entry may be what never ends; all that main reaches is wanted.
    return { ...generate(ir).object, entry: main };
  } catch (error) {
    throw new Error(name, { cause: error });
  }
}

/** What the interpreter makes of it, or null where it takes too long. */
function interpret({ original, main, arguments: args }: Candidate): string | null {
  try {
    return `returned ${new IrInterpreter(original, PANIC_HANDLER, FUEL).call(main, args).join()}`;
  } catch (error) {
    if (error instanceof OutOfFuel) return null;
    if (error instanceof IrPanic) return `panicked at ${error.line}:${error.column}`;
    throw error;
  }
}

function describe(outcome: NativeOutcome, results: readonly ValueType[]): string {
  switch (outcome.kind) {
    case "returned": {
      const values = [outcome.rax, outcome.rdx].slice(0, results.length);
      // Bools are bytes: their low bit alone would hide a wrong one.
      return `returned ${values.map((v, k) => BigInt.asUintN(Math.max(8, BITS[results[k]!]), v)).join()}`;
    }
    case "panicked":
      return `panicked at ${outcome.line}:${outcome.column}`;
    case "crashed":
      return `crashed: ${outcome.signal}`;
    case "clobbered":
      return outcome.kind;
  }
}

const BATCH = 200;

function main(from: number, to: number): void {
  let compared = 0;
  let mismatched = 0;
  for (let at = from; at < to; at += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => at + i);
    for (const comparison of [compareIr(seeds), compareTrees(seeds)]) {
      compared += comparison.compared;
      mismatched += comparison.mismatches.length;
      for (const { program, expected, actual } of comparison.mismatches) {
        console.log(`${program}: expected ${expected}, got ${actual}`);
      }
    }
  }
  console.log(`${compared} programs compared, ${mismatched} mismatches`);
}

const [from, to] = process.argv.slice(2).map(Number);
if (process.argv[1]?.endsWith("x86-campaign.ts") && from !== undefined && to !== undefined) main(from, to);
