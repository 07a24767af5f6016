/** Addresses, holes and sections of linked programs. */
import { describe, expect, test } from "vitest";
import { LinkError, link } from "../../tangle/compiler/link.ts";
import { KERNEL_BASE, type ObjectFunction, type ObjectProgram, type Relocation } from "../../tangle/compiler/object.ts";
import type { DataObject } from "../../tangle/compiler/ssa/ir.ts";

function fn(symbol: string, size: number, relocations: Relocation[] = []): ObjectFunction {
  return { symbol, code: new Uint8Array(size), relocations, lines: [] };
}

function datum(symbol: string, section: DataObject["section"], size: number, targets: string[] = []): DataObject {
  const relocations = targets.map((target, i) => ({ at: i * 8, symbol: target, offset: 0 }));
  const bytes = section === "bss" ? new Uint8Array(0) : new Uint8Array(size).fill(1);
  return { symbol, section, align: 8, size, bytes, relocations, place: null };
}

const call = (symbol: string, at = 1): Relocation => ({ at, kind: "relative32", symbol, addend: 0 });

const PROGRAM: ObjectProgram = {
  functions: [
    fn("helper", 20, [{ at: 4, kind: "absolute32", symbol: "counter", addend: 2 }]),
    fn("start", 9, [call("helper"), { at: 5, kind: "relative32", symbol: "text", addend: 0 }]),
    fn("unused", 5),
  ],
  data: [
    datum("text", "rodata", 10, []),
    datum("counter", "data", 4),
    datum("table", "rodata", 16, ["helper", "counter"]),
    datum("zeros", "bss", 5000),
  ],
  entry: "start",
};

describe("layout", () => {
  test("the entry comes first, then what it reaches; nothing else is in the image", () => {
    const { symbols, entry } = link(PROGRAM);
    expect(entry).toBe(KERNEL_BASE + 0x1000n);
    expect(symbols.map((s) => [s.name, s.address - KERNEL_BASE])).toEqual([
      ["start", 0x1000n],
      ["helper", 0x1010n],
      ["text", 0x2000n],
      ["counter", 0x3000n],
    ]);
  });

  test("segments stand on pages of their own, with the rights that they need", () => {
    const whole = {
      ...PROGRAM,
      functions: [
        ...PROGRAM.functions.slice(0, 1),
        fn("start", 13, [call("helper"), call("zeros", 5), call("table", 9)]),
      ],
    };
    const { segments } = link(whole);
    expect(
      segments.map(({ name, address, size, flags }) => [name, address - KERNEL_BASE, size, flags.write, flags.execute]),
    ).toEqual([
      [".text", 0x1000n, 36, false, true],
      [".rodata", 0x2000n, 16, false, false],
      [".data", 0x3000n, 4, true, false],
      [".bss", 0x4000n, 5000, true, false],
    ]);
    expect(segments[3]!.bytes).toHaveLength(0);
  });

  test("the same program gives the same bytes", () => {
    expect(link(PROGRAM)).toEqual(link({ ...PROGRAM, functions: [...PROGRAM.functions].reverse() }));
  });
});

describe("holes", () => {
  const view = (segment: { bytes: Uint8Array }) => new DataView(segment.bytes.buffer, segment.bytes.byteOffset);

  test("relative ones count from their own end", () => {
    const text = view(link(PROGRAM).segments[0]!);
    expect(text.getInt32(1, true)).toBe(0x10 - 5);
    expect(text.getInt32(5, true)).toBe(0x1000 - 9);
  });

  test("absolute ones are sign-extended addresses", () => {
    const text = view(link(PROGRAM).segments[0]!);
    expect(text.getInt32(0x10 + 4, true)).toBe(-0x8000_0000 + 0x3002);
  });

  test("data holds whole addresses", () => {
    const program = { ...PROGRAM, functions: [PROGRAM.functions[0]!, fn("start", 9, [call("table")])] };
    const data = view(link(program).segments[1]!);
    expect(data.getBigUint64(0, true)).toBe(KERNEL_BASE + 0x1010n);
    expect(data.getBigUint64(8, true)).toBe(KERNEL_BASE + 0x3000n);
  });
});

describe("errors", () => {
  test("an undefined symbol is named, and who needs it", () => {
    const program = { ...PROGRAM, functions: [fn("start", 5, [call("nowhere")])] };
    expect(() => link(program)).toThrow(new LinkError("start needs nowhere, which nothing defines"));
  });

  test("so is one that is defined twice", () => {
    const program = { ...PROGRAM, functions: [fn("start", 5), fn("start", 6)] };
    expect(() => link(program)).toThrow("start is defined twice");
  });

  test("an address that does not fit its hole is refused", () => {
    expect(() => link(PROGRAM, { base: 0x1_0000_0000n })).toThrow("counter is out of reach of helper");
  });
});
