/** How fast compiled kernel code is: the same algorithms in C by gcc -O2, in one process, taking turns. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { assemblerText } from "./assembler-text.ts";

/** The design's limit: at most this many times gcc's time. */
const LIMIT = 1.5;

/** Prints a line for each algorithm, with medians, and the geometric mean of the ratios. */
export function benchCompiledCode(): void {
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const ratios: number[] = [];
    for (const [name, rounds] of measure(directory)) {
      const [gcc, ours] = [median(rounds.map((r) => r.gcc)), median(rounds.map((r) => r.ours))];
      const ratio = median(rounds.map((r) => r.ours / r.gcc));
      ratios.push(ratio);
      const shown = [gcc, ours].map((time) => (time / 1e6).toFixed(3).padStart(8));
      console.log(`${name.padEnd(8)} gcc -O2 ${shown[0]} ms   ours ${shown[1]} ms   ${ratio.toFixed(2)} ×`);
    }
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`geometric mean ${mean.toFixed(2)} × gcc -O2 (limit ${LIMIT} ×)`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Round {
  /** Nanoseconds. */
  readonly gcc: number;
  readonly ours: number;
}

function measure(directory: string): Map<string, Round[]> {
  const source = new URL("algorithms.kernel", import.meta.url);
  const file = { path: "kernel/main.ts", text: readFileSync(source, "utf8") };
  const { program, diagnostics } = check([file], { entryFile: file.path, chapter: 3 });
  if (program === null) throw new Error(diagnostics.map((d) => `${d.place.line}: ${d.message}`).join("\n"));
  const { object } = generate(optimize(lower(program)));
  writeFileSync(join(directory, "kernel.s"), assemblerText(object, "kernel/main:", "kernel_"));
  const c = new URL("algorithms.c", import.meta.url).pathname;
  execFileSync("gcc", ["-O2", "-static", "-no-pie", "-o", "bench", c, "kernel.s"], {
    cwd: directory,
    stdio: "inherit",
  });
  const output = execFileSync(join(directory, "bench"), { encoding: "utf8" });
  const rounds = new Map<string, Round[]>();
  for (const line of output.trim().split("\n")) {
    const [name, gcc, ours] = line.split(" ") as [string, string, string];
    rounds.set(name, [...(rounds.get(name) ?? []), { gcc: Number(gcc), ours: Number(ours) }]);
  }
  return rounds;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
