/**
 * A process of its own, run with `--expose-gc`: a machine under one engine runs random code from a large disk
 * and is reset now and then. Prints the mebibytes that are held beyond the guest's memory.
 */
import { writeFileSync } from "node:fs";
import { setImmediate as idle } from "node:timers/promises";
import { createMachine, type EngineName } from "../../machine/hosts/pc.ts";
import { randomCode, randomNumbers } from "../isa/random.ts";

declare const gc: () => void;

const MEBIBYTE = 1 << 20;
const GUEST = 8 * MEBIBYTE;
const SLICE = 20_000;
const ROUNDS = 4;

/** Bytes of JavaScript and of WebAssembly's memories; the disk that is given is the host's. */
function held(): number {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A disk of random instructions, which the firmware would start. */
function disk(): Uint8Array {
  const next = randomNumbers(1);
  const bytes = new Uint8Array(48 * MEBIBYTE);
  for (let at = 0; at < 0x8000; at += 1 + (next() % 6)) bytes.set(randomCode(next), at);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

const engine = process.argv[2] as EngineName;
const image = disk();
const before = held();
const machine = createMachine({ image, memory: GUEST, engine });
let most = 0;
for (let round = 0; round < ROUNDS; round++) {
  if (round % 2 === 1) machine.reset();
  for (let slice = 0; slice < 10; slice++) machine.run(SLICE, SLICE);
  await idle();
  most = Math.max(most, held() - before - GUEST);
}
writeFileSync(1, `${(most / MEBIBYTE).toFixed(1)}\n`);
