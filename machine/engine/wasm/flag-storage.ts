/** How translated code puts the flags back into the processor's state. */
import { STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { type ByteWriter, type FunctionBody, type FunctionType, I32, I64, OP } from "./encoder.ts";
import { as64 } from "./expressions.ts";
import { emitResult, type FlagForm, viewOfLocals } from "./flag-view.ts";
import { FunctionWriter, LOCAL } from "./function-writer.ts";

/** Parameters of functions that are given all that is kept of the flags. */
export const KEPT = { state: 0, left: 1, right: 2, result: 3, bits: 4 } as const;
export const KEPT_TYPES = [I32, I64, I64, I64, I32] as const;
export const KEEP_FLAGS_TYPE: FunctionType = { parameters: KEPT_TYPES, results: [] };

function storeWord({ out }: FunctionWriter, op: number, to: number, value: () => void): void {
  out.i32(0);
  value();
  out.memory(op, to);
}

/** Calls a function of the runtime with what the locals keep of the flags. */
export function emitFlagsCall(out: ByteWriter, called: number): void {
  for (const local of [LOCAL.flagState, LOCAL.left, LOCAL.right, LOCAL.result, LOCAL.flagBits]) out.get(local);
  out.byte(OP.call);
  out.unsigned(called);
}

/** Stores the flags that the locals hold: in place where their form is known, otherwise by the runtime's function. */
export function emitStoredFlags(fn: FunctionWriter, form: FlagForm | null, keepFlags: number): void {
  if (form === null || form.overridden !== 0) {
    emitFlagsCall(fn.out, keepFlags);
    return;
  }
  const { left, right, result } = viewOfLocals(form, false);
  storeWord(fn, OP.i64Store, at.LAZY_KIND, () => fn.out.i64(BigInt(form.kind) | (BigInt(form.width) << 32n)));
  storeWord(fn, OP.i64Store, at.LAZY_LEFT, () => fn.emit(as64(left)));
  storeWord(fn, OP.i64Store, at.LAZY_RIGHT, () => fn.emit(as64(right)));
  storeWord(fn, OP.i64Store, at.LAZY_RESULT, () => fn.emit(as64(result)));
}

/** The function that stores the flags, whatever their form. `status`: number of the function that computes all six. */
export function keepFlagsFunction(type: number, status: number): FunctionBody {
  const fn = new FunctionWriter(KEPT_TYPES.length, []);
  const { out } = fn;
  emitResult(fn, KEPT);
  out.get(KEPT.state);
  out.i32(16);
  out.byte(OP.i32ShrU);
  fn.open(OP.if);
  storeWord(fn, OP.i64Store, at.RFLAGS, () => {
    out.i32(0);
    out.memory(OP.i64Load, at.RFLAGS);
    out.i64(~BigInt(STATUS));
    out.byte(OP.i64And);
    for (const parameter of Object.values(KEPT)) out.get(parameter);
    out.byte(OP.call);
    out.unsigned(status);
    out.byte(OP.i64ExtendI32U);
    out.byte(OP.i64Or);
  });
  storeWord(fn, OP.i32Store, at.LAZY_KIND, () => out.i32(0));
  fn.otherwise();
  storeLazy(fn);
  fn.end();
  out.byte(OP.end);
  return { type, locals: fn.locals, code: out.result(), name: "keepFlags" };
}

function storeLazy(fn: FunctionWriter): void {
  const { out } = fn;
  storeWord(fn, OP.i32Store, at.LAZY_KIND, () => {
    out.get(KEPT.state);
    out.i32(0xff);
    out.byte(OP.i32And);
  });
  storeWord(fn, OP.i32Store, at.LAZY_WIDTH, () => {
    out.get(KEPT.state);
    out.i32(8);
    out.byte(OP.i32ShrU);
    out.i32(0x7f);
    out.byte(OP.i32And);
  });
  storeWord(fn, OP.i64Store, at.LAZY_LEFT, () => out.get(KEPT.left));
  storeWord(fn, OP.i64Store, at.LAZY_RIGHT, () => out.get(KEPT.right));
  storeWord(fn, OP.i64Store, at.LAZY_RESULT, () => out.get(KEPT.result));
}
