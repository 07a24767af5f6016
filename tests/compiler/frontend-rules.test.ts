/** Each rule of kernel TypeScript as a small specification: a source, and the rules it breaks with their places. */
import { describe, expect, it } from "vitest";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { RULES } from "../../tangle/compiler/frontend/diagnostics.ts";
import { checkSource, mistakes } from "./kernel-source.ts";

/** What breaks which rule where. The grammar matrix has more for the forms that the language lacks. */
const BROKEN: readonly (readonly [source: string, ...mistakes: string[]])[] = [
  // Syntax and names
  ["const a: u8 = ;", "KT1001 1:15"],
  ["const a: u8 = missing;", "KT1002 1:15"],
  ["let a: Missing = 1;", "KT1002 1:8"],
  ["function f(): void { x = 1; let x: u8 = 2; }", "KT1002 1:22"],
  ["const a: u8 = 1; const a: u8 = 2;", "KT1003 1:24"],
  ["function f(a: u8, a: u8): void {}", "KT1003 1:19"],
  ["function f(): void { let a: u8 = 1; { let a: u16 = 2; } let a: u8 = 3; }", "KT1003 1:61"],
  ["class C { a: u8; a: u16; }", "KT1003 1:18"],
  ["enum E { A, A }", "KT1003 1:13"],
  ["export function f(): void {} export { f };", "KT1003 1:39"],
  ["function f(): void { a: for (;;) { a: for (;;) {} } }", "KT1003 1:36"],
  ['import { a } from "./none";', "KT1004 1:1"],
  ['import { a } from "kernel/other";', "KT1004 1:1"],
  // Types of values
  ["function f(a: u8): u16 { return a; }", "KT1008 1:33"],
  ["function f(a: u8): void { f(a, a); f(); }", "KT1041 1:27", "KT1041 1:36"],
  ["function f(a: i8): void { const b: u8 = a; }", "KT1008 1:41"],
  ["function f(a: usize): u64 { return a; }", "KT1008 1:36"],
  ["function f(a: u8, b: u16): u16 { return a + b; }", "KT1009 1:41"],
  ["function f(a: u8, b: i8): bool { return a < b; }", "KT1009 1:41"],
  ["function f(a: bool): bool { return a & true; }", "KT1009 1:36"],
  ['function f(a: string): string { return a + "x"; }', "KT1009 1:40"],
  ["function f(a: string, b: string): bool { return a < b; }", "KT1009 1:49"],
  ["function f(a: u8): u8 { a += u16(3); return a; }", "KT1009 1:25"],
  ["function f(a: number): void {}", "KT1010 1:15"],
  ["function f(a: boolean): void {}", "KT1010 1:15"],
  ["function f(a: u8 | null): void {}", "KT1011 1:15"],
  ["function f(): void { const g = { a: 1 }; }", "KT1012 1:32"],
  ["function f(n: u8): void { function g(): u8 { return n; } g(); }", "KT1013 1:53"],
  ["class C { a: u8; m(): void { const g = (): u8 => this.a; g(); } }", "KT1013 1:50"],
  // Literals
  ["const a: u8 = 256;", "KT1032 1:15"],
  ["const a: u8 = -1;", "KT1032 1:15"],
  ["const a: i8 = -129;", "KT1032 1:15"],
  ["const a: u64 = 0x1_0000_0000_0000_0000;", "KT1032 1:16"],
  ["const a = u8(300);", "KT1032 1:14"],
  ["function f(a: u8): u8 { return a + 1000; }", "KT1032 1:36"],
  ["const a = 5;", "KT1033 1:11"],
  ["function f(): void { const a = 1 + 2; }", "KT1033 1:32"],
  ["function f(): bool { return 1 < 2; }", "KT1033 1:29"],
  ["const a: bool = 1;", "KT1008 1:17"],
  ["const a: string = 1;", "KT1008 1:19"],
  // Conditions
  ["function f(a: u8): void { if (a) {} }", "KT1034 1:31"],
  ["function f(a: u8): void { while (a & 1) {} }", "KT1034 1:34"],
  ["function f(a: u8): bool { return !a; }", "KT1034 1:35"],
  ["function f(p: Pointer<u8> | null): void { if (p) {} }", "KT1034 1:47"],
  ["function f(a: u8, b: bool): void { b && a; }", "KT1034 1:41"],
  // Assignments
  ["const a: u8 = 1; function f(): void { a = 2; }", "KT1035 1:39"],
  ["function f(): void { const a: u8 = 1; a++; }", "KT1035 1:39"],
  ["class C { readonly a: u8 = 1; m(): void { this.a = 2; } }", "KT1035 1:43"],
  ["function f(): void { f() = 1; }", "KT1001 1:22"],
  ["function f(a: string): void { a.length = 1; }", "KT1035 1:31"],
  ["class C { a: u8; } const c = new C(); const d = new C(); function f(): void { c = d; }", "KT1035 1:79"],
  ["class C { a: u8; } let c = new C(); const d = new C(); function f(): void { c = d; }", "KT1036 1:77"],
  ["class C { a: u8; } class D { c: C; } function f(d: D, c: C): void { d.c = c; }", "KT1036 1:69"],
  ["function f(a: FixedArray<FixedArray<u8, 2>, 2>): void { a[0] = a[1]; }", "KT1036 1:57"],
  ["class C { a: u8; } const c = new C(); const d: C = c;", "KT1036 1:52"],
  ["class C { a: Volatile<u8>; } function f(c: C): void { c.a = 1; }", "KT1036 1:55"],
  // Memory of the frame
  ["function f(): Slice<u8> { const a: FixedArray<u8, 4> = filled(0); return a.slice(); }", "KT1037 1:74"],
  [
    "function f(): Slice<u8> { const a: FixedArray<u8, 4> = filled(0); const s = a.slice(1, 2); return s; }",
    "KT1037 1:99",
  ],
  [
    "let kept: Pointer<u8> | null = null; function f(): void { const a: FixedArray<u8, 4> = filled(0); kept = addressOf(a[1]); }",
    "KT1037 1:106",
  ],
  ["class C { a: u8; } function f(): C { const c = onStack(new C()); return c; }", "KT1037 1:73"],
  [
    "class C { a: u8; } let kept: C | null = null; function f(): void { const c = onStack(new C()); kept = c; }",
    "KT1037 1:103",
  ],
  // Null
  ["function f(p: Pointer<u8> | null): u8 { return p.value; }", "KT1038 1:48"],
  ["class C { a: u8; } function f(c: C | null): u8 { return c.a; }", "KT1038 1:57"],
  ["class C { m(): void {} } function f(c: C | null): void { c.m(); }", "KT1038 1:58"],
  ["class C { a: u8; } function f(c: C | null): void { while (c !== null) { c = null; c.a = 1; } }", "KT1038 1:83"],
  [
    "class C { a: u8; } function f(c: C | null): void { for (;;) { if (c === null) { break; } c.a = 1; } c.a = 2; }",
    "KT1038 1:101",
  ],
  ["function f(g: (() => void) | null): void { g(); }", "KT1038 1:44"],
  // Ends
  ["function f(): u8 { }", "KT1039 1:20"],
  ["function f(a: bool): u8 { if (a) { return 1; } }", "KT1039 1:48"],
  ["function f(a: bool): u8 { while (a) { return 1; } }", "KT1039 1:51"],
  ["function f(): never { }", "KT1039 1:23"],
  ["enum E { A } function f(e: E): u8 { switch (e) { case E.A: return 1; } }", "KT1039 1:72"],
  ["function f(): u8 { return; }", "KT1008 1:20"],
  ["function f(): void { return 1; }", "KT1033 1:29"],
  ["function f(a: u8): void { return a; }", "KT1008 1:34"],
  // Jumps
  ["function f(): void { break; }", "KT1040 1:22"],
  ["function f(): void { for (;;) { const g = (): void => { break; }; } }", "KT1040 1:57"],
  ["function f(): void { a: { continue a; } }", "KT1040 1:27"],
  // Calls
  ["function f(a: u8, b: u8 = 1): void { f(); f(1, 2, 3); }", "KT1041 1:38", "KT1041 1:43"],
  ["const a: u8 = 1; function f(): void { a(); }", "KT1041 1:39"],
  ["class C {} function f(): void { C(); }", "KT1041 1:33"],
  ["function f(): void { halt(1); inb(); }", "KT1041 1:22", "KT1041 1:31"],
  ["function f(g: (a: u8) => void): void { g(); }", "KT1041 1:40"],
  ["const a = u8(1, 2);", "KT1041 1:11"],
  // Members
  ["class C { count: u8; } function f(c: C): u8 { return c.cuont; }", "KT1042 1:56"],
  ["function f(p: Pointer<u8>): u8 { return p.x; }", "KT1042 1:43"],
  ["function f(a: u8): u8 { return a.b; }", "KT1042 1:34"],
  ["enum E { A } const e = E.B;", "KT1042 1:26"],
  ["function f(s: string): u8 { return s[0]; }", "KT1042 1:36"],
  ["class C { private a: u8; } function f(c: C): u8 { return c.a; }", "KT1043 1:60"],
  ["class C { private m(): void {} } function f(c: C): void { c.m(); }", "KT1043 1:61"],
  ["class C { private static s(): void {} } function f(): void { C.s(); }", "KT1043 1:64"],
  ["class C { m(): void {} } function f(c: C): void { const g = c.m; }", "KT1059 1:63"],
  ["function f(s: string): void { const g = s.byteAt; }", "KT1059 1:43"],
  // Types and values
  ["class C {} function f(): void { const c = C; }", "KT1044 1:43"],
  ["const a: u8 = 1; function f(x: a): void {}", "KT1044 1:32"],
  ["function f(): void { const g = halt; }", "KT1044 1:32"],
  // Type arguments
  ["function f(a: Pointer): void {}", "KT1045 1:15"],
  ["function f(a: FixedArray<u8>): void {}", "KT1045 1:15"],
  ["function g<T>(): void {} function f(): void { g(); }", "KT1045 1:47"],
  ["function g<T>(a: T): void {} function f(): void { g<u8, u8>(1); const h = g; }", "KT1045 1:51", "KT1045 1:75"],
  ["class B<T> { a: T; } function f(b: B): void {}", "KT1045 1:36"],
  [
    "class B<T> { a: T; } function f<T>(b: B<T>): void { f<B<T>>(pointer<B<B<T>>>(0).value); } function g(b: B<u8>): void { f(b); }",
    "KT1045 1:22",
    "KT1045 1:69",
  ],
  // Missing types
  ["function f(a): void {}", "KT1046 1:12"],
  ["function f() { return 1; }", "KT1046 1:1"],
  ["class C { a = 1; }", "KT1046 1:11"],
  ["function f(): void { let a; }", "KT1046 1:26"],
  ["const f = (n: u32) => f(n);", "KT1046 1:11"],
  // Layout
  ["class C { a: u8; @offset(1) b: u32; }", "KT1047 1:26"],
  ["@size(5) class C { a: u8; b: u32; }", "KT1047 1:7"],
  ["@size(5) @packed class C { a: u8; b: u32; }"],
  ["class C { c: C; }", "KT1057 1:11"],
  ["class C { c: FixedArray<D, 2>; } class D { c: C; }", "KT1057 1:44"],
  ["class C { c: Pointer<C>; d: C | null = null; }"],
  ["type A = B; type B = A;", "KT1057 1:1"],
  ["const a = b; const b = a;", "KT1057 1:7"],
  // Enums and switches
  ["enum E { A = 1.5 }", "KT1024 1:14"],
  ["let x: u8 = 1; enum E { A = x }", "KT1048 1:29"],
  ["let x: i64 = 1; enum E { A = x }", "KT1048 1:30"],
  ["enum E { A } const e: E = 0;", "KT1008 1:27"],
  ["enum E { A } function f(e: E): u8 { return e; }", "KT1008 1:44"],
  ["enum E { A } function f(x: u8): E { return enumFrom<E>(true); }", "KT1008 1:56"],
  ["function f(a: u8): void { switch (a) { case 1: case 1: break; } }", "KT1049 1:48"],
  ["function f(a: string): void { switch (a) { } }", "KT1049 1:39"],
  ["function f(a: u8): void { switch (a) { case 256: } }", "KT1032 1:45"],
  // Constants that are wrong on every run
  ["function f(a: FixedArray<u8, 4>): u8 { return a[4]; }", "KT1050 1:49"],
  ["const N: usize = 4; function f(a: FixedArray<u8, 4>): u8 { return a[N + 1]; }", "KT1050 1:69"],
  ["function f(a: u32): u32 { return a << 32; }", "KT1050 1:39"],
  ["function f(a: u32): u32 { return a / 0; }", "KT1050 1:38"],
  ["function f(a: u32, n: i32): u32 { return a << n; }", "KT1008 1:47"],
  ["function f(a: FixedArray<u8, 4>, n: i32): u8 { return a[n]; }", "KT1008 1:57"],
  // Addresses
  ["function f(a: u8): void { addressOf(a); addressOf(a + 1); }", "KT1051 1:27", "KT1051 1:41"],
  // new and templates
  ["class C {} function f(): void { const c = new C(); }", "KT1030 1:43"],
  ["class C {} function f(c: C): void { f(new C()); f(onStack(new C())); }", "KT1030 1:39", "KT1030 1:51"],
  ["function f(a: u8): string { return `a${a}`; }", "KT1031 1:36"],
  ["function f(m: Format): void { const n = m; }", "KT1008 1:41"],
  ["function f(m: Format): Format { return m; }", "KT1008 1:1"],
  ["function f(a: u8): void { hex(a); panic(`${hex(true)}`); }", "KT1031 1:27", "KT1008 1:48"],
  ["class C {} function f(c: C): void { panic(`${c}`); }", "KT1008 1:46"],
  // Assembly
  ["function f(a: string): void { asm`mov ${a}, 1`; }", "KT1052 1:41"],
  ['function f(a: u8): void { asm`${input("xyz", a)}`; }', "KT1052 1:39"],
  ['function f(): void { const a: u8 = 1; asm`${output("rax", a)}`; }', "KT1052 1:59"],
  ["const f = naked((): void => { const a: u8 = 1; });", "KT1052 1:37"],
  // Modules and their start
  ["halt();", "KT1054 1:1"],
  ["function f(): void { panicHandler((info) => { for (;;) {} }); }", "KT1053 1:22"],
  ["const a: u8 = 10 / f(); function f(): u8 { return 0; }", "KT1055 1:7"],
  ["const t: FixedArray<u8, 2> = [1, 2]; const a: u8 = g(5); function g(i: usize): u8 { return t[i]; }", "KT1055 1:44"],
  ["function f(): void { let p: Pointer<u8>; }", "KT1060 1:26"],
  ["let p: Pointer<u8>;", "KT1060 1:5"],
  ["let a: void = halt();", "KT1008 1:5"],
  // Interrupt handlers
  ["const h = interruptHandler((a: u64): void => {});", "KT1061 1:28"],
  ["const h = interruptHandler((frame: InterruptFrame, error: u32): void => {});", "KT1061 1:28"],
  ["const h = interruptHandler((frame: InterruptFrame): u64 => 1);", "KT1061 1:28"],
  ["const h = interruptHandler((frame) => {}); function f(frame: InterruptFrame): void { h(frame); }", "KT1061 1:86"],
  ["function f(h: InterruptHandler, frame: InterruptFrame): void { h(frame); }", "KT1061 1:64"],
  ["const h = interruptHandler((frame) => {}); const g: InterruptHandlerWithError = h;", "KT1008 1:81"],
  ["const h = interruptHandler((frame) => {}); const g: (frame: InterruptFrame) => void = h;", "KT1008 1:87"],
  ["function f(): void {} const h = interruptHandler(f);", "KT1041 1:33"],
  [
    "function f(h: InterruptHandler): u64 { return h.address; } const g = interruptHandler((frame) => { frame.rip += 2; });",
  ],
  // using
  ["class C {} function f(c: C): void { using a = c; }", "KT1063 1:43"],
  ["class C { [Symbol.dispose](): void {} } function f(c: C | null): void { using a = c; }", "KT1063 1:79"],
  ["class C { [Symbol.dispose](x: u8): void {} }", "KT1063 1:11"],
  ["class C { [Symbol.dispose](): void {} } function f(c: C): void { for (using a = c; ;) {} }", "KT1063 1:71"],
  ["class C { [Symbol.dispose](): void {} } function f(c: C): void { using a = c; a = c; }", "KT1035 1:79"],
  [
    "class C { [Symbol.dispose](): void {} } function f(c: C, n: u8): void { switch (n) { case 1: using a = c; } }",
    "KT1001 1:94",
  ],
  // Closures
  [
    "const w = inline((f: () => void): void => { f(); }); function g(n: u8): void { let m: u8 = 0; w(() => { m += n; }); }",
  ],
  [
    "const w = noInline((f: () => void): void => { f(); }); function g(n: u8): void { w(() => { n; }); }",
    "KT1013 1:92",
  ],
  ["const w = inline((f: () => void): (() => void) => f); function g(n: u8): void { w(() => { n; }); }", "KT1013 1:51"],
  [
    "let kept: (() => void) | null = null; const w = inline((f: () => void): void => { kept = f; }); function g(n: u8): void { w(() => { n; }); }",
    "KT1013 1:90",
  ],
  [
    "const w = inline((f: (() => void) | null): void => { if (f !== null) { f(); } }); function g(n: u8): void { w(() => { n; }); }",
    "KT1013 1:111",
  ],
  [
    "class C { n: u8; } const w = inline((f: () => void): void => { f(); }); function g(a: C, b: C): void { let c = a; c = b; w(() => { c.n = 1; }); }",
    "KT1013 1:132",
  ],
  [
    "const w = inline((f: () => void): void => { f(); }); function g(): void { for (;;) { w(() => { break; }); } }",
    "KT1040 1:96",
  ],
  [
    "const w = inline((f: () => void): void => { f(); }); function g(): void { const n: u8 = 0; w(() => { n++; }); }",
    "KT1035 1:102",
  ],
  [
    "const w = inline((f: () => void, n: u8): void => { w(() => { f(); }, n); }); function g(n: u8): void { w(() => { n; }, 1); }",
    "KT1013 1:52",
  ],
  [
    "const w = inline((f: () => Slice<u8>): Slice<u8> => f()); function g(): Slice<u8> { const a: FixedArray<u8, 4> = filled(0); return w(() => a.slice()); }",
    "KT1037 1:132",
    "KT1037 1:140",
  ],
  // Interfaces
  ["interface I { m(): void } class C implements I {}", "KT1064 1:33"],
  ["interface I { m(): void } class C implements I { private m(): void {} }", "KT1064 1:33"],
  ["interface I { m(): void } class C implements I { m(): u8 { return 1; } }", "KT1064 1:50"],
  ["interface I { m(x: u8): void } class C implements I { m(x: u16): void {} }", "KT1064 1:55"],
  [
    "interface I { m(): void } class C { m(): void {} } function f(i: I): void {} function g(c: C): void { f(c); }",
    "KT1008 1:105",
  ],
  [
    "interface I { m(): void } class C implements I { m(): void {} } function f(i: I): void {} function g(c: C): void { f(c); }",
  ],
  [
    "interface I { m(): void } class C { m(): void {} } function f<T extends I>(x: T): void {} function g(c: C): void { f(c); }",
    "KT1064 1:116",
  ],
  [
    "interface I { m(): void } class B<T extends I> { x: Pointer<T> | null = null; } function f(b: B<u8>): void {}",
    "KT1064 1:95",
  ],
  ["function f<T extends Missing>(x: T): void {}", "KT1002 1:22"],
  ["interface I { m(): void } function f(i: I): void { i.n(); i.m; }", "KT1042 1:54", "KT1042 1:61"],
  ["interface I { m(): void } function f(i: I | null): void {}", "KT1011 1:41"],
  [
    "interface I { m(): void } class C implements I { m(): void {} } let kept: I = c; const c = new C(); function f(): void { const d = onStack(new C()); kept = d; }",
    "KT1037 1:157",
  ],
  [
    "interface Less<T> { less(than: T): bool } class N implements Less<N> { n: u8; less(than: N): bool { return this.n < than.n; } } function min<T extends Less<T>>(a: T, b: T): T { return a.less(b) ? a : b; } function f(a: N, b: N): N { return min(a, b); }",
  ],
  // Tests
  ['test("a", () => { missing; });', "KT1002 1:19"],
  ['test("a", () => {}); test("a", () => {});', "KT1003 1:27"],
  ["const name = 1; test(name, () => {});", "KT1033 1:14", "KT1062 1:17"],
  ['test("a", (x: u8) => {});', "KT1062 1:11"],
  ['function f(): void { test("a", () => {}); }', "KT1062 1:22"],
];

