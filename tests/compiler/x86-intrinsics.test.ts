/** Each intrinsic as the instructions it stands for, and what can be run without privileges, run. */
import { describe, expect, test } from "vitest";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { compiled } from "./listing.ts";
import { RUNS_NATIVELY, runNatively } from "./native.ts";
import { readIr } from "./read-ir.ts";

/** The instructions of a function of an address and two values around these lines, without its moves and return. */
function lines(text: string, type = "i64"): string[] {
  const all = compiled(`
    function f(a: i64, b: ${type}, c: ${type})
    b0(a: i64, b: ${type}, c: ${type}):
      ${text}
      return
  `);
  return all.filter((line) => !/^(mov|ret)/.test(line));
}

describe("atomics", () => {
  test("loads and stores are plain moves", () => {
    expect(compiled("function f(a: i64): i8\nb0(a: i64):\nr: i8 = atomicLoad(a)\nreturn r")).toEqual([
      "movzx eax, byte [rdi]",
      "ret",
    ]);
    expect(lines("atomicStore(a, b)")).toEqual([]);
  });

  test("exchange needs no prefix, the others are locked", () => {
    expect(lines("r: i32 = atomicExchange(a, b)", "i32")).toEqual([expect.stringMatching(/^xchg \[rdi\], e/)]);
    expect(lines("r: i64 = atomicAdd(a, b)")).toEqual(["lock add [rdi], rsi"]);
    expect(lines("r: i64 = atomicAdd(a, b)\nstore [a], r")).toEqual([expect.stringMatching(/^lock xadd \[rdi\], r/)]);
    expect(lines("r: i1 = atomicCompareExchange(a, b, c)", "i8")).toContainEqual(
      expect.stringMatching(/^lock cmpxchg \[rdi\], /),
    );
  });
});

describe("ports", () => {
  test("a port that fits a byte is an immediate", () => {
    expect(compiled("function f(): i8\nb0:\np: i16 = constant 0x60\nr: i8 = portIn(p)\nreturn r")).toEqual([
      "in al, 0x60",
      "ret",
    ]);
  });

  test("others go through dx", () => {
    const out = "p: i16 = constant 0x3f8\nportOut(p, b)";
    expect(lines(out, "i8")).toEqual(["out dx, al"]);
    expect(lines(out, "i16")).toEqual(["out dx, ax"]);
    expect(lines(out, "i32")).toEqual(["out dx, eax"]);
  });
});

test.each([
  ["halt()", ["hlt"]],
  ["breakpoint()", ["int3"]],
  ["enableInterrupts()", ["sti"]],
  ["disableInterrupts()", ["cli"]],
  ["enableInterruptsAndHalt()", ["sti", "hlt"]],
  ["fence()", ["mfence"]],
  ["spinHint()", ["pause"]],
  ["invalidatePage(a)", ["invlpg [rdi]"]],
  ["loadIdt(a)", ["lidt [rdi]"]],
  ["loadGdt(a)", ["lgdt [rdi]"]],
])("%s", (text, expected) => {
  expect(lines(text)).toEqual(expected);
});

test("control and model-specific registers, task register, flags, time", () => {
  const result = (text: string) => compiled(`function f(i: i32): i64\nb0(i: i32):\nr: i64 = ${text}\nreturn r`);
  expect(result("readCr0()")).toEqual(["mov rax, cr0", "ret"]);
  expect(result("readCr2()")).toEqual(["mov rax, cr2", "ret"]);
  expect(result("readFlags()")).toEqual(["pushfq", "pop rax", "ret"]);
  expect(result("readMsr(i)")).toEqual([
    "mov ecx, edi",
    "rdmsr",
    "shl rdx, 0x20",
    "or rdx, rax",
    "mov rax, rdx",
    "ret",
  ]);
  expect(result("readTimestamp()")[0]).toBe("rdtsc");
  expect(compiled("function f(v: i64)\nb0(v: i64):\nwriteCr3(v)\nreturn")).toEqual(["mov cr3, rdi", "ret"]);
  expect(compiled("function f(s: i16)\nb0(s: i16):\nloadTaskRegister(s)\nreturn")).toEqual(["ltr di", "ret"]);
  const write = compiled("function f(i: i32, v: i64)\nb0(i: i32, v: i64):\nwriteMsr(i, v)\nreturn");
  expect(write).toContain("wrmsr");
  expect(write).toContainEqual(expect.stringMatching(/^shr r\w+, 0x20$/));
});

