/** A short piece of `npm run fuzz`: no exception, no hang, the same end in both engines. */
import { expect, test } from "vitest";
import { fuzzCase } from "./cases.ts";
import { checkCase } from "./check.ts";

test.each([3, 6, 9, 12, 15, 18])("case %d", (seed) => {
  expect(checkCase(fuzzCase(seed), ["wasm"]).findings).toEqual([]);
});
