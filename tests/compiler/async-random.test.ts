/**
 * Random programs made asynchronous. Polled to their end they compute what they did before; given up on the way they give
 * back all their memory; and compiled code agrees with the evaluator on both.
 */

import { describe, expect, it } from "vitest";
import { evaluateProgram, type Outcome } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import fc from "../properties.ts";
import { givenUp, makeAsync } from "./async-source.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";
import { RUNS_NATIVELY } from "./native.ts";
import { checkGenerated } from "./random-checks.ts";
import { compareTexts } from "./x86-campaign.ts";

const count = Number(process.env.TAIJI_RANDOM_PROGRAMS ?? 30);
const first = Number(process.env.TAIJI_RANDOM_SEED ?? 1);
const seeds = Array.from({ length: count }, (_, i) => first + i);

/** Where frames lie, and how far. */
const FRAMES = ["kernel/main:HEAP", "kernel/main:used"];

function sourceOf(seed: number): string {
  const [{ source }] = fc.sample(arbitraryProgram(), { seed, numRuns: 1 }) as [{ source: string }];
  return source;
}

function outcomeOf(source: string): string {
  const { program, diagnostics } = check([{ path: "kernel/main.ts", text: source }], {
    entryFile: "kernel/main.ts",
    chapter: 12,
  });
  expect(diagnostics).toEqual([]);
  return describeOutcome(evaluateProgram(program!, RUN_SYMBOL));
}

function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "value":
      return `value ${outcome.value}`;
    case "panic":
      return `panic ${outcome.message}`;
    case "stopped":
      return `stopped ${outcome.reason}`;
  }
}

describe("random programs with awaits", () => {
  it(`compute what they do without (${count} sources)`, () => {
    for (const seed of seeds) {
      const source = sourceOf(seed);
      const asynchronous = outcomeOf(makeAsync(source));
      if (!asynchronous.startsWith("stopped")) expect(asynchronous, `seed ${seed}`).toBe(outcomeOf(source));
    }
  });

  it(`mean the same split at once and split after all passes (${count} sources)`, () => {
    for (const seed of seeds) {
      checkGenerated(makeAsync(sourceOf(seed)), false, FRAMES);
      checkGenerated(givenUp(sourceOf(seed), seed % 13), false, FRAMES);
    }
  });

  it.skipIf(!RUNS_NATIVELY)(`mean the same on this processor (${count} sources)`, () => {
    const texts = seeds.flatMap((seed) => [
      { name: `async ${seed}`, source: makeAsync(sourceOf(seed)) },
      { name: `given up ${seed}`, source: givenUp(sourceOf(seed), seed % 13) },
    ]);
    const { compared, mismatches } = compareTexts(texts);
    expect(mismatches).toEqual([]);
    expect(compared).toBeGreaterThan(count);
  });
});
