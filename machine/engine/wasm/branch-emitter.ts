/** What the emitter gathers while the meaning of one instruction runs: statements, registers, ways to leave. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import type { Context } from "./context.ts";
import { emitDivision, needsDivisionCheck } from "./division.ts";
import { I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type FlagForm, type FlagView, viewOfLocals } from "./flag-view.ts";
import { type FunctionWriter, LOCAL } from "./function-writer.ts";
import type { Gates } from "./gates.ts";
import { ValueSemantics } from "./value-semantics.ts";

/** Thrown where an instruction, or this use of it, is left to the evaluator. */
export class NotEmitted extends Error {}

/** Where an instruction goes, unless to the next: to a known place, maybe on a condition, or to a computed one. */
export interface Departure {
  readonly target: bigint | Value;
  readonly condition: Value | null;
  /** `LOCAL.rip` holds the target, which needs no check. */
  readonly settled?: boolean;
}

/** Code that an instruction does, in order. `depth` is the nesting of conditions. */
export type Statement = (depth: number) => void;

/** What has been said so far in one branch of an instruction. */
export interface Branch {
  statements: Statement[];
  registers: Map<number, Value>;
  /** XMM registers. */
  vectors: Map<number, Value>;
  flags: FlagView;
  departure: Departure | null;
}

/** Functions that ask where pages are, or forget it: `quiet` of page-crossing.ts, and those of files of their names. */
export type MappingFunction = "quiet" | "walk" | "locate" | "forgetLocal";

/** Functions that read or write a port: see call-outs.ts. */
export type PortFunction = "portIn" | "portOut";

/** What of the runtime's functions the emitter calls, as function indexes. */
export interface RuntimeFunctions {
  readonly status: number;
  readonly keepFlags: number;
  readonly fill: number;
  readonly claim: number;
  readonly across: number;
  readonly missed: number;
  readonly arrive: number;
  readonly resume: number;
  /** Of functions for forms and blocks. */
  follow(): number;
  renew(): number;
  readonly span: number;
  /** Of a routine of the x87 or of SSE, by its name; and of one for vectors. */
  routine(name: string): number;
  vectorRoutine(name: string): number;
  /** Of calls out of regions. */
  callOut(): number;
  port(name: PortFunction): number;
  /** Of the one in wide-quotient.ts. */
  wideQuotient(): number;
  /** Of calls of the book's routines of the floating-point unit. */
  bookCall(): number;
  mapping(name: MappingFunction): number;
}

export abstract class BranchEmitter extends ValueSemantics {
  readonly stackWidth: 16 | 32 | 64;
  /** Registers that the function reads or writes. */
  readonly used = new Set<number>();
  readonly written = new Set<number>();
  /** What is known of the flags before the next instruction. */
  form: FlagForm | null = null;
  /** Whether `LOCAL.carry` holds the carry flag before the next instruction. */
  carried = false;

  protected branch: Branch = this.fresh();
  protected stored = false;
  /** Something has been done outside that cannot be done again: the instruction must be finished. */
  protected irrevocable = false;

  constructor(
    readonly fn: FunctionWriter,
    readonly context: Context,
    readonly runtime: RuntimeFunctions,
    readonly cpu: Cpu,
    readonly gates: Gates,
    /** Writes code that leaves the function before the running instruction, for the evaluator to do it. */
    readonly leave: () => void,
  ) {
    super();
    this.stackWidth = context.stackWidth;
  }

  /** Nothing said yet. */
  protected fresh(): Branch {
    return {
      statements: [],
      registers: new Map(),
      vectors: new Map(),
      flags: this.flagsBefore(),
      departure: null,
    };
  }

  /** The flags as they are before the instruction. */
  protected flagsBefore(): FlagView {
    return viewOfLocals(this.form, this.carried);
  }

  protected push(statement: Statement): void {
    this.branch.statements.push(statement);
  }

  /** Computes a value here, once. */
  hold(value: Value): Value {
    if (x.isConstant(value)) return value;
    const index = this.fn.take(value.type);
    value.uses++;
    this.push((depth) => {
      this.fn.emit(value, depth);
      this.fn.out.set(index);
    });
    return x.local(index, value.type, value.bits);
  }

  leaveIf(condition: Value): void {
    if (x.isConstant(condition) && condition.constant === 0n) return;
    condition.uses++;
    this.needNothingStored();
    this.push((depth) => {
      this.fn.emit(condition, depth);
      this.fn.open(OP.if);
      this.leave();
      this.fn.end();
    });
  }

  /** An instruction that leaves in its middle is done again from its start, which must not see its own writes. */
  protected needNothingStored(): void {
    if (this.stored) throw new NotEmitted("something that may leave, after a store");
    this.needRevocable();
  }

  protected needRevocable(): void {
    if (this.irrevocable) throw new NotEmitted("something that may leave, after a call");
  }

  // Registers

  /** The local that holds a general register. */
  registerLocal(number: number): number {
    return LOCAL.registers + number;
  }

  #register(number: number): Value {
    this.used.add(number);
    return this.branch.registers.get(number) ?? x.local(this.registerLocal(number), I64);
  }

  #setRegister(number: number, value: Value): void {
    this.written.add(number);
    this.used.add(number);
    this.branch.registers.set(number, value);
  }

  readRegister(number: number, width: Width): Value {
    return x.truncate(width, this.#register(number));
  }

  writeRegister(number: number, width: Width, value: Value): void {
    if (width >= 32) this.#setRegister(number, value);
    else this.#insert(number, x.maskOf(width), value);
  }

  readHighByte(number: number): Value {
    return x.truncate(8, x.shift("ShrU", x.truncate(16, this.#register(number)), x.constant(8n)));
  }

  writeHighByte(number: number, value: Value): void {
    this.#insert(number, 0xff00n, x.shift("Shl", value, x.constant(8n)));
  }

  #insert(number: number, mask: bigint, value: Value): void {
    const kept = x.logic("And", this.#register(number), x.constant(BigInt.asUintN(64, ~mask)));
    this.#setRegister(number, x.logic("Or", kept, value));
  }

  // Arithmetic that may fault

  divide(width: Width, high: Value, low: Value, divisor: Value, signed: boolean) {
    const operands = { width, high: this.hold(high), low: this.hold(low), divisor: this.hold(divisor), signed };
    for (const reason of needsDivisionCheck(operands)) this.leaveIf(reason);
    const hold = (value: Value) => this.hold(value);
    const { quotient, remainder, misfit } = emitDivision(operands, hold, (...parts) => this.#wideQuotient(parts));
    if (misfit !== null) this.leaveIf(misfit);
    return { quotient, remainder };
  }

  /** WebAssembly divides where the upper half is 0, the runtime elsewhere. */
  #wideQuotient(parts: readonly [high: Value, low: Value, divisor: Value]): Value {
    const { fn } = this;
    const [high, low, divisor] = parts;
    const index = fn.take(I64);
    const plain = x.make(OP.i64DivU, I64, [low, divisor], 64);
    const wide = x.make(OP.call, I64, parts, 64, this.runtime.wideQuotient());
    const isPlain = x.isZero(high);
    for (const value of [plain, wide, isPlain]) value.uses++;
    this.push((depth) => {
      fn.emit(isPlain, depth);
      fn.open(OP.if);
      fn.emit(plain, depth + 1);
      fn.out.set(index);
      fn.otherwise();
      fn.emit(wide, depth + 1);
      fn.out.set(index);
      fn.end();
    });
    return x.local(index, I64);
  }
}
