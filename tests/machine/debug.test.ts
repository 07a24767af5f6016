/** From addresses back to the book: map.json, listings, and the story of a triple fault. */
import { describe, expect, test } from "vitest";
import { disassemble, formatListing } from "../../machine/debug/listing.ts";
import { AddressMap, type MapJson } from "../../machine/debug/map.ts";
import { tellEnd } from "../../machine/debug/story.ts";

const BASE = 0xffffffff80001000n;
const at = (offset: number) => `0x${(BASE + BigInt(offset)).toString(16)}`;

const MAP: MapJson = {
  version: 1,
  chapter: 2,
  variant: null,
  entry: at(0),
  files: ["book/01-first.md", "book/02-second.md"],
  sources: ["kernel/main.ts", "boot/sector.asm"],
  symbols: [
    { name: "kernel/main:_start", address: at(0), size: 6, kind: "function" },
    { name: "kernel/main:table", address: at(0x100), size: 8, kind: "object" },
  ],
  lines: [
    [at(0), 0, 33, 3, 0, 12],
    [at(5), 0, 34, 1, 0, 13],
  ],
  loader: {
    symbols: [{ name: "start", address: "0x7c00", size: 0, kind: "label" }],
    lines: [["0x7c00", 1, 40, 1, 1, 7]],
  },
};

describe("the address map", () => {
  const map = new AddressMap(MAP);

  test("names the book's line and the tangled source's line; a line holds until the next", () => {
    expect(map.placeOf(BASE)).toEqual({ file: "book/01-first.md", line: 33, column: 3 });
    expect(map.placeOf(BASE + 4n)).toEqual({ file: "book/01-first.md", line: 33, column: 3 });
    expect(map.placeOf(BASE + 5n)).toEqual({ file: "book/01-first.md", line: 34, column: 1 });
    expect(map.sourceOf(BASE + 5n)).toEqual({ file: "kernel/main.ts", line: 13 });
  });

  test("knows nothing outside of its symbols, nor between loader and kernel", () => {
    expect(map.placeOf(BASE + 6n)).toBeNull();
    expect(map.placeOf(BASE - 1n)).toBeNull();
    expect(map.placeOf(0n)).toBeNull();
    expect(map.symbolOf(BASE + 6n)).toBeNull();
    expect(map.symbolOf(0xffff800000000000n)).toBeNull();
  });

  test("covers the boot loader", () => {
    expect(map.placeOf(0x7c05n)).toEqual({ file: "book/02-second.md", line: 40, column: 1 });
    expect(map.symbolOf(0x7c05n)).toEqual({ name: "start", offset: 5 });
  });

  test("finds symbols by name, and describes addresses", () => {
    expect(map.addressOf("kernel/main:table")).toEqual({ address: BASE + 0x100n, size: 8 });
    expect(map.addressOf("nothing")).toBeNull();
    expect(map.describe(BASE + 5n)).toBe("0xffffffff80001005 in kernel/main:_start+0x5 at book/01-first.md:34");
    expect(map.describe(1n)).toBe("0x1");
  });

  test("refuses a version that it does not know", () => {
    expect(() => new AddressMap({ ...MAP, version: 2 })).toThrow("map.json has version 2");
  });
});

describe("a listing", () => {
  // mov eax, 7 · jmp $ · a byte of an instruction that is cut off
  const CODE = Uint8Array.of(0xb8, 7, 0, 0, 0, 0xeb, 0xfe, 0x48);

  test("shows labels, bytes and instructions, and the book's line where it changes", () => {
    const text = formatListing(disassemble(CODE, BASE, 64, new AddressMap(MAP)));
    const lines = text.split("\n");
    expect(lines[0]).toBe("kernel/main:_start:");
    expect(lines[1]).toMatch(/^ {2}ffffffff80001000 {2}b8 07 00 00 00 +mov eax, 7 +; book\/01-first\.md:33$/);
    expect(lines[2]).toMatch(/^ {2}ffffffff80001005 {2}eb fe +jmp .* +; book\/01-first\.md:34$/);
    expect(lines).toHaveLength(3);
  });

  test("goes on after bytes that are no instruction", () => {
    const listed = disassemble(Uint8Array.of(0x06, 0x90), 0n, 64, null);
    expect(listed[0]).toMatchObject({ text: "(bad)", place: null, label: null });
    expect(listed.at(-1)!.text).toBe("nop");
  });
});

describe("the story", () => {
  test("of a triple fault names each fault, and the line once", () => {
    const chain = [
      { vector: 14, name: "page fault", errorCode: 2, rip: BASE + 5n, detail: "0xb8000 is not mapped" },
      { vector: 8, name: "double fault", errorCode: 0, rip: BASE + 5n, detail: "no handler" },
    ];
    const story = tellEnd(
      { message: "short", event: { kind: "tripleFault", message: "short", story: { chain } } },
      new AddressMap(MAP),
    );
    expect(story.split("\n").slice(1)).toEqual([
      "  1. page fault, a write by the kernel, but no page is there (error code 0x2): 0xb8000 is not mapped",
      "     in the instruction at 0xffffffff80001005 in kernel/main:_start+0x5 at book/01-first.md:34",
      "  2. double fault (error code 0x0): no handler",
    ]);
  });

  test("of anything else is its message", () => {
    expect(tellEnd({ message: "It stopped.", event: null }, null)).toBe("It stopped.");
  });

  test("of a fault about a descriptor names it", () => {
    const chain = [
      { vector: 13, name: "general protection", errorCode: 0x1a, rip: 1n, detail: "gate 0x3 is not open" },
    ];
    const story = tellEnd({ message: "", event: { kind: "tripleFault", message: "", story: { chain } } }, null);
    expect(story).toContain(
      "1. general protection, gate 3 of the interrupt table (error code 0x1a): gate 0x3 is not open",
    );
  });
});