describe("the rules", () => {
  for (const [source, ...expected] of BROKEN) {
    it(`${source} → ${expected.join(", ") || "compiles"}`, () => {
      expect(mistakes(source)).toEqual(expected);
    });
  }

  it("each have a source that breaks them, here or in the grammar matrix", async () => {
    const { SAMPLES } = await import("./grammar-samples.ts");
    const { OWNERSHIP_SAMPLES } = await import("./heap-rules-samples.ts");
    const { ASYNC_SAMPLES } = await import("./async-rules-samples.ts");
    const broken = new Set([
      ...ASYNC_SAMPLES.flatMap(([, ...expected]) => expected.map((mistake) => mistake.split(" ")[0])),
      ...OWNERSHIP_SAMPLES.flatMap(([, ...expected]) => expected.map((mistake) => mistake.split(" ")[0])),
      ...BROKEN.flatMap(([, ...expected]) => expected.map((mistake) => mistake.split(" ")[0])),
      ...Object.values(SAMPLES).flatMap((samples) => samples.map((sample) => sample.outcome)),
    ]);
    expect(Object.keys(RULES).filter((code) => !broken.has(code))).toEqual([]);
  });

  it("say what is wrong, why, and what to write instead", () => {
    for (const { title, explanation, hint } of Object.values(RULES)) {
      expect(title).not.toBe("");
      expect(explanation).toMatch(/[.]$/);
      expect(hint).not.toBe("");
    }
  });
});

