/** Random programs: the front end accepts what it should, and the evaluator comes to the same end every time. */

import { expect, it } from "vitest";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import fc from "../properties.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";

const PROGRAMS = 300;

it("random programs compile and end", () => {
  fc.assert(
    fc.property(arbitraryProgram(4, true), ({ source }) => {
      const files = [{ path: "kernel/main.ts", text: source }];
      const { program, diagnostics } = check(files, { entryFile: "kernel/main.ts", chapter: 12 });
      expect(diagnostics).toEqual([]);
      const outcome = evaluateProgram(program!, RUN_SYMBOL);
      expect(outcome.kind).not.toBe("stopped");
      expect(evaluateProgram(program!, RUN_SYMBOL)).toEqual(outcome);
    }),
    { numRuns: PROGRAMS },
  );
});

/** Words replaced by other words of the same program, and now and then a word dropped. */
const arbitraryDamage = fc.array(fc.record({ at: fc.nat(), from: fc.nat(), drop: fc.nat({ max: 5 }) }), {
  minLength: 1,
  maxLength: 3,
});

function damaged(source: string, damage: readonly { at: number; from: number; drop: number }[]): string {
  const tokens = source.match(/\s+|\w+|[^\w\s]/g) ?? [];
  const words = [...tokens.keys()].filter((index) => /\w/.test(tokens[index]!));
  for (const { at, from, drop } of damage) {
    tokens[words[at % words.length]!] = drop === 0 ? "" : tokens[words[from % words.length]!]!;
  }
  return tokens.join("");
}

it("random damage to a program is reported, never thrown", () => {
  fc.assert(
    fc.property(arbitraryProgram(2, true), arbitraryDamage, ({ source }, damage) => {
      const files = [{ path: "kernel/main.ts", text: damaged(source, damage) }];
      const { program, diagnostics } = check(files, { entryFile: "kernel/main.ts", chapter: 12 });
      expect(program === null).toBe(diagnostics.length > 0);
    }),
    { numRuns: PROGRAMS },
  );
});
