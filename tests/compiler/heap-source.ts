/** A heap for tests: it notices memory that is freed twice, with another size, or never. */
import { evaluateProgram, type Outcome } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import type { Diagnostic } from "../../tangle/place.ts";
import { FRAME } from "./kernel-source.ts";

/** On one line, so that lines of the test's own text keep their numbers. */
export const HEAP = `
const memory: FixedArray<u64, 8192> = filled(0); let used: usize = 0; let live: u64 = 0; let taken: u64 = 0; let order: u64 = 0;
const lists: FixedArray<u64, 64> = filled(0);
function note(value: u64): void { order = order * 31 + value; }
function cells(size: usize): usize { return (size + 15) / 8; }
function allocate(size: usize, alignment: usize): u64 {
  assert(alignment === 1 || alignment === 2 || alignment === 4 || alignment === 8, "alignment");
  const count = cells(size); let at: u64 = 0;
  if (count < 64 && lists[count] !== 0) { at = addressOf(memory[usize(lists[count]) - 1]).address; lists[count] = pointer<u64>(at).value; }
  else { if (used + count > memory.length) { return 0; } at = addressOf(memory[used]).address; used += count; }
  pointer<u64>(at).value = u64(size) * 16 + u64(alignment); live++; taken++;
  fillMemory(pointer<u8>(at + 8), 0xcc, size);
  return at + 8;
}
function free(address: u64, size: usize, alignment: usize): void {
  const at = address - 8;
  assert(pointer<u64>(at).value === u64(size) * 16 + u64(alignment), "freed twice, or with another size");
  fillMemory(pointer<u8>(address), 0xdd, size); live--;
  const count = cells(size);
  if (count < 64) { pointer<u64>(at).value = lists[count]; lists[count] = (at - addressOf(memory).address) / 8 + 1; }
}
globalAllocator(allocate, free);
`.replaceAll("\n", " ");

/** The whole text of a program whose function `body(): u64` uses the heap; `run` also asserts that nothing is left. */
export function heapProgram(text: string, leaves = "0"): string {
  return `${HEAP}${text}
export const run = noInline((): u64 => {
  const value = body();
  assert(live === ${leaves}, "the heap is not empty in the end");
  return value ^ (order * 0x9e37_79b9) ^ taken;
});
export let result: u64 = 0;
export function _start(): never { result = run(); for (;;) { halt(); } }
panicHandler((info) => { for (;;) { halt(); } });
`;
}

export function checkHeap(text: string, chapter = 12): Diagnostic[] {
  return check([{ path: "kernel/main.ts", text: HEAP + text + FRAME }], { entryFile: "kernel/main.ts", chapter })
    .diagnostics;
}

/** What `body` gives; fails where the program has mistakes. */
export function heapOutcome(text: string, leaves = "0"): Outcome {
  const probe = `export function probe(): u64 { const value = body(); assert(live === ${leaves}, "leak"); return value; }`;
  const source = `${heapProgram(text, leaves)}\n${probe}`.replace("result = run();", "result = run() + probe();");
  const { program, diagnostics } = check([{ path: "kernel/main.ts", text: source }], {
    entryFile: "kernel/main.ts",
    chapter: 12,
  });
  if (program === null) {
    throw new Error(
      diagnostics.map(({ code, place, message }) => `${place.line}:${place.column} ${code} ${message}`).join("\n"),
    );
  }
  return evaluateProgram(program, "kernel/main:probe");
}
