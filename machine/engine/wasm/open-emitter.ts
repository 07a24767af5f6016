/** The emitter for instructions of which something is left open: numbers come from their records. */

import { fillBlock, moveBlock } from "#machine/cpu/blocks.ts";
import { clearInterrupts, pushFlags, setInterrupts } from "#machine/cpu/flag-access.ts";
import { readTimestamp, readTimestampAndProcessor } from "#machine/cpu/identification.ts";
import { isReadable, isWritable } from "#machine/cpu/selector-questions.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { needProtectedMode } from "#machine/cpu/tables.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { RECORD } from "./code-records.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type Hole, withHoles } from "./open-instruction.ts";
import { VectorEmitter } from "./vector-emitter.ts";

/** Parameters of the functions of forms and blocks. */
export const FORM = { budget: 0, rip: 1, record: 2 } as const;
/** Targets that are not known before a record is: the one of a relative jump, and the instruction itself. */
export const RELATIVE = -2n;
export const AGAIN = -1n;

/** What is done of the operations on the whole processor. */
const ALLOWED: ReadonlySet<SystemOperation> = new Set([
  moveBlock,
  fillBlock,
  clearInterrupts,
  setInterrupts,
  pushFlags,
  readTimestamp,
  readTimestampAndProcessor,
  needProtectedMode,
  isReadable,
  isWritable,
]);

export abstract class OpenEmitter extends VectorEmitter {
  /** Registers of an instruction are open unless `closed`. */
  closed = false;
  /** Locals that hold general registers. */
  readonly registerLocals = new Map<number, number>();
  /** Where the record of the running instruction lies, from the one that the function is given. */
  protected recordOffset = 0;
  #expected: { readonly hole: Hole; readonly addressWidth: number } | null = null;

  /** Whether a number is left open in the running instruction. */
  protected abstract isOpen(hole: Hole): boolean;

  protected override run(decoded: DecodedInstruction): void {
    const instruction = withHoles(decoded.instruction, this.closed, (hole, addressWidth) => {
      if (!this.isOpen(hole)) return false;
      if (this.#expected !== null) this.refuse("a number that is not only a value");
      this.#expected = { hole, addressWidth };
      return true;
    });
    super.run({ ...decoded, instruction });
    if (this.#expected !== null) this.refuse("a number that is not a value");
  }

  override registerLocal(number: number): number {
    const known = this.registerLocals.get(number);
    if (known !== undefined) return known;
    const fresh = this.fn.keep(I64);
    this.registerLocals.set(number, fresh);
    return fresh;
  }

  override constant(value: bigint): Value {
    const expected = this.#expected;
    this.#expected = null;
    if (expected === null) return x.constant(value);
    const record = x.local(FORM.record, I32);
    if (expected.hole === "immediate") {
      return x.loaded(OP.i64Load, record, this.recordOffset + RECORD.immediate);
    }
    const displacement = x.loaded(OP.i32Load, record, this.recordOffset + RECORD.displacement);
    return expected.addressWidth === 64 ? x.signed(32, displacement, true) : displacement;
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
