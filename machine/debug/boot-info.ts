/** What the boot loader told the kernel, found in memory as its magic number says it. */
import type { Machine } from "#machine/machine.ts";

/** A range of the firmware's memory map. ACPI specification, section 15, "System Address Map Interfaces". */
export interface MemoryRange {
  readonly base: bigint;
  readonly length: bigint;
  /** "usable", "reserved", … */
  readonly kind: string;
}

export interface BootInfo {
  /** Physical address of the frame that it lies in. */
  readonly at: number;
  /** Where all of physical memory is mapped. */
  readonly physicalOffset: bigint;
  readonly kernelStart: number;
  readonly kernelEnd: number;
  /** First byte after the loader's page tables, stack and this information. */
  readonly loaderEnd: number;
  readonly ranges: readonly MemoryRange[];
}

const MAGIC = 0x4a49_4154;
const VERSION = 1;
const PAGE = 4096;
/** The loader takes its frames from 1 MiB on, after the kernel. */
const SEARCH_FROM = 0x100000;
const SEARCH_TO = 0x800000;
const KINDS = ["", "usable", "reserved", "ACPI tables", "ACPI storage", "faulty"] as const;

/** Looks for the frame that begins with the magic number, as a kernel's author would with a hex dump. */
export function findBootInfo(machine: Pick<Machine, "readPhysical">): BootInfo | null {
  for (let at = SEARCH_FROM; at < SEARCH_TO; at += PAGE) {
    const head = viewOf(machine.readPhysical(at, 8));
    if (head.getUint32(0, true) !== MAGIC || head.getUint32(4, true) !== VERSION) continue;
    const frame = viewOf(machine.readPhysical(at, PAGE));
    const word = (offset: number): bigint => frame.getBigUint64(offset, true);
    const map = Number(BigInt.asUintN(64, word(16) - word(8))) - at;
    const count = frame.getUint32(24, true);
    if (map < 0 || map + count * 24 > PAGE) continue;
    const ranges = Array.from({ length: count }, (_, index): MemoryRange => {
      const entry = map + index * 24;
      const type = frame.getUint32(entry + 16, true);
      return { base: word(entry), length: word(entry + 8), kind: KINDS[type] ?? `type ${type}` };
    });
    return {
      at,
      physicalOffset: word(8),
      kernelStart: Number(word(32)),
      kernelEnd: Number(word(40)),
      loaderEnd: Number(word(48)),
      ranges,
    };
  }
  return null;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
