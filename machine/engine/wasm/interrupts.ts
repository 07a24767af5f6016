/** Interrupts and returns from them that change neither privilege nor segments, done inside a region. */
import { FLAG, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS, RSP, SS } from "#machine/cpu/state.ts";
import { CELL } from "./cells.ts";
import { I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { leaveUnlessAccess } from "./flag-operations.ts";
import type { ExpectedWord } from "./gates.ts";
import type { NativeEmitter } from "./native-emitter.ts";

const bit = (flag: number) => 1n << BigInt(flag);
const ALL = 0xffffffffffffffffn;

/** Leaves unless the tables are where they were, and hold what they held. */
export function expectTables(e: NativeEmitter, words: readonly ExpectedWord[], interrupts: boolean): void {
  const { state } = e.cpu;
  const tables: [at: number, base: bigint, limit: number][] = [[at.GDTR_BASE, state.gdtr.base, state.gdtr.limit]];
  if (interrupts) tables.push([at.IDTR_BASE, state.idtr.base, state.idtr.limit]);
  for (const [base, address, limit] of tables) {
    e.leaveUnlessEqual(x.stateWord(base, I64), address);
    e.leaveUnlessEqual(x.stateWord(base + 8, I32), BigInt(limit));
  }
  for (const { address, value } of words) e.leaveUnlessEqual(e.loadForProcessor(address), value);
}

/** Leaves unless a segment register holds what it held. */
export function expectSegment(e: NativeEmitter, number: number): void {
  const base = at.SEGMENTS + number * at.SEGMENT_SIZE;
  const { words, halves } = e.cpu.state;
  e.leaveUnlessEqual(x.stateWord(base, I64), words[base / 8]!);
  e.leaveUnlessEqual(x.stateWord(base + at.SEGMENT_LIMIT, I64), words[(base + at.SEGMENT_LIMIT) / 8]!);
  const selector = base + at.SEGMENT_SELECTOR;
  e.leaveUnlessEqual(x.stateWord(selector, I32), BigInt(halves[selector / 4]!));
}

export function selectorOf(e: NativeEmitter, number: number): Value {
  return e.constant(BigInt(e.cpu.state.selector(number)));
}

/** The flags as a frame holds them. */
export function savedFlags(e: NativeEmitter, width: 32 | 64): Value {
  const others = e.and(e.flagsRegister(), e.constant(ALL & ~BigInt(STATUS)));
  return e.truncate(width, e.or(e.or(others, e.status()), e.constant(2n)));
}

/** The flags of the system as a handler begins with them. */
export function enteredFlags(e: NativeEmitter, masks: boolean): void {
  const cleared = [FLAG.TF, FLAG.NT, FLAG.RF, FLAG.VM, ...(masks ? [FLAG.IF] : [])];
  e.setFlagsRegister(e.and(e.flagsRegister(), e.constant(ALL & ~cleared.reduce((mask, flag) => mask | bit(flag), 0n))));
}

/** `int n`: see `deliver` in the book. */
export function enterGate(e: NativeEmitter, vector: Value): Value {
  const gate = e.gates.gate(Number(vector.constant));
  if (gate === null || (e.context.mode === 32 && !(e.isFlat(SS) && e.stackWidth === 32)))
    return e.refuse("a gate to another privilege or stack");
  expectTables(e, gate.words, true);
  expectSegment(e, CS);
  if (e.context.mode === 64) expectSegment(e, SS);
  const width = e.context.mode === 64 ? 64 : 32;
  const old = e.readRegister(RSP, width);
  const back = [e.nextInstruction(), selectorOf(e, CS), savedFlags(e, width)];
  const words = width === 64 ? [...back, old, selectorOf(e, SS)] : back;
  const aligned = width === 64 ? e.and(old, e.constant(ALL & ~15n)) : old;
  const top = e.hold(e.subtract(width, aligned, e.constant(BigInt((words.length * width) / 8))));
  e.storeWords(top, width, words);
  enteredFlags(e, gate.masks);
  e.writeRegister(RSP, width, top);
  e.jump(e.constant(gate.handler));
  return e.constant(0n);
}

/** What iret at privilege 0 takes from the stack: all that a program may see, IF, IOPL and RF. */
export const RESTORED =
  BigInt(STATUS) |
  [FLAG.TF, FLAG.IF, FLAG.DF, FLAG.NT, FLAG.RF, FLAG.AC, FLAG.ID].reduce((mask, flag) => mask | bit(flag), 0x3000n);

/** `iretd` and `iretq`: see `interruptReturn` in the book. */
export function returnFromInterrupt(e: NativeEmitter, width: Value): Value {
  const long = e.context.mode === 64;
  const back = e.gates.plainReturn();
  const size = long ? 64 : 32;
  if (back === null || Number(width.constant) !== size) return e.refuse("a return to another privilege or stack");
  if (!long && !(e.isFlat(SS) && e.stackWidth === 32)) return e.refuse("a return on a narrow stack");
  expectTables(e, back.words, false);
  expectSegment(e, CS);
  if (long) expectSegment(e, SS);
  e.leaveIf(x.isNonZero(e.and(e.flagsRegister(), e.constant(bit(FLAG.NT)))));
  const top = e.hold(e.readRegister(RSP, size));
  const [rip, code, flags, pointer, stack] = e.loadWords(top, size, long ? 5 : 3);
  e.leaveUnlessEqual(e.truncate(16, code!), BigInt(back.code));
  if (long) e.leaveUnlessEqual(e.truncate(16, stack!), BigInt(back.stack));
  e.leaveIf(x.isNonZero(e.and(flags!, e.constant(bit(FLAG.TF) | bit(FLAG.RF)))));
  leaveUnlessAccess(e, flags!, e.context);
  const opens = x.isNonZero(e.and(flags!, e.constant(bit(FLAG.IF))));
  e.leaveIf(e.and(opens, x.stateWord(CELL.pending, I32)));
  const mask = size === 64 ? RESTORED : RESTORED & 0xffffffffn;
  const kept = e.and(e.flagsRegister(), e.constant(ALL & ~mask));
  e.setFlagsRegister(e.or(e.or(kept, e.and(flags!, e.constant(mask))), e.constant(2n)));
  e.setStatusBits(x.as32(e.and(flags!, e.constant(BigInt(STATUS)))));
  e.writeRegister(RSP, size, long ? pointer! : e.add(32, top, e.constant(12n)));
  e.jump(rip!);
  return e.constant(0n);
}
