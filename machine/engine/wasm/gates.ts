/**
 * What interrupts and returns from them would find in the descriptor tables now. Translated code takes it for granted,
 * after comparing the bytes that it was found in with what they were.
 */
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
import { Fault } from "#machine/cpu/fault.ts";
import { handlerCode, readGate } from "#machine/cpu/gates.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { CpuState, CS, type Segment, SS, TYPE_ACCESSED } from "#machine/cpu/state.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import type { Context, Contexts } from "./context.ts";

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
}

/** A processor that reads memory as a debugger does, without leaving marks. */
function onTiptoe(cpu: Cpu): Cpu {
  const read = (linear: bigint, bytes: number): bigint => {
    const found = cpu.mmu.readVirtual(linear, bytes);
    if (found === null) throw new Fault(0, null, "not mapped");
    return found.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  };
  const mmu = Object.create(cpu.mmu, { read: { value: read } });
  return Object.create(cpu, { mmu: { value: mmu } });
}

/** A copy of the state whose general registers are 0, which is good as an address. */
function scratch({ halves }: CpuState): CpuState {
  const state = new CpuState({ buffer: halves.slice().buffer } as unknown as WebAssembly.Memory);
  for (let number = 0; number < 16; number++) state.setGeneral(number, 0n);
  return state;
}

export class CurrentGates implements Gates {
  readonly #cpu: Cpu;
  readonly #known = new Map<number, PlainGate | null>();

  constructor(
    cpu: Cpu,
    readonly contexts: Contexts,
  ) {
    this.#cpu = onTiptoe(cpu);
  }

  outcome(operation: SystemOperation, values: readonly bigint[], segments: readonly number[]): Outcome | null {
    return quietly(() => {
      const state = scratch(this.#cpu.state);
      const cpu = Object.create(this.#cpu, { state: { value: state } });
      operation(cpu, ...values);
      const context = this.contexts.of(state);
      if (context === null) return null;
      return { segments: segments.map((number) => [number, state.segment(number)] as const), context };
    });
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
    const data = findDescriptor(cpu, stack);
    if ((stack & 0xfffc) === 0 || (stack & 4) !== 0 || data === null) return null;
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
