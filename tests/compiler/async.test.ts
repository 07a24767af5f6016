/** Async functions: what they may do, what they mean, and how much they keep. */
import { describe, expect, it } from "vitest";
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { ASYNC_SAMPLES, ASYNC_SETTING } from "./async-rules-samples.ts";
import { ASYNC_PRELUDE } from "./async-source.ts";
import { FRAME } from "./kernel-source.ts";
import { RUNS_NATIVELY } from "./native.ts";
import { checkGenerated } from "./random-checks.ts";
import { compareTexts } from "./x86-campaign.ts";

const MAIN = "kernel/main.ts";

function checked(text: string, chapter = 12) {
  return check([{ path: MAIN, text }], { entryFile: MAIN, chapter });
}

function mistakesIn(text: string, chapter?: number): string[] {
  return checked(text, chapter).diagnostics.map(({ code, place }) => `${code} ${place.line}:${place.column}`);
}

describe("the rules of async functions", () => {
  for (const [source, ...expected] of ASYNC_SAMPLES) {
    it(`${source} → ${expected.join(", ") || "compiles"}`, () => {
      expect(mistakesIn(source + ASYNC_SETTING + FRAME)).toEqual(expected);
    });
  }

  it("async functions come in chapter 12", () => {
    const [mistake] = checked(`async function f(): Promise<void> {}${FRAME}`, 11).diagnostics;
    expect(mistake).toMatchObject({ code: "KT1015", message: "`async` comes in chapter 12" });
  });

  it("a promise needs the heap, an awaited call does not", () => {
    const text = "async function f(): Promise<u8> { return 1; } async function g(): Promise<u8> { return await f(); }";
    const entry = (body: string) =>
      `${text} export function _start(): never { ${body} for (;;) { halt(); } } panicHandler((info) => { for (;;) {} });`;
    expect(mistakesIn(entry(""))).toEqual([]);
    expect(mistakesIn(entry("const p = g(); p.poll(0);")).map((one) => one.slice(0, 6))).toEqual(["KT1065"]);
  });
});

/** What programs give, polled by \`drive\`; \`note\` keeps the order of what happened. */
const SETTING = `${ASYNC_PRELUDE}
let order: u64 = 0;
function note(n: u64): void { order = order * 10 + n; }
class Noted { n: u64; constructor(n: u64) { this.n = n; } [Symbol.dispose](): void { note(this.n); } }
`;

const PROGRAMS: readonly (readonly [name: string, text: string, value: bigint])[] = [
  [
    "nothing runs before the first poll",
    "async function f(): Promise<u64> { note(1); return 5; } function body(): u64 { const p = f(); note(2); return drive<u64>(p) * 100 + order; }",
    521n,
  ],
  [
    "two promises take turns",
    "async function f(n: u64): Promise<void> { note(n); await pause(1); note(n + 1); } function body(): u64 { const a = f(1); const b = f(5); a.poll(0); b.poll(0); a.poll(0); a.poll(0); b.poll(0); b.poll(0); return order; }",
    1526n,
  ],
  [
    "a function that awaits itself has its frames on the heap",
    "async function fib(n: u64): Promise<u64> { if (n < 2) { await pause(n); return n; } return await fib(n - 1) + await fib(n - 2); } function body(): u64 { return drive<u64>(fib(10)); }",
    55n,
  ],
  [
    "what is owned is dropped at the end of its block, on either side of an await",
    "async function f(): Promise<u64> { { const a = new Noted(1); await pause(2); note(8); } const b = new Noted(2); await pause(1); return b.n; } function body(): u64 { const n = drive<u64>(f()); return order * 10 + n; }",
    8122n,
  ],
  [
    "a promise that is given up drops what it holds, innermost first",
    "async function g(a: Owned<Noted>): Promise<void> { const b = new Noted(2); await pause(5); note(9); } async function f(): Promise<void> { const c = new Noted(3); await g(new Noted(1)); note(9); } function body(): u64 { { const p = f(); p.poll(0); note(7); } return order; }",
    7213n,
  ],
  [
    "a promise that never ran drops its arguments",
    "async function f(a: Owned<Noted>, b: Owned<Noted>): Promise<void> { note(9); } function body(): u64 { { const p = f(new Noted(1), new Noted(2)); p.poll(0); note(3); } { const q = f(new Noted(4), new Noted(5)); note(6); q.poll; } return order; }"
      .replace(" q.poll;", " keep(q);")
      .replace("function body", "function keep(p: Promise<void>): void {} function body"),
    9213654n,
  ],
  [
    "a promise that awaits another owns it",
    "async function g(): Promise<void> { const a = new Noted(1); await pause(3); } async function f(p: Promise<void>): Promise<void> { await p; note(9); } function body(): u64 { { const p = f(g()); p.poll(0); note(2); } drive<void>(f(g())); return order; }",
    2119n,
  ],
  [
    "objects and arrays keep their places",
    "async function f(): Promise<u64> { const xs: FixedArray<u64, 3> = [1, 2, 3]; const all = xs.slice(); await pause(2); all[1] = 7; await pause(1); return xs[0] + xs[1] + xs[2]; } function body(): u64 { return drive<u64>(f()); }",
    11n,
  ],
  [
    "await in conditions, loops and arguments",
    "async function one(n: u64): Promise<u64> { await pause(n); return n; } async function f(): Promise<u64> { let s: u64 = 0; for (let i: u64 = 0; i < await one(3); i++) { s += await one(i) * (await one(1) === 1 && await one(0) === 1 ? 100 : await one(2)); } return s; } function body(): u64 { return drive<u64>(f()); }",
    6n,
  ],
];