describe.skipIf(!RUNS_NATIVELY)("copies and fills, run", () => {
  const SIZE = 300;
  /** Fills a buffer with 0, 1, 2 …, runs the text on its address `p`, and returns the sum of byte times place. */
  function run(text: string): bigint {
    const program = readIr(`
      function f(): i64
      b0:
        p: i64 = symbol buffer
        zero: i64 = constant 0
        jump b1(zero)
      b1(i: i64):
        n: i64 = constant ${SIZE}
        one: i64 = constant 1
        byte: i8 = truncate i
        at: i64 = add p, i
        store [at], byte
        i2: i64 = add i, one
        c: i1 = ult i2, n
        branch c, b1(i2), b2
      b2:
        ${text}
        jump b3(zero, zero)
      b3(k: i64, sum: i64):
        at2: i64 = add p, k
        y: i8 = load [at2]
        z: i64 = zeroExtend y
        k2: i64 = add k, one
        product: i64 = mul z, k2
        sum2: i64 = add sum, product
        d: i1 = ult k2, n
        branch d, b3(k2, sum2), b4
      b4:
        return sum2
    `);
    const { object } = generate(program);
    const buffer = { symbol: "buffer", section: "bss" as const, align: 16, size: SIZE, relocations: [], place: null };
    const data = [{ ...buffer, bytes: new Uint8Array(0) }];
    const calls = [{ symbol: "f", arguments: [] }];
    const outcome = runNatively([{ object: { ...object, data }, panicHandler: null, calls }])[0]![0]!;
    if (outcome.kind !== "returned") throw new Error(outcome.kind);
    return outcome.rax;
  }

  function sum(bytes: Uint8Array): bigint {
    return bytes.reduce((total, byte, i) => total + BigInt(byte) * BigInt(i + 1), 0n);
  }
  const start = () => Uint8Array.from({ length: SIZE }, (_, i) => i);

  test.each([
    [0, 8, 100],
    [8, 0, 100],
    [3, 0, 7],
    [0, 3, 7],
    [1, 0, 200],
    [0, 1, 200],
    [200, 100, 100],
    [50, 50, 50],
    [0, 10, 0],
    [9, 2, 64],
    [2, 9, 65],
  ])("to %i from %i, %i bytes", (to, from, count) => {
    const expected = start();
    expected.copyWithin(to, from, from + count);
    const constants = `t0: i64 = constant ${to}\nf0: i64 = constant ${from}\nn0: i64 = constant ${count}`;
    const unknown = "n1: i64 = atomicAdd(n2, zero)";
    const copy = (n: string) => `t1: i64 = add p, t0\nf1: i64 = add p, f0\ncopyMemory(t1, f1, ${n})`;
    expect(run(`${constants}\n${copy("n0")}`)).toBe(sum(expected));
    // The count through memory, so that it is no constant.
    const through = `n2: i64 = slot count 8 8\nstore [n2], n0\n${unknown}`;
    expect(run(`${constants}\n${through}\n${copy("n1")}`)).toBe(sum(expected));
  });

  test.each([
    [0, 0xff, 300],
    [5, 0x20, 17],
    [7, 0, 64],
    [11, 0x81, 0],
  ])("fill at %i with %i, %i bytes", (at, byte, count) => {
    const expected = start().fill(byte, at, at + count);
    const constants = `a0: i64 = constant ${at}\nn0: i64 = constant ${count}\nv0: i8 = constant ${byte}\nto: i64 = add p, a0`;
    expect(run(`${constants}\nfillMemory(to, v0, n0)`)).toBe(sum(expected));
    const through = "m: i64 = slot value 8 8\nstore [m], v0\nv1: i8 = atomicLoad(m)";
    expect(run(`${constants}\n${through}\nfillMemory(to, v1, n0)`)).toBe(sum(expected));
  });
});
