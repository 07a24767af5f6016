/**
 * The code of one shape: a block of instructions with known registers and open numbers, as a WebAssembly function that
 * serves all blocks of the shape, wherever they lie. It is given the record of the first instruction; those of the
 * others must follow in a row.
 */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { emitEvaluate, emitFormCall } from "./arrival.ts";
import { BlockEmitter, type BlockStep } from "./block-emitter.ts";
import { type Departure, NotEmitted, type RuntimeFunctions } from "./branch-emitter.ts";
import { RECORD, RECORD_BYTES } from "./code-records.ts";
import type { Context } from "./context.ts";
import { type FunctionBody, I32, I64, OP } from "./encoder.ts";
import { flagsDie } from "./flag-liveness.ts";
import { NO_GATES } from "./form-function.ts";
import { FIXED, FunctionWriter, type Label, LEAVING, LOCAL } from "./function-writer.ts";
import type { Head } from "./heads.ts";
import { emitNear, mayBeNear } from "./near-jumps.ts";
import { FORM } from "./open-emitter.ts";
import { RegionFrame } from "./region-frame.ts";
import { survey } from "./survey.ts";

/** Rounds of a loop between two arrivals at it, which are counted. */
const ROUNDS = 64;

/** Thrown where a block must end before one of its instructions. */
class TooLong extends Error {
  constructor(readonly length: number) {
    super();
  }
}

class BlockWriter {
  readonly body = new FunctionWriter(3, FIXED.slice(2));
  readonly emitter: BlockEmitter;
  readonly #steps: readonly BlockStep[];
  /** Bytes of RAM. */
  readonly size: number;
  /** The instruction being written. */
  #index = 0;
  #exit: Label = 0;
  #start: Label = 0;

