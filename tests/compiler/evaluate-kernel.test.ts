/** Tests in the kernel, interrupt handlers and panics, by the evaluator of the typed tree. */
import { describe, expect, it } from "vitest";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { outcomeOf, programOf, resultOf } from "./kernel-source.ts";

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
