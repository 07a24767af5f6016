/**
 * Each chapter as the book states it: what it prints, in our machine and in QEMU, and that both screens are the same.
 * `npm test -- --chapter N` runs those of one chapter.
 */
import { describe, expect, test } from "vitest";
import { screenText } from "#machine/platform/vga.ts";
import type { Expectation } from "../../tangle/literate/book.ts";
import { lacks } from "../requires.ts";
import { testFreestanding } from "./chapter-1.ts";
import { testBooting } from "./chapter-2.ts";
import { testWriterInImage } from "./chapter-3.ts";
import { testKeyboard } from "./chapter-7.ts";
import { testComparison } from "./chapter-11.ts";
import { testTasks } from "./chapter-12.ts";
import { selectedChapters } from "./chapters.ts";
import { testEditorTypes } from "./editor-types.ts";
import { bootableDisk, machineImage } from "./images.ts";
import { testKernel } from "./kernel-tests.ts";
import { runInMachine } from "./machine.ts";
import { hasOpenLines, matchLines } from "./match.ts";
import { isAtRest, type QemuRun, type QemuState, runInQemu } from "./qemu.ts";
import { testRefusals } from "./refusals.ts";
import { testReproducible } from "./reproducible.ts";

/** What only one chapter has. */
const OWN_TESTS: Readonly<Record<number, readonly (() => void)[]>> = {
  1: [testFreestanding, testRefusals],
  2: [testBooting],
  3: [testWriterInImage],
  7: [testKeyboard],
  12: [testTasks],
  11: [testComparison],
};

const qemuTest = test.skipIf(lacks("qemu-system-x86_64"));

interface Printed {
  readonly cells: Uint8Array;
  readonly serial: Uint8Array;
  readonly exit: number | null;
}

/** The printed form of what an expectation speaks of. */
function printedBy({ kind }: Expectation, { cells, serial, exit }: Printed): string {
  if (kind === "screen") return screenText(cells);
  return kind === "serial" ? new TextDecoder().decode(serial) : `${exit ?? "still running"}`;
}

function expectPrinted(expectations: readonly Expectation[], printed: Printed): void {
  for (const expectation of expectations) {
    const difference = matchLines(expectation.text, printedBy(expectation, printed));
    expect(difference, `${expectation.place.file}:${expectation.place.line}`).toBeNull();
  }
}

for (const { number, variants, expectations } of selectedChapters()) {
  describe(`chapter ${number}`, () => {
    for (const variant of [null, ...variants]) {
      const stated = expectations.filter((expectation) => expectation.variant === variant);
      const ends = stated.some(({ kind }) => kind === "exit");
      /** A guest that goes on has a last screen only where the chapter states all of it. */
      const statesScreen = stated.some(({ kind, text }) => kind === "screen" && !hasOpenLines(text));
      /** A guest that never rests is done when it has printed what is stated. */
      const done = (cells: Uint8Array, serial: Uint8Array) =>
        !ends &&
        stated.every((expectation) => {
          const printed = printedBy(expectation, { cells, serial, exit: null });
          return matchLines(expectation.text, printed) === null;
        });

      describe(variant === null ? "the chapter itself" : `variant ${variant}`, () => {
        const inMachine = () => {
          const { stop, ...run } = runInMachine(machineImage(number, variant), { done });
          return { ...run, exit: stop.kind === "exit" ? stop.status : null };
        };

        test("the chapter states what it prints", () => {
          expect(stated.length).toBeGreaterThan(0);
        });

        test("prints that in our machine", () => {
          expectPrinted(stated, inMachine());
        });

        qemuTest("prints that in QEMU, and the same screen and serial bytes", async () => {
          const ours = inMachine();
          // What it prints may be on the screen before the serial line has it all.
          const hasPrinted = ({ cells, serial }: QemuState) =>
            done(cells, serial) && serial.length >= ours.serial.length;
          const run: QemuRun = await runInQemu(bootableDisk(number, variant), {
            done: (state) => isAtRest(state) || (inKernel(state.rip) && hasPrinted(state)),
          });
          expectPrinted(stated, run);
          // A guest that ends QEMU leaves the picture of the last look, which may still be the firmware's.
          if (run.exit === null && (isAtRest(run) || statesScreen)) expect(run.cells).toEqual(ours.cells);
          expect(run.serial).toEqual(ours.serial);
        });

        testEditorTypes(number, variant);
      });
    }
    testKernel(number);
    testReproducible(number);
    for (const ownTests of OWN_TESTS[number] ?? []) ownTests();
  });
}

/** Whether the kernel runs, and not yet firmware or loader. */
function inKernel(rip: bigint): boolean {
  return rip >= 0xffff_ffff_8000_0000n;
}
