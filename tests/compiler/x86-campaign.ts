/**
 * Random programs compiled and run by the host's processor, against the interpreter of SSA form or the evaluator of the
 * typed tree. `tsx tests/compiler/x86-campaign.ts FROM TO` compares the programs of these seeds.
 */

import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { splitCoroutines } from "../../tangle/compiler/ssa/coroutine.ts";
import { BITS, type IrProgram, type ValueType } from "../../tangle/compiler/ssa/ir.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import type { Program } from "../../tangle/compiler/tree.ts";
import { type GenerateOptions, generate } from "../../tangle/compiler/x86/generate.ts";
import fc from "../properties.ts";
import { PANIC_HANDLER } from "./build-tree.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";
import { IrInterpreter, IrPanic, OutOfFuel } from "./interpret-ir.ts";
import { type NativeCall, type NativeOutcome, type NativeProgram, runNatively } from "./native.ts";
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
  /** Called in this order; the last one's result counts. */
  readonly calls: readonly NativeCall[];
  readonly results: readonly ValueType[];
  /** What must come out, or null where finding out takes too long. */
  readonly expected: string | null;
  /** The panic handler's symbol, where it is not PANIC_HANDLER. */
  readonly handler?: string;
}

/** Random programs in SSA form, as they are, against their interpreter. */
export function compareIr(seeds: readonly number[], options: GenerateOptions = {}): Comparison {
  return compare(
    seeds.map((seed): Candidate => {
      const { program: ir, main, arguments: args, results } = randomIr(seed);
      verifyProgram(ir);
      const calls = [{ symbol: main, arguments: args }];
      return { name: `ir ${seed}`, ir, calls, results, expected: interpret(ir, calls) };
    }),
    options,
  );
}

/** Random typed trees, lowered, with and without optimisation, against the interpreter of what was lowered. */
export function compareTrees(seeds: readonly number[], options: GenerateOptions = {}): Comparison {
  return compare(
    seeds.flatMap((seed): Candidate[] => {
      const { program, main, arguments: args } = randomProgram(seed);
      const ir = lower(program);
      const calls = [{ symbol: main.symbol, arguments: args }];
      const results = ir.functions.find((f) => f.symbol === main.symbol)!.results;
      const expected = interpret(ir, calls);
      const keep = (symbol: string) => symbol === main.symbol || symbol === PANIC_HANDLER;
      return [
        { name: `tree ${seed}`, ir, calls, results, expected },
        { name: `optimized tree ${seed}`, ir: optimize(lower(program), { keep }), calls, results, expected },
      ];
    }),
    options,
  );
}

/** Random sources through the whole compiler, against the evaluator of the typed tree. */
export function compareSources(seeds: readonly number[], options: GenerateOptions = {}): Comparison {
  return compareTexts(
    seeds.map((seed) => {
      const program = arbitraryProgram(4, seed % 2 === 1);
      const [{ source }] = fc.sample(program, { seed, numRuns: 1 }) as [{ source: string }];
      return { name: `source ${seed}`, source };
    }),
    options,
  );
}

/** Sources whose function `run` gives a number, the same way. */
export function compareTexts(
  texts: readonly { readonly name: string; readonly source: string }[],
  options: GenerateOptions = {},
): Comparison {
  return compare(
    texts.flatMap(({ name, source }): Candidate[] => {
      const text = { path: "kernel/main.ts", text: source };
      const { program, diagnostics } = check([text], { entryFile: text.path, chapter: 12 });
      if (program === null) throw new Error(`${name} does not compile: ${diagnostics[0]?.message}`);
      const symbols = [...program.initializers.map((f) => f.symbol), RUN_SYMBOL];
      const handler = program.panicHandler.symbol;
      const keep = (symbol: string) => symbol === handler || symbols.includes(symbol);
      const expected = evaluate(program);
      const calls = symbols.map((symbol) => ({ symbol, arguments: [] }));
      const common = { calls, results: ["i64"] as const, expected, handler };
      return [
        { ...common, name, ir: splitCoroutines(lower(program)) },
        { ...common, name: `optimized ${name}`, ir: optimize(lower(program), { keep }) },
      ];
    }),
    options,
  );
}

function compare(candidates: readonly Candidate[], options: GenerateOptions): Comparison {
  const ended = candidates.filter((candidate) => candidate.expected !== null);
  const outcomes = runNatively(
    ended.map((candidate): NativeProgram => {
      const { calls, handler = PANIC_HANDLER } = candidate;
      return { object: compiled(candidate, options), panicHandler: handler, calls };
    }),
  );
  const mismatches = ended.flatMap(({ name, expected, results }, i) => {
    const last = outcomes[i]!.find((outcome) => outcome.kind !== "returned") ?? outcomes[i]!.at(-1)!;
    const actual = describe(last, results);
    return actual === expected ? [] : [{ program: name, expected: expected!, actual }];
  });
  return { compared: ended.length, mismatches };
}

/** Object code that begins at the last of the calls: the program's own entry may never end. */
function compiled({ name, ir, calls }: Candidate, options: GenerateOptions) {
  try {
    return { ...generate(ir, options).object, entry: calls.at(-1)!.symbol };
  } catch (error) {
    throw new Error(name, { cause: error });
  }
}

function interpret(ir: IrProgram, calls: readonly NativeCall[]): string | null {
  try {
    const interpreter = new IrInterpreter(ir, PANIC_HANDLER, FUEL);
    const results = calls.map((call) => interpreter.call(call.symbol, call.arguments));
    return `returned ${results.at(-1)!.join()}`;
  } catch (error) {
    if (error instanceof OutOfFuel) return null;
    if (error instanceof IrPanic) return `panicked at ${error.line}:${error.column}`;
    throw error;
  }
}

function evaluate(program: Program): string | null {
  const outcome = evaluateProgram(program, RUN_SYMBOL);
  switch (outcome.kind) {
    case "value":
      return `returned ${outcome.value}`;
    case "panic":
      return `panicked at ${outcome.place.line}:${outcome.place.column}`;
    case "stopped":
      return null;
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
/** All registers, and few: then nearly everything goes through the frame. */
const REGISTERS: readonly GenerateOptions[] = [{}, { registers: [0, 1, 2, 6, 3, 12] }, { registers: [0, 1, 2, 3] }];

function main(from: number, to: number): void {
  let compared = 0;
  let mismatched = 0;
  for (let at = from; at < to; at += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => at + i);
    const options = REGISTERS[(at / BATCH) % REGISTERS.length]!;
    for (const compareSome of [compareIr, compareTrees, compareSources]) {
      const comparison = compareSome(seeds, options);
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
