/**
 * Loads of segment registers with plain descriptors of the global table, or none, and far jumps, calls and returns within
 * the running code segment: see segment-loading.ts and far.ts in the book. The rest is left to the evaluator.
 */
import * as at from "#machine/cpu/layout.ts";
import { CS, DPL_SHIFT, RSP, SS, UNUSABLE } from "#machine/cpu/state.ts";
import { CELL } from "./cells.ts";
import { CONTEXT_ATTRIBUTES } from "./context.ts";
import { I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { expectSegment, expectTables, selectorOf } from "./interrupts.ts";
import type { NativeEmitter } from "./native-emitter.ts";
import { contextAfter } from "./next-contexts.ts";

/** The selector in a segment register. */
export function readSelector(e: NativeEmitter, [number]: readonly Value[]): Value {
  const base = at.SEGMENTS + Number(number!.constant) * at.SEGMENT_SIZE;
  return e.truncate(16, x.stateWord(base + at.SEGMENT_SELECTOR, I32));
}

/** What a segment register gets. */
interface Loaded {
  readonly selector: Value;
  readonly base: Value;
  readonly limit: Value;
  readonly attributes: Value;
}

function bits(e: NativeEmitter, value: Value, shift: number, mask: number): Value {
  return e.and(e.shiftRight(value, e.constant(BigInt(shift))), e.constant(BigInt(mask)));
}

function masked(e: NativeEmitter, value: Value, mask: number): Value {
  return e.and(value, e.constant(BigInt(mask)));
}

/** The fields of a descriptor: see `segmentOf` in the book. */
function fieldsOf(e: NativeEmitter, selector: Value, descriptor: Value): Loaded {
  const base = e.or(bits(e, descriptor, 16, 0xffffff), bits(e, descriptor, 32, 0xff000000));
  const short = e.hold(e.or(masked(e, descriptor, 0xffff), bits(e, descriptor, 32, 0xf0000)));
  const inPages = e.or(e.shiftLeft(short, e.constant(12n)), e.constant(0xfffn));
  const limit = e.select(x.isNonZero(bits(e, descriptor, 55, 1)), e.truncate(32, inPages), short);
  const attributes = e.hold(bits(e, descriptor, 40, 0xf0ff));
  return { selector, base: e.hold(base), limit: e.hold(limit), attributes };
}

/** Leaves unless the stack segment is writable data of this privilege, present and marked as accessed. */
function checkStack(e: NativeEmitter, { selector, attributes }: Loaded): void {
  const { privilege } = e.context;
  e.leaveUnlessEqual(masked(e, selector, 3), BigInt(privilege));
  e.leaveUnlessEqual(masked(e, attributes, 0xfb), BigInt(0x93 | (privilege << DPL_SHIFT)));
}

/** Leaves unless a segment is data or readable code, not conforming, present, marked as accessed, and open. */
function checkData(e: NativeEmitter, { selector, attributes }: Loaded, isNull: Value): void {
  const level = e.hold(bits(e, attributes, DPL_SHIFT, 3));
  const refused = [
    x.compare("Ne", masked(e, attributes, 0x91), e.constant(0x91n)),
    e.equal(masked(e, attributes, 0xa), e.constant(8n)),
    e.equal(masked(e, attributes, 0xc), e.constant(0xcn)),
    e.less(level, e.constant(BigInt(e.context.privilege))),
    e.less(level, masked(e, selector, 3)),
  ];
  e.leaveIf(
    e.and(
      x.isZero(isNull),
      refused.reduce((all, one) => e.or(all, one)),
    ),
  );
}

/** The descriptor that a selector of the global table names. */
export function descriptorOf(e: NativeEmitter, selector: Value): Value {
  e.leaveIf(x.isNonZero(masked(e, selector, 4)));
  e.leaveIf(e.less(x.stateWord(at.GDTR_LIMIT, I32), e.or(selector, e.constant(7n))));
  const offset = masked(e, selector, 0xfff8);
  const width = e.context.mode === 64 ? 64 : 32;
  const address = e.hold(e.add(width, x.stateWord(at.GDTR_BASE, I64), offset));
  return e.loadWords(address, 64, 1, e.context.ownKey)[0]!;
}

/** What the selector names in protected mode. */
function fromTable(e: NativeEmitter, register: number, selector: Value): Loaded {
  const found = fieldsOf(e, selector, descriptorOf(e, selector));
  const isNull = e.hold(x.isZero(masked(e, selector, 0xfffc)));
  if (register === SS) {
    e.leaveIf(isNull);
    checkStack(e, found);
    return found;
  }
  checkData(e, found, isNull);
  const unusable = e.constant(BigInt(UNUSABLE | (e.context.privilege << DPL_SHIFT)));
  const unlessNull = (value: Value, otherwise: Value) => e.hold(e.select(isNull, otherwise, value));
  return {
    selector,
    base: unlessNull(found.base, e.constant(0n)),
    limit: unlessNull(found.limit, e.constant(0n)),
    attributes: unlessNull(found.attributes, unusable),
  };
}

/** In real mode only selector and base change. */
function inRealMode(e: NativeEmitter, register: number, selector: Value): Loaded {
  const place = at.SEGMENTS + register * at.SEGMENT_SIZE;
  const limit = e.hold(x.stateWord(place + at.SEGMENT_LIMIT, I32));
  e.leaveUnlessEqual(limit, 0xffffn);
  const attributes = e.hold(x.stateWord(place + at.SEGMENT_ATTRIBUTES, I32));
  return { selector, base: e.hold(e.shiftLeft(selector, e.constant(4n))), limit, attributes };
}

const isWhole = (e: NativeEmitter, { base, limit }: Loaded): Value =>
  e.and(x.isZero(base), e.equal(limit, e.constant(0xffffffffn)));

/** Whether the context is another one with this segment. */
function changesContext(e: NativeEmitter, register: number, loaded: Loaded): Value {
  if (e.context.mode === 64) return e.constant(0n);
  const { attributes: known, whole } = e.context.segments[register]!;
  if (known === null) return e.constant(0n);
  const { attributes } = loaded;
  const other = x.compare("Ne", masked(e, attributes, CONTEXT_ATTRIBUTES), e.constant(BigInt(known)));
  return e.or(other, x.compare("Ne", isWhole(e, loaded), e.constant(whole ? 1n : 0n)));
}

/** mov, pop and les. Interrupts wait after a load of ss: the next instruction must be of the same block, as for `sti`. */
export function loadSegmentRegister(e: NativeEmitter, [number, value]: readonly Value[]): Value {
  const register = Number(number!.constant);
  const { cpu, context } = e;
  const isProtected = cpu.state.protectedMode;
  const isCompatible = context.mode !== 64 && cpu.state.longMode;
  if (x.scope.depth > 0 || isCompatible || (register === SS && e.isLastOfBlock))
    return e.refuse("a segment register loaded on a condition, in compatibility mode, or before the engine may look");
  const selector = e.hold(e.truncate(16, value!));
  const loaded = (isProtected ? fromTable : inRealMode)(e, register, selector);
  const changes = e.hold(changesContext(e, register, loaded));
  if (register === SS) e.leaveIf(changes);
  const place = at.SEGMENTS + register * at.SEGMENT_SIZE;
  const bounds = e.or(loaded.limit, e.shiftLeft(loaded.attributes, e.constant(32n)));
  e.storeState(place, x.as64(loaded.base));
  e.storeState(place + at.SEGMENT_LIMIT, x.as64(bounds));
  e.storeState(place + at.SEGMENT_SELECTOR, x.as32(selector));
  if (register === SS || context.mode === 64 || context.segments[register]!.attributes === null) return e.constant(0n);
  const next = contextAfter(e, register, loaded.attributes, isWhole(e, loaded));
  e.storeState(CELL.context, x.as32(e.select(changes, next, e.constant(BigInt(context.id)))));
  e.leaveAfterwardsIf(changes);
  return e.constant(0n);
}

/** Leaves unless a selector leads to the code segment in use, as it did while translating, at privilege 0. */
function expectSameCode(e: NativeEmitter, width: Value): number {
  const back = e.context.mode === 32 ? e.gates.plainReturn() : null;
  const flat = e.context.mode === 32 && e.context.isFlat && e.isFlat(SS) && e.stackWidth === 32;
  if (back === null || !flat || width.constant !== 32n || x.scope.depth > 0)
    return e.refuse("a far jump to another segment, or on a narrow stack");
  expectTables(e, back.words, false);
  expectSegment(e, CS);
  return back.code;
}

export function farJump(e: NativeEmitter, [selector, offset]: readonly Value[]): Value {
  const code = expectSameCode(e, e.constant(32n));
  e.leaveUnlessEqual(selector!, BigInt(code));
  e.goAway(e.hold(offset!), e.constant(BigInt(e.context.id)));
  return e.constant(0n);
}

export function farCall(e: NativeEmitter, [selector, offset, width]: readonly Value[]): Value {
  const code = expectSameCode(e, width!);
  e.leaveUnlessEqual(selector!, BigInt(code));
  const target = e.hold(offset!);
  const top = e.hold(e.subtract(32, e.readRegister(RSP, 32), e.constant(8n)));
  e.storeWords(top, 32, [e.nextInstruction(), selectorOf(e, CS)]);
  e.writeRegister(RSP, 32, top);
  e.goAway(target, e.constant(BigInt(e.context.id)));
  return e.constant(0n);
}

export function farReturn(e: NativeEmitter, [width, released]: readonly Value[]): Value {
  const code = expectSameCode(e, width!);
  const top = e.hold(e.readRegister(RSP, 32));
  const [target, selector] = e.loadWords(top, 32, 2);
  e.leaveUnlessEqual(e.truncate(16, selector!), BigInt(code));
  e.writeRegister(RSP, 32, e.add(32, top, e.constant(8n + released!.constant)));
  e.jump(target!);
  return e.constant(0n);
}
