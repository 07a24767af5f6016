/** A short piece of `npm run fuzz`: no exception, the same end in regions and in forms. */
import { expect, test } from "vitest";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { fuzzCase } from "./cases.ts";
import { checkCase } from "./check.ts";

/** Those that translate from the first instruction on: what a PC does first in its evaluator is all that these cases do. */
const ENGINES: readonly EngineName[] = ["wasm-eager", "wasm-forms"];

test.each([3, 6, 10, 17, 26, 31])("case %d", async (seed) => {
  const { findings } = await checkCase(fuzzCase(seed), ENGINES);
  // How long a run takes is the campaign's to judge: here the computer may be busy.
  expect(findings.filter(({ kind }) => kind !== "hang")).toEqual([]);
});
