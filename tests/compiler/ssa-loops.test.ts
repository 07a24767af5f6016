/** The passes over loops, each on functions that are written as text. */
import { describe, expect, it } from "vitest";
import { removeDecidedChecks } from "../../tangle/compiler/ssa/bounds.ts";
import { removeDeadCode } from "../../tangle/compiler/ssa/dead-code.ts";
import { hoistInvariants } from "../../tangle/compiler/ssa/hoist.ts";
import { splitAddressSums } from "../../tangle/compiler/ssa/loop-sums.ts";
import { replaceMemoryLoops } from "../../tangle/compiler/ssa/memory-loops.ts";
import { simplifyFlow } from "../../tangle/compiler/ssa/simplify-flow.ts";
import { after, count, rules } from "./after-passes.ts";

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
