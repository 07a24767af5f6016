/** Random programs mean the same after every pass as before the first. */
import { describe, expect, it } from "vitest";
import { checkPasses } from "./check-passes.ts";

describe("random programs", () => {
  const count = Number(process.env.TAIJI_RANDOM_PROGRAMS ?? 300);
  const first = Number(process.env.TAIJI_RANDOM_SEED ?? 1);
  it(`mean the same after every pass (${count} programs)`, () => {
    let checked = 0;
    for (let seed = first; seed < first + count; seed++) if (checkPasses(seed) !== "out of fuel") checked++;
    expect(checked).toBeGreaterThan(count / 2);
  });
});
