/** The code of one form: a WebAssembly function that does one instruction, and goes on with the next one's form. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import * as at from "#machine/cpu/layout.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { emitEvaluate, emitFormCall } from "./arrival.ts";
import type { RuntimeFunctions } from "./branch-emitter.ts";
import { RECORD, RECORD_BYTES } from "./code-records.ts";
import type { Context } from "./context.ts";
import { type FunctionBody, OP } from "./encoder.ts";
import { emitStoredFlags } from "./flag-storage.ts";
import { FormEmitter } from "./form-emitter.ts";
import { FIXED, FunctionWriter, type Label, LOCAL } from "./function-writer.ts";
import type { Gates } from "./gates.ts";
import { emitNear, mayBeNear } from "./near-jumps.ts";
import { AGAIN, FORM } from "./open-emitter.ts";
import { OPEN_REGISTER } from "./open-instruction.ts";

/** Forms and blocks touch nothing that interrupts or system calls need. */
export const NO_GATES: Gates = {
  gate: () => null,
  plainReturn: () => null,
  outcome: () => null,
  inner: () => null,
  outer: () => null,
};

export interface Form {
  readonly body: FunctionBody;
  /** Registers that it changes: those that are open by their order, from `OPEN_REGISTER` on. */
  readonly written: ReadonlySet<number>;
  /** Registers that it reads or writes though no operand names them. */
  readonly implied: readonly number[];
}

class FormWriter {
  readonly body: FunctionWriter;
  readonly emitter: FormEmitter;
  #exit: Label = 0;

  constructor(
    readonly decoded: DecodedInstruction,
    readonly context: Context,
    readonly cpu: Cpu,
    readonly runtime: RuntimeFunctions,
    /** Index of the type of forms. */
    readonly type: number,
    closed: boolean,
    /** The next instruction begins in another page. */
    readonly isLast: boolean,
  ) {
    this.body = new FunctionWriter(3, FIXED.slice(2));
    const leave = () => this.body.branch(this.#exit);
    this.emitter = new FormEmitter(this.body, context, runtime, cpu, NO_GATES, leave);
    this.emitter.closed = closed;
  }

  write(name: string): Form {
    const { body, decoded, emitter } = this;
    const whole = new FunctionWriter();
    this.#exit = body.open(OP.block);
    const departure = emitter.instruction({ start: AGAIN, decoded, findings: null as never }, false);
    const condition = departure?.condition ?? null;
    if (condition !== null) {
      body.emit(condition);
      body.out.set(LOCAL.label);
    }
    this.#store();
    if (departure !== null) {
      if (condition !== null) {
        body.out.get(LOCAL.label);
        body.open(OP.if);
      }
      this.#depart(departure.target);
      if (condition !== null) body.end();
    }
    if (departure === null || condition !== null) this.#next();
    body.end();
    this.#load(whole);
    whole.out.append(body.out.bytes.subarray(0, body.out.length));
    this.#evaluate(whole);
    whole.out.byte(OP.end);
    const implied = [...emitter.used].filter((number) => number < OPEN_REGISTER);
    const code = whole.out.result();
    return { body: { type: this.type, locals: body.locals, code, name }, written: emitter.written, implied };
  }

  /** Takes the instruction from the budget, or returns before it; then loads what it needs. */
  #load(fn: FunctionWriter): void {
    const { out } = fn;
    out.get(FORM.budget);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    this.#saveRip(fn);
    out.i32(0);
    out.byte(OP.return);
    fn.end();
    for (const [number, local] of this.emitter.registerLocals) {
      this.#registerAddress(fn, number);
      out.memory(OP.i64Load, number < OPEN_REGISTER ? number * 8 : 0);
      out.set(local);
    }
    this.emitter.loadRounding(fn);
    for (const [number, local] of this.emitter.vectorLocals) {
      out.i32(0);
      out.vectorMemory("load", at.XMM + number * 16);
      out.set(local);
    }
  }

