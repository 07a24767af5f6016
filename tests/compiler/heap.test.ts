/** Objects on the heap: what programs with `new` mean, in the evaluator, in SSA form and on the host's own processor. */
import { describe, expect, it } from "vitest";
import { heapOutcome, heapProgram } from "./heap-source.ts";
import { RUNS_NATIVELY } from "./native.ts";
import { checkGenerated } from "./random-checks.ts";
import { compareTexts } from "./x86-campaign.ts";

const NODE = `class Node {
  value: u64; next: Owned<Node> | null = null;
  constructor(value: u64) { this.value = value; }
  [Symbol.dispose](): void { note(this.value); }
  sum(): u64 { let s = this.value; const next = this.next; if (next !== null) { s += next.sum(); } return s; }
}
function make(value: u64): Owned<Node> { return new Node(value); }
function eat(node: Owned<Node>): u64 { return node.value; }
function keep(node: Node): u64 { return node.value; }
`;

/** Text, and what \`body\` gives; the order of drops is part of what is compared. */
const PROGRAMS: readonly (readonly [name: string, text: string, value: bigint])[] = [
  [
    "an object lives until the end of its block",
    `${NODE}function body(): u64 { { const a = new Node(3); const b = new Node(4); note(a.value); } return order; }`,
    3n * 961n + 4n * 31n + 3n,
  ],
  [
    "a temporary lives until the end of the statement",
    `${NODE}function body(): u64 { const x = make(1).value + keep(make(2)) + new Node(5).sum(); note(9); return order * 100 + x; }`,
    ((5n * 31n + 2n) * 31n + 1n) * 31n * 100n + 900n + 8n,
  ],
  [
    "a parameter that owns is dropped by the function",
    `${NODE}function body(): u64 { const a = make(7); const x = eat(a); note(1); return x + order; }`,
    7n + 7n * 31n + 1n,
  ],
  [
    "a result goes to the caller",
    `${NODE}function pass(node: Owned<Node>): Owned<Node> { node.value++; return node; } function body(): u64 { return pass(pass(make(1))).value; }`,
    3n,
  ],
  [
    "assignment drops what was there, after the new value is made",
    `${NODE}function body(): u64 { let a = new Node(1); a = new Node(a.value + 1); note(50); return order; }`,
    1n * 31n + 50n,
  ],
  [
    "fields are dropped after the method, the last declared first",
    `${NODE}class Two { a: Owned<Node> = new Node(1); b: Owned<Node> = new Node(2); [Symbol.dispose](): void { note(9); } } function body(): u64 { { new Two(); } return order; }`,
    (9n * 31n + 2n) * 31n + 1n,
  ],
  [
    "loops, break, continue and return drop what their blocks own",
    `${NODE}function f(): u64 { let s: u64 = 0; for (const i of range(u64(0), 10)) { const a = new Node(i); if (i === 2) { continue; } if (i === 5) { break; } s += a.value; if (s > 100) { return s; } } return s; } function body(): u64 { return f(); }`,
    8n,
  ],
  [
    "a conditional move leaves the rest to the end of the block",
    `${NODE}function f(b: bool): void { const a = new Node(1); if (b) { eat(a); } note(2); } function body(): u64 { f(true); f(false); return order; }`,
    ((1n * 31n + 2n) * 31n + 2n) * 31n + 1n,
  ],
  [
    "lists are owned from their head on",
    `${NODE}function body(): u64 { const list = new Node(1); list.next = new Node(2); const second = list.next; if (second !== null) { second.next = make(3); } return list.sum(); }`,
    6n,
  ],
  [
    "objects in the frame drop what they own",
    `${NODE}class Pair { a: Owned<Node> = new Node(1); b: Node = new Node(2); } function body(): u64 { { const p = onStack(new Pair()); p.a = new Node(3); } return order; }`,
    (1n * 31n + 2n) * 31n + 3n,
  ],
  [
    "using says it aloud, and does it once",
    `${NODE}function body(): u64 { { using a = new Node(1); using b = onStack(new Node(2)); note(a.value + b.value); } return order; }`,
    (3n * 31n + 2n) * 31n + 1n,
  ],
  [
    "arrays of owners",
    `${NODE}class Table { slots: FixedArray<Owned<Node> | null, 3> = filled(null); } function body(): u64 { { const t = new Table(); t.slots[0] = new Node(1); t.slots[2] = new Node(2); t.slots[0] = new Node(3); } return order; }`,
    (1n * 31n + 2n) * 31n + 3n,
  ],
  [
    "both branches of a conditional may make the object",
    `${NODE}function body(): u64 { let s: u64 = 0; for (const i of range(u64(0), 3)) { const a = i === 1 ? make(10) : new Node(i); s += a.value; } return s; }`,
    12n,
  ],
  [
    "what is not taken in a condition is dropped",
    `${NODE}function body(): u64 { let i: u64 = 0; while (make(i).value < 3 && make(7).value === 7) { i++; } return i; }`,
    3n,
  ],
  [
    "arrays in the frame, ranges, and owners that a closure changes",
    `${NODE}function find(b: bool): u64 {
  const table: FixedArray<Owned<Node> | null, 3> = filled(null);
  table[0] = make(1);
  for (const i of range(make(0).value, make(3).value)) {
    table[2] = make(i + 10);
    if (b && i === 1) { return i; }
  }
  const more: FixedArray<Owned<Node>, 2> = [make(7), new Node(8)];
  for (const n of more) { n.value++; }
  return replace(more[0], make(2)).value;
}
const each = inline((f: () => void): void => { f(); f(); });
function body(): u64 {
  let a = make(5);
  const kept = new Node(6);
  each(() => { a = make(a.value + 1); note(kept.value); });
  return find(true) * 100 + find(false) + a.value * 1000;
}`,
    7108n,
  ],
];

describe("a program with objects on the heap", () => {
  for (const [name, text, value] of PROGRAMS) {
    it(name, () => {
      expect(heapOutcome(text)).toEqual({ kind: "value", value });
    });
  }

  it("means the same after all passes", () => {
    for (const [, text] of PROGRAMS) {
      checkGenerated(heapProgram(text));
    }
  });

  it.skipIf(!RUNS_NATIVELY)("means the same on the host's processor", () => {
    const { compared, mismatches } = compareTexts(
      PROGRAMS.map(([name, text]) => ({ name, source: heapProgram(text) })),
    );
    expect(mismatches).toEqual([]);
    expect(compared).toBe(2 * PROGRAMS.length);
  });
});
