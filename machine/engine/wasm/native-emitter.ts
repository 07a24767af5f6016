import type { Instruction } from "#isa/instruction.ts";
import * as at from "#machine/cpu/layout.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { FS } from "#machine/cpu/state.ts";
import { NotEmitted, type PortFunction } from "./branch-emitter.ts";
import { CALL_OUTS, CALLED } from "./call-outs.ts";
import { CELL } from "./cells.ts";
import type { MappedPage } from "./code-window.ts";
import { Emitter } from "./emitter.ts";
import { I32, I64, MEMORY_COPY, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { allOverridden, knownView } from "./flag-view.ts";
import { LEAVING, LOCAL } from "./function-writer.ts";
import { NATIVE } from "./operations.ts";
import { ACCESS } from "./page-walk.ts";
import { emitForgetting, emitPlace, storeOpcode } from "./tlb-access.ts";

const QUIET_FETCH = x.as32(x.constant(BigInt(ACCESS.look)));

/** What the function around an instruction does for it. */
export interface Surroundings {
  /** The running instruction is the last of its block. */
  readonly isLast: boolean;
  /** Instructions of its block that are not done, itself included. */
  readonly undone: number;
  /** Its number. */
  readonly region: number;
  /** Pages that its code lies in. */
  readonly pages: readonly MappedPage[];
  /** Writes code that leaves after the instruction: for the engine to look, or for whoever has code for the next one. */
  readonly stop: (why: typeof LEAVING.look | typeof LEAVING.onward) => void;
}

export abstract class NativeEmitter extends Emitter {
  /** Null where code is written that nobody may leave in the middle of its block. */
  surroundings: Surroundings | null = null;
  /** Whether the function may go on in another context, or call out. */
  changesContext = false;
  callsOut = false;
  /** The instruction whose meaning runs. */
  abstract readonly instructionNow: Instruction;
  /** Whether to leave after the running instruction, and why. */
  #ending: { readonly condition: Value; readonly why: Parameters<Surroundings["stop"]>[0] } | null = null;

  system(operation: SystemOperation, ...values: Value[]): Value {
    const native = NATIVE.get(operation);
    if (native === undefined) throw new NotEmitted("an operation on the whole processor");
    return native(this, values);
  }

  protected finish(): void {
    const ending = this.#ending;
    this.#ending = null;
    if (ending === null) return;
    this.fn.emit(ending.condition);
    this.fn.open(OP.if);
    this.surroundings!.stop(ending.why);
    this.fn.end();
  }

  // What native operations are made of

  get isLastOfBlock(): boolean {
    return this.surroundings?.isLast ?? true;
  }

  /** The number of the region being written. */
  region(): Value {
    return x.constant(BigInt(this.surroundings?.region ?? 0));
  }

  /** Instructions of the budget that are not done, this one included. */
  remaining(): Value {
    if (this.surroundings === null) return this.refuse("a count of instructions");
    return x.arithmetic("Add", 32, x.local(LOCAL.budget, I32), x.constant(BigInt(this.surroundings.undone)));
  }

  /** Changes a word of the state that no local holds. */
  storeState(offset: number, value: Value, width: 8 | 16 | 32 | 64 = value.type === I64 ? 64 : 32): void {
    const fitting = width === 64 ? x.as64(value) : x.as32(value);
    fitting.uses++;
    this.stored = true;
    this.push((depth) => {
      this.fn.out.i32(0);
      this.fn.emit(fitting, depth);
      this.fn.out.memory(storeOpcode(width), offset);
    });
  }

  /** Stores a number of 64 bits in the processor's state, at a computed place after an offset. */
  storeStateAt(place: Value, offset: number, value: Value): void {
    const [at, wide] = [x.as32(place), x.as64(value)];
    at.uses++;
    wide.uses++;
    this.stored = true;
    this.push((depth) => {
      this.fn.emit(at, depth);
      this.fn.emit(wide, depth);
      this.fn.out.memory(OP.i64Store, offset);
    });
  }

  /** Goes on at a checked place, in the context with a number. */
  goAway(target: Value, context: Value): void {
    if (this.surroundings === null) this.refuse("a change of the context");
    this.changesContext = true;
    this.storeState(CELL.context, x.as32(context));
    const wide = x.as64(target);
    wide.uses++;
    this.push((depth) => {
      this.fn.emit(wide, depth);
      this.fn.out.set(LOCAL.rip);
    });
    this.branch.departure = { target: wide, condition: null, settled: true };
  }

  /** Where the condition holds, whoever has code for the next instruction goes on after this one, all of which is done. */
  leaveAfterwardsIf(condition: Value): void {
    if (this.surroundings === null) this.refuse("a change of the context");
    this.irrevocable = true;
    condition.uses++;
    this.#ending = { condition, why: LEAVING.onward };
  }

  /** A new CR3: all is forgotten that is not global, and the region goes on if its code is where it was. */
  forgetMapping(): void {
    if (this.surroundings === null) this.refuse("a change of the mapping");
    this.push(() => {
      this.fn.out.byte(OP.call);
      this.fn.out.unsigned(this.runtime.mapping("forgetLocal"));
    });
    const here = BigInt.asUintN(64, this.nextInstruction().constant! & ~0xfffn);
    const key = x.as32(x.constant(BigInt(this.context.key)));
    const moved = this.surroundings.pages.map(({ base, place }) => {
      const [name, more] = base === here ? (["locate", []] as const) : (["walk", [QUIET_FETCH, key]] as const);
      const call = x.make(OP.call, I32, [x.as64(x.constant(base)), ...more], 32, this.runtime.mapping(name));
      return x.compare("Ne", this.hold(call), x.as32(x.constant(BigInt(place | 1))));
    });
    this.leaveAfterwardsIf(moved.reduce((one, other) => x.logic("Or", one, other)));
  }

  /** Has an operation done outside: see call-outs.ts. */
  callOut(number: number, values: readonly Value[]): Value {
    const { registers } = CALL_OUTS[number]!;
    const given = [0, 1, 2].map((index) => x.as64(values[index] ?? x.constant(0n)));
    const parameters = (remaining: Value) => [x.constant(BigInt(number)), remaining, ...given];
    this.#leaveTo(this.runtime.callOut(), parameters, registers);
    return this.hold(x.stateWord(CELL.routineAnswer, I64));
  }

  /** Has a port read or written outside: see call-outs.ts. `values`: port and width, and what is written. */
  callPort(name: PortFunction, values: readonly Value[]): Value {
    this.#leaveTo(this.runtime.port(name), (remaining) => [remaining, ...values.map(x.as32)], []);
    return this.hold(x.stateWord(CELL.routineAnswer, I32));
  }

  #leaveTo(target: number, parameters: (remaining: Value) => readonly Value[], registers: readonly number[]): void {
    this.needNothingStored();
    if (x.scope.depth > 0) this.refuse("a call on a condition");
    const remaining = x.as32(this.remaining());
    for (const register of registers) this.storeState(register * 8, x.as64(this.readRegister(register, 64)));
    this.storeState(at.RIP, x.as64(this.nextInstruction()));
    const ending = this.hold(x.make(OP.call, I32, parameters(remaining), 2, target));
    this.push((depth) => {
      this.fn.emit(x.compare("Eq", ending, x.constant(BigInt(CALLED.refused))), depth);
      this.fn.open(OP.if);
      this.leave();
      this.fn.end();
    });
    for (const register of registers) this.writeRegister(register, 64, this.hold(x.stateWord(register * 8, I64)));
    this.callsOut = true;
    this.irrevocable = true;
    this.#ending = { condition: ending, why: LEAVING.look };
  }

  leaveUnlessEqual(value: Value, expected: bigint): void {
    this.leaveIf(x.compare("Ne", value, value.type === I64 ? x.as64(x.constant(expected)) : x.constant(expected)));
  }

  /** Eight bytes that the processor itself reads, with the supervisor's rights. */
  loadForProcessor(linear: bigint, width: 16 | 32 | 64 = 64): Value {
    const index = this.fn.take(I32);
    const access = {
      address: x.constant(linear),
      bytes: width / 8,
      write: false,
      key: this.context.ownKey,
      long: this.context.mode === 64,
      rescue: this.runtime.mapping("quiet"),
    };
    this.push((depth) => {
      emitPlace(this.fn, access, depth, this.leave);
      this.fn.out.set(index);
    });
    return this.get(index, width);
  }

  /** Words of one size that lie one after the other at a flat address, in one page. */
  #placeOfWords(linear: Value, bytes: number, write: boolean, key = this.context.key): number {
    const index = this.fn.take(I32);
    const { mode } = this.context;
    const rescue = write ? this.runtime.claim : this.runtime.across;
    linear.uses++;
    this.push((depth) => {
      emitPlace(this.fn, { address: linear, bytes, write, key, long: mode === 64, rescue }, depth, this.leave);
      this.fn.out.set(index);
    });
    return index;
  }

  /** `key`: whose rights count. */
  loadWords(linear: Value, width: 32 | 64, count: number, key = this.context.key): Value[] {
    const place = this.#placeOfWords(linear, (count * width) / 8, false, key);
    return Array.from({ length: count }, (_, index) => this.get(place, width, (index * width) / 8));
  }

  /** `key`: whose rights count. */
  storeWords(linear: Value, width: 32 | 64, values: readonly Value[], key = this.context.key): void {
    const place = this.#placeOfWords(linear, (values.length * width) / 8, true, key);
    for (const [index, value] of values.entries()) this.put(place, width, value, (index * width) / 8);
  }

  /** All status flags, one by one. */
  setAllFlags(bits: Value): void {
    if (this.flagsDie) return;
    this.touchesFlags = true;
    this.branch.flags = allOverridden(bits);
  }

  /** All status flags, which rflags holds too. */
  setStatusBits(bits: Value): void {
    this.touchesFlags = true;
    this.branch.flags = knownView(bits);
  }

  refuse(why: string): never {
    throw new NotEmitted(why);
  }

  /** Whether a segment register needs neither base nor check. */
  isFlat(segment: number): boolean {
    return this.context.mode === 64 ? segment < FS : this.context.segments[segment]!.flat;
  }

  /** The place of a byte in the machine's memory, in i32. */
  placeOf(linear: Value, write: boolean): Value {
    this.needNothingStored();
    return x.local(this.placeAt(linear, 1, write), I32);
  }

  /** A local that can be set in branches. */
  variable(initial: Value): { readonly value: Value; set(value: Value): void } {
    const index = this.fn.take(I64);
    const set = (value: Value) => {
      const wide = x.as64(value);
      wide.uses++;
      this.push((depth) => {
        this.fn.emit(wide, depth);
        this.fn.out.set(index);
      });
    };
    set(initial);
    return { value: x.local(index, I64), set };
  }

  /** `memory.copy` of `length` bytes; all are values of i32. */
  copy(target: Value, source: Value, length: Value): void {
    const values = [target, source, length];
    for (const value of values) value.uses++;
    this.push((depth) => {
      for (const value of values) this.fn.emit(value, depth);
      this.fn.out.append(Uint8Array.of(OP.prefixBulk, MEMORY_COPY, 0, 0));
    });
  }

  /** Rounds of a repeated instruction that the budget has room for, for certain; the first is taken from it already or will be. */
  roundsLeft(): Value {
    return x.as64(x.local(LOCAL.budget, I32));
  }

  /** Takes further rounds of a repeated instruction from the budget: nothing may leave after this. */
  retire(count: Value): void {
    const rest = x.arithmetic("Sub", 32, x.local(LOCAL.budget, I32), count);
    rest.uses++;
    this.push((depth) => {
      this.fn.emit(x.as32(rest), depth);
      this.fn.out.set(LOCAL.budget);
    });
  }

  /** How many pages from the beginnings of two on, `most` at most, lie in a row in RAM. */
  pagesInRow(from: Value, to: Value, most: Value): Value {
    const { key, mode } = this.context;
    const more = [key, mode === 64 ? 1 : 0].map((value) => x.as32(x.constant(BigInt(value))));
    const values = [x.as64(from), x.as64(to), x.as32(most), ...more];
    return x.make(OP.call, I32, values, 32, this.runtime.span);
  }

  /** Fills `length` bytes with the eight of a pattern, over and over. */
  fill(target: Value, length: Value, pattern: Value): void {
    const values = [target, length, x.as64(pattern)];
    for (const value of values) value.uses++;
    this.push((depth) => {
      for (const value of values) this.fn.emit(value, depth);
      this.fn.out.byte(OP.call);
      this.fn.out.unsigned(this.runtime.fill);
    });
  }

  /** Drops a page from the TLB; leaves where more than that is to be done. */
  forgetPage(linear: Value): void {
    const held = this.hold(x.as64(linear));
    const page = x.as64(x.shift("ShrU", held, x.constant(12n)));
    const above = x.isZero(x.compare("LtU", page, x.stateWord(CELL.firstLargePage, I64)));
    const below = x.isZero(x.compare("LtU", x.stateWord(CELL.lastLargePage, I64), page));
    this.leaveIf(x.logic("And", above, below));
    this.push((depth) => emitForgetting(this.fn, held, depth, this.leave));
  }

  /** rflags as memory has it: all but the status flags. */
  flagsRegister(): Value {
    return x.stateWord(at.RFLAGS, I64);
  }
}