  constructor(
    heads: readonly Head[],
    readonly context: Context,
    cpu: Cpu,
    readonly runtime: RuntimeFunctions,
    /** Index of the type of forms. */
    readonly type: number,
    /** The last instruction jumps to the first. */
    readonly loops: boolean,
  ) {
    this.emitter = new BlockEmitter(this.body, context, runtime, cpu, NO_GATES, () => this.#leave(LEAVING.evaluate));
    this.size = cpu.memory.size;
    let end = 0;
    this.#steps = heads.map((head, index) => {
      end += head.decoded.length;
      const findings = survey(head.decoded.meaning, head.decoded.instruction, context.stackWidth);
      return { head, findings, index, end };
    });
  }

  write(name: string): FunctionBody {
    const { body, emitter, loops } = this;
    this.#exit = body.open(OP.block);
    emitter.claimed = body.keep(I32);
    const rounds = body.keep(I32);
    if (loops) this.#start = body.open(OP.loop);
    this.#charge();
    emitter.carried = loops;
    emitter.flagsAreStored = !loops;
    emitter.remembers = loops;
    let departure: Departure | null = null;
    for (const step of this.#steps) {
      this.#index = step.index;
      departure = this.#step(step);
      if (emitter.claims && step.index + 1 < this.#steps.length) this.#leaveAfterClaim();
    }
    this.#finish(departure, rounds);
    if (loops) body.end();
    body.out.byte(OP.unreachable);
    body.end();
    const whole = new FunctionWriter();
    this.#checkRecords(whole);
    const frame = new RegionFrame(whole, emitter, this.context, this.runtime);
    frame.load();
    whole.out.append(body.out.bytes.subarray(0, body.out.length));
    frame.store(null);
    this.#goOn(whole);
    whole.out.byte(OP.end);
    return { type: this.type, locals: body.locals, code: whole.out.result(), name };
  }

  #step(step: BlockStep): Departure | null {
    if (step.head.decoded.instruction.repeat !== null) throw new TooLong(step.index);
    // A store may be the reason to leave after the instruction: then somebody sees its flags.
    const die = !step.findings.leaves && flagsDie(this.#steps, step.index);
    try {
      return this.emitter.step(step, die);
    } catch (reason) {
      throw reason instanceof NotEmitted ? new TooLong(step.index) : reason;
    }
  }

  /** Goes to `renew` unless the records of the others follow that of the first. */
  #checkRecords(fn: FunctionWriter): void {
    const { out } = fn;
    const tag = this.body.keep(I64);
    out.get(FORM.record);
    out.memory(OP.i64Load, RECORD.tag);
    out.set(tag);
    const others = this.#steps.slice(1);
    for (const { index } of others) {
      out.get(FORM.record);
      out.memory(OP.i64Load, index * RECORD_BYTES + RECORD.tag);
      out.get(tag);
      out.i64(BigInt(this.#steps[index - 1]!.end));
      out.byte(OP.i64Add);
      out.byte(OP.i64Xor);
      if (index > 1) out.byte(OP.i64Or);
    }
    out.byte(OP.i64Eqz);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    for (const local of [FORM.budget, FORM.rip, FORM.record]) out.get(local);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.renew());
    fn.end();
  }

  #resume({ out }: FunctionWriter): void {
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.resume);
  }

  /** Takes the instructions from the budget, or leaves before the first. */
  #charge(): void {
    const { out } = this.body;
    out.get(FORM.budget);
    out.i32(this.#steps.length);
    out.byte(OP.i32Sub);
    out.tee(FORM.budget);
    out.i32(0);
    out.byte(OP.i32LtS);
    this.body.open(OP.if);
    this.#index = 0;
    this.#leave(LEAVING.evaluate);
    this.body.end();
  }

  /** Leaves before the instruction being written. */
  #leave(why: number): void {
    this.#leaveBefore(this.#index, why);
  }

  #leaveAfterClaim(): void {
    const { out } = this.body;
    out.get(this.emitter.claimed!);
    this.body.open(OP.if);
    this.#leaveBefore(this.#index + 1, LEAVING.look);
    this.body.end();
  }

  #leaveBefore(index: number, why: number): void {
    const { body } = this;
    const { out } = body;
    out.get(FORM.budget);
    out.i32(this.#steps.length - index);
    out.byte(OP.i32Add);
    out.set(FORM.budget);
    this.#address(index);
    out.set(LOCAL.rip);
    out.i32(why);
    out.set(LOCAL.leaving);
    body.branch(this.#exit);
  }

  /** Leaves the address of an instruction on the stack, or of the one that follows the block. */
  #address(index: number): void {
    const { out } = this.body;
    out.get(FORM.rip);
    if (index === 0) return;
    out.i64(BigInt(this.#steps[index - 1]!.end));
    out.byte(OP.i64Add);
    this.#wrap();
  }

  #wrap(): void {
    if (this.context.mode === 64) return;
    const { out } = this.body;
    out.i64(0xffffffffn);
    out.byte(OP.i64And);
  }

  /** After the last instruction. */
  #finish(departure: Departure | null, rounds: number): void {
    const { body, emitter } = this;
    const { out } = body;
    const condition = departure?.condition ?? null;
    if (condition !== null) {
      body.emit(condition);
      out.set(LOCAL.label);
    }
    if (this.loops) this.#again(condition !== null, rounds);
    new RegionFrame(body, emitter, this.context, this.runtime).store(emitter.form);
    if (departure === null) this.#next();
    else if (condition === null) this.#arrive(departure);
    else {
      out.get(LOCAL.label);
      body.open(OP.if);
      this.#arrive(departure);
      body.end();
      this.#next();
    }
  }

  /** Begins another round where the jump leads back; now and then arrives there anew. */
  #again(isConditional: boolean, rounds: number): void {
    const { body } = this;
    const { out } = body;
    const { index, end } = this.#steps.at(-1)!;
    out.get(FORM.record);
    out.memory(OP.i32Load, index * RECORD_BYTES + RECORD.displacement);
    out.i32(-end);
    out.byte(OP.i32Eq);
    if (isConditional) {
      out.get(LOCAL.label);
      out.byte(OP.i32And);
    }
    out.get(rounds);
    out.i32(1);
    out.byte(OP.i32Add);
    out.tee(rounds);
    out.i32(ROUNDS);
    out.byte(OP.i32LtU);
    out.byte(OP.i32And);
    body.open(OP.if);
    this.emitter.carryOver();
    body.branch(this.#start);
    body.end();
  }

  #arrive({ target }: Departure): void {
    const { body } = this;
    const { out } = body;
    const { index, end, head } = this.#steps.at(-1)!;
    const offset = index * RECORD_BYTES;
    if (typeof target === "bigint") {
      out.get(FORM.rip);
      out.get(FORM.record);
      out.memory(OP.i32Load, offset + RECORD.displacement);
      out.byte(OP.i64ExtendI32S);
      out.i64(BigInt(end));
      out.byte(OP.i64Add);
      out.byte(OP.i64Add);
      this.#wrap();
      if (mayBeNear(head.decoded.instruction)) {
        out.set(FORM.rip);
        emitNear(body, { size: this.size, type: this.type, offset }, () => out.i64(BigInt(end)));
        out.get(FORM.budget);
        out.get(FORM.rip);
        out.get(FORM.record);
        out.i32(offset);
        out.byte(OP.i32Add);
        out.byte(OP.returnCall);
        out.unsigned(this.runtime.follow());
        return;
      }
      out.set(LOCAL.rip);
    }
    out.get(FORM.budget);
    out.get(LOCAL.rip);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.arrive);
  }

  /** Goes on with the instruction that follows. */
  #next(): void {
    const { body } = this;
    const { out } = body;
    const { length } = this.#steps;
    const end = this.#steps.at(-1)!.end;
    this.#address(length);
    out.set(FORM.rip);
    out.get(FORM.record);
    out.memory(OP.i64Load, RECORD.tag);
    out.i64(BigInt(end));
    out.byte(OP.i64Add);
    out.get(FORM.record);
    out.i32(length * RECORD_BYTES);
    out.byte(OP.i32Add);
    out.tee(FORM.record);
    out.memory(OP.i64Load, RECORD.tag);
    out.byte(OP.i64Eq);
    body.open(OP.if);
    for (const local of [FORM.budget, FORM.rip, FORM.record]) out.get(local);
    emitFormCall(body, FORM.record, this.type);
    body.end();
    out.get(FORM.budget);
    out.get(FORM.rip);
    this.#resume(body);
  }

  /** After leaving: the next form goes on, or the evaluator must. */
  #goOn(fn: FunctionWriter): void {
    const { out } = fn;
    out.get(LOCAL.leaving);
    out.i32(LEAVING.look);
    out.byte(OP.i32Eq);
    fn.open(OP.if);
    out.get(FORM.budget);
    out.get(LOCAL.rip);
    this.#resume(fn);
    fn.end();
    emitEvaluate(fn);
  }
}

/** Makes the function of a shape, as far as it can be done in one; null where that is not worth it. */
export function makeBlock(
  heads: readonly Head[],
  cpu: Cpu,
  runtime: RuntimeFunctions,
  type: number,
  loops: boolean,
  name: string,
): FunctionBody | null {
  const { context } = heads[0]!;
  for (let length = heads.length; length > 1; ) {
    try {
      return new BlockWriter(
        heads.slice(0, length),
        context,
        cpu,
        runtime,
        type,
        loops && length === heads.length,
      ).write(name);
    } catch (reason) {
      if (!(reason instanceof TooLong)) throw reason;
      length = reason.length;
    }
  }
  return null;
}
