/** Classes, interfaces, closures and `using`: what programs with them do, by the evaluator of the typed tree. */
import { describe, expect, it } from "vitest";
import { programOf, resultOf } from "./kernel-source.ts";

const run = (type: string, body: string, before = ""): bigint =>
  resultOf(`${before}\nexport function run(): ${type} { ${body} }`);

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
