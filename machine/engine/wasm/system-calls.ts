/**
 * Fast ways into the kernel and back, which change the privilege: see system-calls.ts in the book. What they make of the
 * segments is what the book's functions make of them now, given model-specific registers that are compared.
 */
import { FLAG, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS, RCX, RDX, RSP, SS } from "#machine/cpu/state.ts";
import * as book from "#machine/cpu/system-calls.ts";
import { CELL } from "./cells.ts";
import { I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { leaveUnlessAccess } from "./flag-operations.ts";
import type { Outcome } from "./gates.ts";
import type { NativeEmitter } from "./native-emitter.ts";

const bit = (flag: number) => 1n << BigInt(flag);
const ALL = 0xffffffffffffffffn;
const R11 = 11;
const SYSCALL_ENABLE = 1n;
const RESTORED = 0x3c7fd7n;

/** Leaves unless a word of the state is what it was while translating. */
function expect(e: NativeEmitter, offset: number): void {
  e.leaveUnlessEqual(x.stateWord(offset, I64), e.cpu.state.words[offset / 8]!);
}

/** All flags, with bit 1, as `rflags` gives them. */
function allFlags(e: NativeEmitter): Value {
  return e.or(e.or(e.and(e.flagsRegister(), e.constant(ALL & ~BigInt(STATUS))), e.status()), e.constant(2n));
}

function replaceFlags(e: NativeEmitter, flags: Value): void {
  e.setFlagsRegister(e.or(flags, e.constant(2n)));
  e.setStatusBits(x.as32(e.and(flags, e.constant(BigInt(STATUS)))));
}

function refuseUnless(e: NativeEmitter, outcome: Outcome | null): Outcome {
  return outcome ?? e.refuse("a system call that is not set up");
}

export function leaveUnlessCanonical(e: NativeEmitter, address: Value): void {
  const spread = x.shift("ShrS", x.shift("Shl", address, e.constant(16n)), e.constant(16n));
  e.leaveIf(x.compare("Ne", x.as64(spread), x.as64(address)));
}

/** Code and stack segments, privilege, and on to `target`. */
export function enter(e: NativeEmitter, { segments, context }: Outcome, target: Value): void {
  for (const [number, segment] of segments) {
    const base = at.SEGMENTS + number * at.SEGMENT_SIZE;
    const bounds = BigInt(segment.limit) | (BigInt(segment.attributes) << 32n);
    e.storeState(base, x.as64(e.constant(segment.base)));
    e.storeState(base + at.SEGMENT_LIMIT, x.as64(e.constant(bounds)));
    e.storeState(base + at.SEGMENT_SELECTOR, x.as32(e.constant(BigInt(segment.selector))));
  }
  e.storeState(at.CPL, x.as32(e.constant(BigInt(context.privilege))));
  e.goAway(target, e.constant(BigInt(context.id)));
}

export function syscall(e: NativeEmitter): Value {
  if (e.context.mode !== 64) e.refuse("syscall outside 64-bit code");
  const outcome = refuseUnless(e, e.gates.outcome(book.syscall, [], [CS, SS]));
  expect(e, at.STAR);
  e.leaveIf(x.isZero(e.and(x.stateWord(at.EFER, I64), e.constant(SYSCALL_ENABLE))));
  const flags = e.hold(allFlags(e));
  const target = e.hold(x.stateWord(at.LSTAR, I64));
  const cleared = e.or(x.stateWord(at.SFMASK, I64), e.constant(bit(FLAG.RF)));
  const left = e.hold(e.and(flags, e.xor(cleared, e.constant(ALL))));
  leaveUnlessAccess(e, left, outcome.context);
  e.writeRegister(RCX, 64, e.nextInstruction());
  e.writeRegister(R11, 64, e.and(flags, e.constant(ALL & ~bit(FLAG.RF))));
  replaceFlags(e, left);
  enter(e, outcome, target);
  return e.constant(0n);
}

export function sysret(e: NativeEmitter, width: Value): Value {
  if (e.context.mode !== 64 || e.context.privilege !== 0) e.refuse("sysret by a program, or outside 64-bit code");
  const outcome = refuseUnless(e, e.gates.outcome(book.sysret, [width.constant], [CS, SS]));
  expect(e, at.STAR);
  e.leaveIf(x.isZero(e.and(x.stateWord(at.EFER, I64), e.constant(SYSCALL_ENABLE))));
  const long = width.constant === 64n;
  const target = e.hold(x.as64(e.readRegister(RCX, long ? 64 : 32)));
  if (long) leaveUnlessCanonical(e, target);
  const flags = e.hold(e.and(e.readRegister(R11, 64), e.constant(RESTORED)));
  e.leaveIf(x.isNonZero(e.and(flags, e.constant(bit(FLAG.TF)))));
  const opens = x.isNonZero(e.and(flags, e.constant(bit(FLAG.IF))));
  e.leaveIf(e.and(opens, x.stateWord(CELL.pending, I32)));
  replaceFlags(e, x.as64(flags));
  enter(e, outcome, target);
  return e.constant(0n);
}

export function sysenter(e: NativeEmitter): Value {
  const outcome = refuseUnless(e, e.gates.outcome(book.sysenter, [], [CS, SS]));
  expect(e, at.SYSENTER_CS);
  expect(e, at.EFER);
  const width = e.cpu.state.longMode ? 64 : 32;
  const target = e.hold(x.as64(e.truncate(width, x.stateWord(at.SYSENTER_EIP, I64))));
  const stack = e.hold(x.as64(e.truncate(width, x.stateWord(at.SYSENTER_ESP, I64))));
  leaveUnlessAccess(e, e.flagsRegister(), outcome.context);
  const cleared = bit(FLAG.IF) | bit(FLAG.VM) | bit(FLAG.RF);
  e.setFlagsRegister(e.or(e.and(e.flagsRegister(), e.constant(ALL & ~cleared)), e.constant(2n)));
  e.writeRegister(RSP, 64, stack);
  enter(e, outcome, target);
  return e.constant(0n);
}

export function sysexit(e: NativeEmitter, width: Value): Value {
  if (e.context.privilege !== 0) e.refuse("sysexit by a program");
  const outcome = refuseUnless(e, e.gates.outcome(book.sysexit, [width.constant], [CS, SS]));
  expect(e, at.SYSENTER_CS);
  expect(e, at.EFER);
  const part = width.constant === 64n ? 64 : 32;
  const stack = e.hold(x.as64(e.readRegister(RCX, part)));
  const target = e.hold(x.as64(e.readRegister(RDX, part)));
  if (part === 64) for (const address of [stack, target]) leaveUnlessCanonical(e, address);
  e.writeRegister(RSP, 64, stack);
  enter(e, outcome, target);
  return e.constant(0n);
}
