/** The evaluator: Semantics over 64-bit numbers, which does at once what an instruction says. */
import { armed, dataHits } from "#machine/cpu/breakpoints.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { Fault, generalProtection, VECTOR } from "#machine/cpu/fault.ts";
import { carryFlag, FLAG, type Flag, KNOWN, type LazyKind, STATUS, SUBTRACT, statusFlags } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { refusedAccess } from "#machine/cpu/segment-access.ts";
import type { Semantics, SystemOperation, Width } from "#machine/cpu/semantics.ts";
import { BIG, CS, FS, SS } from "#machine/cpu/state.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import { isOpen } from "#machine/memory/paging.ts";
import { READ_TABLE, slot, tagKey, WRITE_TABLE } from "#machine/memory/tlb.ts";
import { CodeCursor } from "./code-cursor.ts";
import { cut, divide, leadingZeros, ones, signed, trailingZeros } from "./words.ts";

export class Evaluator implements Semantics<bigint> {
  readonly cursor: CodeCursor;
  stackWidth: 16 | 32 | 64 = 16;
  /** Something happened that the run loop must look at before the next instruction. */
  attention = true;

  readonly #words: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #view: DataView;
  #flat = false;
  #isUser = false;
  #key = tagKey(false);
  /** Breakpoints stand in the debug registers. */
  #armed = false;

  constructor(readonly cpu: Cpu) {
    this.cursor = new CodeCursor(cpu);
    const { buffer } = cpu.state.memory;
    this.#words = cpu.state.words;
    this.#halves = cpu.mmu.tlb.halves;
    this.#view = new DataView(buffer);
    this.refresh();
  }

  /** Takes over what the processor's state says: rip, mode, privilege. */
  refresh(): void {
    const { state } = this.cpu;
    this.cursor.load();
    this.#flat = this.cursor.mode === 64;
    this.#isUser = state.cpl === 3;
    this.#key = tagKey(this.#isUser, isOpen(state));
    this.#armed = armed(this.cpu);
    this.stackWidth = this.#flat ? 64 : (state.segmentAttributes(SS) & BIG) !== 0 ? 32 : 16;
    this.attention = true;
  }

  // Registers

  constant(value: bigint): bigint {
    return value;
  }

  readRegister(number: number, width: Width): bigint {
    return cut(width, this.#words[number]!);
  }

  writeRegister(number: number, width: Width, value: bigint): void {
    switch (width) {
      case 64:
      case 32:
        this.#words[number] = value;
        break;
      case 16:
        this.#view.setUint16(number * 8, Number(value), true);
        break;
      default:
        this.#view.setUint8(number * 8, Number(value));
    }
  }

  readHighByte(number: number): bigint {
    return BigInt(this.#view.getUint8(number * 8 + 1));
  }

  writeHighByte(number: number, value: bigint): void {
    this.#view.setUint8(number * 8 + 1, Number(value));
  }

  // Arithmetic

  add(width: Width, left: bigint, right: bigint): bigint {
    return cut(width, left + right);
  }

  subtract(width: Width, left: bigint, right: bigint): bigint {
    return cut(width, left - right);
  }

  multiply(width: Width, left: bigint, right: bigint): bigint {
    return cut(width, left * right);
  }

  multiplyHigh(width: Width, left: bigint, right: bigint, isSigned: boolean): bigint {
    const product = isSigned ? signed(width, left) * signed(width, right) : left * right;
    return cut(width, product >> BigInt(width));
  }

  divide(width: Width, high: bigint, low: bigint, divisor: bigint, isSigned: boolean) {
    return divide(width, high, low, divisor, isSigned);
  }

  and(left: bigint, right: bigint): bigint {
    return left & right;
  }

  or(left: bigint, right: bigint): bigint {
    return left | right;
  }

  xor(left: bigint, right: bigint): bigint {
    return left ^ right;
  }

  not(width: Width, value: bigint): bigint {
    return cut(width, ~value);
  }

  shiftLeft(value: bigint, count: bigint): bigint {
    return BigInt.asUintN(64, value << (count & 63n));
  }

  shiftRight(value: bigint, count: bigint): bigint {
    return value >> (count & 63n);
  }

  shiftRightSigned(value: bigint, count: bigint): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(64, value) >> (count & 63n));
  }

  truncate(width: Width, value: bigint): bigint {
    return cut(width, value);
  }

  signExtend(from: Width, to: Width, value: bigint): bigint {
    return cut(to, signed(from, value));
  }

  countLeadingZeros(width: Width, value: bigint): bigint {
    return leadingZeros(width, value);
  }

  countTrailingZeros(width: Width, value: bigint): bigint {
    return trailingZeros(width, value);
  }

  countOnes(value: bigint): bigint {
    return ones(value);
  }

  // Comparison and choice

