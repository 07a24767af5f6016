/** Random SSA programs, compiled and run by the host's processor, against the interpreter. `tsx tests/compiler/x86-campaign.ts FROM TO` */

import { BITS } from "../../tangle/compiler/ssa/ir.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { IrInterpreter, OutOfFuel } from "./interpret-ir.ts";
import { type NativeProgram, runNatively } from "./native.ts";
import { randomIr } from "./random-ir.ts";

export interface Mismatch {
  readonly seed: number;
  readonly expected: string;
  readonly actual: string;
}

/** Compares the programs of these seeds; those that run too long for the interpreter are left out of `compared`. */
export function compareSeeds(seeds: readonly number[]): { compared: number; mismatches: Mismatch[] } {
  const mismatches: Mismatch[] = [];
  const expected: { seed: number; values: readonly bigint[] }[] = [];
  const programs: NativeProgram[] = [];
  for (const seed of seeds) {
    const { program, main, arguments: args } = randomIr(seed);
    verifyProgram(program);
    let values: bigint[];
    try {
      values = new IrInterpreter(program, "none", 100_000).call(main, args);
    } catch (error) {
      if (error instanceof OutOfFuel) continue;
      throw error;
    }
    expected.push({ seed, values });
    try {
      const { object } = generate(program);
      programs.push({ object, panicHandler: null, calls: [{ symbol: main, arguments: args }] });
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  const outcomes = runNatively(programs);
  expected.forEach(({ seed, values }, i) => {
    const outcome = outcomes[i]![0]!;
    const types = randomIr(seed).results;
    const actual =
      outcome.kind === "returned"
        ? [outcome.rax, outcome.rdx]
            .slice(0, types.length)
            .map((v, k) => BigInt.asUintN(Math.max(8, BITS[types[k]!]), v))
        : [outcome.kind];
    if (actual.join() !== values.join()) mismatches.push({ seed, expected: values.join(), actual: actual.join() });
  });
  return { compared: expected.length, mismatches };
}

const [from, to] = process.argv.slice(2).map(Number);
if (process.argv[1]?.endsWith("x86-campaign.ts") && from !== undefined && to !== undefined) {
  let total = 0;
  for (let at = from; at < to; at += 200) {
    const { compared, mismatches } = compareSeeds(Array.from({ length: Math.min(200, to - at) }, (_, i) => at + i));
    total += compared;
    for (const m of mismatches) console.log(`seed ${m.seed}: expected ${m.expected}, got ${m.actual}`);
  }
  console.log(`${total} programs compared`);
}
