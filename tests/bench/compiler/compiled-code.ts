/** How fast compiled kernel code is: the same algorithms in C by gcc -O0, -O1 and -O2, in one process, taking turns. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../../tangle/compiler/frontend/check.ts";
import { lower } from "../../../tangle/compiler/lower/lower.ts";
import { optimize } from "../../../tangle/compiler/ssa/optimize.ts";
import { generate } from "../../../tangle/compiler/x86/generate.ts";
import { assemblerText } from "./assembler-text.ts";

const LEVELS = ["O0", "O1", "O2"] as const;
/** The design's limits against -O2: for the geometric mean, and for each algorithm. */
const MEAN_LIMIT = 1.5;
const LIMIT = 2.5;

/** Prints our time of each algorithm and its ratio to each level's, medians of all rounds; then the geometric means. */
export function benchCompiledCode(): void {
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const table = [...measure(directory)].map(([name, rounds]) => {
      const ratios = LEVELS.map((_, level) => median(rounds.map((round) => round.ours / round.gcc[level]!)));
      return { name, milliseconds: median(rounds.map((round) => round.ours)) / 1e6, ratios };
    });
    console.log(
      `${"".padEnd(8)}${"ours".padStart(11)}${LEVELS.map((level) => `/ gcc -${level}`.padStart(12)).join("")}`,
    );
    for (const { name, milliseconds, ratios } of table) {
      const over = ratios.at(-1)! > LIMIT ? `  over ${LIMIT} ×` : "";
      console.log(`${name.padEnd(8)}${milliseconds.toFixed(3).padStart(8)} ms${shown(ratios)}${over}`);
    }
    const means = LEVELS.map((_, level) => geometricMean(table.map(({ ratios }) => ratios[level]!)));
    console.log(`${"mean".padEnd(8)}${"".padStart(11)}${shown(means)}`);
    console.log(`geometric; limits against -O2: ${MEAN_LIMIT} × in the mean, ${LIMIT} × for each`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function shown(ratios: readonly number[]): string {
  return ratios.map((ratio) => `${ratio.toFixed(2)} ×`.padStart(12)).join("");
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Nanoseconds. */
interface Round {
  readonly ours: number;
  /** In the order of LEVELS. */
  readonly gcc: readonly number[];
}

function measure(directory: string): Map<string, Round[]> {
  const source = new URL("algorithms.kernel", import.meta.url);
  const file = { path: "kernel/main.ts", text: readFileSync(source, "utf8") };
  const { program, diagnostics } = check([file], { entryFile: file.path, chapter: 3 });
  if (program === null) throw new Error(diagnostics.map((d) => `${d.place.line}: ${d.message}`).join("\n"));
  const { object } = generate(optimize(lower(program)));
  writeFileSync(join(directory, "kernel.s"), assemblerText(object, "kernel/main:", "kernel_"));
  const gcc = (...args: string[]) => execFileSync("gcc", args, { cwd: directory, stdio: "inherit" });
  const [algorithms, timing] = ["algorithms.c", "time.c"].map((name) => new URL(name, import.meta.url).pathname);
  for (const level of LEVELS) gcc(`-${level}`, `-DPREFIX=${level}_`, "-c", "-o", `${level}.o`, algorithms!);
  gcc("-O2", "-static", "-no-pie", "-o", "bench", timing!, "kernel.s", ...LEVELS.map((level) => `${level}.o`));
  const output = execFileSync(join(directory, "bench"), { encoding: "utf8" });
  const rounds = new Map<string, Round[]>();
  for (const line of output.trim().split("\n")) {
    const [name, ours, ...versions] = line.split(" ");
    rounds.set(name!, [...(rounds.get(name!) ?? []), { ours: Number(ours), gcc: versions.map(Number) }]);
  }
  return rounds;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
