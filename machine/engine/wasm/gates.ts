/**
 * What interrupts and returns from them would find in the descriptor tables now. Translated code takes it for granted,
 * after comparing the bytes that it was found in with what they were.
 */
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import {
  type Descriptor,
  dplOf,
  findDescriptor,
  is64Bit,
  isCode,
  isConforming,
  isPresent,
  segmentOf,
  typeOf,
} from "#machine/cpu/descriptors.ts";
import { interruptReturn } from "#machine/cpu/far-return.ts";
import { Fault } from "#machine/cpu/fault.ts";
import { FLAG } from "#machine/cpu/flags.ts";
import { handlerCode, readGate } from "#machine/cpu/gates.ts";
import * as at from "#machine/cpu/layout.ts";
import { nullSegment } from "#machine/cpu/segment-loading.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { softwareInterrupt } from "#machine/cpu/software-interrupts.ts";
import {
  type CpuState,
  CS,
  DS,
  ES,
  FS,
  GS,
  type Segment,
  SS,
  TR,
  TYPE_ACCESSED,
  UNUSABLE,
} from "#machine/cpu/state.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import type { Context, Contexts } from "./context.ts";
import { type Read, type Rehearsal, readOnTiptoe, rehearse } from "./rehearsal.ts";

/** Eight bytes at a linear address, and what they must be. */
export interface ExpectedWord {
  readonly address: bigint;
  readonly value: bigint;
}

/** An interrupt gate that leads to the code segment and the stack in use. */
export interface PlainGate {
  readonly handler: bigint;
  /** Interrupts are off in the handler. */
  readonly masks: boolean;
  readonly words: readonly ExpectedWord[];
}

/** What `iret` back to the code segment and the stack in use reads from the tables. */
export interface PlainReturn {
  readonly code: number;
  readonly stack: number;
  readonly words: readonly ExpectedWord[];
}

/** What an operation leaves of segments and privilege. */
export interface Outcome {
  readonly segments: readonly (readonly [number: number, segment: Segment])[];
  readonly context: Context;
}

export interface Gates {
  /** What an operation would do to some segment registers now; null where it faults. */
  outcome(operation: SystemOperation, values: readonly bigint[], segments: readonly number[]): Outcome | null;
  gate(vector: number): PlainGate | null;
  plainReturn(): PlainReturn | null;
  /** A software interrupt that leads to privilege 0. */
  inner(vector: number): InnerGate | null;
  /** A return to privilege 3, where the instruction has led there before. */
  outer(instruction: Instruction): OuterReturn | null;
}

/** A gate to more privilege. */
export interface InnerGate extends Outcome {
  readonly handler: bigint;
  readonly masks: boolean;
  /** What was read from the tables. */
  readonly reads: readonly Read[];
  /** Where the TSS holds the stack pointer. */
  readonly pointer: Read;
}

/** Selectors of code and stack that a return has led to. */
export interface Selectors {
  readonly code: number;
  readonly stack: number;
}

/** A return to less privilege. */
export interface OuterReturn extends Outcome, Selectors {
  readonly reads: readonly Read[];
}

/** A processor that reads memory as a debugger does, without leaving marks. */
function onTiptoe(cpu: Cpu): Cpu {
  const read = (linear: bigint, bytes: number) => readOnTiptoe(cpu, linear, bytes);
  const mmu = Object.create(cpu.mmu, { read: { value: read } });
  return Object.create(cpu, { mmu: { value: mmu } });
}

export class CurrentGates implements Gates {
  readonly #cpu: Cpu;
  readonly #known = new Map<number, PlainGate | null>();

  constructor(
    cpu: Cpu,
    readonly contexts: Contexts,
    /** Where returns to less privilege have led. */
    readonly returns: WeakMap<Instruction, Selectors>,
  ) {
    this.#cpu = onTiptoe(cpu);
  }

  outcome(operation: SystemOperation, values: readonly bigint[], segments: readonly number[]): Outcome | null {
    const found = rehearse(this.#cpu, operation, values);
    return found === null || found.writes.length > 0 ? null : this.#outcomeOf(found, segments);
  }

  #outcomeOf({ after }: Rehearsal, segments: readonly number[]): Outcome | null {
    const context = this.contexts.of(after);
    if (context === null) return null;
    return { segments: segments.map((number) => [number, after.segment(number)] as const), context };
  }

