/** How translated code puts the flags back into the processor's state. */
import { STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { type ByteWriter, OP } from "./encoder.ts";
import { emitResult, type FlagForm } from "./flag-view.ts";
import { type FunctionWriter, LOCAL } from "./function-writer.ts";

function storeWord({ out }: FunctionWriter, op: number, to: number, value: () => void): void {
  out.i32(0);
  value();
  out.memory(op, to);
}

/** Leaves the six flags on the stack; `status` is the runtime's function. */
export function emitStatus(out: ByteWriter, status: number): void {
  for (const local of [LOCAL.flagState, LOCAL.left, LOCAL.right, LOCAL.result, LOCAL.flagBits]) out.get(local);
  out.byte(OP.call);
  out.unsigned(status);
}

/** Stores the flags that the locals hold. `overrides`: single ones may have been set, unless the form is known. */
export function emitStoredFlags(fn: FunctionWriter, form: FlagForm | null, overrides: boolean, status: number): void {
  const { out } = fn;
  if (form !== null && form.overridden === 0) {
    storeWord(fn, OP.i64Store, at.LAZY_KIND, () => out.i64(BigInt(form.kind) | (BigInt(form.width) << 32n)));
    storeOperands(fn);
    return;
  }
  emitResult(fn, { state: LOCAL.flagState, left: LOCAL.left, right: LOCAL.right, result: LOCAL.result });
  if (!overrides) {
    storeLazy(fn);
    return;
  }
  out.get(LOCAL.flagState);
  out.i32(16);
  out.byte(OP.i32ShrU);
  fn.open(OP.if);
  storeWord(fn, OP.i64Store, at.RFLAGS, () => {
    out.i32(0);
    out.memory(OP.i64Load, at.RFLAGS);
    out.i64(~BigInt(STATUS));
    out.byte(OP.i64And);
    emitStatus(out, status);
    out.byte(OP.i64ExtendI32U);
    out.byte(OP.i64Or);
  });
  storeWord(fn, OP.i32Store, at.LAZY_KIND, () => out.i32(0));
  fn.otherwise();
  storeLazy(fn);
  fn.end();
}

function storeLazy(fn: FunctionWriter): void {
  const { out } = fn;
  storeWord(fn, OP.i32Store, at.LAZY_KIND, () => {
    out.get(LOCAL.flagState);
    out.i32(0xff);
    out.byte(OP.i32And);
  });
  storeWord(fn, OP.i32Store, at.LAZY_WIDTH, () => {
    out.get(LOCAL.flagState);
    out.i32(8);
    out.byte(OP.i32ShrU);
    out.i32(0x7f);
    out.byte(OP.i32And);
  });
  storeOperands(fn);
}

function storeOperands(fn: FunctionWriter): void {
  storeWord(fn, OP.i64Store, at.LAZY_LEFT, () => fn.out.get(LOCAL.left));
  storeWord(fn, OP.i64Store, at.LAZY_RIGHT, () => fn.out.get(LOCAL.right));
  storeWord(fn, OP.i64Store, at.LAZY_RESULT, () => fn.out.get(LOCAL.result));
}
