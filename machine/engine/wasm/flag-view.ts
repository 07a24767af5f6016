/**
 * The status flags as the emitter sees them at some point of a region: what is known of them while translating, and the
 * values they would be computed from. Flags that nobody reads cost nothing: WebAssembly's compiler drops the sums.
 */
import {
  ADD,
  DECREMENT,
  FLAG,
  type Flag,
  INCREMENT,
  KNOWN,
  type LazyKind,
  RESULT,
  STATUS,
  SUBTRACT,
} from "#machine/cpu/flags.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import { I32, I64, OP } from "./encoder.ts";
import {
  arithmetic,
  as32,
  compare,
  constant,
  isConstant,
  isNonZero,
  isZero,
  local,
  logic,
  make,
  shift,
  signed,
  type Value,
} from "./expressions.ts";
import { type FunctionWriter, LOCAL } from "./function-writer.ts";

/** What is known while translating. */
export interface FlagForm {
  readonly kind: LazyKind | typeof KNOWN;
  readonly width: Width;
  /** The result is exactly the sum or difference of left and right: no carry came in. */
  readonly plain: boolean;
  /** Carry and overflow are 0: of kind RESULT. */
  readonly logical: boolean;
  /** Flags that have been set by themselves since, as a mask of rflags. */
  readonly overridden: number;
}

/**
 * In a packed form: the result is not kept, being the sum or difference of left and right; or, of kind RESULT, left and
 * right are not, being 0.
 */
export const PLAIN = 0x8000;

/** The form as `LOCAL.flagState` holds it. */
export function packForm({ kind, width, plain, logical, overridden }: FlagForm): number {
  return kind | (width << 8) | (plain || logical ? PLAIN : 0) | (overridden << 16);
}

export function sameForm(a: FlagForm | null, b: FlagForm | null): boolean {
  if (a === null || b === null) return a === b;
  return packForm(a) === packForm(b);
}

export interface FlagView {
  /** Null where only the running code knows. */
  readonly form: FlagForm | null;
  readonly left: Value;
  readonly right: Value;
  readonly result: Value;
  /** Values of flags that are overridden, at their places. */
  readonly bits: Value;
  /** The form, packed. */
  readonly state: Value;
  /** The carry flag, where it is known although the form is not. */
  readonly carry: Value | null;
}

/** The flags as the locals hold them; with `carried`, the carry flag too. */
export function viewOfLocals(form: FlagForm | null, carried: boolean): FlagView {
  const wide = (index: number) => local(index, I64, form === null ? 64 : form.width);
  const [left, right] = form?.logical === true ? [constant(0n), constant(0n)] : [wide(LOCAL.left), wide(LOCAL.right)];
  return {
    form,
    left,
    right,
    result: form?.plain === true ? plainResult(form, left, right) : wide(LOCAL.result),
    bits: local(LOCAL.flagBits, I32),
    state: form === null ? local(LOCAL.flagState, I32) : constant(BigInt(packForm(form))),
    carry: form === null && carried ? local(LOCAL.carry, I32, 1) : null,
  };
}

function plainResult({ kind, width }: FlagForm, left: Value, right: Value): Value {
  return arithmetic(kind === ADD ? "Add" : "Sub", width, fit(width, left), fit(width, right));
}

/** Code that puts what is left out of plain flags into the locals: for whoever does not know their form. */
export function emitResult(
  fn: FunctionWriter,
  locals: { state: number; left: number; right: number; result: number },
): void {
  const { out } = fn;
  const masked = (mask: number) => {
    out.get(locals.state);
    out.i32(mask);
    out.byte(OP.i32And);
  };
  masked(PLAIN);
  fn.open(OP.if);
  masked(0xff);
  out.i32(RESULT);
  out.byte(OP.i32Eq);
  fn.open(OP.if);
  for (const local of [locals.left, locals.right]) {
    out.i64(0n);
    out.set(local);
  }
  fn.otherwise();
  const sum = (op: number) => {
    out.get(locals.left);
    out.get(locals.right);
    out.byte(op);
  };
  sum(OP.i64Add);
  sum(OP.i64Sub);
  masked(0xff);
  out.i32(ADD);
  out.byte(OP.i32Eq);
  out.byte(OP.select);
  out.i64(-1n);
  out.i64(64n);
  masked(0x7f00);
  out.i32(8);
  out.byte(OP.i32ShrU);
  out.byte(OP.i64ExtendI32U);
  out.byte(OP.i64Sub);
  out.byte(OP.i64ShrU);
  out.byte(OP.i64And);
  out.set(locals.result);
  fn.end();
  fn.end();
}

