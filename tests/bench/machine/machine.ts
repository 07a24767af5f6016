/** `npm run bench machine`: our machine against QEMU (TCG) and v86, all in one run, with every checksum checked. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ENGINES } from "../../../machine/hosts/pc.ts";
import { assembleDisk } from "./images.ts";
import { duration, type GuestResult } from "./marks.ts";
import { type BenchPages, openPages } from "./pages.ts";
import { runInNode, runInQemu, runV86InNode } from "./processes.ts";
import { bundlePrograms } from "./programs.ts";
import { newestChapter, startInNode, startInQemu } from "./start.ts";
import { printTable, type Samples } from "./table.ts";
import { EIGHT, type GuestMode, scaled, WORKLOADS } from "./workloads.ts";

export interface MachineBenchOptions {
  readonly rounds: number;
  readonly workloads: readonly string[];
  /** Part of the full size of each workload. */
  readonly scale: number;
  readonly engine: string | undefined;
  readonly browser: boolean;
}

/** Who runs a disk. The names head the table's columns. */
export type Runner = "qemu" | "node" | "chromium" | "v86 node" | "v86 chromium";

const LIMIT = 180_000;

export const OPTIONS_HELP = `Options of \`machine\`:
  --rounds N        medians of N runs (5)
  --workloads A,B   only these: ${Object.keys(WORKLOADS).join(", ")} (eight: the first eight)
  --scale X         part of the full size of each workload, such as 0.01 (1)
  --engine NAME     ${Object.keys(ENGINES).join(" or ")}: what runs our machine's processor
  --no-browser      leaves Chromium out`;

/** The options, or what is wrong with them. */
export function machineOptions(values: Readonly<Record<string, string | boolean | undefined>>) {
  const given = String(values.workloads ?? Object.keys(WORKLOADS).join(","));
  const workloads = given.split(",").flatMap((name) => (name === "eight" ? Object.keys(EIGHT) : [name]));
  const unknown = workloads.find((name) => !(name in WORKLOADS));
  if (unknown !== undefined) return `there is no workload ${unknown}`;
  const [rounds, scale] = [Number(values.rounds ?? 5), Number(values.scale ?? 1)];
  if (!Number.isInteger(rounds) || rounds < 1) return `--rounds takes a number from 1 on, not ${values.rounds}`;
  if (!(scale > 0)) return `--scale takes a number above 0, not ${values.scale}`;
  const engine = values.engine as string | undefined;
  if (engine !== undefined && !(engine in ENGINES)) return `there is no engine ${engine}`;
  return { rounds, workloads, scale, engine, browser: values["no-browser"] !== true };
}

/** Runs it all and prints the table; the number of runs that failed or gave a wrong checksum. */
export async function benchMachine(options: MachineBenchOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "taiji-bench-"));
  const library = join(dirname(createRequire(import.meta.url).resolve("v86")));
  let pages: BenchPages | null = null;
  try {
    await bundlePrograms(folder);
    if (options.browser) pages = await openPages(folder, library);
    const samples: Samples = new Map();
    const failures = await runRounds(options, { folder, library, pages }, samples);
    printTable(samples, options);
    await benchStart(options, folder);
    for (const failure of failures) console.log(`FAILED: ${failure}`);
    return failures.length;
  } finally {
    await pages?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  readonly library: string;
  readonly pages: BenchPages | null;
}

/** Each round runs every workload everywhere once, so that a slow phase of this computer meets all of them. */
async function runRounds(options: MachineBenchOptions, place: Place, samples: Samples): Promise<string[]> {
  const failures = new Set<string>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const name of options.workloads) {
      const shown: string[] = [];
      for (const mode of [64, 32] as const) {
        const disk = assembleDisk(name, mode, scaled(name, options.scale), place.folder);
        let expected: string | null = null;
        for (const [runner, run] of runners(disk, mode, options, place)) {
          const result = await run().catch((error): GuestResult => ({ times: {}, checksum: null, text: `${error}` }));
          const time = duration(result);
          expected ??= result.checksum;
          const isRight = time !== null && result.checksum === expected;
          if (!isRight) failures.add(`${name}${mode} in ${runner}: ${result.text}, expected ${expected}`);
          const key = `${name} ${mode} ${runner}`;
          samples.set(key, [...(samples.get(key) ?? []), isRight ? time : Number.NaN]);
          shown.push(`${runner}${mode === 32 ? " (32)" : ""} ${isRight ? `${time.toFixed(0)} ms` : "failed"}`);
        }
      }
      console.log(`${round}/${options.rounds} ${name.padEnd(10)}${shown.join(" · ")}`);
    }
  }
  return [...failures];
}

/** QEMU comes first: its checksum is the reference. */
function runners(disk: string, mode: GuestMode, { engine }: MachineBenchOptions, { folder, library, pages }: Place) {
  const list: [Runner, () => Promise<GuestResult>][] = [
    ["qemu", () => runInQemu(disk, LIMIT)],
    ["node", () => runInNode(folder, disk, LIMIT, engine)],
  ];
  const settings = { limit: LIMIT, engine: engine as keyof typeof ENGINES | undefined };
  if (pages !== null) list.push(["chromium", () => pages.ours(disk, settings)]);
  if (mode === 64) return list;
  list.push(["v86 node", () => runV86InNode(folder, library, disk, LIMIT)]);
  if (pages !== null) list.push(["v86 chromium", () => pages.v86(disk, LIMIT)]);
  return list;
}

async function benchStart({ rounds, engine }: MachineBenchOptions, folder: string): Promise<void> {
  const chapter = newestChapter();
  const [ours, qemu]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(startInNode(folder, chapter, engine));
    qemu.push(await startInQemu(chapter));
  }
  const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;
  const [we, they] = [median(ours), median(qemu)];
  const verdict = we < they ? "sooner, as it must be" : "NOT sooner";
  console.log(`\nstart to "${chapter.text}" of chapter ${Number(chapter.number)}:`);
  console.log(`  Node and our machine ${we.toFixed(0)} ms, QEMU ${they.toFixed(0)} ms: ${verdict}`);
}
