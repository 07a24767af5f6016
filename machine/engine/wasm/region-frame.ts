/** The frame around a region's blocks: registers loaded before, stored after, and the way to whoever goes on. */
import { STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { emitEvaluate } from "./arrival.ts";
import type { RuntimeFunctions } from "./branch-emitter.ts";
import type { Context } from "./context.ts";
import { OP } from "./encoder.ts";
import { emitFlagsCall, emitStoredFlags } from "./flag-storage.ts";
import type { FlagForm } from "./flag-view.ts";
import { emitUndone, type FunctionWriter, LEAVING, LOCAL, WHY } from "./function-writer.ts";
import { NO_PAGE } from "./tlb-access.ts";
import type { VectorEmitter } from "./vector-emitter.ts";

/** Index of the type of a region. */
export const REGION_TYPE = 0;

export class RegionFrame {
  /** `emitter` has written the blocks: it knows what they need. */
  constructor(
    readonly fn: FunctionWriter,
    readonly emitter: VectorEmitter,
    readonly context: Context,
    readonly runtime: RuntimeFunctions,
  ) {}

  /** Loads what the blocks use. */
  load(): void {
    const { out } = this.fn;
    const loads: [local: number, op: number, from: number][] = [
      [LOCAL.left, OP.i64Load, at.LAZY_LEFT],
      [LOCAL.right, OP.i64Load, at.LAZY_RIGHT],
      [LOCAL.result, OP.i64Load, at.LAZY_RESULT],
    ];
    for (const register of this.emitter.used)
      loads.push([this.emitter.registerLocal(register), OP.i64Load, register * 8]);
    for (const [local, op, from] of loads) {
      out.i32(0);
      out.memory(op, from);
      out.set(local);
    }
    for (const { page } of this.emitter.pages.values()) {
      out.i64(NO_PAGE);
      out.set(page);
    }
    this.emitter.loadRounding(this.fn);
    for (const [number, local] of this.emitter.vectorLocals) {
      out.i32(0);
      out.vectorMemory("load", at.XMM + number * 16);
      out.set(local);
    }
    out.i32(0);
    out.memory(OP.i32Load, at.LAZY_KIND);
    out.i32(0);
    out.memory(OP.i32Load, at.LAZY_WIDTH);
    out.i32(8);
    out.byte(OP.i32Shl);
    out.byte(OP.i32Or);
    out.set(LOCAL.flagState);
    out.i32(0);
    out.memory(OP.i32Load, at.RFLAGS);
    out.i32(STATUS);
    out.byte(OP.i32And);
    out.set(LOCAL.flagBits);
    if (this.emitter.usesCarry) {
      emitFlagsCall(out, this.runtime.status);
      out.i32(1);
      out.byte(OP.i32And);
      out.set(LOCAL.carry);
    }
  }

  /** Stores what they may have changed; the form of the flags is null where only the running code knows it. */
  store(form: FlagForm | null): void {
    const { fn } = this;
    const { out } = fn;
    const word = (op: number, to: number, value: () => void) => {
      out.i32(0);
      value();
      out.memory(op, to);
    };
    for (const register of this.emitter.written)
      word(OP.i64Store, register * 8, () => out.get(this.emitter.registerLocal(register)));
    for (const number of this.emitter.vectorsWritten) {
      out.i32(0);
      out.get(this.emitter.vectorLocals.get(number)!);
      out.vectorMemory("store", at.XMM + number * 16);
    }
    word(OP.i64Store, at.RIP, () => out.get(LOCAL.rip));
    emitStoredFlags(fn, form, this.runtime.keepFlags);
  }

  /** To what there is at rip: a region or forms; or back to the engine. */
  goOn(mayMiss: boolean): void {
    const { fn } = this;
    const { out } = fn;
    out.get(LOCAL.leaving);
    fn.open(OP.if);
    out.get(LOCAL.budget);
    emitUndone(fn);
    out.byte(OP.i32Add);
    out.set(LOCAL.budget);
    if (this.emitter.callsOut) this.#returnToLook();
    if (mayMiss) this.#findPage();
    this.#why();
    fn.open(OP.if);
    emitEvaluate(fn);
    out.byte(OP.return);
    fn.end();
    fn.end();
    this.#arrive();
  }

  /** Goes on where an access was missed, if its page is found. */
  #findPage(): void {
    const { fn } = this;
    const { out } = fn;
    this.#why();
    out.i32(LEAVING.missed);
    out.byte(OP.i32GeU);
    fn.open(OP.if);
    out.get(LOCAL.missed);
    this.#why();
    out.i32(LEAVING.missed);
    out.byte(OP.i32Sub);
    out.i32(this.context.key);
    out.get(LOCAL.budget);
    out.byte(OP.call);
    out.unsigned(this.runtime.missed);
    fn.open(OP.if);
    this.#arrive();
    fn.end();
    fn.end();
  }

  #why(): void {
    const { out } = this.fn;
    out.get(LOCAL.leaving);
    out.i32(WHY);
    out.byte(OP.i32And);
  }

  #arrive(): void {
    const { out } = this.fn;
    out.get(LOCAL.budget);
    out.get(LOCAL.rip);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.arrive);
  }

  #returnToLook(): void {
    const { fn } = this;
    const { out } = fn;
    this.#why();
    out.i32(LEAVING.look);
    out.byte(OP.i32Eq);
    fn.open(OP.if);
    out.get(LOCAL.budget);
    out.byte(OP.return);
    fn.end();
  }
}
