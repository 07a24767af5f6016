/** `npm run fuzz`: machines that nobody would build; none of them may throw, hang or grow. */

import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { fuzzCase, MEMORY } from "./cases.ts";
import { allEngines, checkCase } from "./check.ts";

const HELP = `Usage: npm run fuzz [-- OPTION …]

Runs random disks, mutated chapters and damaged memory with random keys, serial bytes and paces in every engine. A
machine may stop, but never throw a JavaScript exception, take longer than its slice, or need more than the guest's
memory and 64 MiB; and all engines must end the same.

  --seed S        the first case (1)
  --count N       cases (1000)
  --seconds T     ends after so much processor time instead
  --engines A,B   ${Object.keys(ENGINES).join(", ")} (all)
  --help          this text

Exit status: 0 nothing found · 1 findings, printed with their seeds · 2 wrong arguments.`;

/** Bytes beyond the guest's own memory. */
const ROOM = 64 << 20;

function collectGarbage(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function main(): number {
  const number = { type: "string" } as const;
  const { values } = parseArgs({
    options: { seed: number, count: number, seconds: number, engines: number, help: { type: "boolean" } },
  });
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
  if (unknown !== undefined || ![seed, count, seconds].every(Number.isFinite)) {
    console.error(unknown === undefined ? HELP : `there is no engine ${unknown}\n\n${HELP}`);
    return 2;
  }
  return campaign(seed, seconds > 0 ? Number.POSITIVE_INFINITY : count, seconds || Number.POSITIVE_INFINITY, engines);
}

function campaign(seed: number, count: number, seconds: number, engines: readonly EngineName[]): number {
  const collect = collectGarbage();
  const held = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  checkCase(fuzzCase(seed), engines);
  const before = held();
  let [cases, found, longest, instructions, peak] = [0, 0, 0, 0, 0];
  for (; cases < count && cpu() < seconds; cases++) {
    const checked = checkCase(fuzzCase(seed + cases), engines);
    for (const { kind, message } of checked.findings) console.log(`${kind}: ${message}`);
    found += checked.findings.length;
    longest = Math.max(longest, checked.longest);
    instructions += checked.instructions;
    if (cases % 50 === 49) peak = Math.max(peak, held() - before);
  }
  if (peak > MEMORY + ROOM) {
    console.log(`memory: ${Math.round(peak / 2 ** 20)} MiB are held after the machines are gone`);
    found++;
  }
  const grown = `${(peak / 2 ** 20).toFixed(1)} MiB more held, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`;
  console.log(
    `${cases} cases from seed ${seed}, ${instructions} instructions, ${cpu().toFixed(0)} s of processor time, ` +
      `longest slice ${(longest * 1000).toFixed(0)} ms, ${grown}, ${found} findings`,
  );
  return found > 0 ? 1 : 0;
}

process.exitCode = main();
