/** What chapter 3 says of its own image. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chapters } from "./chapters.ts";
import { readElfFile } from "./elf.ts";
import { readOutput, repository } from "./images.ts";

export function testWriterInImage(): void {
  test("the writer's bytes in the image are those that the chapter shows", () => {
    const { path } = chapters().find(({ number }) => number === 3)!;
    const text = readFileSync(`${repository}/${path}`, "utf8");
    const shown = [...text.matchAll(/^ ([0-9a-f]{16})((?: [0-9a-f]{8})+) /gm)];
    const elf = readElfFile(readOutput(3, null, "kernel.elf"));
    const writer = elf.symbols.find(({ name }) => name === "kernel/print:writer")!;
    const data = elf.segments.find(({ address, writable }) => writable && address <= writer.address)!;
    const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

    expect(shown.map(([, address]) => BigInt(`0x${address}`))[0]).toBe(writer.address);
    expect(writer.size).toBe(data.fileBytes.length);
    expect(shown.map(([, , words]) => words!.replaceAll(" ", "")).join("")).toBe(hex(data.fileBytes));
  });

  test("nothing runs before `_start`: all initial values are in the image", () => {
    const elf = readElfFile(readOutput(3, null, "kernel.elf"));
    expect(elf.symbols.find(({ address }) => address === elf.entry)?.name).toBe("kernel/main:_start");
  });
}
