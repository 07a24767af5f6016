/** What kernel TypeScript means, told by the plain evaluator of the typed tree. */
import { describe, expect, it } from "vitest";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
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

describe("classes", () => {
  it("have C layout", () => {
    const program =
      programOf(`class A { a: u8; b: u32; c: u16; d: u64; e: bool; } @packed class P { a: u8; b: u32; inner: A; s: string; }
      class E { x: FixedArray<u16, 3>; f: (() => void) | null = null; p: Slice<u8>; } class Empty {}`);
    const layout = Object.fromEntries(
      program.classes.map((one) => [one.name, [one.size, one.align, ...one.fields.map((f) => f.offset)]]),
    );
    expect(layout).toEqual({
      A: [32, 8, 0, 4, 8, 16, 24],
      P: [53, 1, 0, 1, 5, 37],
      E: [32, 8, 0, 8, 16],
      Empty: [0, 1],
    });
  });

  it("run initial values, then the constructor", () => {
    const c = `class Inner { a: u8 = 3; b: u8; constructor(b: u8) { this.b = b + this.a; } }
      class C { x: u32 = 5; y: u32; inner: Inner = new Inner(1); cells: FixedArray<Inner, 2> = filled(new Inner(7)); constructor(x: u32) { this.y = this.x; this.x = x; } }
      const c = new C(9);`;
    expect(run("u32", "return c.x * 1000 + c.y * 100 + u32(c.inner.b) * 10 + u32(c.cells[1].b) / 10;", c)).toBe(9541n);
  });

  it("are built in place again, without what was there before", () => {
    const c = "class C { a: u8 = 1; b: u8; } const c = new C(); class D { c: C = new C(); } const d = new D();";
    expect(run("u8", "c.a = 9; c.b = 9; d.c.b = 5; d.c = new C(); return c.a + d.c.b * 10 + d.c.a * 100;", c)).toBe(
      109n,
    );
  });

  it("are references in locals and parameters, and copied by copy alone", () => {
    const c =
      "class C { a: u32 = 1; } const c = new C(); const d = new C(); function set(x: C): C { x.a = 7; return x; }";
    expect(run("u32", "const r = set(c); r.a += 1; copy(d, r); d.a++; return c.a * 10 + d.a;", c)).toBe(89n);
    expect(run("bool", "const r = set(c); return r === c && c !== d;", c)).toBe(1n);
  });

  it("live in the frame when asked to", () => {
    const c = "class C { a: u32; constructor(a: u32) { this.a = a; } twice(): u32 { return this.a * 2; } }";
    expect(
      run("u32", "const x = onStack(new C(4)); const y = onStack(new C(5)); return x.twice() * 100 + y.twice();", c),
    ).toBe(810n);
  });

  it("have static members", () => {
    const c =
      "class C { static count: u32 = 3; private static readonly STEP: u32 = 4; private a: u8 = 2; static next(c: C): u32 { C.count += C.STEP; return C.count + u32(c.a); } } const c = new C();";
    expect(run("u32", "C.count++; return C.next(c);", c)).toBe(10n);
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

describe("tests of the kernel", () => {
  const tests = `export let sum: u32 = 0;
    export function add(n: u32): void { sum += n; }
    test("adds one", () => { add(1); });
    test("adds ten", () => { add(10); });`;
  const modules = {
    "kernel/a.ts": tests,
    "kernel/b.ts": 'import { add } from "./a"; test("adds a hundred", () => { add(100); });',
    "kernel/c.ts": 'import { add } from "./a"; test("not imported", () => { add(1000); });',
  };
  it("are collected from all modules of the image, in order", () => {
    const source = `import { sum, add } from "./a"; import "./b";
      export function run(): u32 { let names: u32 = 0; for (const each of collectTests()) { each.run(); add(sum * 1000); names += u32(each.name.length); } return sum + names; }`;
    // 1 → 1001 → 1011 → 1012011 → 1012111 → 1013123111, and 8 + 8 + 14 letters.
    expect(resultOf(source, modules)).toBe(1_013_123_111n + 30n);
  });
  it("are left out of images that do not collect them", () => {
    const program = programOf('import "./b";', modules);
    expect(program.functions.map((one) => one.symbol)).toEqual(["kernel/main:_start", "kernel/main:panicHandler"]);
  });
  it("may be none", () => {
    expect(resultOf("export function run(): usize { return collectTests().length; }")).toBe(0n);
  });
});

describe("interrupt handlers", () => {
  it("have their own conventions, and addresses that can be kept", () => {
    const program =
      programOf(`const a = interruptHandler((frame) => { frame.rip += 2; }); const b = interruptHandler((frame, error): never => { panic(\`\${error}\`); });
      class Gate { handler: InterruptHandler = a; } export const gate = new Gate(); let where: u64 = 0; function f(): void { where = gate.handler.address ^ b.address; } const keep = f;
      test("uses all", () => { f(); });
      export function all(): usize { return collectTests().length; } const kept: FixedArray<() => usize, 1> = [all];
      export function g(): usize { return kept[0](); }`);
    expect(program).not.toBeNull();
  });
});

describe("closures passed to inlined functions", () => {
  const callers = `let depth: u64 = 0;
    const within = inline((body: () => void): void => { depth++; body(); depth--; });
    const locked = inline(<R>(body: () => R): R => { depth += 10; const result = body(); depth -= 10; return result; });
    const each = inline(<T>(xs: Slice<T>, body: (x: T, i: usize) => void): void => { for (const i of range(0, xs.length)) { body(xs[i], i); } });
    const twice = inline((f: (x: u64) => u64, x: u64): u64 => f(f(x)));
    const nested = inline((f: (x: u64) => u64, x: u64): u64 => { let r: u64 = 0; within(() => { r = twice(f, x) + 1; }); return r; });`;
  it("read and write the variables around them", () => {
    expect(
      run(
        "u64",
        "let sum: u64 = 0; const k: u64 = 3; within(() => { sum += k; sum += depth; }); return sum * 10 + depth;",
        callers,
      ),
    ).toBe(40n);
    expect(
      run(
        "u64",
        "const a: FixedArray<u8, 3> = [1, 2, 3]; let sum: u64 = 0; each(a.slice(), (x, i) => { sum += u64(x) * (u64(i) + 1); a[i] = 0; }); return sum * 10 + u64(a[2]);",
        callers,
      ),
    ).toBe(140n);
  });
  it("give results, also of a type that only they know", () => {
    expect(
      run(
        "u64",
        "let n: u64 = 4; const r = locked(() => n + depth); const q = locked((): u8 => { if (n > 100) { return 1; } n++; return 2; }); return r * 100 + u64(q) * 10 + n;",
        callers,
      ),
    ).toBe(1425n);
  });
  it("are called as often as the function calls them", () => {
    expect(
      run(
        "u64",
        "let calls: u64 = 0; const r = twice((x) => { calls++; return x * 2 + calls; }, 1); return r * 10 + calls;",
        callers,
      ),
    ).toBe(82n);
  });
  it("are passed on, and nest", () => {
    expect(run("u64", "const k: u64 = 3; return nested((x) => x * 2 + k, 1);", callers)).toBe(14n);
    expect(
      run(
        "u64",
        "let n: u64 = 0; within(() => { n += depth; within(() => { n += depth * 10; within(() => { n += depth * 100; }); }); }); return n;",
        callers,
      ),
    ).toBe(321n);
  });
  it("see this", () => {
    const c = `${callers} class C { n: u64 = 5; bump(by: u64): u64 { within(() => { within(() => { this.n += by; }); }); return this.n; } } const c = new C();`;
    expect(run("u64", "return c.bump(2);", c)).toBe(7n);
  });
  it("know what has been tested for null before", () => {
    const c = `${callers} class C { n: u64 = 5; } const c = new C();`;
    expect(
      run(
        "u64",
        "const p: C | null = depth === 0 ? c : null; if (p === null) { return 0; } within(() => { p.n++; }); return p.n;",
        c,
      ),
    ).toBe(6n);
  });
  it("return from themselves, not from the function around", () => {
    expect(
      run("u64", "let n: u64 = 1; within(() => { if (n === 1) { return; } n = 100; }); return n + 1;", callers),
    ).toBe(2n);
  });
  it("need no memory when they capture nothing", () => {
    expect(run("u64", "return twice((x) => x + 1, 5);", callers)).toBe(7n);
  });
});

describe("interfaces", () => {
  const sinks = `interface Sink { put(byte: u8): void; total(): u64; }
    class Sum implements Sink { n: u64 = 0; put(byte: u8): void { this.n += u64(byte); } total(): u64 { return this.n; } }
    class Twice implements Sink { inner: Sum = new Sum(); put(byte: u8): void { this.inner.put(byte); this.inner.put(byte); } total(): u64 { return this.inner.total(); } }
    const sum = new Sum(); const twice = new Twice();
    const both: FixedArray<Sink, 2> = [sum, twice];
    function feed(sink: Sink, byte: u8): u64 { sink.put(byte); return sink.total(); }
    function direct<S extends Sink>(sink: S, byte: u8): u64 { sink.put(byte); return sink.total(); }`;
  it("call the object's own methods through its table", () => {
    expect(
      run(
        "u64",
        "feed(sum, 3); feed(twice, 5); for (const sink of both) { sink.put(1); } return sum.total() * 100 + twice.total();",
        sinks,
      ),
    ).toBe(412n);
    expect(
      run(
        "u64",
        "let s: Sink = sum; s.put(1); s = twice; s.put(2); return (true ? s : both[0]).total() * 10 + sum.n;",
        sinks,
      ),
    ).toBe(41n);
  });
  it("are bound to the class where it is known", () => {
    expect(run("u64", "return direct(sum, 2) * 10 + direct(twice, 3);", sinks)).toBe(26n);
    const names = programOf(
      `${sinks} test("t", () => { direct(sum, 1); }); export function all(): void { for (const t of collectTests()) { t.run(); } }`,
    );
    expect(names.globals.every((one) => !one.symbol.includes(".as."))).toBe(true);
  });
  it("evaluate the object once, before the arguments", () => {
    const traced = `${sinks} let log: u64 = 0; function t(n: u64): usize { log = log * 10 + n; return usize(n); }`;
    expect(run("u64", "both[t(1)].put(u8(t(2))); return log * 100 + twice.total();", traced)).toBe(1204n);
  });
});

describe("using", () => {
  const guard = `let log: u64 = 0;
    function note(n: u64): u64 { log = log * 10 + n; return n; }
    class Guard { id: u64; constructor(id: u64) { this.id = id; note(id); } [Symbol.dispose](): void { note(this.id + 1); } }
    class Lock { held: bool = false; lock(): Lock { this.held = true; return this; } [Symbol.dispose](): void { this.held = false; note(9); } }
    const lock = new Lock();`;
  const logOf = (body: string) => run("u64", "f(); return log;", `${guard} function f(): u64 { ${body} }`);
  it("cleans up in reverse order at the end of the block", () => {
    expect(
      logOf("{ using a = onStack(new Guard(1)); using b = onStack(new Guard(3)); note(8); } return note(7);"),
    ).toBe(138427n);
  });
  it("cleans up on return, after the value", () => {
    expect(
      logOf(
        "using a = onStack(new Guard(1)); if (log === 1) { using b = onStack(new Guard(3)); return note(8); } return note(7);",
      ),
    ).toBe(13842n);
  });
  it("cleans up on break and continue, as far as they go", () => {
    expect(
      logOf(`using a = onStack(new Guard(1));
        outer: for (let i: u8 = 0; i < 3; i++) {
          using b = onStack(new Guard(3));
          if (i === 0) { continue; }
          for (;;) { using c = onStack(new Guard(5)); if (i === 1) { continue outer; } break outer; }
        }
        return note(7);`),
    ).toBe(134_3564_3564_72n);
  });
  it("takes any reference to an object that can be disposed of", () => {
    expect(logOf("{ using guard = lock.lock(); note(lock.held ? 1 : 2); } note(lock.held ? 1 : 2); return 0;")).toBe(
      192n,
    );
  });
});

describe("panics", () => {
  const panicOf = (body: string, before = "") => {
    const outcome = outcomeOf(`${before}export function run(): u32 {\n${body}\nreturn 0; }`);
    return outcome.kind === "panic" ? `${outcome.place.line}:${outcome.place.column} ${outcome.message}` : outcome.kind;
  };
  it("have a place and a message", () => {
    expect(panicOf('  panic("no");')).toBe("2:3 no");
    expect(panicOf("  assert(1 > u8(2));")).toBe("2:3 assertion failed");
    expect(panicOf("let n: u32 = 7;\n  assert(n === 8, `n is ${n}`);")).toBe("3:3 n is 7");
  });
  it("come from division by zero and indexes out of bounds", () => {
    expect(panicOf("let n: u32 = 0; n = 5 / n;")).toBe("2:21 division by zero");
    expect(panicOf("let n: u32 = 0; n %= n;")).toBe("2:17 division by zero");
    const a = "const a: FixedArray<u8, 4> = filled(0); ";
    expect(panicOf("let i: u8 = 4; a[i] = 1;", a)).toBe("2:16 index 4 out of bounds for length 4");
    expect(panicOf("const s = a.slice(1, 3); let i: usize = 2; s[i]++;", a)).toBe(
      "2:44 index 2 out of bounds for length 2",
    );
    expect(panicOf("let i: usize = 9; a.slice(i);", a)).toBe("2:19 slice out of bounds");
    expect(panicOf('let i: usize = 9; "abc".byteAt(i);')).toBe("2:19 index 9 out of bounds for length 3");
  });
  it("show values in the ways that template literals have", () => {
    const show = (text: string) => panicOf(`panic(\`${text}\`);`, "enum E { A, B } ").slice("2:1 ".length);
    expect(show("${u8(7)} ${i32(-5)} ${true} ${'x'} ${E.B}")).toBe("7 -5 true x 1");
    expect(show("${hex(u16(48879))} ${hex(i8(-1))} ${binary(u8(5))}")).toBe("beef ffffffffffffffff 101");
    expect(show("${fixed(u32(1234), 2)} ${fixed(i32(-5), 3)} ${fixed(u8(7), 0)} ${character(0x41)}")).toBe(
      "12.34 -0.005 7 A",
    );
    expect(show("[${pad(u8(7), 3)}][${pad(hex(u8(10)), 4, '0')}][${pad('ab', 1)}][${pad(i8(-7), 4, '0')}]")).toBe(
      "[  7][000a][ab][-007]",
    );
    expect(show("${pointer<u8>(0xb8000)}")).toBe("00000000000b8000");
  });
  it("name the chapter's place where the caller knows it", () => {
    const text = 'export function _start(): never { panic("x"); } panicHandler((info) => { for (;;) {} });';
    const { program } = check([{ path: "kernel/main.ts", text }], {
      entryFile: "kernel/main.ts",
      chapter: 1,
      placeOf: (place) => ({ file: "book/01.md", line: place.line + 100, column: place.column }),
    });
    expect(program && evaluateProgram(program, "kernel/main:_start")).toEqual({
      kind: "panic",
      place: { file: "book/01.md", line: 101, column: 35 },
      message: "x",
    });
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
