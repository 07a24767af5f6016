/** Snapshots: a machine that is put away in the middle of a run ends as one that was not, in either engine. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { PortBus } from "#machine/bus.ts";
import { Machine } from "#machine/machine.ts";
import { SnapshotError } from "#machine/snapshot.ts";
import { createMachine, ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { randomNumbers } from "../isa/random.ts";

const file = (path: string) => new URL(`../../dist/chapters/${path}`, import.meta.url);
const read = (path: string) => new Uint8Array(readFileSync(file(path)));
const engines = Object.keys(ENGINES) as EngineName[];
const hash = (machine: Machine) => createHash("sha256").update(machine.save()).digest("hex");

/** What happens to a guest, and when: keys and serial bytes at counts of instructions. */
interface Input {
  readonly at: number;
  readonly text: string;
}
const INPUTS: readonly Input[] = [
  { at: 700_000, text: "hello, " },
  { at: 900_000, text: "World!\n" },
];

/** Runs up to a count of instructions, with what is typed on the way. `left` is shortened by what has been given. */
function runTo(machine: Machine, end: number, left: Input[]): void {
  while (machine.instructions < end) {
    const next = left[0];
    if (next !== undefined && next.at <= machine.instructions) {
      machine.type(next.text);
      left.shift();
      continue;
    }
    const stop = machine.run(Math.min(end, next?.at ?? end) - machine.instructions);
    if (stop.kind !== "budget") return;
  }
}

/** Chapters of different hardware: the screen alone, interrupts and keys, and the newest there is. */
const CASES = [3, 7, 12]
  .map((number) => String(number).padStart(2, "0"))
  .filter((name) => existsSync(file(`${name}/disk.img`)));
const END = 1_300_000;

describe.each(CASES)("chapter %s", (chapter) => {
  const image = read(`${chapter}/disk.img`);
  const whole = (engine: EngineName) => {
    const machine = createMachine({ image, engine });
    runTo(machine, END, [...INPUTS]);
    return hash(machine);
  };
  const expected = whole(engines.at(-1)!);

  test("ends the same in every engine", () => {
    for (const engine of engines) expect([engine, whole(engine)]).toEqual([engine, expected]);
  });

  test("gives every port the same answer when it has been put away", () => {
    const machine = createMachine({ image });
    runTo(machine, END / 2, [...INPUTS]);
    const again = Machine.restore(machine.save(), { disk: image, engine: ENGINES.evaluator });
    const answers = (one: Machine) => {
      const { bus } = one as unknown as { bus: PortBus };
      return Array.from({ length: 0x10000 }, (_, port) => bus.portIn(port, 8));
    };
    expect(answers(again)).toEqual(answers(machine));
  });

  test("ends the same when it is put away at random moments, and goes on in another engine", () => {
    const next = randomNumbers(Number(chapter));
    const moments = Array.from({ length: 6 }, () => next() % END).sort((a, b) => a - b);
    let machine = createMachine({ image, engine: engines.at(-1)! });
    const left = [...INPUTS];
    for (const [turn, moment] of moments.entries()) {
      runTo(machine, moment, left);
      const engine = ENGINES[turn === 2 ? engines[0]! : engines.at(-1)!];
      machine = Machine.restore(machine.save(), { disk: image, engine });
    }
    runTo(machine, END, left);
    expect(hash(machine)).toBe(expected);
  });
});

test("a restored machine gives the very same bytes", () => {
  const image = read("07/disk.img");
  const machine = createMachine({ image, engine: engines.at(-1)! });
  machine.run(400_000);
  const saved = machine.save();
  const restored = Machine.restore(saved, { disk: image, engine: ENGINES[engines[0]!] });
  expect(Buffer.compare(restored.save(), saved)).toBe(0);
  expect(restored.screen.text()).toBe(machine.screen.text());
});

test("a machine with a loaded kernel can be put away, and starts anew when it is reset", () => {
  const machine = createMachine({ image: read("01/kernel.elf"), engine: engines.at(-1)! });
  machine.run(1000);
  const restored = Machine.restore(machine.save(), { engine: ENGINES[engines.at(-1)!] });
  expect(hash(restored)).toBe(hash(machine));
  restored.reset();
  machine.reset();
  expect(hash(restored)).toBe(hash(machine));
});

describe("what is no snapshot is refused with a reason", () => {
  const image = read("03/disk.img");
  const engine = ENGINES[engines[0]!];
  const saved = createMachine({ image, engine: engines[0]! }).save();
  const restore =
    (bytes: Uint8Array, disk: Uint8Array | null = image) =>
    () =>
      Machine.restore(bytes, { disk, engine });
  const changed = (at: number, byte: number) => {
    const bytes = saved.slice();
    bytes[at] = byte;
    return bytes;
  };

  test.each([
    ["nothing", restore(new Uint8Array(0)), /does not begin as one/],
    ["other letters", restore(changed(0, 0x55)), /does not begin as one/],
    ["another version", restore(changed(8, 99)), /of version 99, and this program reads 1/],
    ["a damaged header", restore(changed(16, 0x21)), /header is damaged/],
    ["bytes that are cut short", restore(saved.subarray(0, saved.length - 1)), /end is missing/],
    [
      "another disk",
      restore(
        saved,
        image.map((byte, at) => (at === 600 ? byte ^ 1 : byte)),
      ),
      /another disk/,
    ],
    ["no disk", restore(saved, null), /had a disk/],
  ])("%s", (_, action, message) => {
    expect(action).toThrow(SnapshotError);
    expect(action).toThrow(message);
  });
});
