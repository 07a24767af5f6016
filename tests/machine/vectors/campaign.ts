/**
 * Runs many cases of every form on the host's processor and in our engines, and keeps none of them.
 * `npx tsx tests/machine/vectors/campaign.ts [--cases N] [--seed S] [--only REGEX] [--engine NAME]`; exit 1 where something differs.
 */
import { parseArgs } from "node:util";
import { ENGINES } from "../../../machine/hosts/pc.ts";
import { decode, format } from "../../../machine/isa/index.ts";
import { randomNumbers } from "../../isa/random.ts";
import { userProcessor } from "../processor.ts";
import { inputsOf, START } from "./cases.ts";
import { differences } from "./compare.ts";
import { draftsOf, userPlans } from "./drafts.ts";
import { runOnHost } from "./host.ts";
import { undefinedFlags } from "./undefined-flags.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "." },
    engine: { type: "string", default: "evaluator" },
    shown: { type: "string", default: "3" },
  },
});
const engine = ENGINES[values.engine as keyof typeof ENGINES];
const processor = userProcessor(engine);
const next = randomNumbers(Number(values.seed));
const only = new RegExp(`^(${values.only})$`);
const plans = [...userPlans(64), ...userPlans(32)].filter(
  (plan) => only.test(plan.form.mnemonic) || values.only === ".",
);
/** Requests are some kilobytes each: so many of them at once, of whole forms. */
const MOST_AT_ONCE = 8000;
const BATCH = Math.max(1, Math.floor(MOST_AT_ONCE / Number(values.cases)));
let cases = 0;
let mismatches = 0;
for (let from = 0; from < plans.length; from += BATCH) {
  const groups = plans.slice(from, from + BATCH).map((plan) => draftsOf(plan, Number(values.cases), next));
  const drafts = groups.flat();
  const inputs = drafts.map(inputsOf);
  const outputs = runOnHost(inputs);
  let at = 0;
  for (const [index, group] of groups.entries()) {
    const { form, mode, operandWidth } = plans[from + index]!;
    const wrong: string[] = [];
    for (const draft of group) {
      const vector = { ...draft, undefinedFlags: undefinedFlags(inputs[at]!), outputs: outputs[at]! };
      const list = differences(vector, processor.run, inputs[at]);
      at++;
      const instruction = decode(draft.code, 0, draft.mode);
      const shown = instruction.mnemonic === null ? "?" : format(instruction, BigInt(START));
      if (list.length > 0) wrong.push(`    ${shown} (seed ${draft.seed}): ${list.join("; ")}`);
    }
    cases += group.length;
    mismatches += wrong.length;
    if (wrong.length > 0) {
      console.log(
        `${form.row.slice(0, 3).join(" | ")} (${mode}, ${operandWidth}): ${wrong.length} of ${group.length} differ`,
      );
      console.log(wrong.slice(0, Number(values.shown)).join("\n"));
    }
  }
}
console.log(`${plans.length} forms, ${cases} cases, ${mismatches} differ`);
process.exitCode = mismatches > 0 ? 1 : 0;
