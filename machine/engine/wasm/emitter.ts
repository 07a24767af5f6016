/**
 * The emitter: Semantics over values of a WebAssembly function. An instruction's meaning runs once, while translating,
 * and leaves behind the code that does what the evaluator would have done at once.
 */

import { KNOWN } from "#machine/cpu/flags.ts";
import type { Semantics, SystemOperation, Width } from "#machine/cpu/semantics.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { type Branch, type Departure, NotEmitted } from "./branch-emitter.ts";
import { OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { LOCAL } from "./function-writer.ts";
import { MemoryEmitter } from "./memory-emitter.ts";
import type { Step } from "./region.ts";

export abstract class Emitter extends MemoryEmitter implements Semantics<Value> {
  #next = 0n;
  #start = 0n;

  /**
   * Writes the code of one instruction, all but its departure, which it gives. Throws `NotEmitted`, with nothing
   * written, where the evaluator must do it. `flagsDie`: nobody will see the flags that it sets.
   */
  instruction({ decoded, start }: Step, flagsDie: boolean): Departure | null {
    const { fn } = this;
    this.#start = start;
    this.#next = this.#wrap(start + BigInt(decoded.length));
    this.flagsDie = flagsDie;
    this.stored = false;
    this.irrevocable = false;
    this.touchesFlags = false;
    x.scope.depth = 0;
    const branch = this.fresh();
    this.branch = branch;
    try {
      this.run(decoded);
      if (this.irrevocable && this.branch.departure !== null) throw new NotEmitted("a jump after a call");
    } catch (reason) {
      fn.release();
      throw reason;
    }
    const departure = this.#settleDeparture(branch);
    for (const statement of branch.statements) statement(0);
    this.#commit(branch);
    this.finish();
    fn.release();
    this.form = branch.flags.form;
    if (this.touchesFlags) this.carried = false;
    return departure;
  }

  protected abstract run(decoded: DecodedInstruction): void;

  /** Writes what comes after the instruction is done. */
  protected abstract finish(): void;

  /** The local that holds an XMM register. */
  protected abstract vectorLocal(number: number): number;

  /** Values that a departure needs are computed before the registers change. */
  #settleDeparture(branch: Branch): Departure | null {
    const { departure } = branch;
    if (departure === null) return null;
    const { target, condition, settled } = departure;
    if (settled) return departure;
    if (typeof target !== "bigint") {
      this.push((depth) => {
        this.fn.emit(target, depth);
        this.fn.out.set(LOCAL.rip);
      });
      return { target, condition: null };
    }
    if (condition === null || (branch.registers.size === 0 && !this.touchesFlags)) return departure;
    return { target, condition: this.hold(condition) };
  }

  #leaveUnlessCanonical(target: Value): void {
    const spread = x.shift("ShrS", x.shift("Shl", target, x.constant(16n)), x.constant(16n));
    this.leaveIf(x.compare("Ne", spread, target));
  }

  /** Writes the registers and flags that the instruction leaves. */
  #commit({ registers, flags }: Branch): void {
    const { fn } = this;
    const targets: number[] = [];
    const assign = (index: number, value: Value) => {
      if (value.op === OP.localGet && value.index === index) return;
      fn.emit(value);
      targets.push(index);
    };
    for (const [number, value] of registers) assign(this.registerLocal(number), x.as64(value));
    for (const [number, value] of this.branch.vectors) assign(this.vectorLocal(number), value);
    if (this.touchesFlags) {
      const { form } = flags;
      if (form?.logical !== true) assign(LOCAL.left, x.as64(flags.left));
      if (form?.logical !== true) assign(LOCAL.right, x.as64(flags.right));
      if (form?.plain !== true) assign(LOCAL.result, x.as64(flags.result));
      if (form === null || form.kind === KNOWN || form.overridden !== 0) assign(LOCAL.flagBits, x.as32(flags.bits));
      assign(LOCAL.flagState, x.as32(flags.state));
    }
    for (const target of targets.reverse()) fn.out.set(target);
  }

  #wrap(rip: bigint): bigint {
    return BigInt.asUintN(this.context.mode === 64 ? 64 : 32, rip);
  }

  // Going elsewhere

  nextInstruction(): Value {
    return x.constant(this.#next);
  }

  protected depart(target: bigint | Value): void {
    if (this.branch.departure !== null) throw new NotEmitted("two jumps in one instruction");
    this.branch.departure = { target, condition: null };
  }

  jump(target: Value): void {
    if (x.isConstant(target)) {
      this.#toKnown(target.constant);
      return;
    }
    const held = this.hold(x.as64(target));
    if (this.context.mode === 64) this.#leaveUnlessCanonical(held);
    else if (this.context.codeLimit < 0xffffffff)
      this.leaveIf(x.compare("LtU", x.constant(BigInt(this.context.codeLimit)), held));
    this.depart(held);
  }

  relative(displacement: bigint, width: Width): void {
    this.#toKnown(BigInt.asUintN(width, this.#next + displacement));
  }

  #toKnown(target: bigint): void {
    const { mode, codeLimit } = this.context;
    const allowed = mode === 64 ? isCanonical(target) : Number(target) <= codeLimit;
    if (!allowed) throw new NotEmitted("a jump out of the code segment");
    this.depart(target);
  }

  again(): void {
    this.depart(this.#start);
  }

  fault(): void {
    this.leaveIf(x.constant(1n));
  }

  abstract system(operation: SystemOperation, ...values: Value[]): Value;
}