function source(text: string): string {
  const end = `export const run = noInline((): u64 => { const value = body(); assert(live === 0, "memory is left"); return value; });
export function _start(): never { run(); for (;;) { halt(); } } panicHandler((info) => { for (;;) { halt(); } });`;
  return `${SETTING}${text}\n${end}`;
}

describe("async functions", () => {
  for (const [name, text, value] of PROGRAMS) {
    it(name, () => {
      const { program, diagnostics } = checked(source(text));
      expect(diagnostics).toEqual([]);
      expect(evaluateProgram(program!, "kernel/main:run")).toEqual({ kind: "value", value });
      checkGenerated(source(text), false, ["kernel/main:HEAP", "kernel/main:used"]);
    });
  }

  it.skipIf(!RUNS_NATIVELY)("mean the same on this processor", () => {
    const texts = PROGRAMS.map(([name, text]) => ({ name, source: source(text) }));
    const { compared, mismatches } = compareTexts(texts);
    expect(mismatches).toEqual([]);
    expect(compared).toBe(2 * PROGRAMS.length);
  });
});

/** The frame of `f`: its bytes, and what each state keeps, by name and offset. */
function frameOf(text: string): readonly [number, ...string[]] {
  const { program, diagnostics } = checked(source(`${text} function body(): u64 { return drive<u64>(f(1, 2)); }`));
  expect(diagnostics).toEqual([]);
  const { coroutines } = optimize(lower(program!));
  const { layout } = coroutines.find(({ body }) => body === "kernel/main:f.body")!;
  return [
    layout.size,
    ...layout.states.map(({ items }) => items.map((item) => `${item.name}@${item.offset}`).join(" ")),
  ];
}

describe("the frame", () => {
  it("holds only what lives across an await", () => {
    const text = "async function f(a: u64, b: u64): Promise<u64> { note(a + b); await pause(1); return b; }";
    expect(frameOf(text)).toEqual([32, "a@8 b@24", "pause@8 b@24"]);
  });

  it("shares bytes among what does not live at the same time", () => {
    const text =
      "async function f(a: u64, b: u64): Promise<u64> { await pause(a); const c: u64 = await g(b); await pause(c); return c; } async function g(n: u64): Promise<u64> { await pause(n); return n + 1; }";
    expect(frameOf(text)).toEqual([40, "a@8 b@24", "pause@8 b@24", "g@8", "pause@8 c@24"]);
  });

  it("holds arrays that are used after the await, and no others", () => {
    const text =
      "async function f(a: u64, b: u64): Promise<u64> { { const xs: FixedArray<u64, 8> = [a, b, a, b, a, b, a, b]; note(xs[usize(a) & 7]); } await pause(1); const ys: FixedArray<u64, 4> = filled(3); await pause(2); return ys[usize(b) & 3]; }";
    expect(frameOf(text)).toEqual([64, "a@8 b@56", "pause@8 b@56", "ys@8 pause@40 b@56"]);
  });
});
