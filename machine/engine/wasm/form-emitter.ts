/** The emitter for forms: registers and numbers that are open come from the record of the instruction. */

import { fillBlock, moveBlock } from "#machine/cpu/blocks.ts";
import { clearInterrupts, pushFlags } from "#machine/cpu/flag-access.ts";
import { type Flag, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { RECORD } from "./code-records.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { FlagView } from "./flag-view.ts";
import { loadedCondition, loadedFlag } from "./loaded-flags.ts";
import { type Hole, withHoles } from "./open-instruction.ts";
import { VectorEmitter } from "./vector-emitter.ts";

/** Parameters of a form's function. */
export const FORM = { budget: 0, rip: 1, record: 2 } as const;
/** Targets that are not known before a record is: the one of a relative jump, and the instruction itself. */
export const RELATIVE = -2n;
export const AGAIN = -1n;

/** What forms do of the operations on the whole processor. */
const ALLOWED: ReadonlySet<SystemOperation> = new Set([moveBlock, fillBlock, clearInterrupts, pushFlags]);

export class FormEmitter extends VectorEmitter {
  protected override readonly keepsResults = true;
  /** Registers of an instruction are open unless `closed`. */
  closed = false;
  /** Locals that hold general registers. */
  readonly registerLocals = new Map<number, number>();
  #expected: Hole | null = null;

  protected override run(decoded: DecodedInstruction): void {
    const instruction = withHoles(decoded.instruction, this.closed, (hole) => {
      if (this.#expected !== null) this.refuse("a number that is not only a value");
      this.#expected = hole;
    });
    super.run({ ...decoded, instruction });
    if (this.#expected !== null) this.refuse("a number that is not a value");
  }

  protected override registerLocal(number: number): number {
    const known = this.registerLocals.get(number);
    if (known !== undefined) return known;
    const fresh = this.fn.keep(I64);
    this.registerLocals.set(number, fresh);
    return fresh;
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

  override constant(value: bigint): Value {
    const hole = this.#expected;
    this.#expected = null;
    if (hole === null) return x.constant(value);
    return x.loaded(OP.i64Load, x.local(FORM.record, I32), RECORD[hole]);
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

  override relative(): void {
    this.depart(RELATIVE);
  }

  override again(): void {
    this.depart(AGAIN);
  }

  override system(operation: SystemOperation, ...values: Value[]): Value {
    if (!ALLOWED.has(operation)) this.refuse("an operation on the whole processor");
    return super.system(operation, ...values);
  }
}
