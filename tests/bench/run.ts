/** `npm run bench`: how this project compares with its peers, as ratios measured in the same run. */
import { parseArgs } from "node:util";
import { lacks, type Program } from "../requires.ts";
import { benchMachine, machineOptions, OPTIONS_HELP } from "./machine/machine.ts";

interface Bench {
  readonly what: string;
  readonly needs: readonly Program[];
  /** Gives the number of runs that failed. */
  readonly run: (options: Exclude<ReturnType<typeof machineOptions>, string>) => Promise<number>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  machine: {
    what: "our machine against QEMU (TCG) and v86",
    needs: ["qemu-system-x86_64", "nasm", "chromium"],
    run: benchMachine,
  },
  compiler: {
    what: "compiled kernel code against gcc -O0, -O1 and -O2",
    needs: ["gcc"],
    run: async () => {
      // Loaded when asked for: the machine's bench needs no compiler.
      (await import("./compiler/compiled-code.ts")).benchCompiledCode();
      return 0;
    },
  },
};
const ALIASES: Readonly<Record<string, string>> = { compiled: "compiler" };

const HELP = `Usage: npm run bench [-- NAME …]

${Object.entries(BENCHES)
  .map(([name, { what }]) => `  ${name.padEnd(10)}${what}`)
  .join("\n")}

${OPTIONS_HELP}`;

function refuse(message: string): number {
  console.error(`${message}\n\n${HELP}`);
  return 2;
}

async function main(): Promise<number> {
  const parsed = parse();
  if (typeof parsed === "string") return refuse(parsed);
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const names = positionals.map((name) => ALIASES[name] ?? name);
  const unknown = names.find((name) => !(name in BENCHES));
  if (unknown !== undefined) return refuse(`there is no bench ${unknown}`);
  const options = machineOptions(values);
  if (typeof options === "string") return refuse(options);
  let failed = 0;
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`── ${bench.what}`);
    if (lacks(...bench.needs)) console.log(`skipped: ${bench.needs.join(", ")} not installed`);
    else failed += await bench.run(options);
  }
  return failed > 0 ? 1 : 0;
}

function parse() {
  try {
    return parseArgs({
      options: {
        rounds: { type: "string" },
        workloads: { type: "string" },
        scale: { type: "string" },
        engine: { type: "string" },
        "no-browser": { type: "boolean" },
        help: { type: "boolean" },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return (error as Error).message;
  }
}

process.exitCode = await main();
