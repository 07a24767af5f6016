/** What kernel TypeScript means, told by the plain evaluator of the typed tree. */
import { describe, expect, it } from "vitest";
import { check } from "../../tangle/compiler/frontend/check.ts";
import type { Global } from "../../tangle/compiler/tree.ts";
import { globalOf, outcomeOf, programOf, resultOf, valueOfExpression as value } from "./kernel-source.ts";

const run = (type: string, body: string, before = ""): bigint =>
  resultOf(`${before}\nexport function run(): ${type} { ${body} }`);

describe("integers", () => {
  it("wrap in their own width", () => {
    expect(value("u8", "u8(250) + 10")).toBe(4n);
    expect(value("u8", "u8(3) - 5")).toBe(254n);
    expect(value("i8", "i8(127) + 1")).toBe(-128n);
    expect(value("u16", "u16(300) * 300")).toBe(24464n);
    expect(value("i32", "-i32(-2147483648)")).toBe(-2147483648n);
    expect(value("u64", "u64(0xffff_ffff_ffff_ffff) + 2")).toBe(1n);
    expect(value("u8", "~u8(0x0f)")).toBe(0xf0n);
    expect(value("u32", "-u32(1)")).toBe(0xffff_ffffn);
    expect(run("u8", "let a: u8 = 255; a++; a -= 1; return a;")).toBe(255n);
  });

  it("keep literals exact", () => {
    expect(value("u64", "0xffff_8000_0000_0001")).toBe(0xffff_8000_0000_0001n);
    expect(value("u64", "9_007_199_254_740_993")).toBe(9_007_199_254_740_993n);
    expect(value("i64", "-0x8000_0000_0000_0000")).toBe(-0x8000_0000_0000_0000n);
    expect(value("u64", "1 << 63")).toBe(1n << 63n);
    expect(value("u32", "~0")).toBe(0xffff_ffffn);
  });

  it("divide toward zero", () => {
    expect(value("i32", "i32(-7) / 2")).toBe(-3n);
    expect(value("i32", "i32(-7) % 2")).toBe(-1n);
    expect(value("i8", "i8(-128) / -1")).toBe(-128n);
    expect(value("i8", "i8(-128) % -1")).toBe(0n);
    expect(value("u32", "u32(7) / 2")).toBe(3n);
  });

  it("shift by the count modulo the width, with the sign where there is one", () => {
    expect(value("i8", "i8(-128) >> 3")).toBe(-16n);
    expect(value("u8", "u8(128) >> 3")).toBe(16n);
    expect(run("u32", "let n: u8 = 33; return u32(1) << n;")).toBe(2n);
  });

  it("convert by cutting, and by extending with their own sign", () => {
    expect(value("u8", "u8(u32(0x1234))")).toBe(0x34n);
    expect(value("u64", "u64(i8(-1))")).toBe(0xffff_ffff_ffff_ffffn);
    expect(value("i64", "i64(u32(0xffff_ffff))")).toBe(0xffff_ffffn);
    expect(value("i8", "i8(u8(200))")).toBe(-56n);
    expect(value("u32", "u32(true)")).toBe(1n);
    expect(value("u16", "u16(i32(-2))")).toBe(0xfffen);
  });

  it("compare by their sign", () => {
    expect(value("bool", "i8(-1) < 0")).toBe(1n);
    expect(value("bool", "u8(255) > 1")).toBe(1n);
  });
});

describe("evaluation", () => {
  it("goes from left to right, once", () => {
    const trace = "let seen: u64 = 0; function t(n: u64): u64 { seen = seen * 10 + n; return n; }";
    expect(run("u64", "const x = t(1) + t(2) * t(3); return seen;", trace)).toBe(123n);
    const array = `${trace} const a: FixedArray<u64, 9> = filled(0);`;
    expect(run("u64", "a[t(1)] = t(2); return seen;", array)).toBe(12n);
    expect(run("u64", "a[t(1)] += t(2); a[t(3)]++; return seen;", array)).toBe(123n);
  });

  it("reads the old value of a compound assignment first", () => {
    const global = "let g: u32 = 1; function change(): u32 { g = 100; return 5; }";
    expect(run("u32", "g += change(); return g;", global)).toBe(6n);
    expect(run("u32", "let x: u32 = 3; return x + x++ * 10 + x;")).toBe(37n);
    expect(run("u32", "let x: u32 = 3; x += x = 5; return x;")).toBe(8n);
  });

  it("stops logical operators early", () => {
    const side = "let count: u32 = 0; function yes(): bool { count++; return true; }";
    expect(
      run("u32", "const a = false && yes(); const b = true || yes(); const c = yes() && yes(); return count;", side),
    ).toBe(2n);
  });

  it("gives assignments and sequences their value", () => {
    expect(run("u8", "let a: u8 = 0; let b: u8 = 0; a = b = 7; return (a++, ++b, a + b);")).toBe(16n);
  });
});

