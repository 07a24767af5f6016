/**
 * Routines of the floating-point unit that a region has done by the book, without being left: those that the runtime
 * has no function for, and those whose function has given up. They work on the processor's state in memory alone.
 */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { loadMxcsr } from "#machine/cpu/float/mxcsr.ts";
import * as at from "#machine/cpu/layout.ts";
import { ERROR_SUMMARY } from "#machine/cpu/units.ts";
import type { Routine } from "#machine/cpu/vector-semantics.ts";
import * as environment from "#machine/cpu/x87/environment.ts";
import * as transfer from "#machine/cpu/x87/transfer.ts";
import { CELL } from "./cells.ts";

/** Those that may fault, or that come before an access to memory and cannot be done a second time. */
const NEVER: ReadonlySet<Routine> = new Set([loadMxcsr, environment.loadImage, environment.loadRegister]);

/** A store follows: the instruction may have to be done again, which an exception that is open would prevent. */
const BEFORE_STORES: ReadonlySet<Routine> = new Set([
  ...Object.values(transfer.storeRoutines),
  transfer.storeLow,
  transfer.storeDecimal,
]);

export interface BookRoutine {
  /** By which a region calls it. */
  readonly number: number;
  /** It is always done. */
  readonly certain: boolean;
}

const KNOWN: Routine[] = [];
const NUMBERS = new Map<Routine, number>();

/** How a region calls a routine; null where it must not. */
export function bookRoutine(routine: Routine): BookRoutine | null {
  if (NEVER.has(routine)) return null;
  const number = NUMBERS.get(routine) ?? KNOWN.push(routine) - 1;
  NUMBERS.set(routine, number);
  return { number, certain: !BEFORE_STORES.has(routine) };
}

export type BookCall = (number: number, first: bigint, second: bigint, third: bigint, fourth: bigint) => number;

const unsigned = (value: bigint) => BigInt.asUintN(64, value);

/** Does a routine and leaves what it answers in `CELL.routineAnswer`; 0 where the evaluator must do the instruction. */
export function bookCalls(cpu: Cpu): BookCall {
  return (number, first, second, third, fourth) => {
    const { halves, words } = cpu.state;
    const routine = KNOWN[number]!;
    const status = halves[at.FPU_STATUS / 4]!;
    const answer = routine(cpu, unsigned(first), unsigned(second), unsigned(third), unsigned(fourth));
    const isOpen = (halves[at.FPU_STATUS / 4]! & ERROR_SUMMARY) !== 0;
    if (isOpen && BEFORE_STORES.has(routine)) {
      halves[at.FPU_STATUS / 4] = status;
      return 0;
    }
    words[CELL.routineAnswer / 8] = answer;
    return 1;
  };
}
