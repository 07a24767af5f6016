/** Runs many cases of every form on the host's processor and in our engines, and keeps none of them. */
import { setImmediate as idle } from "node:timers/promises";
import { parseArgs } from "node:util";
import { format, type Plan } from "../../../machine/isa/index.ts";
import { randomNumbers } from "../../isa/random.ts";
import { userProcessor } from "../processor.ts";
import { inputsOf, instructionOf, START, type Vector, type VectorInputs, type VectorOutputs } from "./cases.ts";
import { differences } from "./compare.ts";
import { draftsOf, userPlans } from "./drafts.ts";
import { runOnHost } from "./host.ts";
import { type Tier, TranslatedProcessor } from "./translated.ts";
import { undefinedFlags } from "./undefined-flags.ts";

const HELP = `Usage: npx tsx tests/machine/vectors/campaign.ts [OPTION …]

  --cases N       cases of each form (2000)
  --seed S        of the random numbers (1)
  --only REGEX    mnemonics (all)
  --engines A,B   evaluator, regions, forms (all)
  --from N        the first form, by its number (0)
  --to N          the form after the last (all)
  --shown N       differences shown of each form (3)
  --help          this text

Exit status: 0 no difference · 1 differences · 2 wrong arguments.`;

const text = (otherwise: string) => ({ type: "string", default: otherwise }) as const;

function parse() {
  return parseArgs({
    options: {
      ...{ cases: text("2000"), seed: text("1"), only: text("."), engines: text("evaluator,regions,forms") },
      ...{ from: text("0"), to: text("9999"), shown: text("3"), help: { type: "boolean", default: false } },
    },
  }).values;
}

let values: ReturnType<typeof parse>;
try {
  values = parse();
} catch (reason) {
  console.error(`${(reason as Error).message}\n\n${HELP}`);
  process.exit(2);
}
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const count = Number(values.cases);
const only = new RegExp(values.only === "." ? "" : `^(${values.only})$`);
const plans = [...userPlans(64), ...userPlans(32)]
  .slice(Number(values.from), Number(values.to))
  .filter((plan) => only.test(plan.form.mnemonic));

/** Cases that follow each other with the same code: translating it is dearer than running it. */
const EACH = 16;
/** Requests are some kilobytes each: so many of them at once. */
const MOST_AT_ONCE = 2000;

interface Runner {
  readonly name: string;
  run(cases: readonly VectorInputs[]): VectorOutputs[];
  /** Cases that the evaluator did for it, and none of them a fault. */
  left: number;
}

function runner(name: string): Runner {
  if (name === "evaluator") {
    const processor = userProcessor();
    return { name, run: (cases) => cases.map(processor.run), left: 0 };
  }
  return {
    name,
    left: 0,
    // A processor for each form: the modules of one are given back with it only.
    run(cases) {
      const processor = new TranslatedProcessor(name as Tier);
      const outputs = processor.run(cases);
      this.left += processor.evaluated.length;
      return outputs;
    },
  };
}

const runners = values.engines.split(",").map(runner);
const next = randomNumbers(Number(values.seed));

/** Cases of a form with what the host's processor makes of them. */
function vectorsOf(plan: Plan) {
  const drafts = draftsOf(plan, count, next, EACH);
  const inputs = drafts.map(inputsOf);
  const outputs: VectorOutputs[] = [];
  for (let from = 0; from < inputs.length; from += MOST_AT_ONCE)
    outputs.push(...runOnHost(inputs.slice(from, from + MOST_AT_ONCE)));
  const vectors = drafts.map((draft, index): Vector => {
    return { ...draft, undefinedFlags: undefinedFlags(inputs[index]!), outputs: outputs[index]! };
  });
  return { inputs, vectors };
}

/** What differs, a line for each case. */
function wrongIn(runner: Runner, { inputs, vectors }: ReturnType<typeof vectorsOf>): string[] {
  const found = runner.run(inputs);
  return vectors.flatMap((vector, index) => {
    const list = differences(vector, () => found[index]!, inputs[index]);
    const instruction = instructionOf(vector);
    const shown = instruction.mnemonic === null ? "?" : format(instruction, BigInt(START));
    return list.length === 0 ? [] : [`    ${shown} (seed ${vector.seed}): ${list.join("; ")}`];
  });
}

let cases = 0;
let mismatches = 0;
for (const [number, plan] of plans.entries()) {
  const { form, mode, operandWidth } = plan;
  const group = vectorsOf(plan);
  cases += group.vectors.length;
  for (const runner of runners) {
    const wrong = wrongIn(runner, group);
    mismatches += wrong.length;
    if (wrong.length === 0) continue;
    const name = `${form.row.slice(0, 3).join(" | ")} (${mode}, ${operandWidth})`;
    console.log(`${runner.name}: ${name}: ${wrong.length} of ${group.vectors.length} differ`);
    console.log(wrong.slice(0, Number(values.shown)).join("\n"));
  }
  // The code of modules that are gone is given back when nothing runs.
  await idle();
  if (number % 50 === 49) console.log(`${number + 1} forms, ${cases} cases, ${mismatches} differ`);
}
const left = runners.map((each) => `${each.name} left ${each.left} of its cases to the evaluator`);
console.log(`${plans.length} forms, ${cases} cases in each engine, ${mismatches} differ; ${left.join(", ")}`);
process.exitCode = mismatches > 0 ? 1 : 0;
