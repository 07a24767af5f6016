/** `npm run conform`: random programs in our engines and in QEMU; where they end differently, the smallest such program. */
import { parseArgs } from "node:util";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { compareRuns, type Mismatch, type Peers, runIn, shrink } from "./compare.ts";
import { generate } from "./generate.ts";
import type { HarnessOptions } from "./image.ts";
import { MOST_PROGRAMS } from "./layout.ts";
import { HarnessError } from "./machines.ts";
import { printProgram } from "./program.ts";

const HELP = `Usage: npm run conform -- [OPTION …]

Runs random programs, with memory operands, page faults, exceptions and interrupts in them, in all of our machine's
engines and in QEMU, and compares registers, flags, memory, page-table marks and the trace of interrupts.

  --seed S        the first program's seed (1); program n of a run has seed S + n
  --count N       programs (4000)
  --batch N       programs on one disk (4000)
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
      batch: Math.min(MOST_PROGRAMS, take("batch", 4000)),
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
  const names = new Map<string, number>();
  const { seed, count, batch } = campaign;
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done);
    const begun = performance.now();
    const found = await runBatch(campaign, seed + done, size);
    for (const name of found) names.set(name, (names.get(name) ?? 0) + 1);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`programs ${seed + done}–${seed + done + size - 1}: ${found.length} mismatches, ${seconds} s`);
  }
  console.log(`\n${count} programs, ${[...names.values()].reduce((sum, n) => sum + n, 0)} mismatches`);
  for (const [name, times] of names) console.log(`  ${times} × ${name}`);
  return names.size > 0 ? 1 : 0;
}

/** The names of a batch's mismatches; the first few are printed. */
async function runBatch({ engines, qemu, show, options }: Campaign, seed: number, count: number): Promise<string[]> {
  const programs = Array.from({ length: count }, (_, index) => generate(seed + index, options.media === true));
  const [first, ...others] = engines;
  const pairs: Peers[] = others.map((right) => ({ left: first!, right }));
  if (qemu) pairs.unshift({ left: "qemu", right: first! });
  const reference = await runIn(first!, programs, options);
  const names: string[] = [];
  let shown = 0;
  for (const peers of pairs) {
    const other = await runIn(peers.left === "qemu" ? "qemu" : peers.right, programs, options);
    const [left, right] = peers.left === "qemu" ? [other, reference] : [reference, other];
    const comparison = { exact: peers.left !== "qemu", media: options.media === true };
    const found = compareRuns(programs, left, right, comparison);
    if (comparison.exact && found.length === 0 && left.instructions !== right.instructions) {
      names.push(`${peers.left} and ${peers.right}: ${left.instructions} ≠ ${right.instructions} instructions`);
    }
    for (const mismatch of found) {
      if (shown++ < show) {
        const least = await shrink(mismatch, peers, options);
        names.push(`${peers.left} ≠ ${peers.right}: ${nameOf(least)}`);
        print(least, peers, seed + mismatch.slot);
      } else {
        const [first] = mismatch.differences;
        names.push(`${peers.left} ≠ ${peers.right}: ${first!.split(" ")[0]}, not shrunk`);
        console.log(`seed ${seed + mismatch.slot}: ${mismatch.differences.join("; ")}`);
      }
    }
  }
  return names;
}

/** The last instruction of the smallest program, and what differs first. */
function nameOf({ program, differences }: Mismatch): string {
  const mnemonics = program.items.map(({ plan }) => plan.form.mnemonic);
  return `${mnemonics.slice(-3).join(", ")}: ${differences[0]!.split(" ")[0]}`;
}

function print(mismatch: Mismatch, { left, right }: Peers, seed: number): void {
  console.log(`\nmismatch, ${left} ≠ ${right}, seed ${seed}: ${mismatch.differences.join("; ")}`);
  console.log(`${printProgram(mismatch.program, mismatch.slot)}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
