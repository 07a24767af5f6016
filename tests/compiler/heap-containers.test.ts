/** Containers, owners of interfaces and closures on the heap, in the evaluator, in SSA form and on the host's own processor. */
import { expect, it } from "vitest";
import { CONTAINER_PROGRAMS } from "./heap-containers-source.ts";
import { heapOutcome, heapProgram } from "./heap-source.ts";
import { RUNS_NATIVELY } from "./native.ts";
import { checkGenerated } from "./random-checks.ts";
import { compareTexts } from "./x86-campaign.ts";

for (const { name, text, leaves, value } of CONTAINER_PROGRAMS) {
  it(`${name} compute what they should, and leave nothing behind`, () => {
    expect(heapOutcome(text, leaves)).toEqual({ kind: "value", value });
  });

  it(`${name} mean the same after all passes`, () => {
    checkGenerated(heapProgram(text, leaves));
  });

  it.skipIf(!RUNS_NATIVELY)(`${name} mean the same on the host's processor`, () => {
    const { compared, mismatches } = compareTexts([{ name, source: heapProgram(text, leaves) }]);
    expect(mismatches).toEqual([]);
    expect(compared).toBe(2);
  });
}
