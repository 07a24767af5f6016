/** What memory is used for: physical memory frame by frame, and what is mapped where. */
import type { Machine } from "#machine/machine.ts";
import { type BootInfo, findBootInfo, type MemoryRange } from "./boot-info.ts";
import { type AddressRange, heapRange } from "./heap.ts";
import { type EntryRun, type PageTree, pagesOf, readPageTree } from "./page-tables.ts";
import type { KernelMemory } from "./structures.ts";

/** What a range is there for; each has a colour of its own. */
export type Purpose =
  | "free"
  | "reserved"
  | "firmware"
  | "screen"
  | "kernel"
  | "stack"
  | "page tables"
  | "boot loader"
  | "heap"
  | "handed out"
  | "window"
  | "mapped";

export interface PhysicalRange {
  readonly base: number;
  readonly bytes: number;
  readonly purpose: Purpose;
}

export interface VirtualRange {
  readonly address: bigint;
  readonly bytes: bigint;
  /** Where its first byte is in physical memory. */
  readonly physical: number;
  /** The frames follow each other as the pages do. */
  readonly contiguous: boolean;
  readonly pageBytes: readonly bigint[];
  readonly writable: boolean;
  readonly executable: boolean;
  readonly user: boolean;
  readonly purpose: Purpose;
}

export interface MemoryMapView {
  /** The firmware's map; null before the boot loader has handed over. */
  readonly ranges: readonly MemoryRange[] | null;
  readonly physical: readonly PhysicalRange[];
  /** Null while paging is off. */
  readonly virtual: readonly VirtualRange[] | null;
  readonly cut: boolean;
}

const PAGE = 4096;
const MEBIBYTE = 0x100000;

/** Fixed places of a PC below 1 MiB (IBM PC AT Technical Reference, "System memory map"). */
const FIXED: readonly PhysicalRange[] = [
  { base: 0, bytes: 0x1000, purpose: "firmware" },
  { base: 0x9f000, bytes: 0x1000, purpose: "firmware" },
  { base: 0xa0000, bytes: 0x18000, purpose: "reserved" },
  { base: 0xb8000, bytes: 0x8000, purpose: "screen" },
  { base: 0xc0000, bytes: 0x30000, purpose: "reserved" },
  { base: 0xf0000, bytes: 0x10000, purpose: "firmware" },
];
/** More memory than this is not gone through frame by frame. */
const MOST_MEMORY = 1 << 30;

export function viewMemory(
  machine: Pick<Machine, "registers" | "readPhysical" | "readMemory">,
  kernel: KernelMemory,
): MemoryMapView {
  const tree = readPageTree(machine);
  const boot = findBootInfo(machine);
  const heap = heapRange(kernel);
  const pages = pagesOf(tree.root).map((run) => pageRange(run, boot, heap));
  const handedOut = kernel.find("FrameAllocator")?.field("next")?.value() ?? null;
  return {
    ranges: boot?.ranges ?? null,
    physical: physicalRanges(boot, tree, pages, handedOut),
    virtual: tree.root === null ? null : merged(pages),
    cut: tree.cut,
  };
}

/** Pages with the same permissions and the same purpose that follow each other. */
function merged(pages: readonly VirtualRange[]): VirtualRange[] {
  const ranges: VirtualRange[] = [];
  for (const page of pages) {
    const before = ranges.at(-1);
    if (before === undefined || !goesOn(before, page)) ranges.push(page);
    else
      ranges[ranges.length - 1] = {
        ...before,
        bytes: before.bytes + page.bytes,
        contiguous: before.contiguous && before.physical + Number(before.bytes) === page.physical,
        pageBytes: [...new Set([...before.pageBytes, ...page.pageBytes])],
      };
  }
  return ranges;
}

function goesOn(before: VirtualRange, page: VirtualRange): boolean {
  const { writable, executable, user, purpose } = before;
  return (
    before.address + before.bytes === page.address &&
    writable === page.writable &&
    executable === page.executable &&
    user === page.user &&
    purpose === page.purpose
  );
}

/** Pages of one run, with what they are for by where they lie and where they lead. */
function pageRange(run: EntryRun, boot: BootInfo | null, heap: AddressRange | null): VirtualRange {
  const { address, bytes, target: physical, permissions, first, last } = run;
  const pageBytes = [bytes / BigInt(last - first + 1)];
  const range = { address, bytes, physical, contiguous: true, pageBytes, ...permissions };
  return { ...range, purpose: purposeOf(range, boot, heap) };
}

function purposeOf(
  { address, physical, executable }: Pick<VirtualRange, "address" | "physical" | "executable">,
  boot: BootInfo | null,
  heap: AddressRange | null,
): Purpose {
  if (heap !== null && address < heap.end && address >= heap.start - (heap.start % BigInt(PAGE))) return "heap";
  if (boot === null) return "mapped";
  if (address === boot.physicalOffset + BigInt(physical)) return "window";
  if (physical >= boot.kernelStart && physical < boot.kernelEnd) return "kernel";
  if (physical >= boot.kernelEnd && physical < boot.loaderEnd) return executable ? "boot loader" : "stack";
  return physical >= 0xb8000 && physical < 0xc0000 ? "screen" : "mapped";
}

/** Paints every frame of physical memory, the most telling purpose last, and joins those of one colour. */
function physicalRanges(
  boot: BootInfo | null,
  tree: PageTree,
  pages: readonly VirtualRange[],
  handedOut: bigint | null,
): PhysicalRange[] {
  const usable = (boot?.ranges ?? []).filter(({ kind }) => kind === "usable");
  const end = usable.reduce((most, { base, length }) => Math.max(most, Number(base + length)), MEBIBYTE);
  const frames = new Array<Purpose>(Math.ceil(Math.min(end, MOST_MEMORY) / PAGE)).fill(
    boot === null ? "free" : "reserved",
  );
  const paint = (base: number, bytes: number, purpose: Purpose): void => {
    const last = Math.min(Math.ceil((base + bytes) / PAGE), frames.length);
    frames.fill(purpose, Math.min(Math.floor(base / PAGE), last), last);
  };
  for (const { base, length } of usable) paint(Number(base), Number(length), "free");
  for (const { base, bytes, purpose } of FIXED) paint(base, bytes, purpose);
  if (boot !== null) {
    paint(MEBIBYTE, boot.loaderEnd - MEBIBYTE, "boot loader");
    paint(boot.kernelStart, boot.kernelEnd - boot.kernelStart, "kernel");
    if (handedOut !== null && handedOut > boot.loaderEnd)
      paint(boot.loaderEnd, Number(handedOut) - boot.loaderEnd, "handed out");
  }
  for (const { physical, bytes, purpose } of pages)
    if (purpose !== "window" && purpose !== "mapped") paint(physical, Number(bytes), purpose);
  for (const at of tree.tables) paint(at, PAGE, "page tables");
  const ranges: PhysicalRange[] = [];
  for (const [index, purpose] of frames.entries()) {
    const before = ranges.at(-1);
    if (before?.purpose === purpose) ranges[ranges.length - 1] = { ...before, bytes: before.bytes + PAGE };
    else ranges.push({ base: index * PAGE, bytes: PAGE, purpose });
  }
  return ranges;
}
