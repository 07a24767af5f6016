/**
 * Exceptions, segments, pages, mode switches and system instructions: what arrives in a handler, for each of some 400
 * provocations. The expected lines stand in probes/*.txt, and where QEMU follows the manual it must print the same.
 */
import { describe, expect, it } from "vitest";
import { lacks } from "../requires.ts";
import { INTERRUPT_PROBES, LONG_MODE_PROBES, longModeImage } from "./probes/long-mode.ts";
import { type Probe, printedByMachine, printedByQemu } from "./probes/probe.ts";
import { PROTECTED_MODE_PROBES, protectedModeImage } from "./probes/protected-mode.ts";
import { REAL_MODE_PROBES, realModeImage } from "./probes/real-mode.ts";
import { FAST_CALL_PROBES, SYSTEM_PROBES } from "./probes/system.ts";

interface Suite {
  readonly name: string;
  readonly probes: readonly Probe[];
  readonly image: (probes: readonly Probe[]) => Uint8Array;
  /** QEMU's model of the processor. */
  readonly cpu?: string;
}

const suites: readonly Suite[] = [
  { name: "real-mode", probes: REAL_MODE_PROBES, image: realModeImage },
  { name: "protected-mode", probes: PROTECTED_MODE_PROBES, image: protectedModeImage },
  { name: "long-mode", probes: LONG_MODE_PROBES, image: longModeImage },
  { name: "system", probes: SYSTEM_PROBES, image: longModeImage },
  { name: "fast-calls", probes: FAST_CALL_PROBES, image: longModeImage, cpu: "qemu64,vendor=GenuineIntel" },
  { name: "interrupts", probes: INTERRUPT_PROBES, image: longModeImage },
];

/** QEMU 7.2 does not set RF in the flags that a fault saves; processors and later versions do. */
const withoutResumeFlag = (text: string) => text.replaceAll("flags 0001", "flags 0000");

describe.each(suites)("$name", ({ name, probes, image, cpu }) => {
  it("arrives as the manual says", async () => {
    await expect(printedByMachine(image(probes))).toMatchFileSnapshot(`probes/${name}.txt`);
  });

  it.skipIf(lacks("qemu-system-x86_64"))("arrives as in QEMU", () => {
    const disk = image(probes.filter((probe) => probe.differs === undefined));
    expect(withoutResumeFlag(printedByMachine(disk))).toBe(withoutResumeFlag(printedByQemu(disk, cpu)));
  });
});
