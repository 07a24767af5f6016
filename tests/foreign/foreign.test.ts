/** Disks and kernels that were not made here, in our machine and in QEMU: both must say the same. */
import { describe, expect, test } from "vitest";
import { MachineSession } from "../../machine/hosts/headless.ts";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { QemuSession } from "../../machine/hosts/qemu.ts";
import { replay } from "../machine/replay.ts";
import { lacks } from "../requires.ts";
import { talk } from "./dialogue.ts";
import { GUESTS } from "./guests.ts";

const SECONDS = 100;
/** Instructions after which all engines must have come to the same state: the evaluator is too slow for a whole boot. */
const PREFIX = 1_000_000;
const ENGINES: readonly EngineName[] = ["evaluator", "wasm"];

describe.each(GUESTS)("$name", ({ needs, image, disk, memory, steps, said, ends, more }) => {
  test.skipIf(lacks(...needs))(`begins the same in ${ENGINES.join(" and ")}`, () => {
    const recording = { image: image(), inputs: [], end: PREFIX };
    const [first, ...others] = ENGINES.map((engine) => replay(recording, engine));
    for (const other of others) expect(other).toEqual(first);
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
