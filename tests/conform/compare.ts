/** Runs programs everywhere, compares, and makes the smallest program of each that ends differently. */

import type { EngineName } from "../../machine/hosts/pc.ts";
import { decode } from "../../machine/isa/index.ts";
import { readsUndefined, undefinedFlags } from "./flag-effects.ts";
import { type HarnessOptions, harnessDisk } from "./image.ts";
import { codeAddress } from "./layout.ts";
import { HarnessError, type HarnessRun, runInOurs, runInQemu } from "./machines.ts";
import { assembleProgram, type Program } from "./program.ts";
import { type Ending, exchangesPairs, RESERVED_FLAGS, RULES } from "./qemu-deviations.ts";
import { type Difference, differences, type Result, readResult } from "./results.ts";

/** Who is compared with whom. Two of our engines must agree in every bit, undefined flags too. */
export interface Peers {
  readonly left: EngineName | "qemu";
  readonly right: EngineName;
}

export interface Mismatch {
  readonly program: Program;
  readonly slot: number;
  readonly differences: readonly Difference[];
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

export interface Comparison {
  readonly mismatches: readonly Mismatch[];
  /** Where QEMU deviates from the manual: how often, by the names of its deviations. */
  readonly deviations: ReadonlyMap<string, number>;
}

/** Programs of a batch that two runs ended differently. `exact`: both are engines of ours. */
export function compareRuns(
  programs: readonly (Program | null)[],
  left: HarnessRun,
  right: HarnessRun,
  { exact, media }: { readonly exact: boolean; readonly media: boolean },
): Comparison {
  const mismatches: Mismatch[] = [];
  const deviations = new Map<string, number>();
  for (const [slot, program] of programs.entries()) {
    if (program === null) continue;
    const [expected, found] = [readResult(left, slot, media), readResult(right, slot, media)];
    if (differences(expected, found, 0, exact).length === 0) continue;
    const list = differences(expected, found, ignoredFlags(program, slot, expected), exact);
    if (list.length === 0) continue;
    const names = exact ? null : deviationsIn({ program, expected, found, differences: list }, slot);
    if (names === null) mismatches.push({ program, slot, differences: list });
    else for (const name of names) deviations.set(name, (deviations.get(name) ?? 0) + 1);
  }
  return { mismatches, deviations };
}

/** Slots whose flags have reserved bits set without CMPXCHG8B: in QEMU they stay for all programs that follow. */
export function hasStuckFlags(programs: readonly (Program | null)[], run: HarnessRun): boolean {
  return programs.some(
    (program, slot) =>
      program !== null && (readResult(run, slot, false).flags & RESERVED_FLAGS) !== 0n && !exchangesPairs(program),
  );
}

/** The names of QEMU's deviations that account for all differences; null where they do not. */
function deviationsIn(
  seen: Omit<Ending, "instruction" | "foundInstruction" | "beforeFound">,
  slot: number,
): Set<string> | null {
  const { program, expected, found } = seen;
  const code = assembleProgram(program, slot)?.code ?? new Uint8Array(0);
  const offsetOf = ({ rip }: Result) => Number(rip) - codeAddress(slot);
  const at = (result: Result) => {
    const offset = offsetOf(result);
    const instruction = offset >= 0 && offset < code.length ? decode(code, offset, program.mode) : null;
    return instruction === null || instruction.mnemonic === null ? null : instruction;
  };
  const [instruction, foundInstruction] = [at(expected), at(found)];
  const ending = { ...seen, instruction, foundInstruction, beforeFound: code[offsetOf(found) - 1] };
  const names = new Set<string>();
  for (const difference of seen.differences) {
    const rule = RULES.find(({ explains }) => explains(difference, ending));
    if (rule === undefined) return null;
    names.add(rule.name);
  }
  return names;
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
  return [
    ...compareRuns(batch, left, right, { exact: peers.left !== "qemu", media: options.media === true }).mismatches,
  ];
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
