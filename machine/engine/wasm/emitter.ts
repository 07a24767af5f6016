/**
 * The emitter: Semantics over values of a WebAssembly function. An instruction's meaning runs once, while translating,
 * and leaves behind the code that does what the evaluator would have done at once.
 */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { FLAG, type Flag, type LazyKind, STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Semantics, SystemOperation, Width } from "#machine/cpu/semantics.ts";
import { FS } from "#machine/cpu/state.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import type { Context } from "./context.ts";
import { emitDivision, needsDivisionCheck } from "./division.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import {
  computed,
  conditionOf,
  type FlagForm,
  type FlagView,
  flagOf,
  knownView,
  sameForm,
  viewOfLocals,
  withFlag,
} from "./flag-view.ts";
import { type FunctionWriter, LOCAL } from "./function-writer.ts";
import type { Gates } from "./gates.ts";
import type { Step } from "./region.ts";
import { emitPlace, emitRememberedPlace, loadOpcode, type Miss, type PageMemory, storeOpcode } from "./tlb-access.ts";
import { ValueSemantics } from "./value-semantics.ts";

/** Thrown where an instruction, or this use of it, is left to the evaluator. */
export class NotEmitted extends Error {}

/** Where an instruction goes, unless to the next: to a known place, maybe on a condition, or to a computed one. */
export interface Departure {
  readonly target: bigint | Value;
  readonly condition: Value | null;
}

/** Code that an instruction does, in order. `depth` is the nesting of conditions. */
type Statement = (depth: number) => void;

/** What has been said so far in one branch of an instruction. */
export interface Branch {
  statements: Statement[];
  registers: Map<number, Value>;
  /** XMM registers. */
  vectors: Map<number, Value>;
  flags: FlagView;
  departure: Departure | null;
}

/** What of the runtime's functions the emitter calls, as function indexes. */
export interface RuntimeFunctions {
  readonly status: number;
  readonly fill: number;
  readonly findPage: number;
}

/** The first local that a value is computed from; -1 for none. */
function firstLocal(value: Value): number {
  if (value.op === OP.localGet) return value.index;
  for (const operand of value.operands) {
    const found = firstLocal(operand);
    if (found >= 0) return found;
  }
  return -1;
}

export abstract class Emitter extends ValueSemantics implements Semantics<Value> {
  readonly stackWidth: 16 | 32 | 64;
  /** Registers that the function reads or writes. */
  readonly used = new Set<number>();
  readonly written = new Set<number>();
  /** What is known of the flags before the next instruction. */
  form: FlagForm | null = null;
  /** Whether `LOCAL.carry` holds the carry flag before the next instruction. */
  carried = false;
  /** Somebody reads `LOCAL.carry`. */
  usesCarry = false;

  protected branch: Branch = this.#fresh([]);
  #next = 0n;
  #start = 0n;
  protected stored = false;
  protected touchesFlags = false;
  protected flagsDie = false;
  /** Whether single flags are set anywhere in the function. */
  overrides = false;
  /** Whether accesses remember their last page: worth it in loops. */
  remembers = false;
  /** The pages remembered, by what addresses are computed from. */
  readonly pages = new Map<string, PageMemory>();

  constructor(
    readonly fn: FunctionWriter,
    readonly context: Context,
    readonly runtime: RuntimeFunctions,
    readonly cpu: Cpu,
    readonly gates: Gates,
    /** Writes code that leaves the function before the running instruction, for the evaluator to do it. */
    readonly leave: () => void,
    /** The same, to have a page entered into the TLB. */
    readonly miss: Miss,
  ) {
    super();
    this.stackWidth = context.stackWidth;
  }

