/** The evaluator for vectors and floating point: values of 128 bits are pairs of bigints, low half first. */
import { generalProtection } from "#machine/cpu/fault.ts";
import { KNOWN, STATUS } from "#machine/cpu/flags.ts";
import { compareLanes, convertLanes, floatLanes, type Vector } from "#machine/cpu/float/lanes.ts";
import * as at from "#machine/cpu/layout.ts";
import { unitFault } from "#machine/cpu/units.ts";
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
import { Evaluator } from "./evaluator.ts";
import { laneOf, packedLanes, shiftedLanes, shuffledBytes, signBitsOf, withLane } from "./lanes.ts";

export class VectorEvaluator extends Evaluator implements VectorSemantics<bigint, Vector> {
  readonly #state = new DataView(this.cpu.state.memory.buffer);

  readVector(number: number): Vector {
    const { words } = this.cpu.state;
    const word = at.XMM / 8 + number * 2;
    return [words[word]!, words[word + 1]!];
  }

  writeVector(number: number, [low, high]: Vector): void {
    const { words } = this.cpu.state;
    const word = at.XMM / 8 + number * 2;
    words[word] = low;
    words[word + 1] = high;
  }

  loadVector(segment: number, offset: bigint, aligned: boolean): Vector {
    this.#needAlignment(this.linear(segment, offset, 16, false), aligned);
    return [this.load(segment, offset, 64), this.load(segment, BigInt.asUintN(64, offset + 8n), 64)];
  }

  storeVector(segment: number, offset: bigint, [low, high]: Vector, aligned: boolean): void {
    const linear = this.linear(segment, offset, 16, true);
    this.#needAlignment(linear, aligned);
    if ((linear & 0xfffn) > 0xff0n) this.cpu.mmu.claim(linear, 16, this.cpu.state.cpl === 3);
    this.store(segment, offset, 64, low);
    this.store(segment, BigInt.asUintN(64, offset + 8n), 64, high);
  }

  loadVectors(segment: number, offset: bigint, count: number): Vector[] {
    const places = Array.from({ length: count }, (_, index) => BigInt.asUintN(64, offset + BigInt(index * 16)));
    return places.map((place) => this.loadVector(segment, place, true));
  }

  storeVectors(segment: number, offset: bigint, values: readonly Vector[]): void {
    const bytes = values.length * 16;
    const linear = this.linear(segment, offset, bytes, true);
    this.#needAlignment(linear, true);
    this.cpu.mmu.claim(linear, bytes, this.cpu.state.cpl === 3);
    for (const [index, value] of values.entries())
      this.storeVector(segment, BigInt.asUintN(64, offset + BigInt(index * 16)), value, true);
  }

  #needAlignment(linear: bigint, aligned: boolean): void {
    if (aligned && (linear & 15n) !== 0n) {
      throw generalProtection(0, `the address 0x${linear.toString(16)} is no multiple of 16`);
    }
  }

  vector(low: bigint, high: bigint): Vector {
    return [low, high];
  }

  lane(width: LaneWidth, index: number, value: Vector): bigint {
    return laneOf(width, index, value);
  }

  withLane(width: LaneWidth, index: number, value: Vector, lane: bigint): Vector {
    return withLane(width, index, value, lane);
  }

  signBits(width: LaneWidth, value: Vector): bigint {
    return signBitsOf(width, value);
  }

  packed(operation: PackedOperation, width: LaneWidth, left: Vector, right: Vector): Vector {
    return packedLanes(operation, width, left, right);
  }

  shiftLanes(shift: LaneShift, width: LaneWidth, value: Vector, count: bigint): Vector {
    return shiftedLanes(shift, width, value, count);
  }

  shuffle(left: Vector, right: Vector, bytes: readonly number[]): Vector {
    return shuffledBytes(left, right, bytes);
  }

  float(operation: FloatOperation, width: FloatWidth, lanes: number, left: Vector, right: Vector): Vector {
    return floatLanes(this.cpu, operation, width, lanes, left, right);
  }

  compareFloat(width: FloatWidth, left: Vector, right: Vector, quiet: boolean): bigint {
    return BigInt(compareLanes(this.cpu, width, laneOf(width, 0, left), laneOf(width, 0, right), quiet));
  }

  convert(conversion: Conversion, value: Vector): Vector {
    return convertLanes(this.cpu, conversion, value);
  }

  require(unit: Unit): void {
    const fault = unitFault(this.cpu, unit);
    if (fault !== null) throw fault;
  }

  readState(offset: number, width: 8 | 16 | 32 | 64): bigint {
    switch (width) {
      case 64:
        return this.#state.getBigUint64(offset, true);
      case 32:
        return BigInt(this.#state.getUint32(offset, true));
      case 16:
        return BigInt(this.#state.getUint16(offset, true));
      default:
        return BigInt(this.#state.getUint8(offset));
    }
  }

  writeState(offset: number, width: 8 | 16 | 32 | 64, value: bigint): void {
    switch (width) {
      case 64:
        this.#state.setBigUint64(offset, value, true);
        break;
      case 32:
        this.#state.setUint32(offset, Number(value), true);
        break;
      case 16:
        this.#state.setUint16(offset, Number(value), true);
        break;
      default:
        this.#state.setUint8(offset, Number(value));
    }
  }

  call(routine: Routine, ...values: bigint[]): bigint {
    return routine(this.cpu, ...values);
  }

  setStatus(flags: bigint): void {
    const { words, halves } = this.cpu.state;
    words[at.RFLAGS / 8] = (words[at.RFLAGS / 8]! & ~BigInt(STATUS)) | (flags & BigInt(STATUS));
    halves[at.LAZY_KIND / 4] = KNOWN;
  }
}
