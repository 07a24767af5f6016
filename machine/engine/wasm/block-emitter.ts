/** The emitter for blocks of instructions whose registers are known, and whose numbers are in records that lie in a row. */
import type { Flag } from "#machine/cpu/flags.ts";
import type { Departure } from "./branch-emitter.ts";
import { RECORD_BYTES } from "./code-records.ts";
import { I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { Head } from "./heads.ts";
import { loadedCondition, loadedFlag } from "./loaded-flags.ts";
import { FORM, OpenEmitter } from "./open-emitter.ts";
import type { Hole } from "./open-instruction.ts";
import type { Findings } from "./survey.ts";

/** One instruction of a block. */
export interface BlockStep {
  readonly head: Head;
  readonly findings: Findings;
  /** Number of the instruction in its block. */
  readonly index: number;
  /** Bytes from the block's beginning to the next instruction. */
  readonly end: number;
}

export class BlockEmitter extends OpenEmitter {
  override closed = true;
  /** Whether the processor's state still has the flags. */
  flagsAreStored = true;
  #step!: BlockStep;

  step(step: BlockStep, flagsDie: boolean): Departure | null {
    this.#step = step;
    this.recordOffset = step.index * RECORD_BYTES;
    this.claims = false;
    const { findings, head } = step;
    const departure = this.instruction({ start: 0n, decoded: head.decoded, findings }, flagsDie);
    if (this.touchesFlags) this.flagsAreStored = false;
    return departure;
  }

  protected override isOpen(hole: Hole): boolean {
    return this.#step.head.open[hole];
  }

  override flag(flag: Flag): Value {
    return (this.#isOld ? loadedFlag(flag) : null) ?? super.flag(flag);
  }

  override condition(code: number): Value {
    return (this.#isOld ? loadedCondition(code) : null) ?? super.condition(code);
  }

  get #isOld(): boolean {
    return this.flagsAreStored && !this.touchesFlags;
  }

  override nextInstruction(): Value {
    const width = this.context.mode === 64 ? 64 : 32;
    return x.arithmetic("Add", width, x.local(FORM.rip, I64), x.constant(BigInt(this.#step.end)));
  }
}