  #registerAddress({ out }: FunctionWriter, number: number): void {
    if (number < OPEN_REGISTER) {
      out.i32(0);
      return;
    }
    out.get(FORM.record);
    out.memory(OP.i32Load8U, RECORD.registers + number - OPEN_REGISTER);
  }

  #saveRip({ out }: FunctionWriter): void {
    out.i32(0);
    out.get(FORM.rip);
    out.memory(OP.i64Store, at.RIP);
  }

  /** Registers and flags go back to the state. */
  #store(): void {
    const { body, emitter } = this;
    const { out } = body;
    for (const number of emitter.written) {
      this.#registerAddress(body, number);
      out.get(emitter.registerLocals.get(number)!);
      out.memory(OP.i64Store, number < OPEN_REGISTER ? number * 8 : 0);
    }
    for (const number of emitter.vectorsWritten) {
      out.i32(0);
      out.get(emitter.vectorLocals.get(number)!);
      out.vectorMemory("store", at.XMM + number * 16);
    }
    if (emitter.setsFlags) emitStoredFlags(body, emitter.form, this.runtime.keepFlags);
    out.get(FORM.budget);
    out.i32(1);
    out.byte(OP.i32Sub);
    out.set(FORM.budget);
  }

  /** Goes on with the instruction that follows. */
  #next(): void {
    const { body, context } = this;
    const { out } = body;
    out.get(FORM.rip);
    this.#length();
    out.byte(OP.i64Add);
    if (context.mode !== 64) this.#wrap();
    out.set(FORM.rip);
    if (this.isLast) {
      out.get(FORM.budget);
      out.get(FORM.rip);
      this.#arrive();
      return;
    }
    this.#length();
    out.get(FORM.record);
    out.memory(OP.i64Load, RECORD.tag);
    out.byte(OP.i64Add);
    out.get(FORM.record);
    out.i32(RECORD_BYTES);
    out.byte(OP.i32Add);
    out.tee(FORM.record);
    out.memory(OP.i64Load, RECORD.tag);
    out.byte(OP.i64Eq);
    body.open(OP.if);
    out.get(FORM.budget);
    out.get(FORM.rip);
    out.get(FORM.record);
    emitFormCall(body, FORM.record, this.type);
    body.end();
    out.get(FORM.budget);
    out.get(FORM.rip);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.resume);
  }

  /** Leaves the instruction's length on the stack, as i64. */
  #length(): void {
    const { out } = this.body;
    out.get(FORM.record);
    out.memory(OP.i32Load8U, RECORD.length);
    out.byte(OP.i64ExtendI32U);
  }

  #wrap(): void {
    const { out } = this.body;
    out.i64(0xffffffffn);
    out.byte(OP.i64And);
  }

  #depart(target: unknown): void {
    const { out } = this.body;
    out.get(FORM.budget);
    if (target === AGAIN) {
      out.get(FORM.rip);
      out.get(FORM.record);
      emitFormCall(this.body, FORM.record, this.type);
      return;
    }
    if (typeof target !== "bigint") {
      out.get(LOCAL.rip);
      this.#arrive();
      return;
    }
    out.get(FORM.rip);
    this.#length();
    out.byte(OP.i64Add);
    out.get(FORM.record);
    out.memory(OP.i32Load, RECORD.displacement);
    out.byte(OP.i64ExtendI32S);
    out.byte(OP.i64Add);
    if (this.context.mode !== 64) this.#wrap();
    if (!mayBeNear(this.decoded.instruction)) {
      this.#arrive();
      return;
    }
    out.set(FORM.rip);
    out.set(FORM.budget);
    emitNear(this.body, { size: this.cpu.memory.size, type: this.type, offset: 0 }, () => this.#length());
    for (const local of [FORM.budget, FORM.rip, FORM.record]) out.get(local);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.follow());
  }

  #arrive(): void {
    this.body.out.byte(OP.returnCall);
    this.body.out.unsigned(this.runtime.arrive);
  }

  /** After leaving: the evaluator does the instruction. */
  #evaluate(fn: FunctionWriter): void {
    this.#saveRip(fn);
    emitEvaluate(fn);
  }
}

/** Makes the function of a form from one of its instructions. Throws `NotEmitted` where only the evaluator can do it. */
export function makeForm(
  decoded: DecodedInstruction,
  context: Context,
  cpu: Cpu,
  runtime: RuntimeFunctions,
  type: number,
  { closed, isLast }: { readonly closed: boolean; readonly isLast: boolean },
  name: string,
): Form {
  return new FormWriter(decoded, context, cpu, runtime, type, closed, isLast).write(name);
}
