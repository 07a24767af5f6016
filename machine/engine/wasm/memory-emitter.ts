/** The emitter's loads and stores: through segments and the TLB, in loops through remembered pages. */
import * as at from "#machine/cpu/layout.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import { FS, TYPE_CODE, TYPE_DOWN, TYPE_WRITABLE, UNUSABLE } from "#machine/cpu/state.ts";
import { NotEmitted } from "./branch-emitter.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { FlagEmitter } from "./flag-emitter.ts";
import { LOCAL } from "./function-writer.ts";
import {
  type Access,
  emitPlace,
  emitRememberedPlace,
  loadOpcode,
  type Miss,
  type PageMemory,
  storeOpcode,
} from "./tlb-access.ts";

/** The first local that a value is computed from; -1 for none. */
function firstLocal(value: Value): number {
  if (value.op === OP.localGet) return value.index;
  for (const operand of value.operands) {
    const found = firstLocal(operand);
    if (found >= 0) return found;
  }
  return -1;
}

export abstract class MemoryEmitter extends FlagEmitter {
  /** Whether accesses remember their last page: worth it in loops. */
  remembers = false;
  /** The pages remembered, by what addresses are computed from. */
  readonly pages = new Map<string, PageMemory>();

  /**
   * Writes code that leaves before an access without a plain entry in the TLB, whose address `LOCAL.missed` holds, and
   * which stores so many bytes, or none; null where the runtime is asked in place.
   */
  leaveMissed: ((stored: number) => void) | null = null;

  /** The running instruction stores something. */
  claims = false;
  /** A local that is set where a store has gone into a page with code; see arrival.ts. */
  claimed: number | undefined;

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
    if (rules.attributes === null) this.#askSegment(base, write);
    const held = this.hold(offset);
    const last = x.arithmetic("Add", 64, held, x.constant(BigInt(bytes - 1)));
    const limit = x.as64(x.stateWord(base + at.SEGMENT_LIMIT, I32));
    this.leaveIf(x.compare("LtU", limit, x.as64(last)));
    return x.arithmetic("Add", 32, x.stateWord(base, I32), held);
  }

  /** Leaves unless the segment in a register holds data and grows upwards, and is writable where that matters. */
  #askSegment(base: number, write: boolean): void {
    const attributes = x.stateWord(base + at.SEGMENT_ATTRIBUTES, I32);
    const kind = UNUSABLE | TYPE_CODE | TYPE_DOWN | (write ? TYPE_WRITABLE : 0);
    const found = x.logic("And", attributes, x.constant(BigInt(kind)));
    this.leaveIf(x.compare("Ne", found, x.constant(BigInt(write ? TYPE_WRITABLE : 0))));
  }

  /** Statement: the place of an operand, in a local. */
  #place(segment: number, offset: Value, width: Width, write: boolean): number {
    const bytes = width >> 3;
    return this.placeAt(this.linear(segment, offset, bytes, write), bytes, write);
  }

  /** `told`: what a store that may touch code says that it touches. */
  protected placeAt(address: Value, bytes: number, write: boolean, told = bytes): number {
    this.needRevocable();
    const { key, mode } = this.context;
    const index = this.fn.take(I32);
    const memory = this.remembers ? this.#pageMemory(address, write) : null;
    address.uses++;
    if (write) this.claims = true;
    const rescue = this.#rescue(write);
    const miss = this.#miss(bytes, write);
    this.push((depth) => {
      const access = { address, bytes, told, write, key, long: mode === 64, ...rescue };
      if (memory === null) emitPlace(this.fn, access, depth, miss);
      else emitRememberedPlace(this.fn, access, memory, depth, miss);
      this.fn.out.set(index);
    });
    return index;
  }

  #rescue(write: boolean): Pick<Access, "rescue" | "claimed"> {
    if (this.leaveMissed !== null) return {};
    if (!write) return { rescue: this.runtime.across };
    const { claimed } = this;
    return { rescue: this.runtime.claim, ...(claimed === undefined ? {} : { claimed }) };
  }

  #miss(bytes: number, write: boolean): Miss {
    const { leaveMissed } = this;
    if (leaveMissed === null) return this.leave;
    return ({ local, long }) => {
      const { out } = this.fn;
      out.get(local);
      if (!long) out.byte(OP.i64ExtendI32U);
      out.set(LOCAL.missed);
      leaveMissed(write ? bytes : 0);
    };
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
}