/** Whether a value is `operation` applied to just these two. */
export function isPlain(kind: LazyKind, width: Width, left: Value, right: Value, result: Value): boolean {
  const expected = width === 64 ? (kind === ADD ? OP.i64Add : OP.i64Sub) : kind === ADD ? OP.i32Add : OP.i32Sub;
  const sum = width < 32 && result.op === OP.i32And ? result.operands[0]! : result;
  if (isConstant(result)) return isConstant(left) && isConstant(right);
  if (sum === left && isConstant(right)) return right.constant === 0n;
  if (sum.op !== expected) return false;
  const [a, b] = sum.operands;
  return same(a!, left) && same(b!, right);
}

function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isConstant(a) && isConstant(b)) return (a.constant & 0xffffffffn) === (b.constant & 0xffffffffn);
  if (a.op === OP.localGet && b.op === OP.localGet) return a.index === b.index;
  if (a.op === OP.i32WrapI64 || a.op === OP.i64ExtendI32U) return same(a.operands[0]!, b);
  if (b.op === OP.i32WrapI64 || b.op === OP.i64ExtendI32U) return same(a, b.operands[0]!);
  return false;
}

/** Narrow values are as good in i32, wherever their width allows it. */
function fit(width: Width, value: Value): Value {
  return width <= 32 ? as32(value) : value;
}

function bit(value: Value, place: number): Value {
  return as32(logic("And", shift("ShrU", value, constant(BigInt(place))), constant(1n)));
}

/** The value of one flag; null where the form must be known and is not. */
export function flagOf(view: FlagView, flag: Flag): Value | null {
  const { form } = view;
  if (form === null) return flag === FLAG.CF ? view.carry : null;
  if (form.kind === KNOWN || ((form.overridden >> flag) & 1) !== 0) return bit(view.bits, flag);
  const { width } = form;
  const [left, right, result] = [fit(width, view.left), fit(width, view.right), fit(width, view.result)];
  switch (flag) {
    case FLAG.ZF:
      return isZero(result);
    case FLAG.SF:
      return bit(result, width - 1);
    case FLAG.PF:
      return isZero(
        logic("And", make(OP.i32Popcnt, I32, [logic("And", as32(result), constant(0xffn))], 6), constant(1n)),
      );
    case FLAG.CF:
      return carry(form, left, right, result);
    case FLAG.OF:
      return overflow(form, left, right, result);
    default:
      return adjust(form, left, right, result);
  }
}

function carry({ kind, width, plain, logical }: FlagForm, left: Value, right: Value, result: Value): Value {
  if (kind === ADD) {
    if (plain) return compare("LtU", result, left);
    const carries = logic("Or", logic("And", left, right), andNot(width, logic("Or", left, right), result));
    return bit(carries, width - 1);
  }
  if (kind === SUBTRACT) {
    if (plain) return compare("LtU", left, right);
    const borrows = logic("Or", andNot(width, right, left), logic("And", logic("Or", not(width, left), right), result));
    return bit(borrows, width - 1);
  }
  return logical ? constant(0n) : as32(left);
}

function not(width: Width, value: Value): Value {
  return logic("Xor", value, constant((1n << BigInt(width)) - 1n));
}

function andNot(width: Width, value: Value, inverted: Value): Value {
  return logic("And", value, not(width, inverted));
}

function overflow({ kind, width, logical }: FlagForm, left: Value, right: Value, result: Value): Value {
  const top = 1n << BigInt(width - 1);
  switch (kind) {
    case ADD:
      return bit(logic("And", logic("Xor", left, result), logic("Xor", right, result)), width - 1);
    case SUBTRACT:
      return bit(logic("And", logic("Xor", left, right), logic("Xor", left, result)), width - 1);
    case INCREMENT:
      return compare("Eq", result, constant(top));
    case DECREMENT:
      return compare("Eq", result, constant(top - 1n));
    default:
      return logical ? constant(0n) : as32(right);
  }
}

function adjust({ kind }: FlagForm, left: Value, right: Value, result: Value): Value {
  switch (kind) {
    case ADD:
    case SUBTRACT:
      return bit(logic("Xor", logic("Xor", left, right), result), 4);
    case INCREMENT:
      return isZero(logic("And", result, constant(15n)));
    case DECREMENT:
      return compare("Eq", as32(logic("And", result, constant(15n))), constant(15n));
    default:
      return constant(0n);
  }
}

