/** What an operation reads, and makes of the state, now: the book's own function, on a copy that nobody sees. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { Fault } from "#machine/cpu/fault.ts";
import type { SystemOperation } from "#machine/cpu/semantics.ts";
import { CpuState } from "#machine/cpu/state.ts";

/** A read of memory by the processor itself. */
export interface Read {
  readonly address: bigint;
  readonly bytes: number;
  readonly value: bigint;
}

export interface Rehearsal {
  readonly before: CpuState;
  readonly after: CpuState;
  /** In their order, those of the frame left out. */
  readonly reads: readonly Read[];
  /** Addresses that were written to. */
  readonly writes: readonly bigint[];
}

/** Reads memory as a debugger does, without leaving marks. Throws a Fault where nothing is mapped. */
export function readOnTiptoe(cpu: Cpu, linear: bigint, bytes: number): bigint {
  const found = cpu.mmu.readVirtual(linear, bytes);
  if (found === null) throw new Fault(0, null, "not mapped");
  return found.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** A copy of the state whose general registers are 0, which is good as an address. */
function copyOf({ halves }: CpuState): CpuState {
  const state = new CpuState({ buffer: halves.slice().buffer } as unknown as WebAssembly.Memory);
  for (let number = 0; number < 16; number++) state.setGeneral(number, 0n);
  return state;
}

/** Runs an operation; `frame` is what the stack holds then, in words of so many bytes. Null where it faults. */
export function rehearse(
  cpu: Cpu,
  operation: SystemOperation,
  values: readonly bigint[],
  frame: readonly bigint[] = [],
  wordBytes = 8,
): Rehearsal | null {
  const [before, after] = [copyOf(cpu.state), copyOf(cpu.state)];
  const reads: Read[] = [];
  const writes: bigint[] = [];
  const read = (address: bigint, bytes: number): bigint => {
    const word = frame[Number(address) / wordBytes];
    if (word !== undefined) return word;
    const value = readOnTiptoe(cpu, address, bytes);
    reads.push({ address, bytes, value });
    return value;
  };
  const write = (address: bigint) => writes.push(address);
  const mmu = Object.create(cpu.mmu, { read: { value: read }, write: { value: write } });
  try {
    operation(Object.create(cpu, { state: { value: after }, mmu: { value: mmu } }), ...values);
  } catch (reason) {
    if (reason instanceof Fault) return null;
    throw reason;
  }
  return { before, after, reads, writes };
}
