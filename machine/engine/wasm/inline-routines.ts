/** Routines of fxsave and fxrstor that are written in place: see x87/environment.ts in the book. */
import { MXCSR_DEFINED } from "#machine/cpu/float/mxcsr.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Routine } from "#machine/cpu/vector-semantics.ts";
import * as environment from "#machine/cpu/x87/environment.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { VectorEmitter } from "./vector-emitter.ts";

type Inline = (e: VectorEmitter, values: readonly Value[]) => Value;

const c = (value: number) => x.constant(BigInt(value));
const and = (value: Value, mask: number) => x.logic("And", value, c(mask));
const or = (left: Value, right: Value) => x.logic("Or", left, right);
const field = (word: Value, shift: number, mask: number) => x.as32(and(x.shift("ShrU", word, c(shift)), mask));
const placed = (value: Value, shift: number) => x.shift("Shl", x.as64(value), c(shift));
const half = (offset: number) => x.stateWord(offset, I32);

/** Of the status word: exceptions, all that can be loaded, and what is set where an exception is not masked. */
const EXCEPTIONS = 0x3f;
const STATUS = 0x477f;
const WAITING = 0x8080;
/** Bits of the control word that can be set, and the one that always is. */
const CONTROL = 0x1f3f;
const CONTROL_ALWAYS = 0x40;
const TOP_SHIFT = 11;

/** Where a register lies, given its place counted from the top. */
function placeOf(place: Value): Value {
  const number = and(x.arithmetic("Add", 32, half(at.FPU_TOP), place), 7);
  return x.as32(x.shift("Shl", number, c(Math.log2(at.X87_SIZE))));
}

const registerLow: Inline = (e, [place]) => e.hold(x.loaded(OP.i64Load, placeOf(place!), at.X87));
const registerHigh: Inline = (e, [place]) => e.hold(x.loaded(OP.i32Load16U, placeOf(place!), at.X87 + at.X87_EXPONENT));

const imageWord: Inline = (e, [index]) => {
  switch (Number(index!.constant)) {
    case 0: {
      const status = or(half(at.FPU_STATUS), x.shift("Shl", half(at.FPU_TOP), c(TOP_SHIFT)));
      const low = or(half(at.FPU_CONTROL), placed(status, 16));
      return e.hold(or(low, or(placed(half(at.FPU_TAGS), 32), placed(half(at.FPU_OPCODE), 48))));
    }
    case 1:
      return e.hold(x.stateWord(at.FPU_POINTER, I64));
    case 2:
      return e.hold(x.stateWord(at.FPU_DATA, I64));
    default:
      return e.hold(or(half(at.MXCSR), placed(c(MXCSR_DEFINED), 32)));
  }
};

const loadImage: Inline = (e, [first, code, data, mxcsr]) => {
  const settings = e.hold(x.as32(mxcsr!));
  e.leaveIf(x.isNonZero(x.logic("And", settings, x.constant(0xffffffffn ^ BigInt(MXCSR_DEFINED)))));
  const word = e.hold(x.as64(first!));
  const control = e.hold(or(field(word, 0, CONTROL), c(CONTROL_ALWAYS)));
  const status = e.hold(field(word, 16, 0xffff));
  const open = x.logic("And", and(status, EXCEPTIONS), x.logic("Xor", control, c(0xffff)));
  const waiting = x.select(x.isNonZero(open), c(WAITING), c(0));
  e.storeState(at.MXCSR, settings);
  e.storeState(at.FPU_CONTROL, control);
  e.storeState(at.FPU_STATUS, x.as32(or(and(status, STATUS), waiting)));
  e.storeState(at.FPU_TOP, field(status, TOP_SHIFT, 7));
  e.storeState(at.FPU_TAGS, field(word, 32, 0xff));
  e.storeState(at.FPU_OPCODE, field(word, 48, 0x7ff));
  e.storeState(at.FPU_POINTER, x.as64(code!));
  e.storeState(at.FPU_DATA, x.as64(data!));
  e.renewRounding();
  return c(0);
};

const loadRegister: Inline = (e, [place, low, high]) => {
  e.storeStateAt(placeOf(place!), at.X87, low!);
  e.storeStateAt(placeOf(place!), at.X87 + at.X87_EXPONENT, and(high!, 0xffff));
  return c(0);
};

export const INLINE_ROUTINES: ReadonlyMap<Routine, Inline> = new Map([
  [environment.imageWord, imageWord],
  [environment.registerLow, registerLow],
  [environment.registerHigh, registerHigh],
  [environment.loadImage, loadImage],
  [environment.loadRegister, loadRegister],
]);
