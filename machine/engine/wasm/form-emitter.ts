/** The emitter for forms: registers are open too, and flags come from the processor's state. */
import { type Flag, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { RECORD } from "./code-records.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { FlagView } from "./flag-view.ts";
import { loadedCondition, loadedFlag } from "./loaded-flags.ts";
import { FORM, OpenEmitter } from "./open-emitter.ts";

export class FormEmitter extends OpenEmitter {
  protected override isOpen(): boolean {
    return true;
  }

  protected override flagsBefore(): FlagView {
    const width = x.shift("Shl", x.stateWord(at.LAZY_WIDTH, I32), x.constant(8n));
    return {
      form: null,
      left: x.stateWord(at.LAZY_LEFT, I64),
      right: x.stateWord(at.LAZY_RIGHT, I64),
      result: x.stateWord(at.LAZY_RESULT, I64),
      bits: x.logic("And", x.stateWord(at.RFLAGS, I32), x.constant(BigInt(STATUS))),
      state: x.logic("Or", x.stateWord(at.LAZY_KIND, I32), x.as32(width)),
      carry: null,
    };
  }

  /** The instruction is taken from the budget when it is done. */
  override remaining(): Value {
    return x.local(FORM.budget, I32);
  }

  override flag(flag: Flag): Value {
    const isOld = this.branch.flags.form === null && !this.touchesFlags;
    return (isOld ? loadedFlag(flag) : null) ?? super.flag(flag);
  }

  override condition(code: number): Value {
    const isOld = this.branch.flags.form === null && !this.touchesFlags;
    return (isOld ? loadedCondition(code) : null) ?? super.condition(code);
  }

  /** Whether the instruction changes status flags. */
  get setsFlags(): boolean {
    return this.touchesFlags;
  }

  override nextInstruction(): Value {
    const length = x.loaded(OP.i32Load8U, x.local(FORM.record, I32), RECORD.length);
    return x.arithmetic("Add", this.context.mode === 64 ? 64 : 32, x.local(FORM.rip, I64), x.as64(length));
  }
}
