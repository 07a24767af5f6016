/** More values than registers: everything must survive being moved to the frame and back. */
import { describe, expect, test } from "vitest";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { RAX, RBX, RCX, RDX, type Register, RSI } from "../../tangle/compiler/x86/registers.ts";
import { RUNS_NATIVELY, runNatively } from "./native.ts";
import { readIr } from "./read-ir.ts";
import { compareIr, compareTrees } from "./x86-campaign.ts";

function run(text: string, values: readonly bigint[], registers?: readonly Register[]): bigint {
  const { object } = generate(readIr(text), registers === undefined ? {} : { registers });
  const outcome = runNatively([{ object, panicHandler: null, calls: [{ symbol: "f", arguments: values }] }])[0]![0]!;
  if (outcome.kind !== "returned") throw new Error(outcome.kind);
  return outcome.rax;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const MASK = (1n << 64n) - 1n;

/** `count` values from a, all live at once in `middle`, then folded into one in another order. */
function wide(count: number, middle = ""): string {
  return `
    function f(a: i64): i64
    b0(a: i64):
      k: i64 = constant 0x9e3779b97f4a7c15
      x0: i64 = mul a, k
      ${numbers(count - 1)
        .map((i) => `y${i}: i64 = add x${i}, a\nx${i + 1}: i64 = mul y${i}, k`)
        .join("\n")}
      ${middle}
      s0: i64 = xor x0, k
      ${numbers(count - 1)
        .map((i) => `t${i}: i64 = mul s${i}, k\ns${i + 1}: i64 = add t${i}, x${(i * 7 + 1) % count}`)
        .join("\n")}
      return s${count - 1}
    function g(a: i64): i64
    b0(a: i64):
      k: i64 = constant 1
      r: i64 = add a, k
      return r`;
}

function wideValue(count: number, a: bigint): bigint {
  const k = 0x9e37_79b9_7f4a_7c15n;
  const x = [(a * k) & MASK];
  for (let i = 1; i < count; i++) x.push(((x[i - 1]! + a) * k) & MASK);
  let sum = x[0]! ^ k;
  for (let i = 0; i < count - 1; i++) sum = (sum * k + x[(i * 7 + 1) % count]!) & MASK;
  return sum;
}

describe.skipIf(!RUNS_NATIVELY)("run", () => {
  test.each([10, 14, 15, 16, 30, 100])("%i values at once", (count) => {
    expect(run(wide(count), [12345n])).toBe(wideValue(count, 12345n));
  });

  test.each([5, 6, 7, 30])("%i values across a call", (count) => {
    expect(run(wide(count, "c: i64 = call g(x0)\nd: i64 = call g(c)"), [99n])).toBe(wideValue(count, 99n));
  });

  test("values across what needs fixed registers", () => {
    const middle = `
      three: i64 = constant 3
      q: i64 = udiv x1, x0
      r: i64 = srem x2, three
      h: i64 = umulh x3, x4
      sh: i64 = shl q, r
      w: i64 = and sh, h
      z: i64 = sub w, w`;
    expect(run(wide(20, middle), [7n])).toBe(wideValue(20, 7n));
  });

  test("a loop that turns many carried values round, with a call in it", () => {
    const count = 24;
    const parameters = numbers(count)
      .map((i) => `v${i}: i64`)
      .join(", ");
    const turned = numbers(count).map((i) => `v${(i + 1) % count}`);
    const text = `
      function f(n: i64): i64
      b0(n: i64):
        zero: i64 = constant 0
        one: i64 = constant 1
        ${numbers(count)
          .map((i) => `c${i}: i64 = constant ${i * i + 3}`)
          .join("\n")}
        jump b1(n, ${numbers(count)
          .map((i) => `c${i}`)
          .join(", ")})
      b1(i: i64, ${parameters}):
        more: i1 = ne i, zero
        branch more, b2, b3
      b2:
        next: i64 = sub i, one
        changed: i64 = call g(v0)
        jump b1(next, ${turned.slice(0, -1).join(", ")}, changed)
      b3:
        k: i64 = constant 31
        s0: i64 = mul v0, k
        ${numbers(count - 1)
          .map((i) => `p${i}: i64 = add s${i}, v${i + 1}\ns${i + 1}: i64 = mul p${i}, k`)
          .join("\n")}
        return s${count - 1}
      function g(a: i64): i64
      b0(a: i64):
        five: i64 = constant 5
        r: i64 = mul a, five
        return r`;
    const rounds = 53;
    const values = numbers(count).map((i) => BigInt(i * i + 3));
    for (let i = 0; i < rounds; i++) values.push((values.shift()! * 5n) & MASK);
    const expected = values.slice(1).reduce((sum, v) => ((sum + v) * 31n) & MASK, (values[0]! * 31n) & MASK);
    expect(run(text, [BigInt(rounds)])).toBe(expected);
  });

  const SIX = [RAX, RCX, RDX, RSI, RBX, 12];
  const FOUR = [RAX, RCX, RDX, RBX];
  test.each([
    ["six", SIX],
    ["four", FOUR],
  ])("random programs with %s registers", (_, registers) => {
    const seeds = numbers(30).map((i) => 1000 + i);
    expect(compareIr(seeds, { registers }).mismatches).toEqual([]);
    expect(compareTrees(seeds, { registers }).mismatches).toEqual([]);
  });
});
