/** Disks and kernels that were not made here, in our machine and in QEMU: both must say the same. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Machine } from "#machine/machine.ts";
import { isElf } from "#machine/platform/elf.ts";
import { MachineSession } from "../../machine/hosts/headless.ts";
import { createMachine, ENGINES } from "../../machine/hosts/pc.ts";
import { QemuSession } from "../../machine/hosts/qemu.ts";
import { lacks } from "../requires.ts";
import { talk } from "./dialogue.ts";
import { GUESTS } from "./guests.ts";

/** For a guest that hangs; on a busy host one that does not may take a minute. */
const SECONDS = 250;
/** Instructions after which the engines are compared, and for how many: the evaluator is too slow for a whole boot. */
const MOMENTS = [0, 300_000, 13_200_000, 30_000_000];
const SPAN = 150_000;

const hash = (machine: Machine) => createHash("sha256").update(machine.save()).digest("hex");

function runTo(machine: Machine, end: number): void {
  while (machine.instructions < end && machine.run(end - machine.instructions).kind === "budget");
}

describe.each(GUESTS)("$name", ({ needs, image, disk, memory, steps: all, tested, said, ends, more }) => {
  const steps = all.slice(0, tested);

  test.skipIf(lacks(...needs))("comes to the same state in both engines", () => {
    const bytes = image();
    const machine = createMachine({ image: bytes, memory, engine: "wasm" });
    for (const moment of MOMENTS) {
      runTo(machine, moment);
      const evaluated = Machine.restore(machine.save(), {
        disk: isElf(bytes) ? null : bytes,
        engine: ENGINES.evaluator,
      });
      for (const each of [machine, evaluated]) runTo(each, moment + SPAN);
      expect([moment, hash(machine)]).toEqual([moment, hash(evaluated)]);
    }
  });

  test.skipIf(lacks(...needs, "qemu-system-x86_64"))("says in our machine what it says in QEMU", async () => {
    const kernelOrDisk = image();
    const ours = await talk(new MachineSession({ image: kernelOrDisk, memory }), steps, SECONDS);
    expect(ours.end?.kind ?? null).toBe(ends ?? null);
    expect(ours.reached).toBe(ends === undefined ? steps.length : steps.length - 1);
    const peer = new QemuSession({ image: disk?.() ?? kernelOrDisk, memory, keepHalted: true, more: more ?? [] });
    const theirs = await talk(peer, steps, SECONDS);
    expect(said(ours).length).toBeGreaterThan(0);
    expect(said(ours)).toEqual(said(theirs));
  });
});
