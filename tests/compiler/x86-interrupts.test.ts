/**
 * Interrupt handlers: what the processor would do is done by hand in user mode, where iretq to the same privilege level
 * is allowed: align the stack, push the frame, jump. Every register must come back as it was.
 */
import { describe, expect, test } from "vitest";
import type { DataObject, Instruction } from "../../tangle/compiler/ssa/ir.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { compiled, listing } from "./listing.ts";
import { RUNS_NATIVELY, runNatively } from "./native.ts";
import { readIr } from "./read-ir.ts";

const REGISTERS = "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const KEPT = "rbx rbp r12 r13 r14 r15".split(" ");
const ERROR = 0x1234_5678n;

/** Raises the interrupt with the direction flag set; returns how many registers came back changed. */
function raise(hasError: boolean): string {
  return [
    ...KEPT.map((register) => `push ${register}`),
    "mov rbp, rsp",
    "mov [rel outer], rsp",
    "sub rsp, 8", // an odd multiple of 8: the processor aligns
    "mov rbx, rsp",
    "and rsp, -16",
    "mov eax, ss",
    "push rax",
    "push rbx",
    "std",
    "pushfq",
    "mov eax, cs",
    "push rax",
    "lea rax, [rel .back]",
    "push rax",
    ...(hasError ? [`push ${ERROR}`] : []),
    ...REGISTERS.map((register, i) => `mov ${register}, ${0x1000 + i}`),
    "jmp handler",
    ".back:",
    ...REGISTERS.flatMap((register, i) => [`cmp ${register}, ${0x1000 + i}`, "jne .bad"]),
    "pushfq",
    "pop rax",
    "cld",
    "test eax, 0x400",
    "jz .bad",
    "mov rcx, rsp",
    "add rcx, 8",
    "cmp rcx, [rel outer]",
    "jne .bad",
    "xor eax, eax",
    "jmp .end",
    ".bad:",
    "cld",
    "mov eax, 1",
    ".end:",
    "mov rsp, [rel outer]",
    ...[...KEPT].reverse().map((register) => `pop ${register}`),
    "ret",
  ].join("\n");
}

const variable = (symbol: string): DataObject => ({
  symbol,
  section: "bss",
  align: 8,
  size: 8,
  bytes: new Uint8Array(0),
  relocations: [],
  place: null,
});

type Convention = "interrupt" | "interruptWithError";

/** Runs a handler's body: what the trigger returned, then what the handler left in `seen`, `error` and `stack`. */
function run(convention: Convention, body: string): bigint[] {
  const parameters = convention === "interrupt" ? "frame: i64" : "frame: i64, error: i64";
  const text = `
    function trigger(): i64
    b0:
      extra raise
      unreachable
    function handler(${parameters})
    b0(${parameters}):
      ${body}
      return
    function wreck(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64): i64
    b0(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64):
      extra clobber
      return g
    function get(p: i64): i64
    b0(p: i64):
      x: i64 = load [p]
      return x
    function seen(): i64
    b0:
      p: i64 = symbol seenValue
      x: i64 = load [p]
      return x`;
  const asm = (lines: string, clobbers: string[]) => () =>
    ({ kind: "asm", text: lines, operands: [], inputs: [], clobbers }) as Partial<Instruction>;
  const clobber = asm(REGISTERS.map((r) => `mov ${r}, -1`).join("\n"), REGISTERS);
  const program = readIr(text, { raise: asm(raise(convention === "interruptWithError"), []), clobber });
  Object.assign(program.functions[0]!, { convention: "naked" });
  Object.assign(program.functions[1]!, { convention });
  const { object, diagnostics } = generate(program);
  expect(diagnostics).toEqual([]);
  const data = [variable("outer"), variable("seenValue")];
  const calls = ["trigger", "seen"].map((symbol) => ({ symbol, arguments: [] }));
  return runNatively([{ object: { ...object, data }, panicHandler: null, calls }])[0]!.map((outcome) => {
    if (outcome.kind !== "returned") throw new Error(outcome.kind);
    return outcome.rax;
  });
}

describe.skipIf(!RUNS_NATIVELY)("run", () => {
  test.each(["interrupt", "interruptWithError"] as const)(
    "%s: everything comes back, though a callee wrecks all",
    (convention) => {
      const many = Array.from({ length: 7 }, (_, i) => `n${i}: i64 = constant ${i}`).join("\n");
      const body = `
      ${many}
      r: i64 = call wreck(n0, n1, n2, n3, n4, n5, n6)
      p: i64 = symbol seenValue
      store [p], r`;
      expect(run(convention, body)).toEqual([0n, 6n]);
    },
  );

  test("a handler that calls nothing saves only what it writes", () => {
    const body = `
      p: i64 = symbol seenValue
      x: i64 = load [p]
      one: i64 = constant 41
      y: i64 = add x, one
      store [p], y`;
    expect(run("interrupt", body)).toEqual([0n, 41n]);
  });

  test("the error code is its own parameter, and gone at the end", () => {
    expect(run("interruptWithError", "p: i64 = symbol seenValue\nstore [p], error")).toEqual([0n, ERROR]);
  });

  test("the frame shows what was interrupted, whatever lies below it", () => {
    const body = `
      s: i64 = slot buffer 40 16
      flags: i64 = load [frame + 16]
      mask: i64 = constant 0x400
      direction: i64 = and flags, mask
      store [s + 8], direction
      z: i64 = call get(s)
      y: i64 = load [s + 8]
      p: i64 = symbol seenValue
      store [p], y`;
    expect(run("interrupt", body)).toEqual([0n, 0x400n]);
    expect(run("interruptWithError", body)).toEqual([0n, 0x400n]);
  });

  test("the stack is aligned at calls, and the direction flag is clear", () => {
    const body = `
      s: i64 = slot one 8 8
      a: i64 = call get(s)
      low: i64 = constant 15
      top: i64 = slot two 16 16
      rest: i64 = and top, low
      flags: i64 = readFlags()
      mask: i64 = constant 0x400
      direction: i64 = and flags, mask
      sum: i64 = add rest, direction
      p: i64 = symbol seenValue
      store [p], sum`;
    expect(run("interrupt", body)).toEqual([0n, 0n]);
    expect(run("interruptWithError", body)).toEqual([0n, 0n]);
  });

  test("a changed frame changes where the processor goes on", () => {
    // The bit of the direction flag is cleared, so the trigger finds its flags changed.
    const body = `
      flags: i64 = load [frame + 16]
      mask: i64 = constant 0xfffffffffffffbff
      cleared: i64 = and flags, mask
      store [frame + 16], cleared`;
    expect(run("interrupt", body)).toEqual([1n, 0n]);
  });
});

test("a handler that never returns saves nothing", () => {
  const program = readIr("function f(frame: i64)\nb0(frame: i64):\ncall f2()\nunreachable\nfunction f2()\nb0:\nreturn");
  Object.assign(program.functions[0]!, { convention: "interrupt" });
  expect(listing(generate(program).object.functions[0]!)).toEqual(["cld", expect.stringMatching(/^call /), "ud2"]);
});

test("plain functions do not change by it", () => {
  expect(compiled("function f(a: i64): i64\nb0(a: i64):\nreturn a")).toEqual(["mov rax, rdi", "ret"]);
});
