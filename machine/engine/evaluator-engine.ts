/** The run loop of the evaluator: fetch, execute, deliver what happened. */
import { armed, executionHits } from "#machine/cpu/breakpoints.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Engine, EngineFactory, EngineStop } from "#machine/cpu/engine.ts";
import { Fault, VECTOR } from "#machine/cpu/fault.ts";
import { interrupt, raise } from "#machine/cpu/fault-story.ts";
import { FLAG } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS } from "#machine/cpu/state.ts";
import { VectorEvaluator } from "./vector-evaluator.ts";

/** dr6: a single step. */
const SINGLE_STEP = 0x4000n;

/** Steps of the evaluator that the delivery of a fault costs, about. */
const FAULT_EFFORT = 20;

export class EvaluatorEngine implements Engine {
  readonly breakpoints = new Set<bigint>();
  effort = Number.POSITIVE_INFINITY;
  protected readonly evaluator: VectorEvaluator;
  #stopRequested = false;
  /** Instructions that the run may still retire. */
  protected left = 0;
  /** The instruction at which the run began: a breakpoint there has been seen already. */
  #passing: { address: bigint; retired: number } | null = null;

  constructor(readonly cpu: Cpu) {
    this.evaluator = new VectorEvaluator(cpu);
    const { cursor } = this.evaluator;
    cpu.memory.connect({
      codeWritten: (address, length) => cursor.cache.written(address, length),
      remapped: () => {
        cpu.mmu.flush();
        cursor.page = null;
      },
    });
  }

  get onUnknownOpcode() {
    return this.evaluator.cursor.onUnknownOpcode;
  }

  set onUnknownOpcode(listener: ((address: bigint, bytes: Uint8Array) => void) | null) {
    this.evaluator.cursor.onUnknownOpcode = listener;
  }

  requestStop(): void {
    this.#stopRequested = true;
    this.evaluator.attention = true;
  }

  reset(): void {
    this.#stopRequested = false;
    this.evaluator.cursor.reset();
    this.evaluator.refresh();
  }

  run(instructions: number, continued = false): EngineStop {
    const { cpu } = this;
    const evaluator = this.evaluator;
    evaluator.refresh();
    this.#stopRequested = false;
    this.left = instructions;
    this.#passing = continued ? null : { address: this.#linearRip(), retired: cpu.retired };
    try {
      for (;;) {
        const stop = this.#deliverFaults(() => this.loop());
        if (stop !== null) return stop;
        if (this.effort <= 0) return { kind: "budget" };
      }
    } finally {
      evaluator.cursor.save();
    }
  }

  /** Runs `body`; a fault that leaves it is delivered to the guest, which counts as an instruction, and gives null. */
  #deliverFaults(body: () => EngineStop): EngineStop | null {
    const { cursor } = this.evaluator;
    try {
      return body();
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.cpu.state.rip = cursor.start;
      this.cpu.trap = false;
      this.cpu.hits = 0n;
      this.cpu.retired++;
      this.left--;
      this.effort -= FAULT_EFFORT;
      const story = raise(this.cpu, fault);
      this.evaluator.refresh();
      return story === null ? null : { kind: "tripleFault", story };
    }
  }

  /** Runs until `left` is 0 or something stops it. Faults leave it as exceptions. */
  protected loop(): EngineStop {
    const { cpu } = this;
    const evaluator = this.evaluator;
    const { cursor } = evaluator;
    const watching = this.breakpoints.size > 0;
    while (this.left > 0) {
      if (evaluator.attention) {
        const stop = this.attend();
        if (stop !== null) return stop;
      }
      const page = cursor.page === null || cursor.offset > cursor.last ? cursor.enter() : cursor.page;
      if (watching && this.#strikes()) return { kind: "breakpoint", address: this.#linearRip() };
      const offset = cursor.offset;
      cursor.startOffset = offset;
      const decoded = page.entries[offset] ?? cursor.decode(page);
      cursor.offset = offset + decoded.length;
      decoded.meaning(evaluator, decoded.instruction);
      cpu.retired++;
      this.left--;
    }
    return { kind: "budget" };
  }

  /** Whether a breakpoint stands here, other than the one from which the run goes on. */
  #strikes(): boolean {
    const here = this.#linearRip();
    const passed = this.#passing?.address === here && this.#passing.retired === this.cpu.retired;
    return !passed && this.breakpoints.has(here);
  }

  #linearRip(): bigint {
    const { cursor } = this.evaluator;
    return cursor.mode === 64 ? cursor.rip : BigInt.asUintN(32, this.cpu.state.segmentBase(CS) + cursor.rip);
  }

  /** Between two instructions, when something may have happened: traps, interrupts, stops. */
  protected attend(): EngineStop | null {
    const { cpu } = this;
    const { state } = cpu;
    const evaluator = this.evaluator;
    evaluator.attention = false;
    if (this.#stopRequested) return { kind: "requested" };
    evaluator.cursor.save();
    if (cpu.trap || cpu.hits !== 0n) return this.#trap();
    const flags = state.words[at.RFLAGS / 8]!;
    const has = (flag: number) => ((flags >> BigInt(flag)) & 1n) !== 0n;
    if (cpu.shadow) {
      cpu.shadow = false;
      evaluator.attention = true;
    } else if (has(FLAG.IF) && cpu.interrupts.pending()) {
      const story = interrupt(cpu, cpu.interrupts.acknowledge());
      evaluator.refresh();
      return story === null ? null : { kind: "tripleFault", story };
    }
    if (cpu.halted) {
      evaluator.attention = true;
      return { kind: "halted" };
    }
    this.#endResume(has(FLAG.RF));
    if (armed(cpu)) {
      evaluator.attention = true;
      if (!has(FLAG.RF) && this.#meetsBreakpoint()) return this.#raise("a breakpoint");
    }
    if (has(FLAG.TF)) {
      cpu.trap = true;
      evaluator.attention = true;
    }
    return null;
  }

  /** The instruction that is done ran with TF set, or met breakpoints on data. */
  #trap(): EngineStop | null {
    const { cpu } = this;
    cpu.state.words[at.DEBUG / 8 + 6]! |= cpu.hits | (cpu.trap ? SINGLE_STEP : 0n);
    cpu.trap = false;
    cpu.hits = 0n;
    return this.#raise("single step, or a breakpoint on data");
  }

  /** Whether a breakpoint stands at the instruction that comes next; noted in dr6. */
  #meetsBreakpoint(): boolean {
    const found = executionHits(this.cpu, this.#linearRip());
    this.cpu.state.words[at.DEBUG / 8 + 6]! |= found;
    return found !== 0n;
  }

  #raise(detail: string): EngineStop | null {
    const story = raise(this.cpu, new Fault(VECTOR.DB, null, detail));
    this.evaluator.refresh();
    return story === null ? null : { kind: "tripleFault", story };
  }

  #endResume(set: boolean): void {
    if (!set) this.cpu.resumed = false;
    else if (this.cpu.resumed) {
      this.cpu.state.words[at.RFLAGS / 8]! &= ~(1n << BigInt(FLAG.RF));
      this.cpu.resumed = false;
    } else {
      this.cpu.resumed = true;
      this.evaluator.attention = true;
    }
  }
}

/** The evaluator as a machine's engine. */
export const evaluatorEngine: EngineFactory = (cpu) => new EvaluatorEngine(cpu);
