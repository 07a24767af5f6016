/**
 * Operations that a region has done outside, by the book's own function, without being left: ports, and registers that
 * are seldom used. The clock stands at the instruction, and what the operation changes is looked at before going on.
 */
import type { PortWidth } from "#machine/bus.ts";
import { readControl, writeControl } from "#machine/cpu/control.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { Fault } from "#machine/cpu/fault.ts";
import { FLAG } from "#machine/cpu/flags.ts";
import { cpuid } from "#machine/cpu/identification.ts";
import * as at from "#machine/cpu/layout.ts";
import { readModelRegister, writeModelRegister } from "#machine/cpu/model-registers.ts";
import { readPort, writePort } from "#machine/cpu/ports.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { RAX, RBX, RCX, RDX } from "#machine/cpu/state.ts";
import { POST_PORT, SERVICE_PORT } from "#machine/platform/firmware/rom.ts";
import { CELL } from "./cells.ts";

export interface CallOut {
  readonly operation: SystemOperation;
  /** General registers that it reads and writes by itself. */
  readonly registers: readonly number[];
}

const PAIR = [RAX, RCX, RDX];

/** By the number that a region gives. */
export const CALL_OUTS: readonly CallOut[] = [
  { operation: readControl, registers: [] },
  { operation: writeControl, registers: [] },
  { operation: readModelRegister, registers: PAIR },
  { operation: writeModelRegister, registers: PAIR },
  { operation: cpuid, registers: [RAX, RBX, RCX, RDX] },
];

/** How a call ends. */
export const CALLED = {
  /** It is done. */
  done: 0,
  /** It is done, and the engine must look at something before the next instruction. */
  look: 1,
  /** Nothing is done: the evaluator must. */
  refused: 2,
} as const;

/** Behind these ports the firmware works on registers that a region keeps to itself. */
function isFirmware(port: number): boolean {
  return port >= SERVICE_PORT - 3 && port <= POST_PORT;
}

function refusedBy(reason: unknown): number {
  if (!(reason instanceof Fault)) throw reason;
  return CALLED.refused;
}

const unsigned = (value: bigint) => BigInt.asUintN(64, value);

/** The other side of calls out of regions. */
export class CallOuts {
  /** What `cpu.retired` will be when the running budget is used up. */
  end = 0;
  /** Code, mapping or privilege is no longer what it was. */
  disturbed = false;

  constructor(
    readonly cpu: Cpu,
    /** Whether the engine has something to look at. */
    readonly attention: () => boolean,
    /**
     * After a change of what addresses mean, or of the context: whether the region, given by its number, is still where
     * execution stands.
     */
    readonly stays: (region: number) => boolean,
  ) {}

  /**
   * Does an operation at the moment when `remaining` instructions of the budget are not done; tells how it ended. The
   * region's number is the third value of `writeControl`.
   */
  readonly call = (number: number, remaining: number, first: bigint, second: bigint, third: bigint): number => {
    const { cpu } = this;
    const { operation } = CALL_OUTS[number]!;
    const { generation } = cpu.mmu;
    const { retired } = cpu;
    this.disturbed = false;
    cpu.retired = this.end - remaining;
    try {
      const answer = operation(cpu, unsigned(first), unsigned(second), unsigned(third));
      cpu.state.words[CELL.routineAnswer / 8] = answer;
    } catch (reason) {
      return refusedBy(reason);
    } finally {
      cpu.retired = retired;
    }
    const waits = this.#waits();
    const isControl = operation === writeControl;
    const moved = isControl || generation !== cpu.mmu.generation;
    if (moved && (waits || remaining === 1 || !isControl || !this.stays(Number(third)))) this.disturbed = true;
    return waits || this.disturbed ? CALLED.look : CALLED.done;
  };

  /** The same for `in`, without numbers of 64 bits: to make these takes longer than most devices do. */
  readonly portIn = (remaining: number, port: number, width: number): number =>
    this.#atPort(remaining, port, width as PortWidth, null);

  /** And for `out`. */
  readonly portOut = (remaining: number, port: number, width: number, value: number): number =>
    this.#atPort(remaining, port, width as PortWidth, value >>> 0);

  /** What a device changes of the meaning of addresses, the engine hears of: see `disturbed`. */
  #atPort(remaining: number, port: number, width: PortWidth, written: number | null): number {
    if (isFirmware(port)) return CALLED.refused;
    const { cpu } = this;
    const { retired } = cpu;
    this.disturbed = false;
    cpu.retired = this.end - remaining;
    try {
      if (written === null) cpu.state.halves[CELL.routineAnswer / 4] = readPort(cpu, port, width);
      else writePort(cpu, port, width, written);
    } catch (reason) {
      return refusedBy(reason);
    } finally {
      cpu.retired = retired;
    }
    return this.#waits() || this.disturbed ? CALLED.look : CALLED.done;
  }

  /** Whether something waits that must be seen before the next instruction. */
  #waits(): boolean {
    const { halves } = this.cpu.state;
    const pending = this.cpu.interrupts.pending();
    halves[CELL.pending / 4] = pending ? 1 : 0;
    return (pending && ((halves[at.RFLAGS / 4]! >> FLAG.IF) & 1) !== 0) || this.attention();
  }
}
