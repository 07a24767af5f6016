/** Compiled code means what the interpreter of SSA form says: random programs, run by the host's own processor. */
import { describe, expect, test } from "vitest";
import { RUNS_NATIVELY } from "./native.ts";
import { compareIr, compareSources, compareTrees } from "./x86-campaign.ts";

const seeds = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe.skipIf(!RUNS_NATIVELY)("on this processor (Linux on x86-64 only)", () => {
  test("random programs in SSA form", () => {
    const { compared, mismatches } = compareIr(seeds(0, 150));
    expect(mismatches).toEqual([]);
    expect(compared).toBeGreaterThan(120);
  });

  test("random typed trees, lowered and optimised", () => {
    const { compared, mismatches } = compareTrees(seeds(0, 100));
    expect(mismatches).toEqual([]);
    expect(compared).toBeGreaterThan(60);
  });

  test("random sources through the whole compiler mean what the evaluator says", () => {
    const { compared, mismatches } = compareSources(seeds(0, 100));
    expect(mismatches).toEqual([]);
    expect(compared).toBeGreaterThan(150);
  });
});
