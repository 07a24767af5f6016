/** `npm run conform`: random programs in our engines and in QEMU; where they end differently, the smallest such program. */
import { parseArgs } from "node:util";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { type Comparison, compareRuns, hasStuckFlags, type Mismatch, type Peers, runIn, shrink } from "./compare.ts";
import { generate } from "./generate.ts";
import type { HarnessOptions } from "./image.ts";
import { MOST_PROGRAMS } from "./layout.ts";
import { HarnessError, type HarnessRun } from "./machines.ts";
import { type Program, printProgram } from "./program.ts";

const HELP = `Usage: npm run conform -- [OPTION …]

Runs random programs, with memory operands, page faults, exceptions and interrupts in them, in all of our machine's
engines and in QEMU, and compares registers, flags, memory, page-table marks and the trace of interrupts.

  --seed S        the first program's seed (1); program n of a run has seed S + n
  --count N       programs (4000)
  --batch N       programs on one disk (8000)
  --engines A,B   ${Object.keys(ENGINES).join(", ")} (all)
  --no-qemu       only our engines against each other
  --no-media      without x87, SSE and SYSCALL
  --repeat N      each program runs so many times in a row (1)
  --timer N       with --no-qemu: a timer interrupt each N beats of 838 ns while a program runs
  --show N        shrinks and prints so many mismatches of a batch (5)
  --help          this text

Exit status: 0 no mismatch · 1 mismatches · 2 wrong arguments.`;

interface Campaign {
  readonly seed: number;
  readonly count: number;
  readonly batch: number;
  readonly engines: readonly EngineName[];
  readonly qemu: boolean;
  readonly show: number;
  readonly options: HarnessOptions;
}

