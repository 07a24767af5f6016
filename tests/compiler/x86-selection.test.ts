/** Which instructions compiled code consists of, shown on small functions. */
import { describe, expect, test } from "vitest";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { compiled, listing } from "./listing.ts";
import { readIr } from "./read-ir.ts";

/** A function of two 64-bit parameters with this body, which defines `r`. */
function body(text: string, type = "i64"): string[] {
  return compiled(`
    function f(a: i64, b: i64): ${type}
    b0(a: i64, b: i64):
      ${text}
      return r
  `);
}

describe("addresses", () => {
  test("base, index, scale and displacement fold into the access", () => {
    const lines = body(`
      three: i64 = constant 3
      eight: i64 = constant 8
      index: i64 = shl b, three
      sum: i64 = add a, index
      at: i64 = add sum, eight
      r: i64 = load [at + 16]`);
    expect(lines).toEqual(["mov rax, [rdi+rsi*8+0x18]", "ret"]);
  });

  test("a symbol is addressed relative to rip alone, and by 32 bits beside an index", () => {
    expect(body("s: i64 = symbol t\nr: i64 = load [s + 4]")).toEqual(["mov rax, [rel 7]", "ret"]);
    const lines = body(
      `
      s: i64 = symbol t
      at: i64 = add s, a
      r: i8 = load [at]`,
      "i8",
    );
    expect(lines).toEqual(["movzx eax, byte [rdi]", "ret"]);
  });

  test("an address that is needed otherwise too is computed once", () => {
    const lines = body(`
      at: i64 = add a, b
      x: i64 = load [at]
      r: i64 = xor x, at`);
    expect(lines).toEqual(["lea rax, [rdi+rsi]", "xor rax, [rax]", "ret"]);
  });
});

describe("operands", () => {
  test("a load used once becomes the operand", () => {
    expect(body("x: i64 = load [b + 8]\nr: i64 = add a, x")).toEqual(["mov rax, rdi", "add rax, [rsi+8]", "ret"]);
  });

  test("but not across a store, and not twice", () => {
    const lines = body(`
      x: i64 = load [b]
      store [a], b
      r: i64 = add x, b`);
    expect(lines.filter((line) => line.includes("[rsi]"))).toEqual(["mov rcx, [rsi]"]);
  });

  test("a volatile load is one mov", () => {
    expect(body("x: i64 = load volatile [b]\nr: i64 = add a, x")[0]).toBe("mov rax, [rsi]");
  });

  test("a value goes back to memory in one instruction", () => {
    const lines = compiled(`
      function f(a: i64, b: i32)
      b0(a: i64, b: i32):
        x: i32 = load [a + 4]
        y: i32 = sub x, b
        store [a + 4], y
        return`);
    expect(lines).toEqual(["sub [rdi+4], esi", "ret"]);
  });

  test("constants become immediates, large ones go through a register", () => {
    expect(body("c: i64 = constant 1000\nr: i64 = and a, c")).toEqual(["mov rax, rdi", "and rax, 0x3e8", "ret"]);
    expect(body("c: i64 = constant 0x123456789abc\nr: i64 = and a, c")).toContain("mov rcx, 0x123456789abc");
  });

  test("the address of a symbol stored at a symbol fills two holes", () => {
    const text = `
      function f()
      b0:
        to: i64 = symbol register
        what: i64 = symbol table + 16
        store [to + 2], what
        return`;
    const fn = generate(readIr(text)).object.functions[0]!;
    expect(listing(fn)[0]).toMatch(/^mov qword \[rel .*\], 0$/);
    expect(fn.relocations).toEqual([
      { at: 3, kind: "relative32", symbol: "register", addend: 2 - 4 },
      { at: 7, kind: "absolute32", symbol: "table", addend: 16 },
    ]);
  });

  test("zero is an exclusive or", () => {
    expect(body("r: i64 = constant 0")).toEqual(["xor eax, eax", "ret"]);
  });
});

describe("conditions", () => {
  test("a comparison used by a branch sets the flags and nothing else", () => {
    const lines = compiled(`
      function f(a: i32, b: i32): i32
      b0(a: i32, b: i32):
        c: i1 = slt a, b
        branch c, b1, b2
      b1:
        return a
      b2:
        return b`);
    expect(lines).toContainEqual(expect.stringMatching(/^cmp edi, /));
    expect(lines.join()).not.toContain("set");
  });

  test("and with zero is a test", () => {
    const lines = body(
      "m: i64 = constant 8\nz: i64 = constant 0\nx: i64 = and a, m\nc: i1 = eq x, z\nr: i64 = zeroExtend c",
    );
    expect(lines).toEqual(["xor eax, eax", "test rdi, 8", "sete al", "ret"]);
  });

  test("select is cmov", () => {
    expect(body("c: i1 = ult a, b\nr: i64 = select c, a, b")).toEqual([
      "mov rax, rsi",
      "cmp rdi, rsi",
      "cmovb rax, rdi",
      "ret",
    ]);
  });
});

describe("arithmetic", () => {
  test("sums of several terms are one lea", () => {
    const lines = body(`
      two: i64 = constant 2
      c: i64 = constant 7
      x: i64 = shl b, two
      y: i64 = add a, x
      r: i64 = add y, c`);
    expect(lines).toEqual(["lea rax, [rdi+rsi*4+7]", "ret"]);
  });

  test("times three, five and nine are lea, other constants imul", () => {
    expect(body("c: i64 = constant 9\nr: i64 = mul a, c")).toEqual(["lea rax, [rdi+rdi*8]", "ret"]);
    expect(body("c: i64 = constant 100\nr: i64 = mul a, c")).toEqual(["imul rax, rdi, 0x64", "ret"]);
  });

  test("extension from 32 bits costs nothing where the upper half is known to be zero", () => {
    const lines = compiled(`
      function f(a: i32, b: i32): i64
      b0(a: i32, b: i32):
        x: i32 = add a, b
        r: i64 = zeroExtend x
        return r`);
    expect(lines).toEqual(["lea eax, [rdi+rsi]", "ret"]);
  });
});

describe("frames", () => {
  test("a leaf without locals has none", () => {
    expect(body("r: i64 = add a, b")).toEqual(["lea rax, [rdi+rsi]", "ret"]);
  });

  test("what lives across a call is in a register that the function saved, and rsp is aligned", () => {
    const lines = compiled(`
      function f(a: i64): i64
      b0(a: i64):
        x: i64 = call g(a)
        r: i64 = add x, a
        return r
      function g(a: i64): i64
      b0(a: i64):
        return a`);
    expect(lines).toEqual(["push rbx", "mov rbx, rdi", "call 9", "add rax, rbx", "pop rbx", "ret"]);
  });

  test("cold blocks come last, after the return", () => {
    const lines = compiled(`
      function f(a: i64): i64
      b0(a: i64):
        zero: i64 = constant 0
        c: i1 = eq a, zero
        branch c, b1, b2
      b1: cold
        call f2()
        unreachable
      b2:
        return a
      function f2()
      b0:
        return`);
    expect(lines.slice(-2)).toEqual(["call 0xe", "ud2"]);
    expect(lines).toContain("ret");
  });
});