describe("a run", () => {
  it("reports all mistakes, not only the first", () => {
    const source = "const a: u8 = 256;\nfunction f(): u8 { return missing; }\nclass C extends D {}\n";
    expect(mistakes(source)).toEqual(["KT1032 1:15", "KT1002 2:27", "KT1021 3:17"]);
  });

  it("reports the first syntax error of each file", () => {
    expect(mistakes("let = ;", { "kernel/other.ts": "let = ;" }).length).toBe(2);
  });

  it("says one mistake once, however often a generic function is compiled", () => {
    const source = "function g<T>(a: T): u8 { return a; }\nfunction f(): void { g(u16(1)); g(u32(1)); g(u64(1)); }";
    expect(mistakes(source)).toEqual(["KT1008 1:34"]);
  });

  it("does not report what follows from a mistake", () => {
    expect(mistakes("const a = missing; const b = a + 1; const c: u8 = b;")).toEqual(["KT1002 1:11"]);
    expect(
      mistakes("function f(x: Missing): void { x.y = x.z + 1; x(); x[0] = 1; for (const e of x) { e.f(); } }"),
    ).toEqual(["KT1002 1:15"]);
  });

  it("suggests names that are spelled alike", () => {
    const { diagnostics } = checkSource("const counter: u8 = 1; const a: u8 = couner;");
    expect(diagnostics[0]?.hint).toContain("counter");
  });

  it("checks functions that nothing calls, and leaves them out of the program", () => {
    const { program } = checkSource("function unused(): void {} class C { m(): void {} }");
    expect(program?.functions.map((one) => one.symbol)).toEqual(["kernel/main:_start", "kernel/main:panicHandler"]);
  });
});

