/** The passes over loads and stores, each on functions that are written as text. */
import { describe, expect, it } from "vitest";
import { foldConstantLoads } from "../../tangle/compiler/ssa/constant-loads.ts";
import { removeDeadCode } from "../../tangle/compiler/ssa/dead-code.ts";
import { removeDeadStores } from "../../tangle/compiler/ssa/dead-stores.ts";
import { expandCopies } from "../../tangle/compiler/ssa/expand-copies.ts";
import { forwardMemory } from "../../tangle/compiler/ssa/forwarding.ts";
import { printFunction } from "../../tangle/compiler/ssa/print.ts";
import { promoteSlots } from "../../tangle/compiler/ssa/promote-slots.ts";
import { protectConstantData } from "../../tangle/compiler/ssa/read-only.ts";
import { after, count, rules, withData } from "./after-passes.ts";
import { readIr } from "./read-ir.ts";

describe("memory", () => {
  it("forwards what was stored, past stores elsewhere, but not past a call or a pointer", () => {
    const text = (between: string): string => `
      function f(v0: i64, v1: i32): i32
      b0(v0: i64, v1: i32):
        v2: i64 = symbol cell
        store [v2], v1
        ${between}
        v3: i32 = load [v2]
        return v3
      function g()
      b0:
        return`;
    expect(count(after(text("store [v2 + 4], v1"), forwardMemory), /load/)).toBe(0);
    expect(count(after(text("call g()"), forwardMemory), /load/)).toBe(1);
    expect(count(after(text("store [v0], v1"), forwardMemory), /load/)).toBe(1);
    expect(count(after(text("v4: i32 = load volatile [v0]"), forwardMemory), /= load \[/)).toBe(1);
  });

  it("keeps every volatile access", () => {
    const text = `
      function f(v0: i64, v1: i16)
      b0(v0: i64, v1: i16):
        store volatile [v0], v1
        store volatile [v0], v1
        v2: i16 = load volatile [v0]
        return`;
    expect(after(text, rules, forwardMemory, removeDeadStores, removeDeadCode)).toHaveLength(4);
  });

  it("drops a store that another one overwrites, unless someone may have looked", () => {
    const text = (between: string): string => `
      function f(v0: i64, v1: i64, v2: i32)
      b0(v0: i64, v1: i64, v2: i32):
        store [v0], v2
        ${between}
        store [v0], v2
        return`;
    expect(count(after(text("v3: i32 = negate v2"), removeDeadStores), /store/)).toBe(1);
    expect(count(after(text("v3: i32 = load [v1]"), removeDeadStores), /store/)).toBe(2);
  });

  it("drops objects in the frame that are only written", () => {
    const text = `
      function f(v0: i32, v1: i64)
      b0(v0: i32, v1: i64):
        v2: i64 = slot item 16 8
        store [v2], v0
        v3: i64 = add v2, v1
        store [v3], v0
        return`;
    expect(count(after(text, removeDeadStores), /store/)).toBe(0);
  });

  it("makes values of objects in the frame, around loops too", () => {
    const text = `
      function f(v0: i32): i32
      b0(v0: i32):
        v1: i64 = slot counter 8 8
        v2: i64 = constant 0
        v3: i32 = constant 1
        store [v1], v2
        jump b1
      b1:
        v4: i32 = load [v1]
        v5: i32 = add v4, v3
        store [v1], v5
        v6: i1 = ult v5, v0
        branch v6, b1, b2
      b2:
        v7: i32 = load [v1]
        return v7`;
    const lines = after(text, promoteSlots);
    expect(count(lines, /load|store/)).toBe(0);
    expect(lines.at(-1)).toBe("return v5");
  });

  it("leaves an object alone whose address goes elsewhere", () => {
    const text = `
      function f(v0: i32): i32
      b0(v0: i32):
        v1: i64 = slot item 8 8
        store [v1], v0
        call g(v1)
        v2: i32 = load [v1]
        return v2
      function g(v0: i64)
      b0(v0: i64):
        return`;
    expect(count(after(text, promoteSlots, forwardMemory, removeDeadStores), /load|store/)).toBe(2);
  });

  it("copies and fills few bytes by loads and stores, and knows what a fill left", () => {
    const text = `
      function f(v0: i64, v1: i64)
      b0(v0: i64, v1: i64):
        v2: i64 = constant 13
        copyMemory(v0, v1, v2)
        return`;
    const lines = after(text, expandCopies);
    expect(lines.map((line) => line.replace(/.*= /, "").split(" ")[0])).toEqual(
      "load load load store store store return".split(" "),
    );
    const filled = `
      function f(): i16
      b0:
        v0: i64 = slot item 100 8
        v1: i8 = constant 255
        v2: i64 = constant 100
        fillMemory(v0, v1, v2)
        fillMemory(v0, v1, v2)
        v3: i16 = load [v0 + 98]
        call g(v0)
        return v3
      function g(v0: i64)
      b0(v0: i64):
        return`;
    const known = after(filled, forwardMemory);
    expect(count(known, /load/)).toBe(0);
    expect(count(known, /fillMemory/)).toBe(1);
  });

  it("knows what stands in read-only data: numbers, and the addresses of functions", () => {
    const text = `
      function f(): i64
      b0:
        v0: i64 = symbol table
        v1: i16 = load [v0 + 2]
        v2: i64 = load [v0 + 8]
        v3: i64 = load [v0 + 9]
        v4: i64 = zeroExtend v1
        v5: i64 = xor v2, v4
        v6: i64 = xor v5, v3
        return v6`;
    const bytes = new Uint8Array(24);
    bytes.set([1, 2, 3, 4]);
    const relocations = [{ at: 8, symbol: "f", offset: 0 }];
    const table = { symbol: "table", align: 8, size: 24, bytes, relocations, place: null } as const;
    const fold = (section: "rodata" | "data"): string[] => {
      const f = readIr(text).functions[0]!;
      foldConstantLoads(f, new Map([["table", { ...table, section }]]));
      return printFunction(f).split("\n");
    };
    expect(count(fold("data"), /load/)).toBe(3);
    const folded = fold("rodata");
    expect(count(folded, /load/)).toBe(1);
    expect(count(folded, /constant 0x403$/)).toBe(1);
    expect(count(folded, /symbol f$/)).toBe(1);
  });

  it("makes tables read-only that are only read", () => {
    const text = `
      function f(v0: i64): i8
      b0(v0: i64):
        v1: i64 = symbol table
        v2: i64 = add v1, v0
        v3: i8 = load [v2]
        v4: i64 = symbol cell
        v5: i64 = add v4, v0
        store [v5], v3
        return v3`;
    const program = withData(readIr(text));
    protectConstantData(program);
    expect(program.data.map(({ symbol, section }) => [symbol, section])).toEqual([
      ["table", "rodata"],
      ["cell", "data"],
    ]);
  });
});
