/** Runs programs everywhere, compares, and makes the smallest program of each that ends differently. */

import { isCanonical } from "#machine/memory/canonical.ts";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { decode } from "../../machine/isa/index.ts";
import { neededFlags, readsUndefined, undefinedFlags } from "./flag-effects.ts";
import { type HarnessOptions, harnessDisk } from "./image.ts";
import { codeAddress } from "./layout.ts";
import { HarnessError, type HarnessRun, runInOurs, runInQemu } from "./machines.ts";
import { assembleProgram, type Program } from "./program.ts";
import { differences, type Result, readResult } from "./results.ts";

/** Who is compared with whom. Two of our engines must agree in every bit, undefined flags too. */
export interface Peers {
  readonly left: EngineName | "qemu";
  readonly right: EngineName;
}

export interface Mismatch {
  readonly program: Program;
  readonly slot: number;
  readonly differences: readonly string[];
}

/** The disk made last: each of the peers runs the same. */
let last: { programs: readonly (Program | null)[]; options: HarnessOptions; disk: Uint8Array } | null = null;

export function runIn(peer: EngineName | "qemu", programs: readonly (Program | null)[], options: HarnessOptions) {
  if (last?.programs !== programs || last.options !== options) {
    last = { programs, options, disk: harnessDisk(programs, options) };
  }
  const { disk } = last;
  return peer === "qemu"
    ? runInQemu(disk, programs.length)
    : Promise.resolve(runInOurs(disk, programs.length, peer, options.repeat));
}

/** Programs of a batch that two runs ended differently. */
export function compareRuns(
  programs: readonly (Program | null)[],
  left: HarnessRun,
  right: HarnessRun,
  { exact, media }: { readonly exact: boolean; readonly media: boolean },
): Mismatch[] {
  return programs.flatMap((program, slot) => {
    if (program === null) return [];
    const [expected, found] = [readResult(left, slot, media), readResult(right, slot, media)];
    if (differences(expected, found, 0, exact).length === 0) return [];
    const list = differences(expected, found, ignoredFlags(program, slot, expected), exact);
    return list.length === 0 || (!exact && isKnown(program, slot, expected, list))
      ? []
      : [{ program, slot, differences: list }];
  });
}

/** The flags that are undefined where the program ended. */
function ignoredFlags(program: Program, slot: number, { rip }: Result): number {
  const assembled = assembleProgram(program, slot);
  if (assembled === null) return 0;
  const masks = undefinedFlags(program.items);
  const offset = Number(rip) - codeAddress(slot);
  if (offset < 0 || offset > assembled.code.length + 1) return masks.reduce((all, mask) => all | mask, 0);
  let place = 0;
  while (place + 1 < assembled.starts.length && assembled.starts[place + 1]! <= offset) place++;
  return masks[place]!;
}

/**
 * What QEMU 7.2 is known to do otherwise than the manual and the processors that we know: no mismatch of ours. Each
 * comment says what QEMU does.
 */
function isKnown(program: Program, slot: number, expected: Result, list: readonly string[]): boolean {
  // A return to an address that is not canonical faults there, not at the return; or traps there first.
  if ((expected.vector === 13 || expected.vector === 1) && isReturn(list)) return true;
  // An interrupt that waits for STI is taken only when a block of translated code ends.
  if (program.armed && list.some((text) => text.startsWith("log "))) return true;
  const code = assembleProgram(program, slot)?.code;
  const offset = Number(expected.rip) - codeAddress(slot);
  if (code === undefined || offset < 0 || offset >= code.length) return false;
  const { mnemonic } = decode(code, offset, program.mode);
  const isFault = expected.vector >= 12 && expected.vector <= 14;
  if (mnemonic === null || !isFault) return false;
  // Such an instruction of many accesses makes them in another order, and keeps what it has done so far.
  if (/^(popa|popad|pusha|pushad|cmps)$/.test(mnemonic)) return true;
  return list.every((text) => isKnownPart(text, program, expected, mnemonic));
}