describe("the kernel's fixed points", () => {
  const files = (text: string, ...others: readonly [string, string][]) =>
    check([{ path: "kernel/main.ts", text }, ...others.map(([path, other]) => ({ path, text: other }))], {
      entryFile: "kernel/main.ts",
      chapter: 1,
    }).diagnostics.map(({ code, message }) => `${code} ${message}`);
  const start = "export function _start(): never { for (;;) { halt(); } }";
  const handler = "panicHandler((info) => { for (;;) { halt(); } });";

  it("are an entry point and one panic handler", () => {
    expect(files(`${start} ${handler}`)).toEqual([]);
    expect(files(start)).toEqual(["KT1053 no module of this program has a `panicHandler(…)`"]);
    expect(files(handler)).toEqual(["KT1053 the entry module has no function `_start`"]);
    expect(files(`${start} ${handler} ${handler}`)).toEqual(["KT1053 a second `panicHandler(…)`"]);
    expect(files(`export function _start(): void {} ${handler}`)[0]).toContain("KT1053");
  });

  it("find the handler in modules that are imported, and no other", () => {
    expect(files(`import "./panic"; ${start}`, ["kernel/panic.ts", `export const onPanic = ${handler}`])).toEqual([]);
    expect(files(start, ["kernel/panic.ts", handler])).toEqual([
      "KT1053 no module of this program has a `panicHandler(…)`",
    ]);
  });
});

