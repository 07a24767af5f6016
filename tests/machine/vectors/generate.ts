/**
 * Makes vectors.txt.gz: for every user-mode instruction form of 64-bit and 32-bit mode, cases with random and edge values, and what the
 * host's own processor makes of them. Needs gcc and an x86-64 host: `npx tsx tests/machine/vectors/generate.ts [CASES PER FORM]`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { randomNumbers } from "../../isa/random.ts";
import { inputsOf, writeVector } from "./cases.ts";
import { draftsOf, userPlans } from "./drafts.ts";
import { runOnHost } from "./host.ts";
import { undefinedFlags } from "./undefined-flags.ts";

const casesPerForm = Number(process.argv[2] ?? 24);
const next = randomNumbers(20);
const plans = [...userPlans(64), ...userPlans(32)];
const drafts = plans.flatMap((plan) => draftsOf(plan, casesPerForm, next));
const outputs = runOnHost(drafts.map(inputsOf));
const lines = drafts.map((draft, index) => {
  return writeVector({ ...draft, undefinedFlags: undefinedFlags(inputsOf(draft)), outputs: outputs[index]! });
});
const packed = gzipSync(`${lines.join("\n")}\n`, { level: 9 });
writeFileSync(join(import.meta.dirname, "vectors.txt.gz"), packed);
console.log(`${plans.length} forms, ${lines.length} vectors, ${packed.length} bytes`);