describe("control flow", () => {
  it("loops, breaks and continues, with labels", () => {
    expect(
      run(
        "u32",
        `let sum: u32 = 0;
         outer: for (let i: u32 = 0; i < 10; i++) {
           for (let j: u32 = 0; j < 10; j++) {
             if (j === 5) { continue outer; }
             if (i === 3) { break outer; }
             sum += 1;
           }
         }
         let n: u8 = 0;
         do { n++; if (n === 2) { continue; } sum += 100; } while (n < 3);
         while (true) { if (sum > 216) { break; } sum++; }
         return sum;`,
      ),
    ).toBe(217n);
  });

  it("falls through cases, and finds default wherever it stands", () => {
    const pick =
      "function pick(n: u8): u32 { let r: u32 = 0; switch (n) { case 1: r += 1; case 2: r += 10; break; default: r += 100; case 3: r += 1000; } return r; }";
    expect(value("u32", "pick(1)", pick)).toBe(11n);
    expect(value("u32", "pick(2)", pick)).toBe(10n);
    expect(value("u32", "pick(3)", pick)).toBe(1000n);
    expect(value("u32", "pick(9)", pick)).toBe(1100n);
  });

  it("counts ranges and goes through arrays and slices", () => {
    expect(run("u32", "let s: u32 = 0; const n: u32 = 5; for (const i of range(2, n)) { s += i; } return s;")).toBe(9n);
    expect(run("u32", "let s: u32 = 0; for (const i of range(u32(9), u32(3))) { s += i; } return s;")).toBe(0n);
    expect(
      run(
        "u32",
        "const a: FixedArray<u8, 4> = [1, 2, 3, 4]; let s: u32 = 0; for (const x of a) { s += u32(x); } for (const x of a.slice(1, 3)) { s += u32(x) * 10; } return s;",
      ),
    ).toBe(60n);
  });

  it("leaves labelled blocks", () => {
    expect(run("u8", "let a: u8 = 1; out: { a = 2; if (a === 2) { break out; } a = 3; } return a;")).toBe(2n);
  });
});

describe("functions", () => {
  it("take default values, and see them from where they are declared", () => {
    const f = "let base: u8 = 5; function f(a: u8, b: u8 = base + 1): u8 { return a * 10 + b; }";
    expect(run("u8", "const base: u8 = 0; return f(1) + f(1, 2) + base;", f)).toBe(28n);
  });

  it("are values, in variables, fields and arrays", () => {
    const f = `function add(a: u32, b: u32): u32 { return a + b; }
      class Op { run: (a: u32, b: u32) => u32 = add; other: ((a: u32, b: u32) => u32) | null = null; }
      const op = new Op(); const table: FixedArray<(a: u32, b: u32) => u32, 2> = [add, (a, b) => a * b];
      function twice(f: (a: u32, b: u32) => u32, x: u32): u32 { return f(f(x, x), x); }`;
    expect(
      run(
        "u32",
        "op.other = table[1]; let r = op.run(1, 2); const o = op.other; if (o !== null) { r += o(3, 4) * 10; } return r + twice(table[1], 2) * 1000;",
        f,
      ),
    ).toBe(8123n);
    expect(run("bool", "return op.run === add && op.run !== table[1];", f)).toBe(1n);
  });

  it("are compiled once for each list of type arguments", () => {
    const f = `function max<T extends number>(a: T, b: T): T { return a > b ? a : b; }
      class Pair<A, B> { first: A; second: B; constructor(a: A, b: B) { this.first = a; this.second = b; } swapped(to: Pair<B, A>): void { to.first = this.second; to.second = this.first; } }
      const p = new Pair<u8, i32>(7, -9); const q = new Pair<i32, u8>(0, 0);
      function size<T, N extends number>(a: FixedArray<T, N>): usize { return a.length; }
      const five: FixedArray<u16, 5> = filled(0);`;
    expect(
      run("i32", "p.swapped(q); return max(q.first, -20) * 1000 + i32(max(q.second, 3)) + i32(size(five)) * 100;", f),
    ).toBe(-8493n);
    const program = programOf(
      `${f} export function g(): i8 { return max<i8>(1, 2) + max(i8(3), 4) + i8(max(u64(3), 4)); }`,
    );
    expect(program.functions.length).toBe(2);
  });

  it("may be declared inside others, and call themselves", () => {
    expect(
      run("u64", "return fib(10); function fib(n: u64): u64 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }"),
    ).toBe(55n);
  });
});

