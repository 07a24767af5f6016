/** asm`…` in compiled code: operands find their registers, nothing that it overwrites is lost, mistakes have a place. */
import { describe, expect, test } from "vitest";
import type { Instruction, Value, ValueType } from "../../tangle/compiler/ssa/ir.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { compiled } from "./listing.ts";
import { RUNS_NATIVELY, runNatively } from "./native.ts";
import { type Extras, readIr } from "./read-ir.ts";

type Mode = "in" | "out" | "inout";

/** An asm instruction; each operand is a mode, perhaps a register, and the name of the value that goes in. */
function asm(
  text: string,
  operands: readonly (readonly [Mode, string | null, string | null, ValueType?])[],
  clobbers: string[] = [],
) {
  return (get: (name: string) => Value): Partial<Instruction> => ({
    kind: "asm",
    text,
    operands: operands.map(([mode, register, , type = "i64"]) => ({ mode, register, type })),
    inputs: operands.map(([, , name]) => (name === null ? null : get(name))),
    clobbers,
    place: { file: "kernel/x.ts", line: 10, column: 3 },
  });
}

function withBody(text: string): string {
  return `
    function f(a: i64, b: i64): i64
    b0(a: i64, b: i64):
      ${text}
      return r`;
}

function run(text: string, extras: Extras, ...values: bigint[]): bigint {
  const { object, diagnostics } = generate(readIr(text, extras));
  expect(diagnostics).toEqual([]);
  const outcome = runNatively([{ object, panicHandler: null, calls: [{ symbol: "f", arguments: values }] }])[0]![0]!;
  if (outcome.kind !== "returned") throw new Error(outcome.kind);
  return outcome.rax;
}

describe("operands", () => {
  test("are named in their width", () => {
    const extras = {
      x: asm("mov {0}, {1}", [
        ["out", null, null],
        ["in", null, "a"],
      ]),
    };
    expect(compiled(withBody("r: i64 = extra x"), extras)).toContainEqual(expect.stringMatching(/^mov r\w+, rdi$/));
    const narrow = { x: asm("add {0}, 3", [["inout", null, "a", "i32"]]) };
    const text = "function f(a: i32): i32\nb0(a: i32):\nr: i32 = extra x\nreturn r";
    expect(compiled(text, narrow)).toContainEqual(expect.stringMatching(/^add e\w\w, 3$/));
  });

  test("pinned ones come and go in that register", () => {
    const extras = {
      x: asm("mul rcx", [
        ["in", "rcx", "a"],
        ["inout", "rax", "b"],
        ["out", "rdx", null],
      ]),
    };
    expect(compiled(withBody("low: i64, r: i64 = extra x"), extras)).toEqual([
      "mov rcx, rdi",
      "mov rax, rsi",
      "mul rcx",
      "mov rax, rdx",
      "ret",
    ]);
  });
});

describe.skipIf(!RUNS_NATIVELY)("run", () => {
  test("outputs may be written before inputs are read", () => {
    const early = asm("xor {0}, {0}\nadd {0}, {1}\nadd {0}, {2}", [
      ["out", null, null],
      ["in", null, "a"],
      ["in", null, "b"],
    ]);
    expect(run(withBody("r: i64 = extra x"), { x: early }, 40n, 2n)).toBe(42n);
  });

  test("what is both input and output shares its register with no other input of the same value", () => {
    const extras = {
      x: asm("add {0}, 1\nadd {0}, {1}", [
        ["inout", null, "a"],
        ["in", null, "a"],
      ]),
    };
    expect(run(withBody("r: i64 = extra x"), extras, 10n, 0n)).toBe(21n);
    const pinned = {
      x: asm("add rax, 1\nadd rax, {1}", [
        ["inout", "rax", "a"],
        ["in", null, "a"],
      ]),
    };
    expect(run(withBody("r: i64 = extra x"), pinned, 10n, 0n)).toBe(21n);
  });

  test("values live across clobbered registers survive, all of them", () => {
    const all = "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
    const extras = { x: asm(all.map((register) => `mov ${register}, 7`).join("\n"), [], [...all, "flags", "memory"]) };
    expect(run(withBody("extra x\nr: i64 = sub a, b"), extras, 50n, 8n)).toBe(42n);
  });

  test("labels and loops are the text's own", () => {
    const loop = asm("xor {0}, {0}\n.again:\nadd {0}, {1}\ndec {1}\njnz .again", [
      ["out", null, null],
      ["inout", null, "a"],
    ]);
    expect(run(withBody("r: i64, rest: i64 = extra x"), { x: loop }, 4n, 0n)).toBe(10n);
  });

  test("a naked function is its text alone", () => {
    const program = readIr(
      `function f(a: i64): i64
       b0(a: i64):
         r: i64 = call g(a)
         return r
       function g(a: i64): i64
       b0(a: i64):
         extra x
         unreachable`,
      { x: asm("lea rax, [rdi + 1]\nret", []) },
    );
    Object.assign(program.functions[1]!, { convention: "naked" });
    const { object } = generate(program);
    expect(object.functions[1]!.code).toEqual(Uint8Array.of(0x48, 0x8d, 0x47, 0x01, 0xc3));
    const outcome = runNatively([{ object, panicHandler: null, calls: [{ symbol: "f", arguments: [41n] }] }]);
    expect(outcome[0]![0]).toMatchObject({ kind: "returned", rax: 42n });
  });
});

describe("mistakes", () => {
  test("have the place of the text's line", () => {
    const extras = { x: asm("nop\n  frobnicate rax", []) };
    const program = readIr(withBody("extra x\nr: i64 = add a, b"), extras);
    const { diagnostics } = generate(program);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]!.place).toMatchObject({ file: "kernel/x.ts", line: 11, column: 3 });
  });

  test("a name that nothing defines is one", () => {
    const extras = { x: asm("call nowhere", []) };
    const { diagnostics } = generate(readIr(withBody("extra x\nr: i64 = add a, b"), extras));
    expect(diagnostics).toMatchObject([{ code: "AS2102", place: { file: "kernel/x.ts", line: 10 } }]);
  });

  test("asking for more registers than there are is one of them", () => {
    const all = "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
    const extras = { x: asm("nop", [["in", null, "a"]], all) };
    const { diagnostics } = generate(readIr(withBody("extra x\nr: i64 = add a, b"), extras));
    expect(diagnostics).toMatchObject([{ code: "AS2101", place: { file: "kernel/x.ts", line: 10 } }]);
  });
});
