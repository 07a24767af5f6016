/** Chapter 1 seen from outside: a kernel that cannot tell anything about itself yet. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createMachine } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { chapters } from "./chapters.ts";
import { readElfFile } from "./elf.ts";
import { bootableDisk, readMap, readOutput, repository } from "./images.ts";
import { isAtRest, runInQemu } from "./qemu.ts";

/** Bytes between two functions at most: alignment. */
const PADDING = 15;

export function testFreestanding(): void {
  for (const variant of [null, "spin"]) {
    describe(`from outside, ${variant ?? "the chapter itself"}`, () => {
      const file = readOutput(1, variant, "kernel.elf");
      const elf = readElfFile(file);
      const start = elf.symbols.find(({ name }) => name === "kernel/main:_start")!;
      const inStart = (rip: bigint) => rip >= start.address && rip < start.address + BigInt(start.size);

      test("the entry point is `_start`, and is reached", () => {
        expect(elf.entry).toBe(start.address);
        const machine = createMachine({ image: file });
        expect(machine.registers().rip).toBe(elf.entry);
        expect(machine.registers().mode).toBe(64);
        machine.step();
        expect(machine.instructions).toBe(1);
      });

      test("rip stays in the loop", () => {
        const machine = createMachine({ image: file });
        const places = new Set<bigint>();
        for (let i = 0; i < 1000; i++) {
          machine.step();
          places.add(machine.registers().rip);
        }
        expect([...places].filter((rip) => !inStart(rip))).toEqual([]);
        expect(places.size).toBe(1);
        expect(machine.run(1000).kind).toBe(variant === null ? "halted" : "budget");
      });

      test.skipIf(lacks("qemu-system-x86_64"))("rip stays in the loop in QEMU, too", async () => {
        let looks = 0;
        const run = await runInQemu(bootableDisk(1, variant), {
          done: (state) => {
            if (inStart(state.rip)) looks++;
            return looks > 0 && (looks === 20 || !inStart(state.rip));
          },
        });
        expect(looks).toBe(20);
        expect(isAtRest(run)).toBe(variant === null);
      });

      test("no symbol is undefined, and nothing is left for a loader to resolve", () => {
        expect(elf.symbols.length).toBeGreaterThan(0);
        expect(elf.symbols.filter(({ section }) => section === 0)).toEqual([]);
        expect(elf.unfinished).toBe(0);
      });

      test("all code belongs to functions, and all functions to lines of this chapter", () => {
        const map = readMap(1, variant);
        const functions = elf.symbols
          .filter(({ kind }) => kind === "function")
          .sort((a, b) => (a.address < b.address ? -1 : 1));
        for (const { address, fileBytes, memorySize, executable } of elf.segments) {
          if (!executable) continue;
          let end = address;
          for (const symbol of functions) {
            expect(Number(symbol.address - end), symbol.name).toBeLessThanOrEqual(PADDING);
            end = symbol.address + BigInt(symbol.size);
          }
          expect(Number(address + BigInt(memorySize) - end)).toBeLessThanOrEqual(PADDING);
          expect(fileBytes.length).toBe(memorySize);
        }
        const book = map.files.filter((path) => path.startsWith("book/01-"));
        expect(map.files).toEqual(book);
        for (const { name, address, size } of functions) {
          const lines = map.lines.filter(
            ([at]) => BigInt(at) >= address && BigInt(at) < address + BigInt(Math.max(size, 1)),
          );
          expect(lines.length, name).toBeGreaterThan(0);
        }
      });

      test("no page is both writable and executable", () => {
        expect(elf.segments.filter(({ writable, executable }) => writable && executable)).toEqual([]);
      });
    });
  }

  test("the machine code that the chapter reads by hand is that of the image", () => {
    const { path } = chapters().find(({ number }) => number === 1)!;
    const text = readFileSync(`${repository}/${path}`, "utf8");
    const shown = [...text.matchAll(/^ *([0-9a-f]{16}):\s+((?:[0-9a-f]{2} )+)/gm)];
    expect(shown.length).toBeGreaterThan(1);
    const { segments } = readElfFile(readOutput(1, null, "kernel.elf"));
    for (const [line, address, bytes] of shown) {
      const segment = segments.find(({ executable }) => executable)!;
      const offset = Number(BigInt(`0x${address}`) - segment.address);
      const wanted = bytes!.trim().split(" ");
      const found = [...segment.fileBytes.slice(offset, offset + wanted.length)];
      expect(
        found.map((byte) => byte.toString(16).padStart(2, "0")),
        line,
      ).toEqual(wanted);
    }
  });
}
