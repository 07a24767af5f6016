/** The emitter for vectors and floating point: XMM registers in locals, lanes as WebAssembly's vectors. */

import type { Instruction } from "#isa/instruction.ts";
import { STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import { ERROR_SUMMARY, unitFault } from "#machine/cpu/units.ts";
import type {
  Conversion,
  FloatOperation,
  FloatWidth,
  LaneShift,
  LaneWidth,
  PackedOperation,
  Routine,
  Unit,
  VectorSemantics,
} from "#machine/cpu/vector-semantics.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { type BookRoutine, bookRoutine } from "./book-routines.ts";
import { CELL } from "./cells.ts";
import { I32, I64, OP, V128 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { converted } from "./float-conversions.ts";
import { comparedBits, computedFloat, EXACT_ROUNDING, INVALID_BEFORE } from "./float-lanes.ts";
import { lanesRoutine, NARROW_ROUTINE, scalarRoutine } from "./float-routines.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { INLINE_ROUTINES } from "./inline-routines.ts";
import { NativeEmitter } from "./native-emitter.ts";
import { packedValue } from "./packed-lanes.ts";
import { plainRoutine } from "./plain-routines.ts";
import { approximated } from "./reciprocals.ts";
import {
  bitsOf,
  computedScalar,
  isDenormal,
  isScalarOperation,
  isWellInside,
  lowest,
  withNumber,
} from "./scalar-floats.ts";
import { bitmask, extract, replace, shiftLanes, shuffled, vectorConstant } from "./simd.ts";

const PAIR = 16;

/** Vectors in a row: what their offsets are added to in the first page and behind it, and the bytes from the first on in its page. */
interface Row {
  readonly here: Value;
  readonly there: Value;
  readonly room: Value;
}

export class VectorEmitter extends NativeEmitter implements VectorSemantics<Value, Value> {
  /** Locals of XMM registers that the function uses. */
  readonly vectorLocals = new Map<number, number>();
  readonly vectorsWritten = new Set<number>();

  instructionNow!: Instruction;

  protected run(decoded: DecodedInstruction): void {
    this.instructionNow = decoded.instruction;
    decoded.meaning(this, decoded.instruction);
  }

  protected vectorLocal(number: number): number {
    const known = this.vectorLocals.get(number);
    if (known !== undefined) return known;
    const fresh = this.fn.keep(V128);
    this.vectorLocals.set(number, fresh);
    return fresh;
  }

  /** XMM registers whose lowest lane is no denormal number of this width, unless denormals have been met before. */
  readonly #plainRegisters = new Map<number, FloatWidth>();
  /** The same of values, and which register a value was read from. */
  readonly #plainValues = new WeakMap<Value, FloatWidth>();
  readonly #origins = new WeakMap<Value, number>();
  /** Whether MXCSR is as inlined arithmetic needs it; -1 where nobody asks. */
  exactRounding = -1;

  /** A block may be reached from several places. */
  beginBlock(): void {
    this.#plainRegisters.clear();
  }

  #mark(value: Value, width: FloatWidth | undefined): Value {
    if (width !== undefined) this.#plainValues.set(value, width);
    return value;
  }

  readVector(number: number): Value {
    const value = this.branch.vectors.get(number) ?? x.local(this.vectorLocal(number), V128, 128);
    this.#origins.set(value, number);
    return this.#mark(value, this.#plainRegisters.get(number));
  }

  writeVector(number: number, value: Value): void {
    if (x.scope.depth > 0) this.refuse("a vector register set on a condition");
    this.vectorLocal(number);
    this.vectorsWritten.add(number);
    this.branch.vectors.set(number, value);
    const plain = this.#plainValues.get(value);
    if (plain === undefined) this.#plainRegisters.delete(number);
    else this.#plainRegisters.set(number, plain);
  }

  #vectorPlace(segment: number, offset: Value, aligned: boolean, write: boolean): number {
    const linear = this.hold(this.linear(segment, offset, PAIR, write));
    if (aligned) this.leaveIf(x.isNonZero(this.and(linear, this.constant(15n))));
    return this.placeAt(linear, PAIR, write);
  }

  loadVector(segment: number, offset: Value, aligned: boolean): Value {
    this.needNothingStored();
    const place = this.#vectorPlace(segment, offset, aligned, false);
    const index = this.fn.take(V128);
    this.push(() => {
      this.fn.out.get(place);
      this.fn.out.vectorMemory("load", 0);
      this.fn.out.set(index);
    });
    return x.local(index, V128, 128);
  }

  storeVector(segment: number, offset: Value, value: Value, aligned: boolean): void {
    const place = this.#vectorPlace(segment, offset, aligned, true);
    this.stored = true;
    value.uses++;
    this.push((depth) => {
      this.fn.out.get(place);
      this.fn.emit(value, depth);
      this.fn.out.vectorMemory("store", 0);
    });
  }

  /** Where the first and the last vector of a row lie, whose others lie in the page of one or of the other. */
  #row(segment: number, offset: Value, count: number, write: boolean): Row {
    const bytes = count * PAIR;
    const first = this.hold(this.linear(segment, offset, bytes, write));
    this.leaveIf(x.isNonZero(this.and(first, this.constant(BigInt(PAIR - 1)))));
    const room = this.hold(x.arithmetic("Sub", 32, x.constant(0x1000n), this.and(first, x.constant(0xfffn))));
    const rest = x.constant(BigInt(bytes - PAIR));
    const last = this.hold(x.arithmetic("Add", this.context.mode === 64 ? 64 : 32, first, rest));
    const places = [first, last].map((linear) => this.placeAt(linear, PAIR, write, bytes));
    const [here, end] = places.map((place) => x.local(place, I32));
    const there = this.hold(x.arithmetic("Sub", 32, end!, rest));
    return { here: here!, there, room };
  }

  /** Leaves what an offset must be added to on the stack. */
  #emitBase({ here, there, room }: Row, offset: number, depth: number): void {
    const isHere = x.compare("LtU", x.constant(BigInt(offset)), room);
    this.fn.emit(offset === 0 ? here : x.select(isHere, here, there), depth);
  }

  loadVectors(segment: number, offset: Value, count: number): Value[] {
    this.needNothingStored();
    const row = this.#row(segment, offset, count, false);
    return Array.from({ length: count }, (_, number) => {
      const index = this.fn.take(V128);
      this.push((depth) => {
        this.#emitBase(row, number * PAIR, depth);
        this.fn.out.vectorMemory("load", number * PAIR);
        this.fn.out.set(index);
      });
      return x.local(index, V128, 128);
    });
  }

  storeVectors(segment: number, offset: Value, values: readonly Value[]): void {
    this.needNothingStored();
    const row = this.#row(segment, offset, values.length, true);
    this.stored = true;
    for (const [number, value] of values.entries()) {
      value.uses++;
      this.push((depth) => {
        this.#emitBase(row, number * PAIR, depth);
        this.fn.emit(value, depth);
        this.fn.out.vectorMemory("store", number * PAIR);
      });
    }
  }

  vector(low: Value, high: Value): Value {
    if (x.isConstant(low) && x.isConstant(high)) return vectorConstant(low.constant, high.constant);
    const bottom = replace(64, 0, vectorConstant(0n, x.isConstant(high) ? high.constant : 0n), low);
    return this.#mark(x.isConstant(high) ? bottom : replace(64, 1, bottom, high), this.#plainValues.get(low));
  }

  lane(width: LaneWidth, index: number, value: Value): Value {
    const plain = this.#plainValues.get(value);
    const found = extract(width, index, value);
    return index === 0 && plain === width ? this.#mark(found, plain) : found;
  }

  withLane(width: LaneWidth, index: number, value: Value, lane: Value): Value {
    const plain = this.#plainValues.get(lane);
    const found = replace(width, index, value, lane);
    return index === 0 && plain === width ? this.#mark(found, plain) : found;
  }

  signBits(width: LaneWidth, value: Value): Value {
    return bitmask(width, value);
  }

  packed(operation: PackedOperation, width: LaneWidth, left: Value, right: Value): Value {
    return packedValue(operation, width, left, right);
  }

  /** WebAssembly takes counts modulo the width; the processor moves everything out, or the sign in. */
  shiftLanes(shift: LaneShift, width: LaneWidth, value: Value, count: Value): Value {
    const most = x.constant(BigInt(width - 1));
    const held = this.hold(count);
    const over = x.compare("LtU", x.as64(most), x.as64(held));
    if (shift === "rightSigned") return shiftLanes(shift, width, value, x.as32(x.select(over, most, held)));
    const moved = shiftLanes(shift, width, value, x.truncate(32, held));
    return x.selectVector(over, vectorConstant(0n, 0n), moved);
  }

  shuffle(left: Value, right: Value, bytes: readonly number[]): Value {
    return shuffled(left, right, bytes);
  }

  /** Whether rounding is to nearest, everything is masked, and there have been inexact results before. */
  #exactRounding(): Value {
    if (this.exactRounding < 0) this.exactRounding = this.fn.keep(I32);
    return x.local(this.exactRounding, I32, 1);
  }

  /** MXCSR has been changed. */
  renewRounding(): void {
    this.#exactRounding();
    this.push(() => this.loadRounding(this.fn));
  }

  /** Writes code that computes `exactRounding`, if anybody asks for it. */
  loadRounding({ out }: FunctionWriter): void {
    if (this.exactRounding < 0) return;
    out.i32(0);
    out.memory(OP.i32Load, at.MXCSR);
    out.i32(Number(EXACT_ROUNDING.mask));
    out.byte(OP.i32And);
    out.i32(Number(EXACT_ROUNDING.value));
    out.byte(OP.i32Eq);
    out.set(this.exactRounding);
  }

  float(operation: FloatOperation, width: FloatWidth, lanes: number, left: Value, right: Value): Value {
    if (lanes === 1 && isScalarOperation(operation)) return this.#scalar(operation, width, left, right);
    const hold = (value: Value) => this.hold(value);
    const [a, b] = [hold(left), hold(right)];
    const found =
      operation === "reciprocal" || operation === "reciprocalRoot"
        ? approximated(operation, lanes, b, hold)
        : computedFloat(operation, width, lanes, a, b, hold);
    if (found.rounds) {
      const quick = x.logic("And", x.isZero(found.unusual), this.#exactRounding());
      const routine = this.runtime.vectorRoutine(lanesRoutine(operation, width, lanes));
      this.#settle(quick, () => x.make(OP.call, I32, [a, b], 1, routine));
    } else this.leaveIf(found.unusual);
    if (lanes * width === 128) return found.result;
    return replace(width, 0, a, extract(width, 0, found.result));
  }

  /** What a quick look does not settle, a function of the runtime does. */
  #settle(quick: Value, isPlain: () => Value): void {
    this.if(x.isZero(quick), () => this.leaveIf(x.isZero(isPlain())));
  }

  #scalar(operation: FloatOperation, width: FloatWidth, left: Value, right: Value): Value {
    const hold = (value: Value) => this.hold(value);
    const under = this.hold(left);
    const [a, b] = [lowest(width, under, hold), lowest(width, right, hold)];
    const number = this.hold(computedScalar(operation, width, a, b));
    let quick = x.logic("And", isWellInside(width, this.hold(bitsOf(width, number))), this.#exactRounding());
    const operands: [Value, Value][] = [[right, b.bits]];
    if (operation !== "squareRoot") operands.push([left, a.bits]);
    for (const [value, bits] of operands) {
      if (this.#plainValues.get(value) === width) continue;
      quick = x.logic("And", quick, x.isZero(isDenormal(width, bits)));
    }
    const routine = this.runtime.routine(scalarRoutine(operation, width));
    this.#settle(quick, () => x.make(OP.call, I32, [x.as64(a.bits), x.as64(b.bits)], 1, routine));
    for (const [value] of operands) this.#noteRegister(value, width);
    return this.#mark(withNumber(width, under, number), width);
  }

  /** The register that a value was read from has been looked at. */
  #noteRegister(value: Value, width: FloatWidth): void {
    const register = this.#origins.get(value);
    if (register !== undefined && !this.branch.vectors.has(register)) this.#plainRegisters.set(register, width);
  }

  compareFloat(width: FloatWidth, left: Value, right: Value): Value {
    const { unusual, bits } = comparedBits(width, this.hold(left), this.hold(right));
    this.leaveIf(unusual);
    return bits;
  }

  convert(conversion: Conversion, value: Value): Value {
    const narrows = conversion.lanes === 1 && conversion.from === "f64" && conversion.to === "f32";
    const source = narrows ? this.hold(value) : value;
    const { result, plain, exact, answersInvalid } = converted(conversion, source, (part) => this.hold(part));
    const isFine = exact === null ? plain : x.logic("And", plain, x.logic("Or", exact, this.#exactRounding()));
    if (narrows) {
      const routine = this.runtime.routine(NARROW_ROUTINE);
      this.#settle(isFine, () => x.make(OP.call, I32, [extract(64, 0, source), x.as64(x.constant(0n))], 1, routine));
    } else if (answersInvalid === true) {
      const masked = x.logic("And", x.stateWord(at.MXCSR, I32), x.constant(INVALID_BEFORE.mask));
      const isMet = () => x.logic("And", x.isZero(plain), x.compare("Eq", masked, x.constant(INVALID_BEFORE.value)));
      this.#settle(isFine, isMet);
    } else this.leaveIf(x.isZero(isFine));
    return result;
  }

  /** CR0 and CR4 are part of the context; an exception of the x87 that waits is not. */
  require(unit: Unit): void {
    if (unitFault(this.cpu, unit) !== null) this.refuse(`the unit ${unit}`);
    if (unit === "sse" || unit === "x87Control") return;
    this.leaveIf(x.isNonZero(x.logic("And", x.stateWord(at.FPU_STATUS, I32), x.constant(BigInt(ERROR_SUMMARY)))));
  }

  readState(offset: number, width: 8 | 16 | 32 | 64): Value {
    return this.hold(x.truncate(width as Width, width === 64 ? x.stateWord(offset, I64) : x.stateWord(offset, I32)));
  }

  /** What is in the state only: no local holds it. */
  writeState(offset: number, width: 8 | 16 | 32 | 64, value: Value): void {
    this.storeState(offset, value, width);
  }

  /** The runtime does it for plain numbers, and says whether these are; if not, the book's own routine is called. */
  call(called: Routine, ...values: Value[]): Value {
    const inline = INLINE_ROUTINES.get(called);
    if (inline !== undefined) return inline(this, values);
    const plain = plainRoutine(this.instructionNow, called);
    const book = bookRoutine(called);
    if (plain === null) {
      if (book === null) return this.refuse("a routine of the floating-point unit");
      this.#callBook(book, values);
      return this.hold(x.stateWord(CELL.routineAnswer, I64));
    }
    const all = [...values, ...plain.values.map((value) => x.constant(value)), x.constant(0n), x.constant(0n)];
    const parameters = all.slice(0, 2).map((value) => x.as64(value));
    const done = x.make(OP.call, I32, parameters, 1, this.runtime.routine(plain.name));
    if (plain.certain) this.hold(done);
    else if (book === null) this.leaveIf(x.isZero(done));
    else this.if(x.isZero(this.hold(done)), () => this.#callBook(book, values));
    return plain.answers ? this.hold(x.stateWord(CELL.routineAnswer, I64)) : x.constant(0n);
  }

  #callBook({ number, certain }: BookRoutine, values: readonly Value[]): void {
    const given = [0, 1, 2, 3].map((index) => x.as64(values[index] ?? x.constant(0n)));
    const parameters = [x.constant(BigInt(number)), ...given];
    const done = x.make(OP.call, I32, parameters, 1, this.runtime.bookCall());
    if (certain) this.hold(done);
    else this.leaveIf(x.isZero(done));
  }

  setStatus(flags: Value): void {
    this.setAllFlags(x.as32(this.and(flags, this.constant(BigInt(STATUS)))));
  }
}
