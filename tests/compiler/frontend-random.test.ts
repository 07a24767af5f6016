/** Random programs: the front end accepts what it should, and the evaluator comes to the same end every time. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { arbitraryProgram, RUN_SYMBOL } from "./generate.ts";

const PROGRAMS = 300;

it("random programs compile and end", () => {
  fc.assert(
    fc.property(arbitraryProgram(), ({ source }) => {
      const files = [{ path: "kernel/main.ts", text: source }];
      const { program, diagnostics } = check(files, { entryFile: "kernel/main.ts", chapter: 3 });
      expect(diagnostics).toEqual([]);
      const outcome = evaluateProgram(program!, RUN_SYMBOL);
      expect(outcome.kind).not.toBe("stopped");
      expect(evaluateProgram(program!, RUN_SYMBOL)).toEqual(outcome);
    }),
    { numRuns: PROGRAMS },
  );
});

it("random damage to a program is reported, never thrown", () => {
  fc.assert(
    fc.property(
      arbitraryProgram(2),
      fc.nat(),
      fc.nat({ max: 12 }),
      fc.string({ maxLength: 4 }),
      (program, at, length, text) => {
        const { source } = program;
        const start = at % source.length;
        const damaged = source.slice(0, start) + text + source.slice(start + length);
        const { program: result, diagnostics } = check([{ path: "kernel/main.ts", text: damaged }], {
          entryFile: "kernel/main.ts",
          chapter: 3,
        });
        expect(result === null).toBe(diagnostics.length > 0);
      },
    ),
    { numRuns: PROGRAMS },
  );
});