  inner(vector: number): InnerGate | null {
    const { state } = this.#cpu;
    if (state.cpl !== 3 || !state.protectedMode || (state.mode === 64) !== state.longMode) return null;
    const bytes = state.longMode ? 8 : 4;
    const place = state.segmentBase(TR) + 4n;
    const found = rehearse(this.#cpu, softwareInterrupt, [BigInt(vector)]);
    if (found === null) return null;
    const pointer = found.reads.find(({ address, bytes: size }) => address === place && size === bytes);
    if (found.after.cpl !== 0 || pointer === undefined) return null;
    const top = pointer.value;
    if (found.writes.some((address) => address >= top || address < top - 64n) || found.writes.length !== 5) return null;
    const outcome = this.#outcomeOf(found, [CS, SS]);
    if (outcome === null || (bytes === 4 && outcome.segments[1]![1].base !== 0n)) return null;
    if (bytes === 4 && (outcome.segments[1]![1].limit !== 0xffffffff || outcome.context.stackWidth !== 32)) return null;
    const flags = (one: CpuState) => (one.words[at.RFLAGS / 8]! >> BigInt(FLAG.IF)) & 1n;
    if (flags(found.before) === 0n) return null;
    const reads = found.reads.filter((read) => read !== pointer);
    return { ...outcome, handler: found.after.rip, masks: flags(found.after) === 0n, reads, pointer };
  }

  outer(instruction: Instruction): OuterReturn | null {
    const selectors = this.returns.get(instruction);
    const { state } = this.#cpu;
    if (selectors === undefined || state.cpl !== 0 || !state.protectedMode) return null;
    const bytes = state.mode === 64 ? 8 : 4;
    const frame = [0n, BigInt(selectors.code), 2n, 0n, BigInt(selectors.stack)];
    const found = rehearse(this.#cpu, interruptReturn, [BigInt(bytes * 8)], frame, bytes);
    if (found === null || found.writes.length > 0 || found.after.cpl !== 3) return null;
    const { before, after } = found;
    const dropped = [ES, DS, FS, GS].filter((number) => !same(before.segment(number), after.segment(number)));
    // Of these the base would have to stay, whatever it is then.
    if (dropped.some((number) => (before.segmentAttributes(number) & UNUSABLE) !== 0)) return null;
    const outcome = this.#outcomeOf(found, [CS, SS, ...dropped]);
    if (outcome === null || outcome.context.mode !== state.mode) return null;
    if (bytes === 4 && (outcome.context.codeLimit !== 0xffffffff || outcome.context.stackWidth !== 32)) return null;
    return { ...outcome, ...selectors, reads: found.reads };
  }

  gate(vector: number): PlainGate | null {
    const known = this.#known.get(vector);
    if (known !== undefined) return known;
    const gate = quietly(() => this.#gate(vector));
    this.#known.set(vector, gate);
    return gate;
  }

  plainReturn(): PlainReturn | null {
    return quietly(() => this.#plainReturn());
  }

  #word(address: bigint): ExpectedWord {
    return { address, value: this.#cpu.mmu.read(address, 8, false) };
  }

  #gate(vector: number): PlainGate | null {
    const cpu = this.#cpu;
    const { state } = cpu;
    const long = state.mode === 64;
    if (long !== state.longMode) return null;
    const gate = readGate(cpu, { vector, errorCode: null, cause: "software" });
    const { descriptor, level } = handlerCode(cpu, gate, 0);
    if (level !== state.cpl || gate.ist !== 0 || gate.type < 14) return null;
    if (!this.#isCurrentCode((gate.selector & ~3) | level, descriptor)) return null;
    if (long ? !isCanonical(gate.offset) : gate.offset > BigInt(state.segmentLimit(CS))) return null;
    const at = state.idtr.base + BigInt(vector * (long ? 16 : 8));
    const words = [this.#word(at), this.#word(descriptor.address)];
    return { handler: gate.offset, masks: gate.type === 14, words: long ? [...words, this.#word(at + 8n)] : words };
  }

  /** Whether loading cs with a descriptor would change nothing. */
  #isCurrentCode(selector: number, descriptor: Descriptor): boolean {
    const { state } = this.#cpu;
    if ((selector & 4) !== 0 || (typeOf(descriptor) & TYPE_ACCESSED) === 0) return false;
    return same(segmentOf(selector, descriptor), state.segment(CS));
  }

  #plainReturn(): PlainReturn | null {
    const cpu = this.#cpu;
    const { state } = cpu;
    const long = state.mode === 64;
    if (state.cpl !== 0 || !state.protectedMode || long !== state.longMode) return null;
    const code = state.selector(CS);
    const descriptor = findDescriptor(cpu, code);
    if (descriptor === null || !isCode(descriptor) || !isPresent(descriptor) || isConforming(descriptor)) return null;
    if (dplOf(descriptor) !== 0 || (code & 3) !== 0 || is64Bit(descriptor) !== long) return null;
    if (!this.#isCurrentCode(code, descriptor)) return null;
    const stack = state.selector(SS);
    const words = [this.#word(descriptor.address)];
    if (!long) return { code, stack, words };
    if ((stack & 0xfffc) === 0) return same(nullSegment(stack, 0), state.segment(SS)) ? { code, stack, words } : null;
    const data = findDescriptor(cpu, stack);
    if ((stack & 4) !== 0 || data === null) return null;
    if (!same(segmentOf(stack, data), state.segment(SS))) return null;
    return { code, stack, words: [...words, this.#word(data.address)] };
  }
}

function same(a: object, b: object): boolean {
  const values = new Map(Object.entries(a));
  return Object.entries(b).every(([name, value]) => values.get(name) === value);
}

function quietly<T>(find: () => T): T | null {
  try {
    return find();
  } catch (reason) {
    if (reason instanceof Fault) return null;
    throw reason;
  }
}
