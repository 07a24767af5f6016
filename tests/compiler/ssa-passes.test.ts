/** Each pass on SSA text: what it makes of a function, and what it must leave alone. */
import { describe, expect, it } from "vitest";
import { simplifyArithmetic } from "../../tangle/compiler/ssa/algebra.ts";
import { removeDecidedChecks } from "../../tangle/compiler/ssa/bounds.ts";
import { simplifyComparisons } from "../../tangle/compiler/ssa/comparisons.ts";
import { foldConstantLoads } from "../../tangle/compiler/ssa/constant-loads.ts";
import { removeDeadCode } from "../../tangle/compiler/ssa/dead-code.ts";
import { removeDeadStores } from "../../tangle/compiler/ssa/dead-stores.ts";
import { expandCopies } from "../../tangle/compiler/ssa/expand-copies.ts";
import { foldConstants } from "../../tangle/compiler/ssa/fold.ts";
import { forwardMemory } from "../../tangle/compiler/ssa/forwarding.ts";
import { hoistInvariants } from "../../tangle/compiler/ssa/hoist.ts";
import type { IrFunction, IrProgram } from "../../tangle/compiler/ssa/ir.ts";
import { splitAddressSums } from "../../tangle/compiler/ssa/loop-sums.ts";
import { replaceMemoryLoops } from "../../tangle/compiler/ssa/memory-loops.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { removeTrivialParameters } from "../../tangle/compiler/ssa/parameters.ts";
import { printFunction } from "../../tangle/compiler/ssa/print.ts";
import { promoteSlots } from "../../tangle/compiler/ssa/promote-slots.ts";
import { protectConstantData } from "../../tangle/compiler/ssa/read-only.ts";
import { shareDivisions } from "../../tangle/compiler/ssa/remainders.ts";
import { simplify } from "../../tangle/compiler/ssa/simplify.ts";
import { simplifyFlow } from "../../tangle/compiler/ssa/simplify-flow.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import { readIr } from "./read-ir.ts";

const RULES = [foldConstants, simplifyComparisons, simplifyArithmetic];

function withData(program: IrProgram): IrProgram {
  for (const symbol of ["table", "cell"]) {
    program.data.push({
      symbol,
      section: "data",
      align: 8,
      size: 64,
      bytes: new Uint8Array(64),
      relocations: [],
      place: null,
    });
  }
  return program;
}

/** The instructions and terminators that are left of the first function, without constants, names and types. */
function after(text: string, ...passes: ((f: IrFunction) => unknown)[]): string[] {
  const program = withData(readIr(text));
  const f = program.functions[0]!;
  for (const pass of passes) {
    pass(f);
    verifyProgram(program);
  }
  return printFunction(f)
    .split("\n")
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/ = (constant|symbol|slot) /.test(line) && !line.startsWith("b0("));
}

const rules = (f: IrFunction): void => simplify(f, RULES);
const count = (lines: readonly string[], what: RegExp): number => lines.filter((line) => what.test(line)).length;

