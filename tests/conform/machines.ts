/** Runs a disk of the harness in one of our engines or in QEMU, and gives the memory with the results. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StopReason } from "#machine/machine.ts";
import { createMachine, type EngineName } from "../../machine/hosts/pc.ts";
import { QmpClient } from "../../machine/hosts/qmp.ts";
import { COPIES, DATA, HEADER, MEMORY, RESULT, RESULT_SIZE, RESULTS } from "./layout.ts";

export interface HarnessRun {
  /** The results' memory, and that of the copies of written pages. */
  readonly results: Uint8Array;
  readonly copies: Uint8Array;
  /** Instructions executed; null in QEMU. */
  readonly instructions: number | null;
}

/** A run that did not come to its end, and the slot of the program that it stopped in. */
export class HarnessError extends Error {
  constructor(
    peer: string,
    readonly slot: number,
    why: string,
  ) {
    super(`${peer}, in slot ${slot}: ${why}`);
  }
}

/** Instructions after which a run is given up, for each program, and besides. */
const PER_PROGRAM = 5_000;
const BESIDES = 3_000_000;

export function runInOurs(disk: Uint8Array, programs: number, engine: EngineName, repeat = 1): HarnessRun {
  const machine = createMachine({ image: disk, memory: MEMORY, engine });
  let done = false;
  machine.onSerial = (byte) => {
    done = byte === 0x44;
  };
  const failure = (why: string) =>
    new HarnessError(engine, openSlot(machine.readPhysical(RESULTS, programs * RESULT_SIZE)), why);
  let stop: StopReason;
  try {
    stop = machine.run(programs * PER_PROGRAM * repeat + BESIDES);
  } catch (error) {
    throw failure((error as Error).stack ?? String(error));
  }
  if (stop.kind === "stopped") throw failure(stop.event.message);
  if (stop.kind !== "halted" || !done) throw failure(`${stop.kind} after ${machine.instructions} instructions`);
  const next = wordAt(machine.readPhysical(DATA + HEADER.pages, 8), 0);
  return {
    results: machine.readPhysical(RESULTS, programs * RESULT_SIZE),
    copies: machine.readPhysical(COPIES, Number(next) - COPIES),
    instructions: machine.instructions,
  };
}

function wordAt(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
}

/** The first slot without a result: that of the program that did not end. Slots that are left out have none either. */
function openSlot(results: Uint8Array): number {
  let last = -1;
  for (let slot = 0; (slot + 1) * RESULT_SIZE <= results.length; slot++)
    if (wordAt(results, slot * RESULT_SIZE + RESULT.cs) !== 0n) last = slot;
  return last + 1;
}

/** All that QEMU can emulate, but for instructions that share their opcodes with those that we have. */
const CPU = "max,-bmi1,-abm";

/** Milliseconds after which QEMU is given up, for each program, and besides. */
const PATIENCE = { each: 15, besides: 20_000 };

export async function runInQemu(disk: Uint8Array, programs: number): Promise<HarnessRun> {
  const folder = mkdtempSync(join(tmpdir(), "taiji-conform-"));
  let child: ChildProcess | null = null;
  try {
    writeFileSync(join(folder, "disk.img"), disk);
    child = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", "tcg", "-cpu", CPU, "-m", String(MEMORY >> 20), "-display", "none", "-nodefaults", "-no-reboot"],
        ...["-serial", "stdio", "-drive", `format=raw,file=${folder}/disk.img,snapshot=on`],
        ...["-qmp", `unix:${folder}/qmp,server=on,wait=off`],
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    const isDone = await finished(child, PATIENCE.each * programs + PATIENCE.besides);
    const monitor = await QmpClient.connect(join(folder, "qmp"), () => child?.exitCode === null);
    if (monitor === null) throw new HarnessError("QEMU", 0, "no monitor");
    const read = async (val: number, size: number) => {
      const filename = join(folder, "memory");
      await monitor.execute("pmemsave", { val, size, filename });
      return new Uint8Array(readFileSync(filename));
    };
    const results = await read(RESULTS, programs * RESULT_SIZE);
    if (!isDone) throw new HarnessError("QEMU", openSlot(results), "takes too long");
    const next = Number(wordAt(await read(DATA + HEADER.pages, 8), 0));
    const copies = next > COPIES ? await read(COPIES, next - COPIES) : new Uint8Array(0);
    monitor.close();
    return { results, copies, instructions: null };
  } finally {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for the letter that the harness prints at its end; false where it does not come in time. */
function finished(child: ChildProcess, patience: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), patience);
    child.stdout!.on("data", (bytes: Uint8Array) => {
      if (!bytes.includes(0x44)) return;
      clearTimeout(timer);
      resolve(true);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      reject(new HarnessError("QEMU", 0, "the guest reset itself"));
    });
  });
}
