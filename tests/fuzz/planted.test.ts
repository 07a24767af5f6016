/** The fuzzer finds what it looks for: each kind of fault, planted in an engine, is told. */
import { expect, test } from "vitest";
import { meaningOf } from "#machine/cpu/instruction-set.ts";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { plantSlow, plantThrowing, plantWrong } from "../planted-faults.ts";
import { fuzzCase } from "./cases.ts";
import { checkCase, type Finding } from "./check.ts";

const SEEDS = [3, 6, 10, 17, 26, 31];

/** Whether one of the cases tells a finding of this kind, and which engine it was. */
async function finds(kind: Finding["kind"], ...engines: readonly EngineName[]): Promise<boolean> {
  for (const seed of SEEDS) {
    const { findings } = await checkCase(fuzzCase(seed), engines);
    const found = findings.find((finding) => finding.kind === kind);
    if (found === undefined) continue;
    if (kind !== "engines differ") expect(found.message).toContain(engines.at(-1));
    return true;
  }
  return false;
}

test("an instruction that does what another does", async () => {
  expect(await finds("engines differ", "evaluator", plantWrong("xor", meaningOf("or")!))).toBe(true);
});

test("a JavaScript exception", async () => {
  expect(await finds("exception", plantThrowing("xor"))).toBe(true);
});

test("a run that does not come back in time", async () => {
  expect(await finds("hang", plantSlow("xor", 1.2))).toBe(true);
});

test("memory that is held", async () => {
  const { findings } = await checkCase(fuzzCase(3), ["evaluator"], async () => 2, 1);
  expect(findings.map(({ kind }) => kind)).toEqual(["memory"]);
});
