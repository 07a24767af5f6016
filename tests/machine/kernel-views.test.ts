/** The kernel's heap and tasks as inspectors read them, by the names that the compiler's layout gives their fields. */
import { describe, expect, test } from "vitest";
import type { Machine } from "#machine/machine.ts";
import { type HeapView, viewHeap } from "../../machine/debug/heap.ts";
import { AddressMap } from "../../machine/debug/map.ts";
import { type KernelLayout, KernelMemory, Structure } from "../../machine/debug/structures.ts";
import { TaskWatch } from "../../machine/debug/tasks.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { chapters } from "../chapters/chapters.ts";
import { readMap, readOutput } from "../chapters/images.ts";

/** Memory made by hand: each word at its address. */
function memoryOf(words: Readonly<Record<number, bigint>>, layout: KernelLayout): KernelMemory {
  const bytes = new Uint8Array(0x1000);
  const view = new DataView(bytes.buffer);
  for (const [at, word] of Object.entries(words)) view.setBigUint64(Number(at), word, true);
  const readMemory = (address: bigint, length: number): Uint8Array | null =>
    address + BigInt(length) <= 0x1000n ? bytes.slice(Number(address), Number(address) + length) : null;
  return new KernelMemory({ readMemory }, layout);
}

describe("structures", () => {
  const layout: KernelLayout = {
    frames: [],
    objects: [{ name: "kernel/list:list", address: 0x100n, type: "List" }],
    shapes: {
      List: {
        size: 40,
        fields: [
          ["head", 8, "*Node"],
          ["kinds", 16, "[2]Kind"],
          ["name", 24, "string"],
        ],
      },
      Node: {
        size: 16,
        fields: [
          ["next", 0, "*Node"],
          ["value", 8, "i32"],
        ],
      },
      Kind: { repr: "u16", members: { Small: 1, Large: 0x200 } },
    },
  };
  const memory = memoryOf(
    { 264: 0x200n, 272: 0x0200_0001n, 280: 0x300n, 288: 3n, 512: 0n, 520: 0xffff_ffffn, 768: 0x434241n },
    layout,
  );
  const list = memory.find("List")!;

  test("are followed through fields, pointers, arrays, enums and strings", () => {
    expect(list.field("head")!.field("value")!.value()).toBe(-1n);
    expect(list.field("head")!.field("next")!.target()).toBeNull();
    expect(
      list
        .field("kinds")!
        .elements()
        .map((kind) => kind.member()),
    ).toEqual(["Small", "Large"]);
    expect(list.field("name")!.text()).toBe("ABC");
    expect(memory.named("kernel/list:list")!.address).toBe(0x100n);
  });

  test("have no answer where names or memory are missing", () => {
    expect(list.field("tail")).toBeNull();
    expect(memory.find("Tree")).toBeNull();
    expect(new Structure(memory, 0x2000n, "u64").value()).toBeNull();
    expect(new Structure(memory, 0x2000n, "*Node").field("value")).toBeNull();
  });
});

/** A chapter's kernel some time after its boot, and what its map knows. */
function booted(chapter: number, variant: string | null): { machine: Machine; kernel: KernelMemory } {
  const machine = createMachine({ image: readOutput(chapter, variant, "disk.img") });
  while (machine.time < 3e9 && machine.instructions < 3_000_000) if (machine.run(20_000).kind !== "budget") break;
  return { machine, kernel: new KernelMemory(machine, new AddressMap(readMap(chapter, variant)).layout()) };
}

/** Every byte belongs to one piece. */
function expectWhole({ blocks, range, usedBytes, freeBytes, largestFree, counts }: HeapView): void {
  let at = 0;
  for (const { offset, bytes } of blocks) {
    expect(offset).toBe(at);
    expect(bytes).toBeGreaterThan(0);
    at += bytes;
  }
  expect(at).toBe(Number(range.end - range.start));
  expect(usedBytes + freeBytes).toBe(at);
  expect(largestFree).toBeLessThanOrEqual(freeBytes);
  const asked = counts.find(([name]) => name === "bytesInUse")?.[1];
  if (asked !== undefined) expect(usedBytes).toBeGreaterThanOrEqual(Number(asked));
}

const all = chapters();
const withHeap = all.filter(({ number }) => number >= 10);
const cases = withHeap.flatMap(({ number, variants }) =>
  [null, ...variants].map((variant) => ({
    number,
    variant,
    name: `chapter ${number}${variant === null ? "" : `, ${variant}`}`,
  })),
);

describe.skipIf(cases.length === 0)("the heap", () => {
  test.each(cases)("of $name is read from its allocator, and no byte is missing", ({ number, variant }) => {
    const { machine, kernel } = booted(number, variant);
    let view = viewHeap(kernel);
    // In the middle of an allocation blocks and counts may be of two moments, and the view says so.
    while (view?.changing === true) {
      machine.run(500);
      view = viewHeap(kernel);
    }
    expect(view).not.toBeNull();
    expect(view!.range.start).toBe(0x4444_4444_0000n);
    expectWhole(view!);
  });

  test("says when an allocation is under way, and only then do its counts not fit", () => {
    const { machine, kernel } = booted(11, "table");
    let between = 0;
    let within = 0;
    for (let look = 0; look < 300; look++) {
      machine.run(97);
      const view = viewHeap(kernel)!;
      if (view.changing) within++;
      else {
        between++;
        expectWhole(view);
      }
    }
    expect(Math.min(between, within)).toBeGreaterThan(0);
  });

  test("is none before the kernel has made it", () => {
    const map = new AddressMap(readMap(10, null));
    const machine = createMachine({ image: readOutput(10, null, "disk.img") });
    expect(viewHeap(new KernelMemory(machine, map.layout()))).toBeNull();
  });
});

describe.skipIf(!all.some(({ number }) => number === 12))("tasks", () => {
  test("are those of the executor, and have run when they have been polled", () => {
    const { machine, kernel } = booted(12, null);
    const watch = new TaskWatch();
    expect(watch.look(machine, kernel)).toBe(true);
    const keys = watch.view()!.tasks.find(({ code }) => code?.startsWith("kernel/keyboard:") === true)!;
    expect(keys.activity).toBe("waiting");
    machine.type("a");
    machine.run(2_000);
    watch.look(machine, kernel);
    const { tasks, looks } = watch.view()!;
    expect(tasks.find(({ number }) => number === keys.number)).toMatchObject({ activity: "ran" });
    expect(looks).toHaveLength(2);
  });

  test("leave the processor asleep, as its instructions of the last second show", () => {
    const { machine, kernel } = booted(12, null);
    const watch = new TaskWatch();
    watch.look(machine, kernel);
    expect(watch.view()!.rate).toBeNull();
    for (let look = 0; look < 20; look++) {
      const end = machine.time + 1e8;
      while (machine.time < end) machine.run(1_000);
      watch.look(machine, kernel);
    }
    expect(watch.view()!.rate).toBeGreaterThan(1_000);
    expect(watch.view()!.rate).toBeLessThan(10_000);
  });

  test("are none in a kernel without an executor", () => {
    const { machine, kernel } = booted(7, null);
    const watch = new TaskWatch();
    expect(watch.look(machine, kernel)).toBe(false);
    expect(watch.view()).toBeNull();
  });
});
