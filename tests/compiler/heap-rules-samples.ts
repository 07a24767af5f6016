/** What the samples speak of. */
export const OWNED_CLASS =
  "class N { v: u64 = 1; } const other = new N(); let last: N | null = null; " +
  "function give(n: Owned<N>): void {} function same(n: N): N { return n; } ";

/** What breaks which rule of ownership where; without mistakes what looks as if it did. Behind an allocator and the class N. */
export type RuleSample = readonly [source: string, ...mistakes: string[]];

export const OWNERSHIP_SAMPLES: readonly RuleSample[] = [
  // The allocator
  ["globalAllocator(allocate, free);", "KT1065 1:1"],
  ["globalAllocator(allocate);", "KT1065 1:1"],
  ["globalAllocator(allocate, allocate);", "KT1065 1:1", "KT1008 1:27"],
  ["function f(): void { globalAllocator(allocate, free); }", "KT1065 1:22"],
  ["const n: Owned<N> = new N();", "KT1065 1:21"],
  ["let n: Owned<N> | null = null; function f(): void { n = new N(); }"],
  // Use after a move
  ["function f(): void { const a = new N(); give(a); give(a); }", "KT1066 1:55"],
  ["function f(): u64 { const a = new N(); give(a); return a.v; }", "KT1066 1:56"],
  ["function f(b: bool): u64 { const a = new N(); if (b) { give(a); } return a.v; }", "KT1066 1:74"],
  ["function f(b: bool): u64 { const a = new N(); if (b) { give(a); return 1; } return a.v; }"],
  ["function f(): u64 { let a = new N(); give(a); a = new N(); return a.v; }"],
  ["function f(a: Owned<N>): void { for (;;) { give(a); } }", "KT1066 1:49"],
  ["function f(a: Owned<N>): void { for (;;) { give(a); break; } }"],
  ["function f(): void { let a = new N(); for (;;) { give(a); a = new N(); } }"],
  ["function f(): u64 { const a = new N(); const b = a; give(a); return b.v; }", "KT1066 1:69"],
  ["function f(): u64 { let a = new N(); const b = a; a = new N(); return b.v; }", "KT1066 1:71"],
  ["function f(): u64 { const a = new N(); let b = a; give(a); b = other; return b.v; }"],
  ["function both(a: N, b: Owned<N>): void {} function f(): void { const a = new N(); both(a, a); }", "KT1066 1:91"],
  ["function f(): void { const a = new N(); const g: Owned<() => u64> = () => a.v; give(a); }", "KT1066 1:85"],
  ["function f(b: bool): void { const a = new N(); const c: Owned<N> = b ? a : new N(); give(a); }", "KT1066 1:90"],
  // Moves out of other places
  ["class B { n: Owned<N> = new N(); m(): void { give(this.n); } }", "KT1067 1:51"],
  ["class B { n: Owned<N> = new N(); m(): void { give(replace(this.n, new N())); } }"],
  ["class B { n: Owned<N> | null = null; m(): void { if (this.n !== null) { give(this.n); } } }", "KT1067 1:78"],
  ["class B { n: Owned<N> | null = null; m(): Owned<N> | null { return take(this.n); } }"],
  ["class B { n: Owned<N> = new N(); m(): void { take(this.n); } }", "KT1067 1:46"],
  ["let kept: Owned<N> | null = null; function f(): Owned<N> | null { return kept; }", "KT1067 1:74"],
  [
    "function f(s: Slice<Owned<N>>): void { give(s[0]); for (const n of s) { n.v++; give(n); } }",
    "KT1067 1:45",
    "KT1008 1:85",
  ],
  [
    "const each = inline((g: () => void): void => { g(); }); function f(): void { const a = new N(); each(() => { give(a); }); }",
    "KT1067 1:115",
  ],
  // Borrows that outlive their owner
  ["function f(): N { const a = new N(); return a; }", "KT1068 1:45"],
  ["function f(): N { return new N(); }", "KT1068 1:26"],
  ["function f(): Owned<N> { const a = new N(); return a; }"],
  ["function f(): void { const a = new N(); last = a; }", "KT1068 1:48"],
  ["function f(a: Owned<N>): N { return a; }", "KT1068 1:37"],
  ["function f(a: N): N { return a; }"],
  ["function f(): u64 { const a = same(new N()); return a.v; }", "KT1068 1:31"],
  ["function f(): u64 { return same(new N()).v; }"],
  ["function f(): N { const a = new N(); return same(a); }", "KT1068 1:45"],
  ["function f(): N { const a = onStack(new N()); return same(a); }", "KT1037 1:54"],
  ["function f(a: N): N { return same(a); }"],
  ["class B { n: Owned<N> = new N(); } function f(): N { const b = new B(); return b.n; }", "KT1068 1:80"],
  ["class B { n: Owned<N> = new N(); m(): N { return this.n; } }"],
  ["function f(): void { const a = onStack(new N()); const g: Owned<() => u64> = () => a.v; }", "KT1037 1:84"],
  ["function f(a: N): Owned<N> { return a; }", "KT1008 1:37"],
  ["function f(a: N): void { give(a); }", "KT1008 1:31"],
  // Types
  ["function f(a: Owned<u32>): void {}", "KT1070 1:21"],
  ["function f(): void { const a = new Atomic<u32>(1); }", "KT1070 1:32"],
  ["class B { n: Owned<N>; }", "KT1060 1:11"],
  ["class B { n: Owned<N>; constructor(n: Owned<N>) { this.n = n; } }"],
  ["class B { n: Owned<N>; constructor(n: Owned<N>) { if (n.v > 1) { this.n = n; } } }", "KT1060 1:11"],
  [
    "class B { a: FixedArray<u8, 2> = same(new N()); b: N = make(); } function make(): Owned<N> { return new N(); }",
    "KT1008 1:34",
    "KT1036 1:56",
  ],
  ["class B { inner: B = new B(); } function f(): void { const b = new B(); }", "KT1057 1:11"],
  ["function f(): void { let a: Owned<N>; }", "KT1060 1:26"],
  ["function f(a: Pointer<u8>): void { own(a); disown(a); }", "KT1070 1:36", "KT1070 1:44"],
  ["function f(): void { const a = new N(); addressOf(a).value.v = 2; }"],
  // Copies
  ["class B { n: Owned<N> = new N(); } function f(a: B, b: B): void { copy(a, b); }", "KT1071 1:67"],
  [
    "class B { n: Owned<N> = new N(); } function f(p: Pointer<B>, b: B): void { p.put(b); p.put(new B()); p.take(); p.drop(); }",
    "KT1071 1:82",
    "KT1071 1:102",
  ],
  ["function f(p: Pointer<N>, n: N): void { p.put(n); p.drop(); }"],
  // Closures
  ["function f(): void { let n: u64 = 1; n++; const g: Owned<() => u64> = () => n; }", "KT1013 1:77"],
  ["function f(n: u64): Owned<() => u64> { return () => n; }"],
  ["function f(n: u64): Owned<(x: u64) => u64> { return (x: u32) => n; }", "KT1008 1:53"],
  [
    "const each = inline((g: () => void): void => { const k: Owned<() => void> = () => { g(); }; }); function f(n: u64): void { each(() => { n; }); }",
    "KT1013 1:85",
  ],
  ["const g: Owned<() => void> = () => {};", "KT1065 1:30"],
  // Null
  ["class B { n: N | null = null; m(): u64 { if (this.n !== null) { return this.n.v; } return 0; } }"],
  [
    "class B { n: N | null = null; m(): u64 { if (this.n !== null) { g(); return this.n.v; } return 0; } } function g(): void {}",
    "KT1038 1:77",
  ],
  [
    "class B { n: N | null = null; m(o: B): u64 { if (this.n !== null) { o.n = null; return this.n.v; } return 0; } }",
    "KT1038 1:88",
  ],
  [
    "class B { n: N | null = null; k: u64 = 0; m(o: B): u64 { if (this.n !== null) { o.k = 1; this.k = 2; return this.n.v; } return 0; } }",
  ],
  ["function f(): u64 { while (last !== null) { last = null; last.v; } return 0; }", "KT1038 1:58"],
  ["function f(): u64 { if (last === null) { return 0; } return last.v; }"],
];