  isZero(value: bigint): bigint {
    return value === 0n ? 1n : 0n;
  }

  isNonZero(value: bigint): bigint {
    return value === 0n ? 0n : 1n;
  }

  equal(left: bigint, right: bigint): bigint {
    return left === right ? 1n : 0n;
  }

  less(left: bigint, right: bigint): bigint {
    return left < right ? 1n : 0n;
  }

  if(condition: bigint, then: () => void, otherwise?: () => void): void {
    if (condition !== 0n) then();
    else otherwise?.();
  }

  select(condition: bigint, whenTrue: bigint, whenFalse: bigint): bigint {
    return condition !== 0n ? whenTrue : whenFalse;
  }

  // Flags

  setFlags(kind: LazyKind, width: Width, left: bigint, right: bigint, result: bigint): void {
    this.#halves[at.LAZY_KIND / 4] = kind;
    this.#halves[at.LAZY_WIDTH / 4] = width;
    this.#words[at.LAZY_LEFT / 8] = left;
    this.#words[at.LAZY_RIGHT / 8] = right;
    this.#words[at.LAZY_RESULT / 8] = result;
  }

  setFlag(flag: Flag, value: bigint): void {
    const word = at.RFLAGS / 8;
    let flags = this.#words[word]!;
    if (((STATUS >> flag) & 1) !== 0) {
      flags = (flags & ~BigInt(STATUS)) | BigInt(statusFlags(this.#words, this.#halves));
      this.#halves[at.LAZY_KIND / 4] = KNOWN;
    }
    const bit = 1n << BigInt(flag);
    this.#words[word] = value === 0n ? flags & ~bit : flags | bit;
  }

  flag(flag: Flag): bigint {
    if (((STATUS >> flag) & 1) === 0) return (this.#words[at.RFLAGS / 8]! >> BigInt(flag)) & 1n;
    if (flag === FLAG.CF) return carryFlag(this.#words, this.#halves);
    return BigInt((statusFlags(this.#words, this.#halves) >> flag) & 1);
  }

  condition(code: number): bigint {
    const kind = this.#halves[at.LAZY_KIND / 4]!;
    if (kind !== KNOWN && code >> 1 === 2) {
      return (this.#words[at.LAZY_RESULT / 8] === 0n) === (code === 4) ? 1n : 0n;
    }
    const compared = kind === SUBTRACT ? this.#compared(code >> 1) : null;
    const holds = compared ?? this.#holds(code >> 1, statusFlags(this.#words, this.#halves));
    return holds === ((code & 1) === 0) ? 1n : 0n;
  }

  /** Orders after a comparison need no flags, only its operands; null for other conditions, and after a borrow came in. */
  #compared(condition: number): boolean | null {
    const width = this.#halves[at.LAZY_WIDTH / 4] as Width;
    const left = this.#words[at.LAZY_LEFT / 8]!;
    const right = this.#words[at.LAZY_RIGHT / 8]!;
    if (cut(width, left - right) !== this.#words[at.LAZY_RESULT / 8]) return null;
    switch (condition) {
      case 1:
        return left < right;
      case 3:
        return left <= right;
      case 6:
        return signed(width, left) < signed(width, right);
      case 7:
        return signed(width, left) <= signed(width, right);
      default:
        return null;
    }
  }

  #holds(condition: number, flags: number): boolean {
    const carry = (flags & 1) !== 0;
    const zero = (flags & 0x40) !== 0;
    const less = ((flags >> 7) & 1) !== ((flags >> 11) & 1);
    switch (condition) {
      case 0:
        return (flags & 0x800) !== 0;
      case 1:
        return carry;
      case 2:
        return zero;
      case 3:
        return carry || zero;
      case 4:
        return (flags & 0x80) !== 0;
      case 5:
        return (flags & 4) !== 0;
      case 6:
        return less;
      default:
        return less || zero;
    }
  }

  // Memory

  load(segment: number, offset: bigint, width: Width): bigint {
    const bytes = width >> 3;
    const linear = this.linear(segment, offset, bytes, false);
    const low = Number(BigInt.asUintN(32, linear));
    const high = Number(linear >> 32n);
    const entry = slot(READ_TABLE, low, high);
    const halves = this.#halves;
    if (this.#hits(entry, low, high, bytes)) return this.#get((low + halves[entry + 2]!) >>> 0, width);
    this.#needCanonical(segment, linear, bytes);
    return this.cpu.mmu.read(linear, bytes, this.#isUser);
  }

  store(segment: number, offset: bigint, width: Width, value: bigint): void {
    const bytes = width >> 3;
    const linear = this.linear(segment, offset, bytes, true);
    const low = Number(BigInt.asUintN(32, linear));
    const high = Number(linear >> 32n);
    const entry = slot(WRITE_TABLE, low, high);
    if (this.#hits(entry, low, high, bytes)) this.#set((low + this.#halves[entry + 2]!) >>> 0, width, value);
    else {
      this.#needCanonical(segment, linear, bytes);
      this.cpu.mmu.write(linear, bytes, value, this.#isUser);
    }
  }

  update(segment: number, offset: bigint, width: Width, change: (old: bigint) => bigint): void {
    const bytes = width >> 3;
    const linear = this.linear(segment, offset, bytes, true);
    const low = Number(BigInt.asUintN(32, linear));
    const high = Number(linear >> 32n);
    const entry = slot(WRITE_TABLE, low, high);
    if (this.#hits(entry, low, high, bytes)) {
      const place = (low + this.#halves[entry + 2]!) >>> 0;
      this.#set(place, width, change(this.#get(place, width)));
    } else {
      this.#needCanonical(segment, linear, bytes);
      const user = this.#isUser;
      this.cpu.mmu.claim(linear, bytes, user);
      this.cpu.mmu.write(linear, bytes, change(this.cpu.mmu.read(linear, bytes, user)), user);
    }
  }

  #hits(entry: number, low: number, high: number, bytes: number): boolean {
    const halves = this.#halves;
    return (
      halves[entry] === ((low & 0xfffff000) | this.#key) >>> 0 &&
      halves[entry + 1] === high &&
      (low & 0xfff) + bytes <= 0x1000
    );
  }

  #get(place: number, width: Width): bigint {
    switch (width) {
      case 64:
        return this.#view.getBigUint64(place, true);
      case 32:
        return BigInt(this.#view.getUint32(place, true));
      case 16:
        return BigInt(this.#view.getUint16(place, true));
      default:
        return BigInt(this.#view.getUint8(place));
    }
  }

  #set(place: number, width: Width, value: bigint): void {
    switch (width) {
      case 64:
        this.#view.setBigUint64(place, value, true);
        break;
      case 32:
        this.#view.setUint32(place, Number(value), true);
        break;
      case 16:
        this.#view.setUint16(place, Number(value), true);
        break;
      default:
        this.#view.setUint8(place, Number(value));
    }
  }

  protected linear(segment: number, offset: bigint, bytes: number, write: boolean): bigint {
    const linear = this.#linearOf(segment, offset, bytes, write);
    if (this.#armed) {
      this.cpu.hits |= dataHits(this.cpu, linear, bytes, write);
      this.attention = true;
    }
    return linear;
  }

  #linearOf(segment: number, offset: bigint, bytes: number, write: boolean): bigint {
    const { state } = this.cpu;
    if (this.#flat) return segment < FS ? offset : BigInt.asUintN(64, state.segmentBase(segment) + offset);
    const typed = state.protectedMode;
    const attributes = state.segmentAttributes(segment);
    const why = refusedAccess(attributes, state.segmentLimit(segment), Number(offset), bytes, write, typed);
    if (why === null) return BigInt.asUintN(32, state.segmentBase(segment) + offset);
    const detail = `segment register ${segment} ${why} (0x${offset.toString(16)})`;
    throw segment === SS ? new Fault(VECTOR.SS, 0, detail) : generalProtection(0, detail);
  }

  /** A translation that is cached is canonical, so only misses need the check. */
  #needCanonical(segment: number, linear: bigint, bytes: number): void {
    if (isCanonical(linear) && isCanonical(BigInt.asUintN(64, linear + BigInt(bytes - 1)))) return;
    const detail = `the address 0x${linear.toString(16)} is not canonical`;
    throw segment === SS ? new Fault(VECTOR.SS, 0, detail) : generalProtection(0, detail);
  }

  // Going elsewhere

  nextInstruction(): bigint {
    return this.cursor.rip;
  }

  jump(target: bigint): void {
    const { state } = this.cpu;
    if (this.#flat ? !isCanonical(target) : target > BigInt(state.segmentLimit(CS))) {
      throw generalProtection(0, `the jump target 0x${target.toString(16)} lies outside the code segment`);
    }
    this.cursor.goTo(target);
  }

  relative(displacement: bigint, width: Width): void {
    const { cursor } = this;
    const offset = cursor.offset + Number(displacement);
    // 16 bits of eip are all that a jump with the prefix 66 leaves of 32.
    const near = width !== 16 || cursor.mode === 16;
    if (near && cursor.page !== null && offset >= 0 && offset <= cursor.last && cursor.base >= 0n)
      cursor.offset = offset;
    else this.jump(cut(width, cursor.rip + displacement));
  }

  again(): void {
    this.cursor.goTo(this.cursor.start);
  }

  fault(vector: number, errorCode: number | null, detail: string): void {
    throw new Fault(vector, errorCode, detail);
  }

  system(operation: SystemOperation, ...values: bigint[]): bigint {
    this.cursor.save();
    const result = operation(this.cpu, ...values);
    this.refresh();
    return result;
  }
}
