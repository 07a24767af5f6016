/** The comparison finds what it looks for: a fault that is planted in an engine is told, and shrunk to what it is. */
import { expect, test } from "vitest";
import { meaningOf } from "#machine/cpu/instruction-set.ts";
import { plantEndless, plantThrowing, plantWrong } from "../planted-faults.ts";
import { lacks } from "../requires.ts";
import { compareRuns, runIn, shrink } from "./compare.ts";
import { generate } from "./generate.ts";
import { HarnessError } from "./machines.ts";
import { type Program, printProgram } from "./program.ts";

const OPTIONS = { media: true };
const programs = Array.from({ length: 100 }, (_, index) => generate(7000 + index, true));
const mnemonicsOf = ({ items }: Program) => items.map(({ plan }) => plan.form.mnemonic);

test.skipIf(lacks("nasm"))("a wrong meaning is shrunk to its instruction", async () => {
  const peers = { left: "evaluator", right: plantWrong("sbb", meaningOf("sub")!) } as const;
  const [left, right] = [await runIn(peers.left, programs, OPTIONS), await runIn(peers.right, programs, OPTIONS)];
  const { mismatches } = compareRuns(programs, left, right, { exact: true, media: true });
  expect(mismatches.length).toBeGreaterThan(0);
  for (const { program } of mismatches) expect(mnemonicsOf(program)).toContain("sbb");
  const { program, slot } = await shrink(mismatches[0]!, peers, OPTIONS);
  expect(mnemonicsOf(program)).toEqual(["sbb"]);
  expect(printProgram(program, slot)).toContain("sbb");
});

test.skipIf(lacks("nasm")).each([
  ["throws", plantThrowing("sbb"), "planted in sbb"],
  ["is the guest's last", plantEndless("sbb"), "budget"],
])("an instruction that %s is told with its program", async (_, engine, why) => {
  const error = await Promise.resolve()
    .then(() => runIn(engine, programs, OPTIONS))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HarnessError);
  const { slot, message } = error as HarnessError;
  expect(message).toContain(why);
  expect(mnemonicsOf(programs[slot]!)).toContain("sbb");
});