/** The same for one part of the state where an instruction faults. */
function isKnownPart(text: string, { mode }: Program, { vector, cr2 }: Result, mnemonic: string): boolean {
  const [name, left, , right] = text.split(" ") as [string, string, string, string];
  // An access over the end of a 32-bit segment goes on at its beginning.
  const wraps = mode === 32 && vector === 14 && cr2 > 0xffffff00n;
  if (wraps && (name === "vector" || name === "cr2" || name === "error")) return true;
  // A read-modify-write that page-faults is told as a read, and has not marked its first page as dirty.
  if (name === "error") return vector === 14 && Number.parseInt(left, 16) === (Number.parseInt(right, 16) & ~2);
  // An instruction that reads flags loses them when its memory operand faults.
  if (name === "flags") return neededFlags(mnemonic) !== 0 || mnemonic.startsWith("cmpxchg");
  // The second page of an access across two pages is marked as accessed before the first one faults.
  if (name === "marks") return ((BigInt(`0x${left}`) ^ BigInt(`0x${right}`)) & 0x4040404040n) === 0n;
  // An address that is not canonical in the stack segment is told as one in any other.
  return name === "vector" && left === "d" && right === "c";
}

function isReturn(list: readonly string[]): boolean {
  const target = list.map((text) => /^rip ([0-9a-f]+) /.exec(text)?.[1]).find((found) => found !== undefined);
  if (target === undefined || isCanonical(BigInt(`0x${target}`))) return false;
  return list.every((text) => /^(rip|rsp) |^vector 1 ≠ d/.test(text));
}

/** Makes a program smaller as long as the two peers end it differently. */
export async function shrink(mismatch: Mismatch, peers: Peers, options: HarnessOptions): Promise<Mismatch> {
  let best = mismatch;
  for (let round = 0; round < 60; round++) {
    const candidates = smaller(best.program).filter(
      (program) => !readsUndefined(program.items) && assembleProgram(program, 0) !== null,
    );
    // Side by side at first; where none of them differs, the place in the page may matter, so each at its own offset.
    const found =
      (await tryAll(
        candidates.map((program, slot) => ({ program, slot })),
        peers,
        options,
      )) ??
      (await tryAll(
        candidates.slice(0, 24).map((program, index) => ({ program, slot: (best.slot % 128) + index * 128 })),
        peers,
        options,
      ));
    if (found === null) return best;
    best = found;
  }
  return best;
}

async function compareAll(
  batch: readonly (Program | null)[],
  peers: Peers,
  options: HarnessOptions,
): Promise<Mismatch[]> {
  const [left, right] = [await runIn(peers.left, batch, options), await runIn(peers.right, batch, options)];
  return compareRuns(batch, left, right, { exact: peers.left !== "qemu", media: options.media === true });
}

type Placed = Pick<Mismatch, "program" | "slot">;

/** The smallest of some programs that the peers end differently; null where they end all of them alike. */
async function tryAll(placed: readonly Placed[], peers: Peers, options: HarnessOptions): Promise<Mismatch | null> {
  if (placed.length === 0) return null;
  const batch: (Program | null)[] = new Array(placed.at(-1)!.slot + 1).fill(null);
  for (const { program, slot } of placed) batch[slot] = program;
  const found = await compareAll(batch, peers, options).catch((error): Mismatch[] => {
    // One of them does not end: the next round has others.
    if (error instanceof HarnessError) return [];
    throw error;
  });
  return found.reduce<Mismatch | null>(
    (least, one) => (least === null || size(one.program) < size(least.program) ? one : least),
    null,
  );
}

function size({ items, registers, flags, demand, armed }: Program): number {
  const bits = registers.filter((value) => value !== 0n).length + (flags & 0xcd5 ? 1 : 0);
  return items.length * 32 + bits + (demand ? 1 : 0) + (armed ? 1 : 0);
}

/** All programs that lack one thing: an item or a group of them, a register's value, a flag. */
function smaller(program: Program): Program[] {
  const { items } = program;
  const list: Program[] = [];
  const groups = new Set(items.map(({ group, id }) => (group === 0 ? `item ${id}` : `group ${group}`)));
  for (const name of groups) {
    const left = items.filter(({ group, id }) => (group === 0 ? `item ${id}` : `group ${group}`) !== name);
    if (left.length > 0) list.push({ ...program, items: left });
  }
  if (items.length > 2) {
    list.push(
      { ...program, items: items.slice(items.length >> 1) },
      { ...program, items: items.slice(0, items.length >> 1) },
    );
  }
  for (const [number, value] of program.registers.entries()) {
    if (value !== 0n) list.push({ ...program, registers: program.registers.with(number, 0n) });
  }
  if ((program.flags & 0xcd5) !== 0) list.push({ ...program, flags: program.flags & ~0xcd5 });
  if (program.demand) list.push({ ...program, demand: false });
  if (program.armed) list.push({ ...program, armed: false });
  return list;
}