describe("simplify", () => {
  it("computes constants and leaves the rest of an identity", () => {
    const text = `
      function f(v0: i32): i32
      b0(v0: i32):
        v1: i32 = constant 6
        v2: i32 = constant 7
        v3: i32 = mul v1, v2
        v4: i32 = sub v3, v3
        v5: i32 = add v0, v4
        return v5`;
    expect(after(text, rules, removeDeadCode)).toEqual(["return v0"]);
  });

  it("brings constants of an address together in the offset of the access", () => {
    const text = `
      function f(v0: i64, v1: i64): i8
      b0(v0: i64, v1: i64):
        v2: i64 = constant 4
        v3: i64 = add v1, v2
        v4: i64 = add v0, v3
        v5: i8 = load [v4 + 1]
        return v5`;
    const lines = after(text, rules, removeDeadCode);
    expect(lines[0]).toMatch(/ = add v0, v1$/);
    expect(lines[1]).toMatch(/load \[v\d+ \+ 5\]$/);
  });

  it("gives equal computations one value, but only where the first comes before", () => {
    const text = `
      function f(v0: i32, v1: i1): i32
      b0(v0: i32, v1: i1):
        v2: i32 = mul v0, v0
        branch v1, b1, b2
      b1:
        v3: i32 = mul v0, v0
        v4: i32 = negate v0
        v5: i32 = add v3, v4
        return v5
      b2:
        v6: i32 = negate v0
        return v6`;
    const lines = after(text, rules, removeDeadCode);
    expect(count(lines, /mul/)).toBe(1);
    // -v0 is computed on both ways: neither comes before the other. (x × x) + -x is a subtraction.
    expect(count(lines, /negate/)).toBe(1);
    expect(count(lines, /sub/)).toBe(1);
  });

  it("knows behind a branch what the branch has decided", () => {
    const text = `
      function f(v0: i32, v1: i32): i1
      b0(v0: i32, v1: i32):
        v2: i1 = ult v0, v1
        branch v2, b1, b2
      b1:
        v3: i1 = uge v0, v1
        v4: i1 = ne v0, v1
        v5: i1 = and v3, v4
        return v5
      b2:
        return v2`;
    expect(after(text, rules, simplifyFlow, removeDeadCode)).toEqual([
      "v2: i1 = ult v0, v1",
      "branch v2, b1, b2",
      "b1:",
      expect.stringMatching(/^return v\d+$/),
      "b2:",
      expect.stringMatching(/^return v\d+$/),
    ]);
  });

  it("concludes nothing from unsigned order for signed order", () => {
    const text = `
      function f(v0: i32, v1: i32): i1
      b0(v0: i32, v1: i32):
        v2: i1 = ult v0, v1
        branch v2, b1, b2
      b1:
        v3: i1 = sge v0, v1
        return v3
      b2:
        v4: i1 = slt v0, v1
        return v4`;
    expect(count(after(text, rules, simplifyFlow, removeDeadCode), /sge|slt/)).toBe(2);
  });

  it("compares extended values in their own width", () => {
    const text = `
      function f(v0: i8): i1
      b0(v0: i8):
        v1: i64 = zeroExtend v0
        v2: i64 = constant 300
        v3: i1 = ult v1, v2
        v4: i64 = constant 25
        v5: i1 = ult v1, v4
        v6: i1 = and v3, v5
        return v6`;
    expect(after(text, rules, removeDeadCode)[0]).toMatch(/ult v0, v\d+$/);
  });

  it("keeps a division that would trap out of its hands", () => {
    const text = `
      function f(v0: i32): i32
      b0(v0: i32):
        v1: i32 = constant 0
        v2: i32 = udiv v0, v1
        return v2`;
    expect(count(after(text, rules), /udiv/)).toBe(1);
  });
});

describe("control flow", () => {
  it("makes one block of a chain, and a select of a branch that only chooses", () => {
    const text = `
      function f(v0: i1, v1: i32, v2: i32): i32
      b0(v0: i1, v1: i32, v2: i32):
        branch v0, b1, b2
      b1:
        jump b3(v1)
      b2:
        jump b3(v2)
      b3(v3: i32):
        v4: i32 = negate v3
        jump b4
      b4:
        return v4`;
    expect(after(text, simplifyFlow)).toEqual(["v5: i32 = select v0, v1, v2", "v4: i32 = negate v5", "return v4"]);
  });

  it("leads a jump with a known condition past the test", () => {
    const text = `
      function f(v0: i1, v1: i32, v2: i1): i32
      b0(v0: i1, v1: i32, v2: i1):
        v3: i1 = constant 1
        branch v0, b1, b2
      b1:
        spinHint()
        jump b3(v3)
      b2:
        jump b3(v2)
      b3(v4: i1):
        branch v4, b4, b5
      b4:
        return v1
      b5:
        v5: i32 = negate v1
        return v5`;
    const lines = after(text, simplifyFlow);
    const first = lines.indexOf("b1:");
    expect(lines.slice(first, first + 3)).toEqual(["b1:", "spinHint()", "jump b4"]);
  });

  it("puts blocks that end in a panic last", () => {
    const text = `
      function f(v0: i1): i32
      b0(v0: i1):
        branch v0, b1, b2
      b1:
        jump b3
      b3: cold
        halt()
        unreachable
      b2:
        v1: i32 = constant 1
        return v1`;
    const lines = after(text, simplifyFlow);
    expect(lines.at(-1)).toBe("unreachable");
    expect(lines.at(-3)).toMatch(/cold$/);
  });

  it("drops parameters that are one value around a loop", () => {
    const text = `
      function f(v0: i32, v1: i1): i32
      b0(v0: i32, v1: i1):
        jump b1(v0)
      b1(v2: i32):
        branch v1, b1(v2), b2
      b2:
        return v2`;
    expect(after(text, removeTrivialParameters)).toContain("return v0");
  });

  it("drops parameters that only feed themselves", () => {
    const text = `
      function f(v0: i32, v1: i1)
      b0(v0: i32, v1: i1):
        jump b1(v0)
      b1(v2: i32):
        v3: i32 = negate v2
        branch v1, b1(v3), b2
      b2:
        return`;
    expect(after(text, removeDeadCode)).toEqual(["jump b1", "b1:", "branch v1, b1, b2", "b2:", "return"]);
  });
});

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

