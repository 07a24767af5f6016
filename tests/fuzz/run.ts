/** `npm run fuzz`: machines that nobody would build; none of them may throw, hang or grow. */

import { existsSync, readFileSync } from "node:fs";
import { setImmediate as idle } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { fuzzCase, MEMORY } from "./cases.ts";
import { allEngines, type Checked, checkCase } from "./check.ts";

const HELP = `Usage: npm run fuzz [-- OPTION …]

Runs random disks, mutated chapters and damaged memory with random keys, serial bytes and paces in every engine. A
machine may stop, but never throw a JavaScript exception, take longer than a host's look, or need more than the guest's
memory and 64 MiB; and all engines must end the same.

  --seed S        the first case (1)
  --count N       cases (1000)
  --seconds T     ends after so much processor time instead
  --engines A,B   ${Object.keys(ENGINES).join(", ")} (all)
  --help          this text

Exit status: 0 nothing found · 1 findings, printed with their seeds · 2 wrong arguments.`;

/** Bytes beyond the guest's own memory. */
const ROOM = 64 << 20;
/** Each so manieth case is weighed. */
const WEIGHED = 10;

function collectGarbage(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function parse() {
  const number = { type: "string" } as const;
  return parseArgs({
    options: { seed: number, count: number, seconds: number, engines: number, help: { type: "boolean" } },
  }).values;
}

/** What is wrong with the arguments; exit status 2. */
function refuse(message: string): number {
  console.error(`${message}\n\n${HELP}`);
  return 2;
}

async function main(): Promise<number> {
  let values: ReturnType<typeof parse>;
  try {
    values = parse();
  } catch (error) {
    return refuse((error as Error).message);
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const engines = (values.engines?.split(",") ?? allEngines) as EngineName[];
  const unknown = engines.find((name) => !(name in ENGINES));
  const [seed, count, seconds] = [values.seed ?? 1, values.count ?? 1000, values.seconds ?? 0].map(Number) as [
    number,
    number,
    number,
  ];
  if (unknown !== undefined) return refuse(`there is no engine ${unknown}`);
  if (![seed, count, seconds].every(Number.isFinite)) return refuse("--seed, --count and --seconds take numbers");
  return campaign(seed, seconds > 0 ? Number.POSITIVE_INFINITY : count, seconds || Number.POSITIVE_INFINITY, engines);
}

/** Resident bytes of code that was made at run time, of JavaScript and of WebAssembly; 0 where the system does not tell. */
function codeBytes(): number {
  if (!existsSync("/proc/self/smaps")) return 0;
  let [bytes, isCode] = [0, false];
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ ..(.). \S+ \S+ (\d+)/.exec(line);
    if (mapping !== null) isCode = mapping[1] === "x" && mapping[2] === "0";
    else if (isCode && line.startsWith("Rss:")) bytes += Number.parseInt(line.slice(4), 10) * 1024;
  }
  return bytes;
}

async function campaign(seed: number, count: number, seconds: number, engines: readonly EngineName[]): Promise<number> {
  const collect = collectGarbage();
  // What a machine that is gone held is given back in two steps, and only when nothing runs.
  const held = async () => {
    for (let round = 0; round < 2; round++) {
      await idle();
      collect();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external + codeBytes();
  };
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  await checkCase(fuzzCase(seed), engines);
  const before = await held();
  let [cases, found, instructions, heaviest, code] = [0, 0, 0, 0, 0];
  let longest: Checked["longest"] = { seconds: 0, name: "" };
  for (; cases < count && cpu() < seconds; cases++) {
    const weigh = async () => {
      code = Math.max(code, codeBytes());
      return (await held()) - before;
    };
    const weighed = cases % WEIGHED === 0;
    const checked = await checkCase(fuzzCase(seed + cases), engines, weighed ? weigh : null, MEMORY + ROOM);
    for (const { kind, message } of checked.findings) console.log(`${kind}: ${message}`);
    found += checked.findings.length;
    if (checked.longest.seconds > longest.seconds) longest = checked.longest;
    instructions += checked.instructions;
    heaviest = Math.max(heaviest, checked.heaviest);
  }
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  console.log(
    `${cases} cases from seed ${seed}, ${instructions} instructions, ${cpu().toFixed(0)} s of processor time, ` +
      `longest run ${(longest.seconds * 1000).toFixed(0)} ms (${longest.name}), at most ${mebibytes(heaviest)} MiB more ` +
      `with a machine than before, ${mebibytes(code)} MiB of code, ` +
      `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB resident, ${found} findings`,
  );
  return found > 0 ? 1 : 0;
}

process.exitCode = await main();
