/** Random programs mean the same after every pass as before the first, and what the evaluator of the typed tree says. */

import { describe, expect, it } from "vitest";
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { printProgram } from "../../tangle/compiler/ssa/print.ts";
import fc from "../properties.ts";
import { arbitraryProgram } from "./generate.ts";
import { checkGenerated, checkTree } from "./random-checks.ts";
import { randomProgram } from "./random-tree.ts";

const count = Number(process.env.TAIJI_RANDOM_PROGRAMS ?? 100);
const first = Number(process.env.TAIJI_RANDOM_SEED ?? 1);

const optimized = (seed: number): string => printProgram(optimize(lower(randomProgram(seed).program)));

describe("random programs", () => {
  it(`mean the same after every pass (${count} trees)`, () => {
    let ended = 0;
    for (let seed = first; seed < first + count; seed++) if (checkTree(seed) !== "out of fuel") ended++;
    expect(ended).toBeGreaterThan(count / 2);
  });

  it("become the same SSA form every time", () => {
    for (let seed = first; seed < first + 10; seed++) expect(optimized(seed)).toBe(optimized(seed));
  });

  it(`mean what the evaluator says (${count} sources)`, () => {
    fc.assert(
      fc.property(
        fc.boolean().chain((heap) => arbitraryProgram(4, heap)),
        ({ source }) => {
          checkGenerated(source);
        },
      ),
      { numRuns: count, seed: first },
    );
  });
});
