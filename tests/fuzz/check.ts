/** Runs a case in every engine, and tells what a machine must never do. */
import { createHash } from "node:crypto";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { type FuzzCase, SLICE } from "./cases.ts";

/** Seconds of processor time that a slice may take at most, on a slow and busy computer. */
const LONGEST = 5;

export interface Finding {
  readonly kind: "exception" | "hang" | "engines differ";
  readonly message: string;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** The longest slice, in seconds of processor time. */
  readonly longest: number;
  readonly instructions: number;
}

export function checkCase(fuzz: FuzzCase, engines: readonly EngineName[]): Checked {
  const findings: Finding[] = [];
  const ends = new Set<string>();
  let [longest, instructions] = [0, 0];
  for (const engine of engines) {
    const tell = (kind: Finding["kind"], message: string) =>
      findings.push({ kind, message: `${fuzz.name} in ${engine}: ${message}` });
    try {
      const machine = fuzz.make(engine);
      if (machine === null) continue;
      for (let slice = 0; slice < fuzz.slices; slice++) {
        fuzz.disturb(machine, slice);
        const before = process.cpuUsage();
        const stop = machine.run(SLICE);
        const { user, system } = process.cpuUsage(before);
        longest = Math.max(longest, (user + system) / 1e6);
        if (stop.kind === "stopped" || stop.kind === "exit") break;
      }
      machine.screen.text();
      machine.devices();
      instructions += machine.instructions;
      ends.add(createHash("sha256").update(machine.save()).digest("hex"));
    } catch (error) {
      tell("exception", (error as Error).stack ?? String(error));
    }
    if (longest > LONGEST) tell("hang", `a slice took ${longest.toFixed(1)} s`);
  }
  if (ends.size > 1) findings.push({ kind: "engines differ", message: `${fuzz.name}: the engines' ends differ` });
  return { findings, longest, instructions };
}

export const allEngines = Object.keys(ENGINES) as EngineName[];
