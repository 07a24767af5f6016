/** Interrupts that lead to more privilege, and returns from them to less: see `deliver` and `interruptReturn` in the book. */
import { FLAG, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS, DS, ES, FS, GS, RSP, SS, TR } from "#machine/cpu/state.ts";
import { CELL } from "./cells.ts";
import { I32 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { leaveUnlessAccess } from "./flag-operations.ts";
import { enteredFlags, expectSegment, expectTables, RESTORED, savedFlags, selectorOf } from "./interrupts.ts";
import type { NativeEmitter } from "./native-emitter.ts";
import type { Read } from "./rehearsal.ts";
import { enter, leaveUnlessCanonical } from "./system-calls.ts";

/** Leaves unless memory holds what was read while translating. */
function expectReads(e: NativeEmitter, reads: readonly Read[]): void {
  for (const { address, bytes, value } of reads)
    e.leaveUnlessEqual(e.loadForProcessor(address, (bytes * 8) as 16 | 32 | 64), value);
}

/** `int n` through a gate to more privilege, on the stack that the TSS names. */
export function enterInner(e: NativeEmitter, vector: Value): Value {
  const gate = e.gates.inner(Number(vector.constant));
  if (gate === null || x.scope.depth > 0) return e.refuse("a gate to another privilege");
  const width = e.context.mode === 64 ? 64 : 32;
  expectTables(e, [], true);
  for (const number of [CS, SS, TR]) expectSegment(e, number);
  expectReads(e, gate.reads);
  const pointer = e.hold(e.loadForProcessor(gate.pointer.address, width));
  const flags = savedFlags(e, width);
  const old = e.readRegister(RSP, width);
  const words = [e.nextInstruction(), selectorOf(e, CS), flags, old, selectorOf(e, SS)];
  const aligned = width === 64 ? e.and(pointer, e.constant(0xfffffffffffffff0n)) : pointer;
  const top = e.hold(e.subtract(width, aligned, e.constant(BigInt((words.length * width) / 8))));
  leaveUnlessAccess(e, e.flagsRegister(), gate.context);
  e.storeWords(top, width, words, gate.context.key);
  enteredFlags(e, gate.masks);
  e.writeRegister(RSP, width, top);
  enter(e, gate, e.constant(gate.handler));
  return e.constant(0n);
}

const DROPPED = [ES, DS, FS, GS];

/** `iretd` and `iretq` from privilege 0 to the segments that this instruction has returned to before. */
export function returnOuter(e: NativeEmitter, width: Value): Value {
  const back = e.gates.outer(e.instructionNow);
  const long = e.context.mode === 64;
  const size = long ? 64 : 32;
  if (back === null || Number(width.constant) !== size || x.scope.depth > 0) return e.refuse("a return elsewhere");
  if (!long && !(e.isFlat(SS) && e.stackWidth === 32)) return e.refuse("a return on a narrow stack");
  expectTables(e, [], false);
  for (const number of DROPPED) {
    const base = at.SEGMENTS + number * at.SEGMENT_SIZE;
    for (const field of [at.SEGMENT_ATTRIBUTES, at.SEGMENT_SELECTOR])
      e.leaveUnlessEqual(x.stateWord(base + field, I32), BigInt(e.cpu.state.halves[(base + field) / 4]!));
  }
  expectReads(e, back.reads);
  e.leaveIf(x.isNonZero(e.and(e.flagsRegister(), e.constant(1n << BigInt(FLAG.NT)))));
  const top = e.hold(e.readRegister(RSP, size));
  const [rip, code, flags, pointer, stack] = e.loadWords(top, size, 5);
  e.leaveUnlessEqual(e.truncate(16, code!), BigInt(back.code));
  e.leaveUnlessEqual(e.truncate(16, stack!), BigInt(back.stack));
  e.leaveIf(x.isNonZero(e.and(flags!, e.constant((1n << BigInt(FLAG.TF)) | (1n << BigInt(FLAG.RF))))));
  const opens = x.isNonZero(e.and(flags!, e.constant(1n << BigInt(FLAG.IF))));
  e.leaveIf(e.and(opens, x.stateWord(CELL.pending, I32)));
  if (long) leaveUnlessCanonical(e, rip!);
  const mask = long ? RESTORED : RESTORED & 0xffffffffn;
  const kept = e.and(e.flagsRegister(), e.constant(0xffffffffffffffffn & ~mask));
  e.setFlagsRegister(e.or(e.or(kept, e.and(flags!, e.constant(mask))), e.constant(2n)));
  e.setStatusBits(x.as32(e.and(flags!, e.constant(BigInt(STATUS)))));
  e.writeRegister(RSP, size, pointer!);
  enter(e, back, e.hold(x.as64(rip!)));
  return e.constant(0n);
}