/** Conditions in pairs, as the condition codes have them (Intel SDM vol. 2, appendix B.1.4.7): the even one of each. */
const OVERFLOW = 0;
const BELOW = 1;
const ZERO = 2;
const BELOW_OR_EQUAL = 3;
const SIGN = 4;
const PARITY = 5;
const LESS = 6;

/** Whether a condition code holds; null where the form must be known and is not. */
export function conditionOf(view: FlagView, code: number): Value | null {
  const even = evenCondition(view, code >> 1);
  if (even === null) return null;
  return (code & 1) === 0 ? even : isZero(even);
}

function evenCondition(view: FlagView, pair: number): Value | null {
  const { form } = view;
  if (form === null) return null;
  if (form.overridden === 0) {
    const direct = form.kind === SUBTRACT && form.plain ? compared(view, form.width, pair) : null;
    if (direct !== null) return direct;
    if (form.logical && (pair === LESS || pair === LESS + 1)) return againstZero(view, form.width, pair);
  }
  const flag = (which: Flag) => flagOf(view, which)!;
  switch (pair) {
    case OVERFLOW:
      return flag(FLAG.OF);
    case BELOW:
      return flag(FLAG.CF);
    case ZERO:
      return flag(FLAG.ZF);
    case BELOW_OR_EQUAL:
      return logic("Or", flag(FLAG.CF), flag(FLAG.ZF));
    case SIGN:
      return flag(FLAG.SF);
    case PARITY:
      return flag(FLAG.PF);
    case LESS:
      return logic("Xor", flag(FLAG.SF), flag(FLAG.OF));
    default:
      return logic("Or", flag(FLAG.ZF), logic("Xor", flag(FLAG.SF), flag(FLAG.OF)));
  }
}

/** After a comparison, orders need no flags. */
function compared({ left, right }: FlagView, width: Width, pair: number): Value | null {
  const [a, b] = [fit(width, left), fit(width, right)];
  switch (pair) {
    case BELOW:
      return compare("LtU", a, b);
    case ZERO:
      return isConstant(b) && b.constant === 0n ? isZero(a) : compare("Eq", a, b);
    case BELOW_OR_EQUAL:
      return compare("LeU", a, b);
    case LESS:
    case LESS + 1: {
      const wide = width === 64;
      return compare(pair === LESS ? "LtS" : "LeS", signed(width, a, wide), signed(width, b, wide));
    }
    default:
      return null;
  }
}

/** After a logical operation, less than zero is the sign. */
function againstZero({ result }: FlagView, width: Width, pair: number): Value {
  const wide = width === 64;
  return compare(pair === LESS ? "LtS" : "LeS", signed(width, fit(width, result), wide), constant(0n));
}

/** From the six flags as one number, as `status` of the runtime gives it. */
export function knownView(bits: Value): FlagView {
  const form = { kind: KNOWN, width: 32, plain: false, logical: false, overridden: 0 } as const;
  const none = constant(0n);
  return { form, left: none, right: none, result: none, bits, state: constant(BigInt(packForm(form))), carry: null };
}

/** Flags of which each has been set by itself. */
export function allOverridden(bits: Value): FlagView {
  const view = knownView(bits);
  const form = { ...view.form!, overridden: STATUS };
  return { ...view, form, state: constant(BigInt(packForm(form))) };
}

/** The flags after one has been set by itself. */
export function withFlag(view: FlagView, flag: Flag, value: Value): FlagView {
  const mask = 1n << BigInt(flag);
  const others = logic("And", view.bits, constant(0xffffffffn & ~mask));
  const bits = logic("Or", others, as32(shift("Shl", isNonZero(value), constant(BigInt(flag)))));
  const state = logic("Or", view.state, constant(mask << 16n));
  const form = view.form === null ? null : { ...view.form, overridden: view.form.overridden | Number(mask) };
  return { ...view, form, bits, state, carry: flag === FLAG.CF ? null : view.carry };
}

/** The flags after an instruction that sets them all. */
export function computed(kind: LazyKind, width: Width, left: Value, right: Value, result: Value): FlagView {
  const logical = kind === RESULT && isConstant(left) && isConstant(right) && (left.constant | right.constant) === 0n;
  const plain = (kind === ADD || kind === SUBTRACT) && isPlain(kind, width, left, right, result);
  const form = { kind, width, plain, logical, overridden: 0 };
  return { form, left, right, result, bits: constant(0n), state: constant(BigInt(packForm(form))), carry: null };
}
