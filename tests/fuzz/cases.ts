/** Machines that nobody would build, from a seed: random disks, mutated chapters, damaged memory, wild input. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Machine } from "#machine/machine.ts";
import { SnapshotError } from "#machine/snapshot.ts";
import { createMachine, ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { randomCode, randomNumbers } from "../isa/random.ts";

const chapters = fileURLToPath(new URL("../../dist/chapters/", import.meta.url));

/** Bytes of RAM of every machine here. */
export const MEMORY = 8 << 20;
/** Instructions between two looks at the clock. */
export const SLICE = 50_000;

export interface FuzzCase {
  readonly name: string;
  /** A machine at its start; null where what it was to be made of is refused, as it should be. */
  make(engine: EngineName): Machine | null;
  /** What happens before slice number `slice`. */
  disturb(machine: Machine, slice: number): void;
  readonly slices: number;
}

const images = existsSync(chapters)
  ? readdirSync(chapters)
      .map((name) => `${chapters}${name}/disk.img`)
      .filter((path) => existsSync(path))
  : [];
const cache = new Map<string, Uint8Array>();

function chapterImage(index: number): Uint8Array {
  const path = images[index % images.length]!;
  const known = cache.get(path) ?? new Uint8Array(readFileSync(path));
  cache.set(path, known);
  return known;
}

type Random = () => number;
const KINDS = ["noise", "code", "chapter", "mutant", "memory", "header"] as const;

/** The case of a seed. */
export function fuzzCase(seed: number): FuzzCase {
  const next = randomNumbers(seed);
  const kind = KINDS[next() % KINDS.length]!;
  const make = maker(kind, next);
  const slices = 2 + (next() % 8);
  const wild = next();
  return {
    name: `${kind} ${seed}`,
    slices,
    make,
    disturb(machine, slice) {
      disturb(machine, randomNumbers(wild + slice));
    },
  };
}

function maker(kind: (typeof KINDS)[number], next: Random): FuzzCase["make"] {
  switch (kind) {
    case "noise":
      return starting(bootable(Uint8Array.from({ length: 0x2000 }, () => next())));
    case "code":
      return starting(bootable(codeDisk(next)));
    case "chapter":
      return starting(chapterImage(next()));
    case "mutant":
      return starting(mutated(chapterImage(next()), next, 0, 1 + (next() % 64)));
    default:
      return damaged(chapterImage(next()), kind, next);
  }
}

/** Without its last two bytes no firmware starts a boot sector. */
function bootable(disk: Uint8Array): Uint8Array {
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** Instructions with random operands, one after the other, some of them in protected and in long mode. */
function codeDisk(next: Random): Uint8Array {
  const disk = new Uint8Array(0x2000);
  for (let at = 0; at < disk.length - 16; at += 1 + (next() % 6)) disk.set(randomCode(next), at);
  return disk;
}

function mutated(image: Uint8Array, next: Random, from: number, count: number): Uint8Array {
  const copy = image.slice();
  for (let n = 0; n < count; n++) copy[from + (next() % (copy.length - from))] = next();
  return copy;
}

const starting = (image: Uint8Array) => (engine: EngineName) => createMachine({ image, memory: MEMORY, engine });

/** A machine in the middle of a chapter, with some bytes of memory and registers changed, or of its snapshot's header. */
function damaged(image: Uint8Array, kind: "memory" | "header", next: Random): FuzzCase["make"] {
  const machine = createMachine({ image, memory: MEMORY, engine: fastest() });
  machine.run(next() % 600_000);
  const saved = machine.save();
  const header = 16 + new DataView(saved.buffer).getUint32(12, true);
  const count = 1 + (next() % 256);
  const bytes =
    kind === "memory"
      ? mutated(saved, next, header, count)
      : saved.map((byte, at) => (at < header && next() % 512 === 0 ? next() : byte));
  return (engine) => {
    try {
      return Machine.restore(bytes, { disk: image, engine: ENGINES[engine] });
    } catch (error) {
      if (error instanceof SnapshotError) return null;
      throw error;
    }
  };
}

function fastest(): EngineName {
  return Object.keys(ENGINES).includes("wasm") ? ("wasm" as EngineName) : (Object.keys(ENGINES)[0] as EngineName);
}

/** Keys that no keyboard has, bytes on the line, another pace. */
function disturb(machine: Machine, next: Random): void {
  const choice = next() % 8;
  if (choice === 0) machine.key(Array.from({ length: 1 + (next() % 20) }, () => next() & 0xff));
  if (choice === 1) machine.type("fuzz \n");
  if (choice === 2) machine.receive(Array.from({ length: next() % 40 }, () => next() & 0xff));
  if (choice === 3) machine.pace = 1 + (next() % 200);
  if (choice === 4) machine.passTime(machine.time + (next() % 1_000_000_000));
}
