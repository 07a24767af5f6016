/** kernel.d.ts: what editors and `tsc --noEmit` make of kernel TypeScript. */
import { describe, expect, it } from "vitest";
import { mistakes } from "./kernel-source.ts";
import { typescript } from "./typescript.ts";

/** What both the compiler and tsc accept. */
const ACCEPTED: Readonly<Record<string, string>> = {
  "integers, literals and conversions": `
    const a: u8 = 0xff; let b: i64 = -5; const c = u64(a) + 0xffff_8000_0000_0000; const d = u16(c >> 8) & 0xff;
    function f(x: u32, y: u32 = 3): u32 { x += y * 2; x <<= 1; x++; return -x ^ ~y; }
    const e = f(1) > f(2, 3) ? usize(1) : 0;`,
  "control flow": `
    function f(n: u32): u32 {
      let sum: u32 = 0;
      outer: for (let i: u32 = 0; i < n; i++) {
        while (sum < 100) { sum += i; if (sum === 50) { continue outer; } }
        do { sum--; } while (sum > 90);
        switch (sum) { case 1: sum = 2; break; default: break outer; }
      }
      for (const i of range(0, n)) { sum += i; }
      return sum;
    }`,
  classes: `
    @packed class Header { @offset(0) kind: u8; @offset(1) length: u32 = 5; static readonly MAGIC: u16 = 0x55aa; }
    @size(16) class Cell { private count: u64 = 0; readonly next: Cell | null = null; constructor(count: u64) { this.count = count; }
      add(n: u64): u64 { this.count += n; return this.count; } static twice(n: u64): u64 { return n * 2; } }
    class Holder { cell: Cell = new Cell(3); headers: FixedArray<Header, 2> = [new Header(), new Header()]; lock: Atomic<bool> = new Atomic(false); word = new Atomic<u32>(0); }
    const holder = new Holder();
    function f(): u64 { const c = onStack(new Cell(1)); copy(holder.cell, c); return holder.cell.add(Cell.twice(2)) + u64(Header.MAGIC); }`,
  memory: `
    const text: Pointer<FixedArray<Volatile<u16>, 80>> = pointer<FixedArray<Volatile<u16>, 80>>(0xb8000);
    const WIDTH: usize = 4;
    const table: FixedArray<u32, typeof WIDTH> = [1, 2, 3, 4];
    const zeros: FixedArray<FixedArray<u8, 4>, 2> = filled(filled(0));
    function f(bytes: Slice<u8>, where: Pointer<u64> | null): u64 {
      text.value[3].write(text.value[2].read() | 0x0b00);
      let sum: u64 = 0;
      for (const byte of bytes.slice(1)) { sum += u64(byte); }
      for (const word of table) { sum += u64(word); }
      if (where === null) { return sum; }
      where.value = where.offset(1).value + where.cast<u64>().readVolatile();
      copyMemory(addressOf(zeros[0]).cast<u8>(), bytes.pointer, bytes.length);
      return where.address + u64(sizeOf<u64>());
    }`,
  enums: `
    enum Color { Black, Blue, Red = 12 }
    function f(c: Color): u8 { switch (c) { case Color.Red: return 1; case Color.Blue: return u8(c); default: return u8(enumFrom<Color>(3)); } }`,
  "functions as values and generics": `
    type Compare<T> = never;
    function sort<T extends number>(xs: Slice<T>, less: (a: T, b: T) => bool): T { return less(xs[0], xs[1]) ? xs[0] : xs[1]; }
    const low = inline((x: u64): u8 => u8(x));
    const slow = noInline((x: u64): u64 => x * 3);
    const table: FixedArray<(x: u64) => u64, 2> = [slow, (x) => x + 1];
    function f(xs: Slice<u16>): u64 { return u64(sort(xs, (a, b) => a < b)) + u64(low(table[0](5))); }`.replace(
    "type Compare<T> = never;",
    "",
  ),
  "formatting and panics": `
    function print(message: Format): void { for (const piece of message.pieces) { if (piece.kind === FormatKind.Text) { for (const b of piece.text.bytes) { outb(0xe9, b); } } } }
    function log(message: FormatArgument): void { print(message); }
    function f(x: i32, p: Pointer<u8>): void {
      print("plain"); log(\`\${x} \${hex(x)} \${pad(binary(u8(x)), 8, "0")} \${fixed(x, 2)} \${character(0x41)} \${p} \${pad(x, 4)} \${x > 1}\`);
      assert(x > 0); assert(x > 1, \`x is \${x}\`);
      panic(\`no \${x}\`);
    }`,
  "tests and interrupt handlers": `
    test("holds", () => { assert(true); });
    function runTests(tests: Slice<TestCase>): void { for (const each of tests) { panic(each.name); each.run(); } }
    const onBreakpoint = interruptHandler((frame: InterruptFrame): void => { frame.rip += 1; runTests(collectTests()); });
    const onFault = interruptHandler((frame: InterruptFrame, error: u64): never => { panic(\`\${hex(error)} at \${hex(frame.rip)}\`); });
    class Table { low: u64; set(handler: InterruptHandler): void { this.low = handler.address; } setWithError(handler: InterruptHandlerWithError): void { this.low = handler.address; } }
    const table = new Table();
    function load(): void { table.set(onBreakpoint); table.setWithError(onFault); loadIdt(addressOf(table).address); }`,
  "closures passed to inlined functions": `
    const off = inline(<R>(body: () => R): R => { disableInterrupts(); const result = body(); enableInterrupts(); return result; });
    const each = inline(<T>(xs: Slice<T>, body: (x: T) => void): void => { for (const x of xs) { body(x); } });
    function f(xs: Slice<u8>): u64 { let sum: u64 = 0; each(xs, (x) => { sum += u64(x); }); return off(() => sum) + off((): u64 => { sum++; return sum; }); }`,
  interfaces: `
    interface Sink { put(byte: u8): void; }
    class Port implements Sink { port: u16 = 0x3f8; put(byte: u8): void { outb(this.port, byte); } }
    const port = new Port(); let current: Sink = port;
    function write(sink: Sink, text: string): void { for (const byte of text.bytes) { sink.put(byte); } }
    function fast<S extends Sink>(sink: S): void { sink.put(1); write(sink, "x"); current = sink; }
    function f(): void { fast(port); write(current, "y"); }`,
  using: `
    class Off { flags: u64 = readFlags(); constructor() { disableInterrupts(); } [Symbol.dispose](): void { if ((this.flags & 0x200) !== 0) { enableInterrupts(); } } }
    class Lock { lock(): Lock { return this; } [Symbol.dispose](): void {} }
    const lock = new Lock();
    function f(): void { using off = onStack(new Off()); using guard = lock.lock(); halt(); }`,
  "assembly and ports": `
    const entry = naked((): void => { asm\`ret\`; });
    function f(port: u16, x: u32): u32 {
      let low: u32 = 0; let high: u32 = 0;
      asm\`rdtsc \${output("rax", low)} \${output("rdx", high)} \${clobber("rcx", "memory", "flags")}\`;
      asm\`mov \${out(low)}, \${x}
          add \${inout(high)}, 3
          out dx, al \${input("rdx", port)} \${input("rax", x)}\`;
      entry();
      outb(port, inb(0x60)); writeMsr(1, readMsr(2)); enableInterruptsAndHalt(); fence(); spinHint();
      return low + high;
    }`,
};

