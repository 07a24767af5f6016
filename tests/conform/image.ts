/** Disk images of the harness with programs in it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomNumbers } from "../isa/random.ts";
import { COPIES, HEADER, MOST_PROGRAMS, RECORD, RECORD_SIZE, RECORDS, TEMPLATE } from "./layout.ts";
import { assembleProgram, type Program } from "./program.ts";

const SECTOR = 512;
const DATA_SECTOR = 128;
/** The loader reads so many sectors at once. */
const CHUNK = 64;
/** Where the loader's number of sectors stands. */
const MARK = 0xdead0001;
const KIND = { ring0: 1, compat: 2, demand: 4, armed: 8, skip: 128 } as const;

let assembled: Uint8Array | null = null;

/** Boot sector and kernel of harness.asm. */
function harness(): Uint8Array {
  if (assembled !== null) return assembled;
  const folder = mkdtempSync(join(tmpdir(), "taiji-conform-"));
  try {
    const file = join(folder, "harness.bin");
    execFileSync("nasm", ["-f", "bin", join(import.meta.dirname, "harness.asm"), "-o", file]);
    assembled = new Uint8Array(readFileSync(file));
    return assembled;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface HarnessOptions {
  /** How often each program runs in a row. */
  readonly repeat?: number;
  /** Beats of the timer between interrupts while a program runs; none unless given. */
  readonly timer?: number;
  readonly media?: boolean;
  /** Of the data that programs find. */
  readonly seed?: number;
}

/** A disk on which program n stands in slot n; null leaves a slot out, as does a program that does not assemble. */
export function harnessDisk(programs: readonly (Program | null)[], options: HarnessOptions = {}): Uint8Array {
  if (programs.length > MOST_PROGRAMS) throw new Error(`${programs.length} programs are too many`);
  const boot = harness();
  const sectors = Math.ceil((RECORDS + programs.length * RECORD_SIZE) / SECTOR / CHUNK) * CHUNK;
  const disk = new Uint8Array(Math.max(0x100000, (DATA_SECTOR + sectors) * SECTOR));
  disk.set(boot);
  const view = new DataView(disk.buffer);
  const mark = Array.from({ length: boot.length - 3 }, (_, at) => at).find((at) => view.getUint32(at, true) === MARK);
  view.setUint32(mark!, sectors, true);
  const base = DATA_SECTOR * SECTOR;
  view.setUint32(base + HEADER.count, programs.length, true);
  view.setUint32(base + HEADER.repeat, options.repeat ?? 1, true);
  view.setUint32(base + HEADER.pages, COPIES, true);
  view.setUint32(base + HEADER.timer, options.timer ?? 0, true);
  view.setUint32(base + HEADER.media, options.media ? 1 : 0, true);
  const next = randomNumbers(options.seed ?? 1);
  disk.set(mediaState(next), base + HEADER.fx);
  for (let at = 0; at < 0x1000; at += 4) view.setUint32(base + TEMPLATE + at, next(), true);
  programs.forEach((program, slot) => {
    const at = base + RECORDS + slot * RECORD_SIZE;
    disk.set(recordOf(program, slot), at);
  });
  return disk;
}

function recordOf(program: Program | null, slot: number): Uint8Array {
  const record = new Uint8Array(RECORD_SIZE).fill(0xcc);
  const code = program === null ? null : assembleProgram(program, slot)?.code;
  if (program === null || code == null) {
    record[RECORD.kind] = KIND.skip;
    return record;
  }
  const view = new DataView(record.buffer);
  for (const [number, value] of program.registers.entries()) view.setBigUint64(number * 8, value, true);
  view.setBigUint64(RECORD.flags, BigInt(program.flags), true);
  record[RECORD.kind] =
    (program.ring === 0 ? KIND.ring0 : 0) |
    (program.mode === 32 ? KIND.compat : 0) |
    (program.demand ? KIND.demand : 0) |
    (program.armed ? KIND.armed : 0);
  record.set(code, RECORD.code);
  return record;
}

/** What FXRSTOR loads: control words as at reset, registers of random bits, ordinary numbers and special values. */
function mediaState(next: () => number): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x37f, true);
  bytes[4] = 0xf0; // four registers of the stack are in use
  view.setUint16(2, 4 << 11, true); // and the top is the fifth
  view.setUint32(24, 0x1f80, true);
  for (let register = 0; register < 4; register++) {
    view.setBigUint64(32 + register * 16, 0x8000000000000000n | (BigInt(next()) << 20n), true);
    view.setUint16(40 + register * 16, 0x3ff0 + (next() & 31), true);
  }
  const doubles = [1.5, -2.25, 1e300, 3e-310, 0, Number.POSITIVE_INFINITY, Number.NaN, 123456.789];
  for (let register = 0; register < 16; register++) {
    for (let word = 0; word < 4; word++) view.setUint32(160 + register * 16 + word * 4, next(), true);
    if (register % 2 === 0) view.setFloat64(160 + register * 16, doubles[register / 2]!, true);
    else if (register % 4 === 1)
      for (let lane = 0; lane < 4; lane++)
        view.setFloat32(160 + register * 16 + lane * 4, doubles[(register + lane) & 7]!, true);
  }
  return bytes;
}
