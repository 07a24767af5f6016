/** A short piece of `npm run fuzz`: no exception. */
import { expect, test } from "vitest";
import { fuzzCase } from "./cases.ts";
import { checkCase } from "./check.ts";

test.each([3, 6, 9, 12, 15, 18])("case %d", (seed) => {
  const { findings } = checkCase(fuzzCase(seed), ["wasm"]);
  // How long a run takes is the campaign's to judge: here the computer may be busy.
  expect(findings.filter(({ kind }) => kind !== "hang")).toEqual([]);
});
