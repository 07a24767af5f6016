/** verr and verw, of selectors of the global table: see selector-questions.ts in the book. */
import * as at from "#machine/cpu/layout.ts";
import { I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { NativeEmitter } from "./native-emitter.ts";
import { descriptorOf } from "./segment-loads.ts";

/** In the upper half of a descriptor: its type, S and DPL. */
const [ACCESSIBLE, CONFORMING, CODE, SEGMENT] = [1n << 9n, 1n << 10n, 1n << 11n, 1n << 12n];
const DPL = 13n;
const PROTECTED = 1n;

/** Instructions that real mode does not have. */
export function needProtectedMode(e: NativeEmitter): Value {
  if (e.context.mode !== 64) e.leaveIf(x.isZero(e.and(x.stateWord(at.CR0, I64), e.constant(PROTECTED))));
  return e.constant(0n);
}

/** The upper half of the descriptor, and 1 where the running code may use the selector. */
function visible(e: NativeEmitter, selector: Value): { readonly high: Value; readonly isVisible: Value } {
  const high = e.hold(x.as32(e.shiftRight(descriptorOf(e, selector), e.constant(32n))));
  const level = e.and(e.shiftRight(high, e.constant(DPL)), e.constant(3n));
  const asked = e.and(selector, e.constant(3n));
  const isOpen = e.isZero(e.or(e.less(level, asked), e.less(level, e.constant(BigInt(e.context.privilege)))));
  const isConforming = equals(e, high, SEGMENT | CODE | CONFORMING, SEGMENT | CODE | CONFORMING);
  const isNull = e.isZero(e.and(selector, e.constant(0xfffcn)));
  return { high, isVisible: e.and(e.isZero(isNull), e.or(isOpen, isConforming)) };
}

function equals(e: NativeEmitter, high: Value, mask: bigint, value: bigint): Value {
  return e.equal(e.and(high, e.constant(mask)), e.constant(value));
}

export function isReadable(e: NativeEmitter, [given]: readonly Value[]): Value {
  const { high, isVisible } = visible(e, e.hold(given!));
  const isData = equals(e, high, SEGMENT | CODE, SEGMENT);
  const isOpenCode = equals(e, high, SEGMENT | CODE | ACCESSIBLE, SEGMENT | CODE | ACCESSIBLE);
  return e.hold(e.and(isVisible, e.or(isData, isOpenCode)));
}

export function isWritable(e: NativeEmitter, [given]: readonly Value[]): Value {
  const { high, isVisible } = visible(e, e.hold(given!));
  return e.hold(e.and(isVisible, equals(e, high, SEGMENT | CODE | ACCESSIBLE, SEGMENT | ACCESSIBLE)));
}
