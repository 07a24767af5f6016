/**
 * A process of its own, run with `--expose-gc` and a small nursery: a machine under one engine runs a disk of random
 * code, with resets, or a program that writes new code without end. Prints, as JSON, what it takes beyond the guest's memory.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as idle } from "node:timers/promises";
import type { Engine } from "#machine/cpu/engine.ts";
import { RAM } from "#machine/cpu/layout.ts";
import { Machine } from "#machine/machine.ts";
import { MOST_BYTES, MOST_MODULES } from "../../machine/engine/wasm/translations.ts";
import { WasmEngine } from "../../machine/engine/wasm-engine.ts";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { EFFORT } from "../../machine/hosts/runner.ts";
import { assembleDisk, readDisk } from "../bench/machine/images.ts";
import { randomCode, randomNumbers } from "../isa/random.ts";
import { endlessCode } from "./endless-code.ts";

declare const gc: () => void;

const MEBIBYTE = 1 << 20;
/** Times that the machine is weighed. */
const ROUNDS = 20;
const ROUNDS_WITH_RESETS = 6;
/** Bytes of WebAssembly that the last module may leave free. */
const NEARLY = 64 << 10;

/** What a run has taken at most, in bytes. */
export interface Weighed {
  /** JavaScript's objects and WebAssembly's memories. */
  readonly held: number;
  /** Memory of the process that is no file's; 0 where the system does not tell. */
  readonly resident: number;
  /** Instructions that were run. */
  readonly instructions: number;
  /** The engine had as much translated code as it may have. */
  readonly isFull: boolean;
}

/** A disk of random instructions, which the firmware would start. */
function randomDisk(): Uint8Array {
  const next = randomNumbers(1);
  const bytes = new Uint8Array(48 * MEBIBYTE);
  for (let at = 0; at < 0x8000; at += 1 + (next() % 6)) bytes.set(randomCode(next), at);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

/** A workload of the bench, which does not come to its end. */
function workload(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "taiji-memory-"));
  try {
    return readDisk(assembleDisk(name, 32, 1_000_000_000, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Mebibytes of the guest: the bench's programs write their code far up. */
const GUESTS: Readonly<Record<string, number>> = { random: 8, endless: 8 };

function diskOf(program: string): Uint8Array {
  if (program === "random") return randomDisk();
  return program === "endless" ? endlessCode() : workload(program);
}

function resident(): number {
  if (!existsSync("/proc/self/status")) return 0;
  return Number(/^RssAnon:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

/** What a machine that is gone held is given back in steps, and only when nothing runs. */
async function weigh(): Promise<Pick<Weighed, "held" | "resident">> {
  for (let round = 0; round < 3; round++) {
    await idle();
    gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { held: heapUsed + external, resident: resident() };
}

async function run(engineName: EngineName, program: string, millions: number): Promise<Weighed> {
  const image = diskOf(program);
  const guest = (GUESTS[program] ?? 40) * MEBIBYTE;
  const before = await weigh();
  let engine: Engine | null = null;
  let memory = new Uint8Array(0);
  const machine = new Machine({
    disk: image,
    memory: guest,
    engine: (cpu) => {
      memory = new Uint8Array(cpu.state.memory.buffer, RAM, guest);
      engine = ENGINES[engineName](cpu);
      return engine;
    },
  });
  // The whole of the guest's memory is resident from now on: it is not what is weighed.
  for (let page = 0; page < guest; page += 0x1000) memory[page]! |= 0;
  const resets = program === "random";
  const rounds = resets ? ROUNDS_WITH_RESETS : ROUNDS;
  let [held, most, instructions, isFull] = [0, 0, 0, false];
  for (let round = 0; round < rounds; round++) {
    if (resets && round % 2 === 1) machine.reset();
    const first = machine.instructions;
    const left = () => Math.ceil((millions * 1_000_000) / rounds) - (machine.instructions - first);
    while (left() > 0 && machine.run(left(), EFFORT).kind === "budget") await idle();
    instructions += machine.instructions - first;
    const now = await weigh();
    held = Math.max(held, now.held - before.held - guest);
    most = Math.max(most, now.resident - before.resident - guest);
    if ((engine as Engine | null) instanceof WasmEngine) {
      const { bytes, modules } = (engine as unknown as WasmEngine).translations;
      isFull ||= modules === MOST_MODULES || bytes > MOST_BYTES - NEARLY;
    }
  }
  return { held, resident: most, instructions, isFull };
}

const [engine, program, millions] = process.argv.slice(2);
writeFileSync(1, `${JSON.stringify(await run(engine as EngineName, program!, Number(millions)))}\n`);
