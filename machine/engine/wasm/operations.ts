/**
 * Operations on the whole processor that regions can do themselves where all is plain: block moves and fills within
 * pages, `invlpg`, `cli`. Each does what the operation of the same name in the book does, or leaves to have it done.
 */
import type { Instruction } from "#isa/instruction.ts";
import { fillBlock, moveBlock } from "#machine/cpu/blocks.ts";
import { CR0_TS, clearTaskSwitched, loadMachineStatus, machineStatus, writeControl } from "#machine/cpu/control.ts";
import { farCall, farJump } from "#machine/cpu/far.ts";
import { farReturn, interruptReturn } from "#machine/cpu/far-return.ts";
import {
  clearInterrupts,
  closeAccess,
  openAccess,
  popFlags,
  pushFlags,
  setInterrupts,
} from "#machine/cpu/flag-access.ts";
import { FLAG } from "#machine/cpu/flags.ts";
import * as identification from "#machine/cpu/identification.ts";
import * as at from "#machine/cpu/layout.ts";
import { swapGs } from "#machine/cpu/model-registers.ts";
import { portIn, portOut } from "#machine/cpu/ports.ts";
import { isReadable, isWritable } from "#machine/cpu/selector-questions.ts";
import type { SystemOperation, Width } from "#machine/cpu/semantics.ts";
import { softwareInterrupt } from "#machine/cpu/software-interrupts.ts";
import { ES, RAX, RCX, RDI, RSI } from "#machine/cpu/state.ts";
import * as book from "#machine/cpu/system-calls.ts";
import { invalidatePage, loadSegmentRegister, needProtectedMode, readSelector } from "#machine/cpu/tables.ts";
import { CALL_OUTS } from "./call-outs.ts";
import { enterInner, returnOuter } from "./crossings.ts";
import { I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import {
  enableInterrupts,
  exchangeGs,
  readTimestamp,
  readTimestampAndProcessor,
  restoreFlags,
  setAccess,
} from "./flag-operations.ts";
import { enterGate, returnFromInterrupt } from "./interrupts.ts";
import type { NativeEmitter } from "./native-emitter.ts";
import * as segments from "./segment-loads.ts";
import * as selectors from "./selector-questions.ts";
import { syscall, sysenter, sysexit, sysret } from "./system-calls.ts";

type Native = (e: NativeEmitter, values: readonly Value[]) => Value;

const PAGE = 0x1000n;

/** Elements of `bytes` bytes that fit between an address and the end of its page. */
function room(e: NativeEmitter, linear: Value, bytes: number): Value {
  const left = e.subtract(64, e.constant(PAGE), e.and(linear, e.constant(PAGE - 1n)));
  return e.shiftRight(left, e.constant(BigInt(Math.log2(bytes))));
}

function least(e: NativeEmitter, left: Value, right: Value): Value {
  return e.select(e.less(left, right), left, right);
}

interface Shape {
  readonly bytes: number;
  readonly addressWidth: 32 | 64;
  readonly segment: number;
}

/** Segments with a limit would need it checked for the whole block: only flat ones are done here. */
function shapeOf(e: NativeEmitter, [width, addressWidth, segment]: readonly Value[]): Shape {
  const shape = {
    bytes: Number(width!.constant) / 8,
    addressWidth: Number(addressWidth!.constant) as 32 | 64,
    segment: Number(segment!.constant),
  };
  if (Number(addressWidth!.constant) === 16) e.refuse("a block addressed with 16 bits");
  for (const number of [shape.segment, ES]) if (!e.isFlat(number)) e.refuse("a block in a segment with a limit");
  return shape;
}

function wanted(e: NativeEmitter, width: Width): Value {
  const count = e.readRegister(RCX, width);
  return e.select(e.flag(FLAG.DF), e.constant(0n), count);
}

function advance(e: NativeEmitter, register: number, width: Width, by: Value): void {
  e.writeRegister(register, width, e.add(width, e.readRegister(register, width), e.truncate(width, by)));
}

function lengthOf(e: NativeEmitter, count: Value, bytes: number): Value {
  return e.shiftLeft(count, e.constant(BigInt(Math.log2(bytes))));
}

/** Pages that are moved at once at most. */
const MOST_PAGES = 64n;

/** Rounds that may be done at once: each is an instruction of its own, and all but the last one move a whole page. */
function rounds(
  e: NativeEmitter,
  { from, to, count, wanted }: { from: Value; to: Value; count: Value; wanted: Value },
  { bytes, addressWidth }: Pick<Shape, "bytes" | "addressWidth">,
): Value {
  if (addressWidth !== e.context.mode) return e.constant(1n);
  const perPage = PAGE / BigInt(bytes);
  const pages = e.shiftRight(wanted, e.constant(BigInt(Math.log2(Number(perPage)))));
  const most = least(e, least(e, pages, e.constant(MOST_PAGES)), e.roundsLeft());
  const found = e.pagesInRow(from, to, most);
  return e.select(e.equal(count, e.constant(perPage)), found, e.constant(1n));
}

const move: Native = (e, values) => {
  const { bytes, addressWidth } = shapeOf(e, values);
  const [from, to] = [RSI, RDI].map((register) => e.hold(e.readRegister(register, addressWidth)));
  const rooms = least(e, room(e, from!, bytes), room(e, to!, bytes));
  const all = e.hold(wanted(e, addressWidth));
  const count = e.hold(least(e, all, rooms));
  const done = e.variable(e.constant(0n));
  e.if(e.isNonZero(count), () => {
    const source = e.placeOf(from!, false);
    const target = e.placeOf(to!, true);
    const overlaps = (length: Value) =>
      e.less(e.subtract(32, e.subtract(32, target, source), e.constant(1n)), e.subtract(32, length, e.constant(1n)));
    const row = e.hold(rounds(e, { from: from!, to: to!, count, wanted: all }, { bytes, addressWidth }));
    const whole = e.multiply(32, row, e.constant(PAGE));
    const pages = e.hold(x.as32(e.select(overlaps(whole), e.constant(1n), row)));
    const moved = e.hold(e.multiply(64, x.as64(pages), count));
    const length = e.hold(x.as32(lengthOf(e, moved, bytes)));
    const apart = e.isZero(overlaps(length));
    e.if(apart, () => {
      e.copy(target, source, length);
      done.set(moved);
      advance(e, RSI, addressWidth, length);
      advance(e, RDI, addressWidth, length);
      e.writeRegister(RCX, addressWidth, e.subtract(addressWidth, e.readRegister(RCX, addressWidth), moved));
      e.retire(e.subtract(32, pages, e.constant(1n)));
    });
  });
  return done.value;
};

const fill: Native = (e, values) => {
  const { bytes, addressWidth } = shapeOf(e, values);
  const to = e.hold(e.readRegister(RDI, addressWidth));
  const count = e.hold(least(e, wanted(e, addressWidth), room(e, to, bytes)));
  const value = e.readRegister(RAX, (bytes * 8) as Width);
  const spread = BigInt.asUintN(64, 0xffffffffffffffffn / x.maskOf(bytes * 8));
  e.if(e.isNonZero(count), () => {
    const target = e.placeOf(to, true);
    const length = e.hold(x.as32(lengthOf(e, count, bytes)));
    e.fill(target, length, e.multiply(64, value, e.constant(spread)));
    advance(e, RDI, addressWidth, length);
    e.writeRegister(RCX, addressWidth, e.subtract(addressWidth, e.readRegister(RCX, addressWidth), count));
  });
  return count;
};

const invalidate: Native = (e, [segment, offset]) => {
  if (e.context.privilege !== 0 || !e.isFlat(Number(segment!.constant)))
    e.refuse("invlpg by a program, or in a segment");
  e.forgetPage(offset!);
  return e.constant(0n);
};

/** cli, where privilege allows it for certain. */
const disable: Native = (e) => {
  if (e.context.privilege !== 0) e.refuse("cli by a program");
  e.setFlag(FLAG.IF, e.constant(0n));
  return e.constant(0n);
};

/** The flags as pushf stores them: all but RF and VM. */
const flagsWord: Native = (e) => {
  const others = e.and(e.flagsRegister(), e.constant(~0x308d5n & 0xffffffffffffffffn));
  return e.or(e.or(others, e.status()), e.constant(2n));
};

const CR0 = 0n;
const CR3 = 3n;
const EVERY = 0xffffffffffffffffn;
const CR3_BITS = 40n;

/** mov to cr3, by privilege 0 and in a flat code segment; other control registers are called out for. */
function loadTables(e: NativeEmitter, value: Value): Value {
  const tables = e.hold(x.as64(value));
  e.leaveIf(x.isNonZero(e.shiftRight(tables, e.constant(CR3_BITS))));
  e.storeState(at.CR3, tables);
  e.forgetMapping();
  return e.constant(0n);
}

const calledOut = CALL_OUTS.map(({ operation }, number): [SystemOperation, Native] => [
  operation,
  (e, values) => {
    if (operation !== writeControl) return e.callOut(number, values);
    const [register, value] = values as [Value, Value];
    if (register.constant === CR0) return switchTasks(e, e.hold(x.as64(value)));
    const isPlain = e.context.privilege === 0 && e.context.isFlat && x.scope.depth === 0;
    if (register.constant === CR3 && isPlain) return loadTables(e, value);
    return e.callOut(number, [register, value, e.region()]);
  },
]);

/** CR0 with at most TS changed: of that the context is known. Other changes are the evaluator's. */
function switchTasks(e: NativeEmitter, value: Value): Value {
  const now = e.cpu.state.cr0;
  const outcome = e.context.privilege === 0 ? e.gates.outcome(writeControl, [CR0, now ^ CR0_TS], []) : null;
  if (outcome === null || x.scope.depth > 0) return e.refuse("a control register by a program");
  const changed = e.hold(e.xor(value, x.stateWord(at.CR0, I64)));
  e.leaveIf(x.isNonZero(e.and(changed, e.constant(EVERY & ~CR0_TS))));
  e.storeState(at.CR0, x.as64(value));
  const [other, same] = [outcome.context, e.context].map(({ id }) => e.constant(BigInt(id)));
  e.goAway(e.nextInstruction(), e.select(x.isNonZero(changed), other!, same!));
  return e.constant(0n);
}

/** CR0 with some bits replaced. */
function changedStatus(e: NativeEmitter, mask: bigint, bits: Value): Value {
  return e.hold(e.or(e.and(x.stateWord(at.CR0, I64), e.constant(EVERY & ~mask)), bits));
}

const clearSwitched: Native = (e) => switchTasks(e, changedStatus(e, CR0_TS, e.constant(0n)));

/** lmsw: PE can be set but not cleared. */
const loadStatus: Native = (e, [value]) => {
  const bits = e.and(x.as64(value!), e.constant(0xfn));
  return switchTasks(e, changedStatus(e, 0xen, bits));
};

export const NATIVE = new Map<SystemOperation, Native>([
  ...calledOut,
  [portIn, (e, values) => e.callPort("portIn", values)],
  [portOut, (e, values) => e.callPort("portOut", values)],
  [clearTaskSwitched, clearSwitched],
  [loadMachineStatus, loadStatus],
  [machineStatus, () => x.stateWord(at.CR0, I64)],
  [moveBlock, move],
  [fillBlock, fill],
  [invalidatePage, invalidate],
  [clearInterrupts, disable],
  [readSelector, segments.readSelector],
  [loadSegmentRegister, segments.loadSegmentRegister],
  [farJump, segments.farJump],
  [farCall, segments.farCall],
  [farReturn, segments.farReturn],
  [needProtectedMode, selectors.needProtectedMode],
  [isReadable, selectors.isReadable],
  [isWritable, selectors.isWritable],
  [pushFlags, flagsWord],
  [
    softwareInterrupt,
    (e, [vector]) => (e.gates.gate(Number(vector!.constant)) === null ? enterInner : enterGate)(e, vector!),
  ],
  [
    interruptReturn,
    (e, [width]) => (e.gates.outer(e.instructionNow) === null ? returnFromInterrupt : returnOuter)(e, width!),
  ],
  [popFlags, (e, [value, width]) => restoreFlags(e, value!, width!)],
  [setInterrupts, enableInterrupts],
  [identification.readTimestamp, readTimestamp],
  [identification.readTimestampAndProcessor, readTimestampAndProcessor],
  [swapGs, exchangeGs],
  [openAccess, (e) => setAccess(e, openAccess)],
  [closeAccess, (e) => setAccess(e, closeAccess)],
  [book.syscall, syscall],
  [book.sysret, (e, [width]) => sysret(e, width!)],
  [book.sysenter, sysenter],
  [book.sysexit, (e, [width]) => sysexit(e, width!)],
]);

/** Those that lead elsewhere, or to another context. */
const LEADING_AWAY: ReadonlySet<SystemOperation> = new Set([
  interruptReturn,
  clearTaskSwitched,
  loadMachineStatus,
  farJump,
  farCall,
  farReturn,
  openAccess,
  closeAccess,
  book.syscall,
  book.sysret,
  book.sysenter,
  book.sysexit,
]);

function isControl({ operands }: Instruction, number: bigint): boolean {
  const [to] = operands;
  return to?.kind === "register" && to.file === "control" && BigInt(to.number) === number;
}

/** Whether an operation leads elsewhere, as the instruction uses it. */
export function leadsAway(operation: SystemOperation, instruction: Instruction): boolean {
  return LEADING_AWAY.has(operation) || (operation === writeControl && isControl(instruction, CR0));
}

/** Whether an operation changes what addresses mean: no page may be remembered in a region that has one. */
export function remaps(operation: SystemOperation, instruction: Instruction): boolean {
  return operation === invalidatePage || (operation === writeControl && !isControl(instruction, CR0));
}
