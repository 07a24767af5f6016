/** The emitter's flags: kept as what they would be computed from, computed where they are read. */
import { FLAG, type Flag, type LazyKind, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import { NotEmitted } from "./branch-emitter.ts";
import { ConditionEmitter } from "./condition-emitter.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { computed, conditionOf, flagOf, knownView, withFlag } from "./flag-view.ts";
import { LOCAL } from "./function-writer.ts";

export abstract class FlagEmitter extends ConditionEmitter {
  protected touchesFlags = false;
  protected flagsDie = false;
  /** Somebody reads `LOCAL.carry`. */
  usesCarry = false;

  setFlags(kind: LazyKind, width: Width, left: Value, right: Value, result: Value): void {
    if (this.flagsDie) return;
    this.touchesFlags = true;
    this.branch.flags = computed(kind, width, left, right, result);
  }

  setFlag(flag: Flag, value: Value): void {
    if (((STATUS >> flag) & 1) !== 0) {
      if (this.flagsDie) return;
      this.touchesFlags = true;
      this.branch.flags = withFlag(this.branch.flags, flag, value);
      return;
    }
    if (x.scope.depth > 0) throw new NotEmitted("a system flag set on a condition");
    const mask = 1n << BigInt(flag);
    const kept = x.logic("And", x.stateWord(at.RFLAGS, I64), x.constant(BigInt.asUintN(64, ~mask)));
    this.setFlagsRegister(x.logic("Or", kept, x.shift("Shl", x.isNonZero(value), x.constant(BigInt(flag)))));
  }

  flag(flag: Flag): Value {
    if (((STATUS >> flag) & 1) === 0) {
      const place = x.shift("ShrU", x.stateWord(at.RFLAGS, I64), x.constant(BigInt(flag)));
      return this.hold(x.as32(x.logic("And", place, x.constant(1n))));
    }
    const { flags } = this.branch;
    if (flags.form === null && flags.carry !== null && flag === FLAG.CF) this.usesCarry = true;
    return flagOf(flags, flag) ?? flagOf(knownView(this.status()), flag)!;
  }

  condition(code: number): Value {
    return conditionOf(this.branch.flags, code) ?? conditionOf(knownView(this.status()), code)!;
  }

  /** All six flags, computed by the runtime: where their form is not known. */
  status(): Value {
    const { left, right, result, bits, state } = this.branch.flags;
    const values = [x.as32(state), x.as64(left), x.as64(right), x.as64(result), x.as32(bits)];
    return x.make(OP.call, I32, values, 12, this.runtime.status);
  }

  /** Puts the carry flag into `LOCAL.carry`. */
  carryOver(): void {
    if (this.form === null && this.carried) {
      this.usesCarry = true;
      return;
    }
    x.scope.depth = 0;
    this.branch = this.fresh();
    this.fn.emit(x.as32(this.flag(FLAG.CF)));
    this.fn.out.set(LOCAL.carry);
    this.fn.release();
  }

  setFlagsRegister(value: Value): void {
    const word = x.as64(value);
    word.uses++;
    this.push((depth) => {
      this.fn.out.i32(0);
      this.fn.emit(word, depth);
      this.fn.out.memory(OP.i64Store, at.RFLAGS);
    });
  }
}