  #fresh(statements: Statement[]): Branch {
    return {
      statements,
      registers: new Map(),
      vectors: new Map(),
      flags: viewOfLocals(this.form, this.carried),
      departure: null,
    };
  }

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
    this.touchesFlags = false;
    x.scope.depth = 0;
    const branch = this.#fresh([]);
    this.branch = branch;
    try {
      this.run(decoded);
    } catch (reason) {
      fn.release();
      throw reason;
    }
    const departure = this.#settleDeparture(branch);
    for (const statement of branch.statements) statement(0);
    this.#commit(branch);
    fn.release();
    this.form = branch.flags.form;
    if (this.touchesFlags) this.carried = false;
    return departure;
  }

  protected abstract run(decoded: DecodedInstruction): void;

  /** The local that holds an XMM register. */
  protected abstract vectorLocal(number: number): number;

  /** Values that a departure needs are computed before the registers change. */
  #settleDeparture(branch: Branch): Departure | null {
    const { departure } = branch;
    if (departure === null) return null;
    const { target, condition } = departure;
    if (typeof target !== "bigint") {
      const held = this.hold(x.as64(target));
      if (this.context.mode === 64) this.#leaveUnlessCanonical(held);
      else if (this.context.codeLimit < 0xffffffff)
        this.leaveIf(x.compare("LtU", x.constant(BigInt(this.context.codeLimit)), held));
      this.push((depth) => {
        this.fn.emit(held, depth);
        this.fn.out.set(LOCAL.rip);
      });
      return { target: held, condition: null };
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
    for (const [number, value] of registers) assign(LOCAL.registers + number, x.as64(value));
    for (const [number, value] of this.branch.vectors) assign(this.vectorLocal(number), value);
    if (this.touchesFlags) {
      assign(LOCAL.left, x.as64(flags.left));
      assign(LOCAL.right, x.as64(flags.right));
      if (flags.form?.plain !== true) assign(LOCAL.result, x.as64(flags.result));
      assign(LOCAL.flagBits, x.as32(flags.bits));
      assign(LOCAL.flagState, x.as32(flags.state));
    }
    for (const target of targets.reverse()) fn.out.set(target);
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

  #wrap(rip: bigint): bigint {
    return BigInt.asUintN(this.context.mode === 64 ? 64 : 32, rip);
  }

  // Registers

  #register(number: number): Value {
    this.used.add(number);
    return this.branch.registers.get(number) ?? x.local(LOCAL.registers + number, I64);
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

  // Arithmetic that may fault, and conditions

  divide(width: Width, high: Value, low: Value, divisor: Value, signed: boolean) {
    const operands = { width, high: this.hold(high), low: this.hold(low), divisor: this.hold(divisor), signed };
    for (const reason of needsDivisionCheck(operands)) this.leaveIf(reason);
    const { quotient, remainder, misfit } = emitDivision(operands, (value) => this.hold(value));
    if (misfit !== null) this.leaveIf(misfit);
    return { quotient, remainder };
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (x.isConstant(condition)) {
      if (condition.constant !== 0n) then();
      else otherwise?.();
      return;
    }
    const outer = this.branch;
    const taken = this.#inBranch(outer, then);
    const passed = this.#inBranch(outer, otherwise ?? (() => {}));
    if (passed.departure !== null) throw new NotEmitted("a jump where a condition does not hold");
    this.#joinDeparture(outer, taken, condition);
    this.#joinRegisters(outer, taken, passed);
    this.#joinFlags(outer, taken, passed);
    if (taken.statements.length + passed.statements.length === 0) return;
    condition.uses++;
    outer.statements.push((depth) => {
      const { fn } = this;
      fn.emit(condition, depth);
      fn.open(OP.if);
      for (const statement of taken.statements) statement(depth + 1);
      if (passed.statements.length > 0) {
        fn.otherwise();
        for (const statement of passed.statements) statement(depth + 1);
      }
      fn.end();
    });
  }

  #inBranch(outer: Branch, body: () => void): Branch {
    const branch: Branch = {
      statements: [],
      registers: new Map(outer.registers),
      vectors: new Map(outer.vectors),
      flags: outer.flags,
      departure: null,
    };
    this.branch = branch;
    x.scope.depth++;
    body();
    x.scope.depth--;
    this.branch = outer;
    return branch;
  }

  #joinDeparture(outer: Branch, taken: Branch, condition: Value): void {
    const { departure } = taken;
    if (departure === null) return;
    const { target } = departure;
    if (typeof target !== "bigint") throw new NotEmitted("a conditional jump to a computed place");
    const before = outer.departure;
    if (before !== null && (before.target !== target || before.condition === null))
      throw new NotEmitted("two jumps in one instruction");
    const either = (also: Value) => (before === null ? also : x.logic("Or", before.condition!, also));
    const bare = taken.statements.length === 0 && departure.condition === null;
    if (bare) {
      outer.departure = { target, condition: either(condition) };
      return;
    }
    const index = this.fn.take(I32);
    const inner = departure.condition ?? x.constant(1n);
    inner.uses++;
    outer.statements.push(() => {
      this.fn.out.i32(0);
      this.fn.out.set(index);
    });
    taken.statements.push((depth) => {
      this.fn.emit(x.as32(inner), depth);
      this.fn.out.set(index);
    });
    outer.departure = { target, condition: either(x.local(index, I32, 1)) };
  }

  /** A register that one branch changes is, after both, what a temporary holds. */
  #joinRegisters(outer: Branch, taken: Branch, passed: Branch): void {
    for (const number of new Set([...taken.registers.keys(), ...passed.registers.keys()])) {
      const before = outer.registers.get(number) ?? x.local(LOCAL.registers + number, I64);
      const values = [taken, passed].map((branch) => branch.registers.get(number) ?? before);
      if (values[0] === values[1]) continue;
      const index = this.fn.take(I64);
      for (const [which, branch] of [taken, passed].entries()) {
        const value = x.as64(values[which]!);
        value.uses++;
        branch.statements.push((depth) => {
          this.fn.emit(value, depth);
          this.fn.out.set(index);
        });
      }
      outer.registers.set(number, x.local(index, I64));
    }
  }

  #joinFlags(outer: Branch, taken: Branch, passed: Branch): void {
    if (taken.flags === outer.flags && passed.flags === outer.flags) return;
    const fields = ["left", "right", "result", "bits", "state"] as const;
    const joined: Record<string, Value> = {};
    for (const field of fields) {
      const values = [taken.flags[field], passed.flags[field]];
      if (values[0] === values[1]) {
        joined[field] = values[0]!;
        continue;
      }
      const wide = field !== "bits" && field !== "state";
      const index = this.fn.take(wide ? I64 : I32);
      for (const [which, branch] of [taken, passed].entries()) {
        const value = wide ? x.as64(values[which]!) : x.as32(values[which]!);
        value.uses++;
        branch.statements.push((depth) => {
          this.fn.emit(value, depth);
          this.fn.out.set(index);
        });
      }
      joined[field] = x.local(index, wide ? I64 : I32);
    }
    const form = sameForm(taken.flags.form, passed.flags.form) ? taken.flags.form : null;
    outer.flags = { form, carry: null, ...(joined as Pick<FlagView, (typeof fields)[number]>) };
  }

  // Flags

  setFlags(kind: LazyKind, width: Width, left: Value, right: Value, result: Value): void {
    if (this.flagsDie) return;
    this.touchesFlags = true;
    this.branch.flags = computed(kind, width, left, right, result);
  }

  setFlag(flag: Flag, value: Value): void {
    if (((STATUS >> flag) & 1) !== 0) {
      if (this.flagsDie) return;
      this.touchesFlags = true;
      this.overrides = true;
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
    this.branch = this.#fresh([]);
    this.fn.emit(x.as32(this.flag(FLAG.CF)));
    this.fn.out.set(LOCAL.carry);
    this.fn.release();
  }

  // Memory

  /** An instruction that leaves in its middle is done again from its start, which must not see its own writes. */
  protected needNothingStored(): void {
    if (this.stored) throw new NotEmitted("something that may leave, after a store");
  }

  protected linear(segment: number, offset: Value, bytes: number, write: boolean): Value {
    const { mode, segments } = this.context;
    const base = at.SEGMENTS + segment * at.SEGMENT_SIZE;
    if (mode === 64) {
      if (segment < FS) return x.as64(offset);
      return x.arithmetic("Add", 64, x.stateWord(base, I64), offset);
    }
    const rules = segments[segment]!;
    if (write ? !rules.writable : !rules.readable) throw new NotEmitted("an access that the segment refuses");
    if (rules.flat) return x.as32(offset);
    const held = this.hold(offset);
    const last = x.arithmetic("Add", 64, held, x.constant(BigInt(bytes - 1)));
    const limit = x.as64(x.stateWord(base + at.SEGMENT_LIMIT, I32));
    this.leaveIf(x.compare("LtU", limit, x.as64(last)));
    return x.arithmetic("Add", 32, x.stateWord(base, I32), held);
  }

  /** Statement: the place of an operand, in a local. */
  #place(segment: number, offset: Value, width: Width, write: boolean): number {
    const bytes = width >> 3;
    return this.placeAt(this.linear(segment, offset, bytes, write), bytes, write);
  }

  protected placeAt(address: Value, bytes: number, write: boolean): number {
    const { user, mode } = this.context;
    const index = this.fn.take(I32);
    const memory = this.remembers ? this.#pageMemory(address, write) : null;
    address.uses++;
    this.push((depth) => {
      const access = { address, bytes, write, user, long: mode === 64 };
      if (memory === null) emitPlace(this.fn, access, depth, this.miss);
      else emitRememberedPlace(this.fn, access, memory, depth, this.miss);
      this.fn.out.set(index);
    });
    return index;
  }

  /** Accesses through the same register are likely to be to the same page. */
  #pageMemory(address: Value, write: boolean): PageMemory {
    const key = `${write} ${x.isConstant(address) ? address.constant >> 12n : firstLocal(address)}`;
    const known = this.pages.get(key);
    if (known !== undefined) return known;
    const memory = { page: this.fn.keep(I64), addend: this.fn.keep(I32) };
    this.pages.set(key, memory);
    return memory;
  }

  protected get(place: number, width: Width, offset = 0): Value {
    const type = width === 64 ? I64 : I32;
    const index = this.fn.take(type);
    this.push(() => {
      this.fn.out.get(place);
      this.fn.out.memory(loadOpcode(width), offset);
      this.fn.out.set(index);
    });
    return x.local(index, type, width);
  }

  protected put(place: number, width: Width, value: Value, offset = 0): void {
    const fitting = width === 64 ? x.as64(value) : x.as32(value);
    fitting.uses++;
    this.stored = true;
    this.push((depth) => {
      this.fn.out.get(place);
      this.fn.emit(fitting, depth);
      this.fn.out.memory(storeOpcode(width), offset);
    });
  }

  load(segment: number, offset: Value, width: Width): Value {
    this.needNothingStored();
    return this.get(this.#place(segment, offset, width, false), width);
  }

  store(segment: number, offset: Value, width: Width, value: Value): void {
    const place = this.#place(segment, offset, width, true);
    this.put(place, width, value);
  }

  update(segment: number, offset: Value, width: Width, change: (old: Value) => Value): void {
    this.needNothingStored();
    const place = this.#place(segment, offset, width, true);
    this.put(place, width, change(this.get(place, width)));
  }

  // Going elsewhere

  nextInstruction(): Value {
    return x.constant(this.#next);
  }

  #depart(target: bigint | Value): void {
    if (this.branch.departure !== null) throw new NotEmitted("two jumps in one instruction");
    this.branch.departure = { target, condition: null };
  }

  jump(target: Value): void {
    if (x.isConstant(target)) this.#toKnown(target.constant);
    else this.#depart(target);
  }

  relative(displacement: bigint, width: Width): void {
    this.#toKnown(BigInt.asUintN(width, this.#next + displacement));
  }

  #toKnown(target: bigint): void {
    const { mode, codeLimit } = this.context;
    const allowed = mode === 64 ? isCanonical(target) : Number(target) <= codeLimit;
    if (!allowed) throw new NotEmitted("a jump out of the code segment");
    this.#depart(target);
  }

  again(): void {
    this.#depart(this.#start);
  }

  fault(): void {
    this.leaveIf(x.constant(1n));
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

  abstract system(operation: SystemOperation, ...values: Value[]): Value;
}
