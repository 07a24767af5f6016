/** The bench's table: speeds as medians, ratios paired by round, and the design's targets. */
import type { MachineBenchOptions, Runner } from "./machine.ts";
import { EIGHT, type GuestMode, scaled, WORKLOADS } from "./workloads.ts";

/** Milliseconds by `workload mode runner`, one for each round; NaN where the run failed. */
export type Samples = Map<string, number[]>;

/** Workloads for which QEMU's own speed must be reached in the mean, and half of it by each. */
const FIVE = ["alu", "sieve", "mix", "fib", "bytecpy"];
const LEAST = { v86: 1, qemuFive: 1, qemuEach: 0.5, qemuEight: 1.5 };

function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[sorted.length >> 1]!;
}

const mean = (ratios: readonly number[]) => Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
const ratioText = (ratio: number) => (Number.isNaN(ratio) ? "–" : ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2));

export function printTable(samples: Samples, options: MachineBenchOptions): void {
  const hosts = options.browser ? (["node", "chromium"] as const) : (["node"] as const);
  const times = (name: string, mode: GuestMode, runner: Runner) => samples.get(`${name} ${mode} ${runner}`) ?? [];
  const mips = (name: string, mode: GuestMode, runner: Runner) => {
    const instructions = WORKLOADS[name]!.instructions(scaled(name, options.scale), mode);
    const speed = instructions / median(times(name, mode, runner)) / 1000;
    return Number.isNaN(speed) ? "–" : speed.toFixed(speed < 100 ? 1 : 0);
  };
  /** How many times as fast: the median of the rounds' ratios. */
  const faster = (name: string, mode: GuestMode, ours: Runner, theirMode: GuestMode, theirs: Runner) => {
    const theirTimes = times(name, theirMode, theirs);
    return median(times(name, mode, ours).map((time, round) => theirTimes[round]! / time));
  };

  const columns = hosts.flatMap((host) => [
    host,
    `${host}/QEMU`,
    `v86 ${host} (32)`,
    `${host} (32)/v86`,
    `${host} (64)/v86`,
  ]);
  const rows = options.workloads.map((name) => [
    name,
    mips(name, 64, "qemu"),
    ...hosts.flatMap((host) => [
      mips(name, 64, host),
      ratioText(faster(name, 64, host, 64, "qemu")),
      mips(name, 32, `v86 ${host}`),
      ratioText(faster(name, 32, host, 32, `v86 ${host}`)),
      ratioText(faster(name, 64, host, 32, `v86 ${host}`)),
    ]),
  ]);
  console.log(
    "\nMillions of guest instructions a second, and how many times as fast as the peer (same work, same round):\n",
  );
  printRows([["workload", "QEMU", ...columns], ...rows]);

  console.log("");
  for (const host of hosts) {
    const measured = (names: readonly string[]) => names.filter((name) => options.workloads.includes(name));
    const qemu = (names: readonly string[]) => measured(names).map((name) => faster(name, 64, host, 64, "qemu"));
    const v86 = measured(Object.keys(EIGHT)).map((name) =>
      Math.min(faster(name, 32, host, 32, `v86 ${host}`), faster(name, 64, host, 32, `v86 ${host}`)),
    );
    judge(`${host}: least of the eight against v86`, Math.min(...v86), LEAST.v86);
    judge(`${host}: mean of alu, sieve, mix, fib, bytecpy against QEMU`, mean(qemu(FIVE)), LEAST.qemuFive);
    judge(`${host}: least of those five against QEMU`, Math.min(...qemu(FIVE)), LEAST.qemuEach);
    judge(`${host}: mean of the eight against QEMU`, mean(qemu(Object.keys(EIGHT))), LEAST.qemuEight);
  }
}

function judge(what: string, ratio: number, least: number): void {
  if (!Number.isFinite(ratio)) return;
  const verdict = ratio >= least ? "reached" : "NOT reached";
  console.log(`${what.padEnd(68)}${ratioText(ratio).padStart(6)} ×   target ${least.toFixed(1)} ×: ${verdict}`);
}

function printRows(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
    );
  }
}
