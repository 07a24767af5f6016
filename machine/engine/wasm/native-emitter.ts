import * as at from "#machine/cpu/layout.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { FS } from "#machine/cpu/state.ts";
import { NotEmitted } from "./branch-emitter.ts";
import { CELL } from "./cells.ts";
import { Emitter } from "./emitter.ts";
import { I32, I64, MEMORY_COPY, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { allOverridden, knownView } from "./flag-view.ts";
import { NATIVE } from "./operations.ts";
import { emitForgetting, emitPlace } from "./tlb-access.ts";

export abstract class NativeEmitter extends Emitter {
  system(operation: SystemOperation, ...values: Value[]): Value {
    const native = NATIVE.get(operation);
    if (native === undefined) throw new NotEmitted("an operation on the whole processor");
    return native(this, values);
  }

  // What native operations are made of

  leaveUnlessEqual(value: Value, expected: bigint): void {
    this.leaveIf(x.compare("Ne", value, value.type === I64 ? x.as64(x.constant(expected)) : x.constant(expected)));
  }

  /** Eight bytes that the processor itself reads, with the supervisor's rights. */
  loadForProcessor(linear: bigint): Value {
    const index = this.fn.take(I32);
    const access = { address: x.constant(linear), bytes: 8, write: false, user: false, long: this.context.mode === 64 };
    this.push((depth) => {
      emitPlace(this.fn, access, depth, this.leave);
      this.fn.out.set(index);
    });
    return this.get(index, 64);
  }

  /** Words of one size that lie one after the other at a flat address, in one page. */
  #placeOfWords(linear: Value, bytes: number, write: boolean): number {
    const index = this.fn.take(I32);
    const { user, mode } = this.context;
    linear.uses++;
    this.push((depth) => {
      emitPlace(this.fn, { address: linear, bytes, write, user, long: mode === 64 }, depth, this.miss);
      this.fn.out.set(index);
    });
    return index;
  }

  loadWords(linear: Value, width: 32 | 64, count: number): Value[] {
    const place = this.#placeOfWords(linear, (count * width) / 8, false);
    return Array.from({ length: count }, (_, index) => this.get(place, width, (index * width) / 8));
  }

  storeWords(linear: Value, width: 32 | 64, values: readonly Value[]): void {
    const place = this.#placeOfWords(linear, (values.length * width) / 8, true);
    for (const [index, value] of values.entries()) this.put(place, width, value, (index * width) / 8);
  }

  /** All status flags, one by one. */
  setAllFlags(bits: Value): void {
    if (this.flagsDie) return;
    this.touchesFlags = true;
    this.overrides = true;
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
