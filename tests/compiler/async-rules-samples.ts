/** What async functions must not do, and the rules that say so. */

/** Behind every sample, on lines of its own. */
export const ASYNC_SETTING = `
globalAllocator((size: usize, alignment: usize): u64 => 0, (address: u64, size: usize, alignment: usize): void => {});
class Lock { hold(): Lock { return this; } [Symbol.dispose](): void {} }
class Leaf implements Future { code: u8 = 0; poll(waker: Waker): Poll { return Poll.Ready; } }
class Thing { n: u64 = 1; }
const lock = new Lock();
async function seven(): Promise<u8> { return 7; }
async function look(thing: Thing): Promise<u64> { return thing.n; }
async function eat(thing: Owned<Thing>): Promise<u64> { return thing.n; }
function both(a: Owned<Thing>, b: u8): void {}
`;

/** Source, and the rules that it breaks, with their places; none where it compiles. */
export const ASYNC_SAMPLES: readonly (readonly [source: string, ...mistakes: string[]])[] = [
  ["async function f(): Promise<u8> { return await seven(); }"],
  ["async function f(): Promise<u8> { const p = seven(); return await p; }"],
  ["async function f(): Promise<u8> { const l = onStack(new Leaf()); return (await l).code; }"],
  ["async function f(): Promise<u8> { return (await new Leaf()).code; }"],
  ["async function f(leaf: Future): Promise<void> { await leaf; }"],
  ["class C { n: u8 = 2; async m(): Promise<u8> { return this.n + await seven(); } }"],
  ["async function f<T>(x: T): Promise<T> { return x; } async function g(): Promise<u16> { return await f<u16>(3); }"],
  ["function f(p: Promise<u8>): bool { return p.poll(3) === Poll.Ready && p.result() === 7; }"],
  ["function f(): Promise<u8> { return seven(); }"],
  ["const f = async (): Promise<void> => { await seven(); }; const g: () => Promise<void> = f;"],
  ["async function f(): Promise<void> { { using held = lock.hold(); } await seven(); }"],
  ["async function f(): Promise<u64> { const t = new Thing(); return await look(t) + await eat(t); }"],
  ["function f(): u8 { return await seven(); }", "KT1075 1:27"],
  ["const x: u8 = await seven();", "KT1075 1:15"],
  ["async function f(): Promise<void> { const g = (): void => { await seven(); }; g(); }", "KT1075 1:61"],
  ["async function f(): u8 { return 1; }", "KT1076 1:1"],
  ["const f = inline(async (): Promise<void> => {});", "KT1076 1:18"],
  ["async function f(x: u32): Promise<void> { await x; }", "KT1077 1:49"],
  ["async function f(t: Thing): Promise<void> { await t; }", "KT1077 1:51"],
  ["async function f(): Promise<void> { using held = lock.hold(); await seven(); }", "KT1078 1:63"],
  ["function f(): void { seven(); }", "KT1079 1:22"],
  ["async function f(): Promise<void> { seven(); }", "KT1079 1:37"],
  ["function f(): void { const p = seven(); }", "KT1079 1:28"],
  ["function f(): Promise<u64> { const t = onStack(new Thing()); return look(t); }", "KT1080 1:74"],
  ["function f(): Promise<u64> { const t = new Thing(); const p = look(t); return p; }", "KT1080 1:68"],
  ["function f(): Promise<u64> { const t = new Thing(); return eat(t); }"],
  ["async function f(): Promise<void> { both(new Thing(), await seven()); }", "KT1081 1:55"],
  [
    "async function f(): Promise<u64> { const t = new Thing(); const n = await eat(t); return n + t.n; }",
    "KT1066 1:94",
  ],
  ["async function f(): Promise<u8> { const p = seven(); await p; return await p; }", "KT1066 1:76"],
  ["async function f(): Promise<u8> { return true; }", "KT1008 1:42"],
  ["async function f(): Promise<u8> { const n: u16 = await seven(); return 1; }", "KT1008 1:50"],
];
