/** A short piece of `npm run conform`: both engines end the same programs alike, to the bit and to the instruction. */
import { expect, test } from "vitest";
import { lacks } from "../requires.ts";
import { compareRuns, runIn } from "./compare.ts";
import { undefinedFlags } from "./flag-effects.ts";
import { generate } from "./generate.ts";
import { assembleProgram, printProgram } from "./program.ts";

const COUNT = 100;
const programs = Array.from({ length: COUNT }, (_, index) => generate(7000 + index, true));

test.skipIf(lacks("nasm")).each([
  ["once", {}],
  ["again and again, with interrupts", { repeat: 3, timer: 97 }],
])("programs that run %s", async (_, options) => {
  const settings = { ...options, media: true };
  const evaluator = await runIn("evaluator", programs, settings);
  for (const engine of ["wasm-eager", "wasm-forms"] as const) {
    const translated = await runIn(engine, programs, settings);
    const { mismatches } = compareRuns(programs, evaluator, translated, { exact: true, media: true });
    const told = mismatches.map(({ program, slot, differences }) => [printProgram(program, slot), differences]);
    expect([engine, told]).toEqual([engine, []]);
    expect([engine, translated.instructions]).toEqual([engine, evaluator.instructions]);
  }
});

test("a program is the same whenever its seed is, assembles anywhere, and can be printed", () => {
  for (const seed of [1, 2, 3, 50]) {
    expect(generate(seed, true)).toEqual(generate(seed, true));
    const program = generate(seed, false);
    expect(undefinedFlags(program.items)).toHaveLength(program.items.length + 1);
    for (const slot of [0, 77]) expect(assembleProgram(program, slot)?.code.length).toBeGreaterThan(0);
    expect(printProgram(program, 0)).not.toContain("(no instruction)");
  }
});