describe("loops", () => {
  /** `for (i = start; i < end; i += step) if (i + offset < length) …`: the check is gone where it cannot fail. */
  const checked = (start: number, end: number, step: number, offset: number, length: number): string[] => {
    const text = `
      function f(v0: i64)
      b0(v0: i64):
        v1: i64 = constant ${start}
        v2: i64 = constant ${end}
        v3: i64 = constant ${step}
        v4: i64 = constant ${offset}
        v5: i64 = constant ${length}
        jump b1(v1)
      b1(v6: i64):
        v7: i64 = add v6, v4
        v8: i1 = ult v7, v5
        branch v8, b2, b3
      b2:
        v9: i64 = add v6, v3
        v10: i1 = ult v9, v2
        branch v10, b1(v9), b4
      b4:
        return
      b3: cold
        halt()
        unreachable`;
    return after(text, (f) => removeDecidedChecks(f), rules, simplifyFlow, removeDeadCode);
  };

  it("removes checks of a counter that stays inside", () => {
    expect(count(checked(0, 25, 1, 0, 25), /halt/)).toBe(0);
    expect(count(checked(1, 25, 1, 0, 25), /halt/)).toBe(0);
    expect(count(checked(0, 24, 1, 1, 25), /halt/)).toBe(0);
    expect(count(checked(0, 25, 4, 0, 25), /halt/)).toBe(0);
  });

  it("keeps checks that can fail", () => {
    expect(count(checked(0, 26, 1, 0, 25), /halt/)).toBe(1);
    expect(count(checked(0, 25, 1, 1, 25), /halt/)).toBe(1);
    expect(count(checked(30, 25, 1, 0, 25), /halt/)).toBe(1);
  });

  it("removes the check of a counter that goes down and is tested before it wraps", () => {
    const text = `
      function f()
      b0:
        v1: i32 = constant 24
        v2: i32 = constant 0xffffffff
        v3: i32 = constant 0
        v4: i64 = constant 25
        jump b1(v1)
      b1(v6: i32):
        v7: i64 = signExtend v6
        v8: i1 = ult v7, v4
        branch v8, b2, b3
      b2:
        v9: i32 = add v6, v2
        v10: i1 = sge v9, v3
        branch v10, b1(v9), b4
      b4:
        return
      b3: cold
        halt()
        unreachable`;
    const lines = after(text, (f) => removeDecidedChecks(f), rules, simplifyFlow, removeDeadCode);
    expect(count(lines, /halt/)).toBe(0);
  });

  it("moves out what stays the same, but no load that something in the loop may change", () => {
    const text = (inLoop: string): string => `
      function f(v0: i64, v1: i32, v2: i1)
      b0(v0: i64, v1: i32, v2: i1):
        v9: i64 = symbol cell
        jump b1
      b1:
        v3: i32 = mul v1, v1
        v4: i32 = load [v9]
        v5: i32 = add v3, v4
        ${inLoop}
        branch v2, b1, b2
      b2:
        return`;
    const before = (lines: string[]): string[] => lines.slice(0, lines.indexOf("b1:"));
    expect(count(before(after(text("spinHint()"), hoistInvariants)), /mul|load/)).toBe(1);
    expect(count(before(after(text("v6: i32 = negate v1"), hoistInvariants)), /mul|load/)).toBe(2);
    expect(count(before(after(text("store [v0], v5"), hoistInvariants)), /mul|load/)).toBe(1);
  });

  it("does not divide before the divisor was checked", () => {
    const text = `
      function f(v0: i32, v1: i32, v2: i1): i32
      b0(v0: i32, v1: i32, v2: i1):
        v3: i32 = constant 0
        jump b1
      b1:
        v4: i1 = ne v1, v3
        branch v4, b2, b3
      b2:
        v5: i32 = udiv v0, v1
        branch v2, b1, b3
      b3:
        return v3`;
    const lines = after(text, hoistInvariants);
    expect(lines.findIndex((line) => /udiv/.test(line))).toBeGreaterThan(lines.indexOf("b2:"));
  });
});

