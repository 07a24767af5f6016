/** `npm run bench`: how this project compares with its peers, as ratios measured in the same run. */
import { lacks } from "../requires.ts";
import { benchCompiledCode } from "./compiled-code.ts";

const BENCHES = {
  compiled: { what: "compiled kernel code against gcc -O2", needs: ["gcc"], run: benchCompiledCode },
} as const;

const HELP = `Usage: npm run bench [-- NAME …]

${Object.entries(BENCHES)
  .map(([name, { what }]) => `  ${name.padEnd(10)}${what}`)
  .join("\n")}`;

function main(names: readonly string[]): number {
  if (names.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const unknown = names.find((name) => !(name in BENCHES));
  if (unknown !== undefined) {
    console.error(`there is no bench ${unknown}\n\n${HELP}`);
    return 2;
  }
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`── ${bench.what}`);
    if (lacks(...bench.needs)) console.log(`skipped: ${bench.needs.join(", ")} not installed`);
    else bench.run();
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
