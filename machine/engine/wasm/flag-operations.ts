/** Operations on the flags that belong to the system, and on the time, as regions do them: see flag-access.ts in the book. */

import { openAccess } from "#machine/cpu/flag-access.ts";
import { FLAG, IOPL_SHIFT, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { GS, RAX, RCX, RDX } from "#machine/cpu/state.ts";
import { CELL } from "./cells.ts";
import type { Context } from "./context.ts";
import { I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { NativeEmitter } from "./native-emitter.ts";

const ALL = 0xffffffffffffffffn;
const bit = (flag: number) => 1n << BigInt(flag);
/** In `CELL.opened`: no budget is as large. */
export const NOT_OPENED = 0xffffffffn;
const FREE = [FLAG.TF, FLAG.DF, FLAG.NT, FLAG.AC, FLAG.ID].reduce((mask, flag) => mask | bit(flag), BigInt(STATUS));
const IOPL = 3n << BigInt(IOPL_SHIFT);

/** Leaves where interrupts are allowed from now on, and one waits. */
function leaveIfInterrupted(e: NativeEmitter, flags: Value): void {
  const opens = x.isNonZero(e.and(flags, e.constant(bit(FLAG.IF))));
  e.leaveIf(e.and(opens, x.stateWord(CELL.pending, I32)));
}

/**
 * Leaves where `flags` would have another AC than code in a context takes for granted: under SMAP it says which pages are
 * open.
 */
export function leaveUnlessAccess(e: NativeEmitter, flags: Value, { guarded, user, open }: Context): void {
  if (!guarded || user) return;
  const access = e.and(flags, e.constant(bit(FLAG.AC)));
  e.leaveIf(open ? x.isZero(access) : x.isNonZero(access));
}

/** popf. RF is cleared; what starts single steps is left to the evaluator. */
export function restoreFlags(e: NativeEmitter, value: Value, width: Value): Value {
  const { privilege } = e.context;
  const word = e.hold(x.as64(value));
  e.leaveIf(x.isNonZero(e.and(word, e.constant(bit(FLAG.TF)))));
  if (privilege !== 0) e.leaveIf(x.isNonZero(e.and(e.flagsRegister(), e.constant(IOPL))));
  else leaveIfInterrupted(e, word);
  const mask = privilege === 0 ? FREE | IOPL | bit(FLAG.IF) : FREE;
  const used = BigInt.asUintN(Number(width.constant), mask);
  if ((used & bit(FLAG.AC)) !== 0n) leaveUnlessAccess(e, word, e.context);
  const kept = e.and(e.flagsRegister(), e.constant(ALL & ~(used | bit(FLAG.RF))));
  e.setFlagsRegister(e.or(e.or(kept, e.and(word, e.constant(used))), e.constant(2n)));
  e.setStatusBits(x.as32(e.and(word, e.constant(BigInt(STATUS)))));
  return e.constant(0n);
}

/**
 * sti at privilege 0. Interrupts wait for one more instruction: should the run end before it, the engine is told that by
 * what is left of the budget.
 */
export function enableInterrupts(e: NativeEmitter): Value {
  if (e.context.privilege !== 0) e.refuse("sti by a program");
  e.leaveIf(x.stateWord(CELL.pending, I32));
  const wasClosed = x.isZero(e.and(e.flagsRegister(), e.constant(bit(FLAG.IF))));
  const left = x.arithmetic("Sub", 32, e.remaining(), e.constant(1n));
  e.storeState(CELL.opened, x.as32(e.hold(e.select(wasClosed, left, e.constant(NOT_OPENED)))));
  e.setFlag(FLAG.IF, e.constant(1n));
  return e.constant(0n);
}

/** stac and clac at privilege 0. */
export function setAccess(e: NativeEmitter, operation: SystemOperation): Value {
  const outcome = e.context.privilege === 0 ? e.gates.outcome(operation, [], []) : null;
  if (outcome === null) return e.refuse("stac and clac by a program");
  e.setFlag(FLAG.AC, e.constant(operation === openAccess ? 1n : 0n));
  e.goAway(e.nextInstruction(), e.constant(BigInt(outcome.context.id)));
  return e.constant(0n);
}

const TSD = 4n;

/** rdtsc: the instructions done before this one. */
export function readTimestamp(e: NativeEmitter): Value {
  if (e.context.privilege !== 0) e.leaveIf(x.isNonZero(e.and(x.stateWord(at.CR4, I64), e.constant(TSD))));
  const done = e.subtract(64, x.stateWord(CELL.end, I64), x.as64(e.remaining()));
  const now = e.hold(e.add(64, done, x.stateWord(at.TSC_OFFSET, I64)));
  e.writeRegister(RAX, 64, x.as64(e.truncate(32, now)));
  e.writeRegister(RDX, 64, e.shiftRight(now, e.constant(32n)));
  return e.constant(0n);
}

export function readTimestampAndProcessor(e: NativeEmitter): Value {
  readTimestamp(e);
  e.writeRegister(RCX, 64, e.hold(x.stateWord(at.TSC_AUX, I64)));
  return e.constant(0n);
}

/** swapgs. */
export function exchangeGs(e: NativeEmitter): Value {
  if (e.context.privilege !== 0) e.refuse("swapgs by a program");
  const base = at.SEGMENTS + GS * at.SEGMENT_SIZE;
  const [mine, other] = [e.hold(x.stateWord(base, I64)), e.hold(x.stateWord(at.KERNEL_GS_BASE, I64))];
  e.storeState(base, other);
  e.storeState(at.KERNEL_GS_BASE, mine);
  return e.constant(0n);
}
