/** Each pass on SSA text: what it makes of a function, and what it must leave alone. */
import { describe, expect, it } from "vitest";
import { removeDeadCode } from "../../tangle/compiler/ssa/dead-code.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { removeTrivialParameters } from "../../tangle/compiler/ssa/parameters.ts";
import { printFunction } from "../../tangle/compiler/ssa/print.ts";
import { shareDivisions } from "../../tangle/compiler/ssa/remainders.ts";
import { simplifyFlow } from "../../tangle/compiler/ssa/simplify-flow.ts";
import { after, count, rules } from "./after-passes.ts";
import { readIr } from "./read-ir.ts";

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