describe("memory", () => {
  it("is read and written through pointers", () => {
    const g =
      "const words: FixedArray<u32, 4> = [1, 2, 3, 4]; let n: u64 = 0x1122_3344_5566_7788; class C { a: u8; b: u16 = 5; } const c = new C();";
    expect(
      run(
        "u32",
        "const p = addressOf(words[1]); p.value += 40; p.offset(1).value = 9; return words[1] * 10 + words[2] + p.offset(-1).value;",
        g,
      ),
    ).toBe(430n);
    expect(run("u8", "return addressOf(n).cast<u8>().offset(2).value;", g)).toBe(0x66n);
    expect(
      run(
        "u16",
        'const p = addressOf(c); p.value.b++; return p.value.b + u16(sizeOf<C>()) * 100 + u16(offsetOf<C>("b")) * 10;',
        g,
      ),
    ).toBe(426n);
    expect(
      run(
        "bool",
        "let p: Pointer<u32> | null = null; const none = p === null; p = addressOf(words[0]); return none && p !== null && p.value === 1;",
        g,
      ),
    ).toBe(1n);
  });

  it("has cells", () => {
    const g =
      "class C { v: Volatile<u16>; a: Atomic<u32> = new Atomic(5); flag = new Atomic<bool>(false); } const c = new C();";
    expect(run("u32", "c.v.write(3); c.v.write(c.v.read() * 2); return u32(c.v.read());", g)).toBe(6n);
    expect(
      run("u32", "const old = c.a.add(2); const x = c.a.exchange(10); return old * 100 + x * 10 + c.a.load();", g),
    ).toBe(580n);
    expect(
      run(
        "u32",
        "return u32(c.flag.compareExchange(false, true)) * 100 + u32(c.flag.compareExchange(false, true)) * 10 + u32(c.flag.load());",
        g,
      ),
    ).toBe(101n);
  });

  it("is copied and filled, also where it overlaps", () => {
    const g = "const a: FixedArray<u8, 6> = [1, 2, 3, 4, 5, 6];";
    expect(run("u32", "copy(a.slice(1, 6), a.slice(0, 5)); return u32(a[1]) * 100 + u32(a[5]);", g)).toBe(105n);
    expect(run("u32", "fillMemory(addressOf(a).cast<u8>(), 7, 2); return u32(a[0]) + u32(a[1]) + u32(a[2]);", g)).toBe(
      17n,
    );
    expect(outcomeOf(`${g} export function run(): u8 { copy(a.slice(0, 2), a.slice(0, 3)); return 1; }`)).toMatchObject(
      { kind: "panic", message: "slice out of bounds" },
    );
  });

  it("holds text as UTF-8", () => {
    const g = 'const text = "aß→";';
    expect(run("usize", "return text.length;", g)).toBe(6n);
    expect(run("u8", "return text.byteAt(1);", g)).toBe(0xc3n);
    expect(
      run("u32", "let s: u32 = 0; for (const b of text.slice(1, 3).bytes) { s = s * 256 + u32(b); } return s;", g),
    ).toBe(0xc39fn);
    expect(run("u8", 'const s = true ? "x" : text; return s.byteAt(0);', g)).toBe(0x78n);
  });

  it("fills arrays with one value, computed once", () => {
    const g = "let calls: u8 = 0; function next(): u8 { calls++; return calls; }";
    expect(run("u8", "const a: FixedArray<u8, 3> = filled(next()); return a[0] + a[1] + a[2] + calls * 10;", g)).toBe(
      13n,
    );
  });
});