describe("loops over memory", () => {
  /** A loop over 100 elements with this body, which may use the counter v4 and the symbols v8 and v9. */
  const walked = (body: string, leave = "b2"): string[] => {
    const text = `
      function f(v0: i64, v1: i8): i64
      b0(v0: i64, v1: i8):
        v2: i64 = constant 0
        v3: i64 = constant 1
        v5: i64 = constant 100
        v6: i64 = constant 3
        v8: i64 = symbol table
        v9: i64 = symbol cell
        jump b1(v2)
      b1(v4: i64):
        ${body}
        v20: i64 = add v4, v3
        v21: i1 = ult v20, v5
        branch v21, b1(v20), ${leave}
      b2:
        return v0`;
    return after(text, replaceMemoryLoops, rules, simplifyFlow, removeDeadCode);
  };

  it("fills an array by one fill", () => {
    expect(walked("v10: i64 = add v8, v4\nstore [v10 + 4], v1")).toEqual([
      expect.stringMatching(/fillMemory\(v\d+, v1, v\d+\)/),
      "return v0",
    ]);
    const wide = walked("v10: i64 = shl v4, v6\nv11: i64 = add v10, v8\nstore [v11], v2");
    expect(count(wide, /fillMemory/)).toBe(1);
  });

  it("copies one array to another by one copy", () => {
    const copy = "v10: i64 = add v8, v4\nv11: i64 = add v9, v4\nv12: i8 = load [v10]\nstore [v11], v12";
    expect(walked(copy)).toEqual([expect.stringMatching(/copyMemory\(v\d+, v\d+, v\d+\)/), "return v0"]);
  });

  it("keeps loops that mean something else", () => {
    const kept = (body: string, leave?: string): void => {
      expect(count(walked(body, leave), /Memory/)).toBe(0);
    };
    kept("v10: i64 = add v8, v4\nstore volatile [v10], v1");
    kept("v10: i64 = add v8, v4\nstore [v10], v4");
    // A copy within one array may read what it has just written; a pointer may lead anywhere.
    kept("v10: i64 = add v8, v4\nv12: i8 = load [v10]\nstore [v10 + 1], v12");
    kept("v10: i64 = add v0, v4\nv11: i64 = add v9, v4\nv12: i8 = load [v10]\nstore [v11], v12");
    // A value with different bytes; elements that overlap or leave gaps.
    kept("v10: i64 = shl v4, v6\nv11: i64 = add v10, v8\nstore [v11], v5");
    kept("v10: i64 = add v8, v4\nstore [v10], v2");
    kept("v10: i64 = add v8, v4\nstore [v10], v1\nspinHint()");
  });
});

describe("sums of addresses", () => {
  it("adds up before the loop what the loop leaves alone", () => {
    const text = `
      function f(v0: i64, v1: i64, v2: i1): i64
      b0(v0: i64, v1: i64, v2: i1):
        v3: i64 = constant 0
        v4: i64 = constant 1
        v5: i64 = constant 3
        jump b1(v3)
      b1(v6: i64):
        v7: i64 = add v6, v1
        v8: i64 = shl v7, v5
        v9: i64 = add v0, v8
        v10: i64 = load [v9]
        v11: i64 = add v6, v4
        branch v2, b1(v11), b2
      b2:
        return v10`;
    const lines = after(text, splitAddressSums, removeDeadCode);
    const start = lines.findIndex((line) => line.startsWith("b1("));
    // The counter's own scaling, the sum that is part of the addressing mode, and the counter's step.
    expect(count(lines.slice(start), /shl|add/)).toBe(3);
    expect(count(lines.slice(0, start), /shl|add/)).toBe(2);
  });
});

describe("whole programs", () => {
  it("divides once for quotient and remainder", () => {
    const text = `
      function f(v0: i64, v1: i64): i64
      b0(v0: i64, v1: i64):
        v2: i64 = urem v0, v1
        v3: i64 = udiv v0, v1
        v4: i64 = xor v2, v3
        return v4`;
    expect(count(after(text, shareDivisions, rules), /udiv|urem/)).toBe(1);
  });

  it("puts small functions into their callers, calls through known pointers too, and drops what is not needed", () => {
    const text = `
      function f(v0: i32): i32
      b0(v0: i32):
        v1: i32 = call apply(v0)
        return v1
      function apply(v0: i32): i32
      b0(v0: i32):
        v1: i64 = symbol double
        v2: i32 = extra indirect
        return v2
      function double(v0: i32): i32
      b0(v0: i32):
        v1: i32 = add v0, v0
        return v1`;
    const program = readIr(text, {
      indirect: (get) => ({ kind: "callIndirect", callee: get("v1"), arguments: [get("v0")] }),
    });
    // The reader's functions are never inlined.
    for (const f of program.functions) Object.assign(f, { inline: "auto" });
    optimize(program);
    expect(program.functions.map((f) => f.symbol)).toEqual(["f"]);
    expect(printFunction(program.functions[0]!)).toContain("add v0, v0");
  });
});