function parse(): Campaign | string | null {
  const number = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      options: {
        ...{ seed: number, count: number, batch: number, repeat: number, timer: number, show: number },
        engines: { type: "string" },
        "no-qemu": { type: "boolean" },
        "no-media": { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    if (values.help) return null;
    const take = (name: "seed" | "count" | "batch" | "repeat" | "timer" | "show", otherwise: number) => {
      const value = Number(values[name] ?? otherwise);
      if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} takes a whole number, not ${values[name]}`);
      return value;
    };
    const engines = values.engines?.split(",") ?? Object.keys(ENGINES);
    const unknown = engines.find((name) => !(name in ENGINES));
    if (unknown !== undefined) return `there is no engine ${unknown}`;
    const qemu = values["no-qemu"] !== true;
    if (qemu && values.timer !== undefined) return "--timer needs --no-qemu: QEMU's timer follows its own clock";
    return {
      ...{ seed: take("seed", 1), count: take("count", 4000), show: take("show", 5), qemu },
      batch: Math.min(MOST_PROGRAMS, take("batch", 8000)),
      engines: engines as EngineName[],
      options: { repeat: take("repeat", 1), timer: take("timer", 0), media: values["no-media"] !== true },
    };
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(): Promise<number> {
  const campaign = parse();
  if (campaign === null || typeof campaign === "string") {
    (campaign === null ? console.log : console.error)(campaign === null ? HELP : `${campaign}\n\n${HELP}`);
    return campaign === null ? 0 : 2;
  }
  if (lacks("nasm") || (campaign.qemu && lacks("qemu-system-x86_64"))) {
    console.error("needs nasm, and QEMU unless --no-qemu is given. On Debian: apt-get install nasm qemu-system-x86");
    return 2;
  }
  const findings = new Findings();
  const { seed, count, batch } = campaign;
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done);
    const [begun, before] = [performance.now(), findings.count];
    await runBatch(campaign, seed + done, size, findings);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const found = findings.count - before;
    console.log(`programs ${seed + done}–${seed + done + size - 1}: ${found} mismatches, ${seconds} s`);
  }
  console.log(`\n${count} programs, ${findings.count} mismatches\n${findings.tell()}`);
  return findings.count > 0 ? 1 : 0;
}

/** What a campaign found, by name. */
class Findings {
  readonly mismatches = new Map<string, number>();
  readonly deviations = new Map<string, number>();

  mismatch(name: string): void {
    this.mismatches.set(name, (this.mismatches.get(name) ?? 0) + 1);
  }

  deviation(name: string, times: number): void {
    this.deviations.set(name, (this.deviations.get(name) ?? 0) + times);
  }

  get count(): number {
    return [...this.mismatches.values()].reduce((sum, times) => sum + times, 0);
  }

  tell(): string {
    const list = (title: string, names: ReadonlyMap<string, number>) =>
      names.size === 0 ? [] : [title, ...[...names].map(([name, times]) => `  ${times} × ${name}`)];
    return [
      ...list("mismatches:", this.mismatches),
      ...list("QEMU deviates from the manual (qemu-deviations.ts):", this.deviations),
    ].join("\n");
  }
}

/** A batch; where a peer does not come to the end of a program, that one is told and left out. */
async function runBatch(campaign: Campaign, seed: number, count: number, findings: Findings): Promise<void> {
  const media = campaign.options.media === true;
  let programs: (Program | null)[] = Array.from({ length: count }, (_, index) => generate(seed + index, media));
  for (;;) {
    try {
      await compareBatch(campaign, seed, programs, findings);
      return;
    } catch (error) {
      if (!(error instanceof HarnessError) || (programs[error.slot] ?? null) === null) throw error;
      console.log(`seed ${seed + error.slot}: ${error.message}\n${printProgram(programs[error.slot]!, error.slot)}\n`);
      findings.mismatch("does not come to its end");
      programs = programs.with(error.slot, null);
    }
  }
}

async function compareBatch(
  campaign: Campaign,
  seed: number,
  programs: readonly (Program | null)[],
  findings: Findings,
): Promise<void> {
  const { engines, qemu, options } = campaign;
  const [first, ...others] = engines;
  const reference = await runIn(first!, programs, options);
  const left = qemu ? await runIn("qemu", programs, options) : null;
  const rights: HarnessRun[] = [];
  for (const engine of others) rights.push(await runIn(engine, programs, options));
  let shown = 0;
  const tell = async (peers: Peers, mismatches: readonly Mismatch[]) => {
    for (const mismatch of mismatches) await tellMismatch(mismatch, peers, shown++ < campaign.show);
  };
  const tellMismatch = async (mismatch: Mismatch, peers: Peers, isShown: boolean) => {
    const least = isShown ? await shrink(mismatch, peers, options) : mismatch;
    findings.mismatch(`${peers.left} ≠ ${peers.right}: ${nameOf(least)}${isShown ? "" : ", not shrunk"}`);
    const texts = least.differences.map(({ text }) => text).join("; ");
    console.log(`mismatch, ${peers.left} ≠ ${peers.right}, seed ${seed + mismatch.slot}: ${texts}`);
    if (isShown) console.log(`${printProgram(least.program, least.slot)}\n`);
  };
  if (left !== null) {
    const { mismatches, deviations } = await compareWithQemu(programs, left, reference, options, findings);
    for (const [name, times] of deviations) findings.deviation(name, times);
    await tell({ left: "qemu", right: first! }, mismatches);
  }
  for (const [index, right] of others.entries()) {
    const run = rights[index]!;
    const { mismatches } = compareRuns(programs, reference, run, { exact: true, media: options.media === true });
    if (mismatches.length === 0 && run.instructions !== reference.instructions) {
      findings.mismatch(`${first} and ${right}: ${reference.instructions} ≠ ${run.instructions} instructions`);
    }
    await tell({ left: first!, right }, mismatches);
  }
}

/** Reserved flags that are set once stay set in QEMU: then programs that differ run again, without those between them. */
async function compareWithQemu(
  programs: readonly (Program | null)[],
  left: HarnessRun,
  right: HarnessRun,
  options: HarnessOptions,
  findings: Findings,
): Promise<Comparison> {
  const how = { exact: false, media: options.media === true };
  const comparison = compareRuns(programs, left, right, how);
  if (comparison.mismatches.length === 0 || !hasStuckFlags(programs, left)) return comparison;
  const again = new Set(comparison.mismatches.map(({ slot }) => slot));
  const few = programs.map((program, slot) => (again.has(slot) ? program : null));
  const second = compareRuns(few, await runIn("qemu", few, options), await runIn("evaluator", few, options), how);
  const stuck = again.size - second.mismatches.length;
  if (stuck > 0) findings.deviation("reserved flags that CMPXCHG8B set stay set in all that follows", stuck);
  return { mismatches: second.mismatches, deviations: comparison.deviations };
}

/** The last instruction of the smallest program, and what differs first. */
function nameOf({ program, differences }: Mismatch): string {
  const mnemonics = program.items.map(({ plan }) => plan.form.mnemonic);
  return `${mnemonics.slice(-3).join(", ")}: ${differences[0]!.part}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