describe("modules", () => {
  it("see what others export", () => {
    const other = "export const a: u8 = 1; const hidden: u8 = 2; export let counter: u8 = 0; export class C { a: u8; }";
    expect(mistakes('import { a } from "./other"; const b: u8 = a;', { "kernel/other.ts": other })).toEqual([]);
    expect(mistakes('import { hidden } from "./other";', { "kernel/other.ts": other })).toEqual(["KT1005 1:10"]);
    expect(mistakes('import { none } from "./other"; const b: u8 = none;', { "kernel/other.ts": other })).toEqual([
      "KT1005 1:10",
    ]);
    expect(
      mistakes('import * as o from "./other"; const b: u8 = o.a; const c: u8 = o.hidden;', {
        "kernel/other.ts": other,
      }),
    ).toEqual(["KT1042 1:66"]);
  });

  it("assign their own variables alone", () => {
    const other = "export let counter: u8 = 0;";
    const source = 'import { counter } from "./other"; export function f(): void { counter = 1; }';
    expect(mistakes(source, { "kernel/other.ts": other })).toEqual(["KT1035 1:64"]);
  });

  it("may import in circles and export again what they import", () => {
    const modules = {
      "kernel/a.ts": 'import { b } from "./b"; export function a(n: u8): u8 { return n === 0 ? 1 : b(n - 1); }',
      "kernel/b.ts":
        'import { a } from "./a"; export function b(n: u8): u8 { return n === 0 ? 2 : a(n - 1); } export { a };',
      "kernel/c.ts": 'export { a as first } from "./b";',
    };
    expect(mistakes('import { first } from "./c"; function f(): u8 { return first(3); }', modules)).toEqual([]);
  });
});