describe("enums", () => {
  const e = "enum Color { Black, Blue = 5, Red, Big = 300 } enum Signed { A = -1, B = 1 }";
  it("have the smallest width, and numbers", () => {
    expect(value("usize", "sizeOf<Color>() * 10 + sizeOf<Signed>()", e)).toBe(21n);
    expect(value("u16", "u16(Color.Red) + u16(Color.Big)", e)).toBe(306n);
    expect(value("i32", "i32(Signed.A)", e)).toBe(-1n);
  });
  it("are made from numbers with a check", () => {
    expect(value("bool", "enumFrom<Color>(u8(6)) === Color.Red", e)).toBe(1n);
    expect(value("bool", "enumFrom<Signed>(i64(-1)) === Signed.A", e)).toBe(1n);
    for (const n of ["u8(1)", "u16(44)", "u64(0x1_0000_0005)", "i32(-251)"]) {
      expect(outcomeOf(`${e} export function run(): u16 { return u16(enumFrom<Color>(${n})); }`)).toMatchObject({
        kind: "panic",
        message: "not a member of the enum",
      });
    }
  });
});

describe("initial values", () => {
  const folded = (text: string): { initial: Global["initial"]; runs: string[] } => {
    const source = `${text}\nexport function _start(): never { use(); for (;;) {} }\nfunction use(): void { x; }\npanicHandler((info) => { for (;;) {} });`;
    const { program, diagnostics } = check([{ path: "kernel/main.ts", text: source }], {
      entryFile: "kernel/main.ts",
      chapter: 3,
    });
    expect(diagnostics).toEqual([]);
    return { initial: globalOf(program!, "x").initial, runs: program!.initializers.map((one) => one.symbol) };
  };
  it("are computed while compiling, through functions and constructors", () => {
    expect(
      folded(
        "function f(n: u32): u32 { let r: u32 = 1; for (const i of range(1, n + 1)) { r *= i; } return r; } const x = f(5);",
      ),
    ).toEqual({
      initial: { kind: "integer", value: 120n },
      runs: [],
    });
    expect(
      folded("class C { a: u8 = 1; b: u16; constructor(b: u16) { this.b = b * 2; } } const x = new C(4);").initial,
    ).toEqual({
      kind: "aggregate",
      elements: [
        { kind: "integer", value: 1n },
        { kind: "integer", value: 8n },
      ],
    });
    expect(folded("const x: FixedArray<u8, 1000> = filled(0);").initial).toEqual({ kind: "zero" });
    expect(folded("const x = pointer<u16>(0xffff_8000_000b_8000);").initial).toEqual({
      kind: "integer",
      value: 0xffff_8000_000b_8000n,
    });
  });

  it("hold addresses of variables and functions, and text", () => {
    const { initial } = folded(
      'function f(): void {} const t: FixedArray<u32, 4> = filled(1); class C { p: Pointer<u32> = addressOf(t[3]); f: () => void = f; s: string = "hi"; w: Slice<u32> = t.slice(1, 3); n: C | null = null; } const x = new C();',
    );
    expect(initial).toMatchObject({
      kind: "aggregate",
      elements: [
        { kind: "address", offset: 12 },
        { kind: "function", target: { symbol: "kernel/main:f" } },
        { kind: "string", bytes: new Uint8Array([104, 105]) },
        {
          kind: "aggregate",
          elements: [
            { kind: "address", offset: 4 },
            { kind: "integer", value: 2n },
          ],
        },
        { kind: "zero" },
      ],
    });
  });

  it("run when the kernel starts where they need the machine or change something else", () => {
    expect(folded("const x = inb(0x60);")).toEqual({ initial: null, runs: ["kernel/main:x.initialize"] });
    expect(folded("let count: u8 = 0; function next(): u8 { count++; return count; } const x = next();").runs).toEqual([
      "kernel/main:x.initialize",
    ]);
    expect(folded("let y: u8 = inb(0x60); const x = y + 1;").runs).toEqual([
      "kernel/main:y.initialize",
      "kernel/main:x.initialize",
    ]);
    expect(folded("let y: u8 = 3; const x = y + 1;").initial).toEqual({ kind: "integer", value: 4n });
    expect(folded("let n: u8 = 0; const x = addressOf(n).address;").runs).toEqual(["kernel/main:x.initialize"]);
  });

  it("follow the order of imports", () => {
    const modules = { "kernel/a.ts": "export const a: u32 = 4; export const b: u32 = a * 2;" };
    expect(
      resultOf('import { b } from "./a"; const c = b + 1; export function run(): u32 { return c; }', modules),
    ).toBe(9n);
  });
});
