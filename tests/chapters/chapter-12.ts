/** Chapter 12: keys through a queue, a processor that sleeps between them, and a wake-up that is lost where it can be. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Machine } from "#machine/machine.ts";
import { screenText } from "#machine/platform/vga.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { formatFrames } from "../../tangle/frames.ts";
import { lacks } from "../requires.ts";
import { chapters } from "./chapters.ts";
import { bootableDisk, machineImage, readOutput, repository } from "./images.ts";
import { runInQemu } from "./qemu.ts";

const CHAPTER = 12;
const INVITATION = "Now type";
/** What the chapter promises: instructions in a second without anything to do. */
const MOST_WHEN_IDLE = 10_000;
const IDLE_SECONDS = 10;
/** In nanoseconds of guest time. */
const SECOND = 1e9;
const SLICE = 20_000;
/** More than any of these runs needs. */
const LIMIT = 40_000_000;

const shows = (machine: Machine, text: string) => screenText(machine.screen.cells).includes(text);

/** Runs until `done`, or until the guest sleeps with nothing that could wake it. */
function runUntil(machine: Machine, done: () => boolean): void {
  for (let spent = 0; !done() && spent < LIMIT; ) {
    const before = machine.instructions;
    machine.run(SLICE);
    if (machine.instructions === before) return;
    spent += machine.instructions - before;
  }
}

function booted(variant: string | null): Machine {
  const machine = createMachine({ image: machineImage(CHAPTER, variant) });
  runUntil(machine, () => shows(machine, INVITATION));
  expect(screenText(machine.screen.cells)).toContain(INVITATION);
  return machine;
}

export function testTasks(): void {
  const typed = "Awaited, and printed by a task.";

  describe("tasks", () => {
    test("the frames that the chapter shows are those that the compiler makes", () => {
      const { path } = chapters().find(({ number }) => number === CHAPTER)!;
      const told = formatFrames(new TextDecoder().decode(readOutput(CHAPTER, null, "map.json"))).split("\n");
      const lines = readFileSync(`${repository}/${path}`, "utf8").split("\n");
      const shown = lines.filter((line) => /^ +\d+ bytes {2}kernel\/|^ +\d+ {2}line \d/.test(line));
      expect(shown.length).toBeGreaterThan(8);
      for (const line of shown) expect(told).toContain(line);
    });

    test("keys that are typed appear, in our machine", () => {
      const machine = booted(null);
      machine.type(typed);
      runUntil(machine, () => shows(machine, typed));
      expect(screenText(machine.screen.cells)).toContain(typed);
    });

    test.skipIf(lacks("qemu-system-x86_64"))("keys that are typed appear, in QEMU", async () => {
      const { cells } = await runInQemu(bootableDisk(CHAPTER, null), {
        typing: { after: INVITATION, text: typed },
        done: (state) => screenText(state.cells).includes(typed),
      });
      expect(screenText(cells)).toContain(typed);
    });

    test("an idle second costs fewer instructions than the chapter says, and a key is there at once", () => {
      const machine = booted(null);
      const from = { time: machine.time, instructions: machine.instructions };
      runUntil(machine, () => machine.time - from.time >= IDLE_SECONDS * SECOND);
      const seconds = (machine.time - from.time) / SECOND;
      const each = (machine.instructions - from.instructions) / seconds;
      console.log(`chapter 12: ${Math.round(each)} instructions in an idle second, at most ${MOST_WHEN_IDLE}`);
      expect(each).toBeLessThan(MOST_WHEN_IDLE);
      expect(each).toBeGreaterThan(0);
      const before = machine.instructions;
      machine.type("x");
      runUntil(machine, () => lastLine(machine) === "x");
      expect(lastLine(machine)).toBe("x");
      expect(machine.instructions - before).toBeLessThan(MOST_WHEN_IDLE + 2 * SLICE);
    });

    test("the variant lost-wake-up sleeps over a key, and the next one brings both", () => {
      const machine = booted("lost-wake-up");
      machine.type("a");
      runUntil(machine, () => false);
      expect(lastLine(machine)).toBe("Now type: one key, and wait.");
      machine.type("b");
      runUntil(machine, () => lastLine(machine) === "ab");
      expect(lastLine(machine)).toBe("ab");
    });

    test("the chapter itself does not, wherever the key comes", () => {
      for (let at = 0; at < 12; at++) {
        const machine = booted(null);
        // Somewhere in the handler of a tick, in the executor, or asleep.
        machine.run(1000 + 7 * at);
        machine.type("k");
        runUntil(machine, () => lastLine(machine) === "k");
        expect(lastLine(machine), `${at} instructions later`).toBe("k");
      }
    });
  });
}

function lastLine(machine: Machine): string {
  const lines = screenText(machine.screen.cells).split("\n");
  return (
    lines
      .map((line) => line.trimEnd())
      .filter((line) => line !== "")
      .at(-1) ?? ""
  );
}
