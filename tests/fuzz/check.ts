/** Runs a case in every engine, and tells what a machine must never do. */
import { createHash } from "node:crypto";
import type { Machine, StopReason } from "#machine/machine.ts";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { EFFORT } from "../../machine/hosts/runner.ts";
import { type FuzzCase, SLICE } from "./cases.ts";

/** Seconds of processor time that a run which costs no more than `EFFORT` may take, on a slow and busy computer. */
const LONGEST = 1;
/** It translates all that it meets, and no host waits for it. */
const UNHURRIED: EngineName = "wasm-eager";

export interface Finding {
  readonly kind: "exception" | "hang" | "memory" | "engines differ";
  readonly message: string;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** The longest run, in seconds of processor time, and what it was. */
  readonly longest: { readonly seconds: number; readonly name: string };
  readonly instructions: number;
  /** Bytes that the heaviest machine held at its end, where they were weighed. */
  readonly heaviest: number;
}

/** `weigh` tells the bytes that are held while a machine is; `most` is what they may be. */
export async function checkCase(
  fuzz: FuzzCase,
  engines: readonly EngineName[],
  weigh: (() => Promise<number>) | null = null,
  most = Number.POSITIVE_INFINITY,
): Promise<Checked> {
  const findings: Finding[] = [];
  const ends = new Set<string>();
  let longest = { seconds: 0, name: "" };
  let [instructions, heaviest] = [0, 0];
  for (const engine of engines) {
    const tell = (kind: Finding["kind"], message: string) =>
      findings.push({ kind, message: `${fuzz.name} in ${engine}: ${message}` });
    try {
      const machine = fuzz.make(engine);
      if (machine === null) continue;
      for (let slice = 0; slice < fuzz.slices; slice++) {
        fuzz.disturb(machine, slice);
        const { stop, seconds } = runSlice(machine);
        if (seconds > longest.seconds) longest = { seconds, name: `${fuzz.name} in ${engine}` };
        if (seconds > LONGEST && engine !== UNHURRIED) tell("hang", `a run took ${seconds.toFixed(1)} s`);
        if (stop.kind === "stopped" || stop.kind === "exit") break;
      }
      machine.screen.text();
      machine.devices();
      instructions += machine.instructions;
      const held = (await weigh?.()) ?? 0;
      heaviest = Math.max(heaviest, held);
      if (held > most) tell("memory", `${Math.round(held / 2 ** 20)} MiB are held`);
      ends.add(createHash("sha256").update(machine.save()).digest("hex"));
    } catch (error) {
      tell("exception", (error as Error).stack ?? String(error));
    }
  }
  if (ends.size > 1) findings.push({ kind: "engines differ", message: `${fuzz.name}: the engines' ends differ` });
  return { findings, longest, instructions, heaviest };
}

/** So many instructions as a slice has, as a host runs them; and the longest time between two of its looks. */
function runSlice(machine: Machine): { readonly stop: StopReason; readonly seconds: number } {
  let [left, seconds] = [SLICE, 0];
  for (;;) {
    const [first, before] = [machine.instructions, process.cpuUsage()];
    const stop = machine.run(left, EFFORT);
    const { user, system } = process.cpuUsage(before);
    seconds = Math.max(seconds, (user + system) / 1e6);
    // A reset begins to count again.
    left -= Math.max(machine.instructions - first, 1);
    if (stop.kind !== "budget" || left <= 0 || machine.instructions < first) return { stop, seconds };
  }
}

export const allEngines = Object.keys(ENGINES) as EngineName[];
