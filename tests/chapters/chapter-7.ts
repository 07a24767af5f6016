/** Chapter 7: keys that are typed from outside, with each of its layouts, and a deadlock that is one. */
import { describe, expect, test } from "vitest";
import { screenText } from "#machine/platform/vga.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { readElfFile } from "./elf.ts";
import { bootableDisk, machineImage, readOutput } from "./images.ts";
import { runInMachine } from "./machine.ts";
import { runInQemu } from "./qemu.ts";

const CHAPTER = 7;
const ENOUGH = "enough";
const INTERRUPT_FLAG = 0x200n;
/** Instructions: booting, and several ticks of the timer. */
const LONG_ENOUGH = 8_000_000;
/** More instructions than the loop has that waits for a lock. */
const CIRCLE = 10;

/** What the same keys give, by variant: on the American keyboard they are the text itself. */
const TYPED: readonly { readonly variant: string | null; readonly keys: string; readonly shows: readonly string[] }[] =
  [
    { variant: null, keys: `Hello, "World"! 7*6=42\n${ENOUGH}`, shows: ['Hello, "World"! 7*6=42', ENOUGH] },
    { variant: null, keys: `three\b\b\b\b\bfour\n${ENOUGH}`, shows: ["four", ENOUGH] },
    { variant: "german", keys: `Yz[;'-2@#\n${ENOUGH}`, shows: ['Zyüöäß2"■', ENOUGH] },
    { variant: "french", keys: `qwerty 27890!\n${ENOUGH}`, shows: ["azerty éè_çà1", ENOUGH] },
  ];

const typing = (keys: string) => ({ after: "Now type.", text: keys });
const isShown = (cells: Uint8Array) => screenText(cells).includes(ENOUGH);
const lastLines = (cells: Uint8Array, count: number) =>
  screenText(cells)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);

export function testKeyboard(): void {
  describe("typed keys", () => {
    for (const { variant, keys, shows } of TYPED) {
      const name = `${JSON.stringify(keys)}, ${variant ?? "american"} layout`;
      test(`${name}, in our machine`, () => {
        const { cells } = runInMachine(machineImage(CHAPTER, variant), { typing: typing(keys), done: isShown });
        expect(lastLines(cells, shows.length)).toEqual(shows);
      });
      test.skipIf(lacks("qemu-system-x86_64"))(`${name}, in QEMU`, async () => {
        const done = (state: { cells: Uint8Array }) => isShown(state.cells);
        const { cells } = await runInQemu(bootableDisk(CHAPTER, variant), { typing: typing(keys), done });
        expect(lastLines(cells, shows.length)).toEqual(shows);
      });
    }
  });

  test("variant deadlock waits for its lock, with interrupts off, for ever", () => {
    const machine = createMachine({ image: machineImage(CHAPTER, "deadlock") });
    expect(machine.run(LONG_ENOUGH).kind).toBe("budget");
    const print = readElfFile(readOutput(CHAPTER, "deadlock", "kernel.elf")).symbols.find(
      ({ name }) => name === "kernel/print:print",
    )!;
    const seen = new Set<bigint>();
    const before = machine.screen.cells.slice();
    for (let step = 0; step < 100; step++) {
      const { rip, rflags } = machine.registers();
      seen.add(rip);
      expect(rip - print.address).toBeLessThan(BigInt(print.size));
      expect(rflags & INTERRUPT_FLAG).toBe(0n);
      machine.step();
    }
    expect(seen.size).toBeLessThan(CIRCLE);
    expect(machine.screen.cells).toEqual(before);
  });
}
