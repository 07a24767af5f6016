/** The rules of ownership: for each a source that breaks it, and what is wrong where. */
import { describe, expect, it } from "vitest";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { CONTAINER_PROGRAMS } from "./heap-containers-source.ts";
import { OWNED_CLASS, OWNERSHIP_SAMPLES } from "./heap-rules-samples.ts";
import { checkHeap, HEAP, heapOutcome, heapProgram } from "./heap-source.ts";
import { FRAME } from "./kernel-source.ts";
import { typescript } from "./typescript.ts";

describe("the rules of ownership", () => {
  const before = HEAP.length + OWNED_CLASS.length;
  for (const [source, ...expected] of OWNERSHIP_SAMPLES) {
    it(`${source} → ${expected.join(", ") || "compiles"}`, () => {
      const found = checkHeap(OWNED_CLASS + source);
      expect(found.map(({ code, place }) => `${code} ${place.line}:${place.column - before}`)).toEqual(expected);
    });
  }
});

describe("tsc", () => {
  it("accepts what the compiler accepts", () => {
    for (const [source, ...expected] of OWNERSHIP_SAMPLES.filter((sample) => sample.length === 1)) {
      expect(typescript(`${HEAP}${OWNED_CLASS}${source}`), source).toEqual(expected);
    }
    for (const { text } of CONTAINER_PROGRAMS) {
      expect(typescript(heapProgram(text))).toEqual([]);
    }
  });
});

describe("the heap", () => {
  it("comes in chapter 10", () => {
    const source = "class C {} function f(): void { const c = new C(); }";
    expect(checkHeap(source, 9).map(({ message }) => message)).toEqual(["`new` comes in chapter 10"]);
    expect(checkHeap(source, 10)).toEqual([]);
  });

  it("needs an allocator where the program allocates, and only there", () => {
    const mistakes = (text: string): string[] =>
      check([{ path: "kernel/main.ts", text }], { entryFile: "kernel/main.ts", chapter: 10 }).diagnostics.map(
        ({ message, place }) => `${place.line}:${place.column} ${message}`,
      );
    const allocating = "class C {} function f(): void { new C(); }";
    expect(mistakes(allocating + FRAME)).toEqual([]);
    expect(mistakes(allocating + FRAME.replace("halt();", "f();"))).toEqual(["1:33 no allocator is installed"]);
  });

  it("says how many bytes were missing", () => {
    const text =
      "class Big { cells: FixedArray<u64, 9000> = filled(0); } function body(): u64 { new Big(); return 1; }";
    expect(heapOutcome(text)).toMatchObject({ kind: "panic", message: "out of memory: 72000 bytes" });
  });
});