/** Misuse that tsc sees as well; the compiler rejects all of it. */
const REFUSED: readonly string[] = [
  "function f(a: u8): u16 { return a; }",
  "function f(a: u32): void {} function g(b: u64): void { f(b); }",
  "function f(a: u8, b: i8): bool { return a === b; }",
  "let a: u8 = true;",
  "let a: bool = 1;",
  "let a: u8 = undefined;",
  'let a: u8 = "x";',
  "function f(p: Pointer<u8> | null): u8 { return p.value; }",
  "function f(a: FixedArray<u8, 3>): FixedArray<u8, 4> { return a; }",
  "function f(a: Pointer<u8>): Pointer<u16> { return a; }",
  "function f(a: Volatile<u8>): void { a.write(u16(3)); }",
  "enum E { A } function f(a: E): u8 { return a; }",
  "enum E { A } function f(a: u8): E { return a; }",
  "function f(): u8 { }",
  "class C { private a: u8; } function f(c: C): u8 { return c.a; }",
  "function f(a: string): void { a.charCodeAt(0); }",
  "console.log(1);",
  "interface I { m(): void } class C { n(): void {} } function f(i: I): void {} function g(c: C): void { f(c); }",
  "interface I { m(): void } class C implements I { n(): void {} }",
  "const x: u8 = Math.max(1, 2);",
  "halt(1);",
  "const xs: FixedArray<u8, 2> = [1, true];",
  "const h = interruptHandler((frame: InterruptFrame, error: u64): void => {}); const g: InterruptHandler = h;",
  "const h = interruptHandler((frame: InterruptFrame): void => {}); function f(frame: InterruptFrame): void { h(frame); }",
];

describe("kernel.d.ts", () => {
  for (const [what, text] of Object.entries(ACCEPTED)) {
    it(`lets pass what compiles: ${what}`, () => {
      expect(mistakes(text)).toEqual([]);
      expect(typescript(text)).toEqual([]);
    });
  }
  for (const text of REFUSED) {
    it(`shows the mistake in ${text}`, () => {
      expect(mistakes(text)).not.toEqual([]);
      expect(typescript(text)).not.toEqual([]);
    });
  }
});
