/** The kernel's heap as its allocator knows it: which bytes are free, and in which list. */
import type { KernelMemory, Structure } from "./structures.ts";

export interface AddressRange {
  readonly start: bigint;
  /** The first byte after it. */
  readonly end: bigint;
}

/** A piece of the heap. */
export interface HeapBlock {
  /** Bytes from the heap's start. */
  readonly offset: number;
  readonly bytes: number;
  /** `used`: in use, or a run of blocks in use where the allocator keeps no note of where one ends. */
  readonly state: "used" | "free" | "listed";
  /** Of a block that waits in a list of blocks of one size: that size. */
  readonly list: number | null;
}

export interface HeapView {
  /** The class of the allocator: `LinkedListAllocator`. */
  readonly allocator: string;
  readonly range: AddressRange;
  readonly blocks: readonly HeapBlock[];
  /** The allocator knows where each block in use begins, so `used` is one block and not a run of them. */
  readonly separate: boolean;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly largestFree: number;
  /** The kernel's own counts, by name: `allocations`, `peakBytes`. */
  readonly counts: readonly (readonly [name: string, value: bigint])[];
  /** Somebody holds the heap's lock: an allocation or a release is half done, and the rest of this view may be so too. */
  readonly changing: boolean;
}

/** Reads the free parts of a heap from an allocator's own structures; null where they make no sense yet. */
type Decoder = (allocator: Structure, range: AddressRange) => { blocks: HeapBlock[]; separate: boolean } | null;

/** By the name of the allocator's class. An allocator that holds another as its fallback comes first. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  FixedSizeBlockAllocator: decodeFixedSizeBlocks,
  LinkedListAllocator: decodeLinkedList,
  BumpAllocator: decodeBump,
  TableAllocator: decodeTable,
};

/** A list that is longer goes round in circles, or was never initialised. */
const MOST_BLOCKS = 20_000;

/** The allocator that the kernel was built with, and its heap. */
function findAllocator(kernel: KernelMemory): { name: string; allocator: Structure; range: AddressRange } | null {
  for (const name of Object.keys(DECODERS)) {
    const allocator = kernel.find(name);
    if (allocator === null) continue;
    const holder = allocator.field("start") === null ? allocator.field("fallback") : allocator;
    const start = holder?.field("start")?.value() ?? 0n;
    const end = holder?.field("end")?.value() ?? 0n;
    return start === 0n || end <= start ? null : { name, allocator, range: { start, end } };
  }
  return null;
}

/** Where the heap is; null before the kernel has made one. */
export function heapRange(kernel: KernelMemory): AddressRange | null {
  return findAllocator(kernel)?.range ?? null;
}

/** The lock that is held while the allocator works and its work is counted. */
const LOCK = "kernel/heap:lock";

/** The heap as it is; null before the kernel has made one, and in kernels without. No blocks while its lists make no sense. */
export function viewHeap(kernel: KernelMemory): HeapView | null {
  const found = findAllocator(kernel);
  if (found === null) return null;
  const { name, allocator, range } = found;
  const changing = kernel.named(LOCK)?.field("held")?.value() === 1n;
  const decoded = DECODERS[name]!(allocator, range);
  if (decoded === null && !changing) return null;
  const { blocks, separate } = decoded ?? { blocks: [], separate: false };
  const bytesOf = (used: boolean): number =>
    blocks.filter(({ state }) => (state === "used") === used).reduce((sum, { bytes }) => sum + bytes, 0);
  const statistics = kernel.find("HeapStatistics");
  return {
    allocator: name,
    range,
    blocks,
    separate,
    usedBytes: bytesOf(true),
    freeBytes: bytesOf(false),
    largestFree: blocks.reduce((most, { state, bytes }) => (state === "used" ? most : Math.max(most, bytes)), 0),
    counts: (statistics?.fields() ?? []).flatMap(([field, value]) => {
      const number = value.value();
      return number === null ? [] : [[field, number] as const];
    }),
    changing,
  };
}

const bytesIn = ({ start, end }: AddressRange): number => Number(end - start);

/** All that is not free is in use. `free` need not be in order. */
function withUsed(free: readonly HeapBlock[], range: AddressRange): HeapBlock[] | null {
  const blocks: HeapBlock[] = [];
  let at = 0;
  const use = (end: number): void => {
    if (end > at) blocks.push({ offset: at, bytes: end - at, state: "used", list: null });
  };
  for (const block of [...free].sort((a, b) => a.offset - b.offset)) {
    if (block.offset < at || block.offset + block.bytes > bytesIn(range)) return null;
    use(block.offset);
    blocks.push(block);
    at = block.offset + block.bytes;
  }
  use(bytesIn(range));
  return blocks;
}

function decodeBump(allocator: Structure, { start, end }: AddressRange): ReturnType<Decoder> {
  const next = allocator.field("next")?.value() ?? null;
  if (next === null || next < start || next > end) return null;
  const used: HeapBlock = { offset: 0, bytes: Number(next - start), state: "used", list: null };
  const free: HeapBlock = { offset: used.bytes, bytes: Number(end - next), state: "free", list: null };
  return { blocks: [used, free].filter(({ bytes }) => bytes > 0), separate: false };
}

/** A chain of structures through their `next`, without the first. */
function chain(head: Structure | null): Structure[] | null {
  const found: Structure[] = [];
  for (let at = head?.field("next")?.target() ?? null; at !== null; at = at.field("next")?.target() ?? null) {
    found.push(at);
    if (found.length > MOST_BLOCKS) return null;
  }
  return found;
}

function holesOf(allocator: Structure, { start }: AddressRange): HeapBlock[] | null {
  const holes = chain(allocator.field("head"));
  if (holes === null) return null;
  return holes.map((hole) => ({
    offset: Number(hole.address - start),
    bytes: Number(hole.field("size")?.value() ?? 0n),
    state: "free" as const,
    list: null,
  }));
}

function decodeLinkedList(allocator: Structure, range: AddressRange): ReturnType<Decoder> {
  const free = holesOf(allocator, range);
  const blocks = free === null ? null : withUsed(free, range);
  return blocks === null ? null : { blocks, separate: false };
}

/** The smallest of the sizes that blocks have; each next one is twice as large. */
const SMALLEST_BLOCK = 16;

function decodeFixedSizeBlocks(allocator: Structure, range: AddressRange): ReturnType<Decoder> {
  const fallback = allocator.field("fallback");
  const holes = fallback === null ? null : holesOf(fallback, range);
  const listed = (allocator.field("lists")?.elements() ?? []).flatMap((list, index) => {
    const size = SMALLEST_BLOCK << index;
    const first = list.target();
    const blocks = first === null ? [] : [first, ...(chain(first) ?? [])];
    return blocks.map(
      ({ address }): HeapBlock => ({
        offset: Number(address - range.start),
        bytes: size,
        state: "listed",
        list: size,
      }),
    );
  });
  const blocks = holes === null ? null : withUsed([...holes, ...listed], range);
  return blocks === null ? null : { blocks, separate: false };
}

/** The bytes that each entry of the table stands for. */
const UNIT_BYTES = 16;
const UNIT = { free: 0, first: 1 } as const;

function decodeTable(allocator: Structure, range: AddressRange): ReturnType<Decoder> {
  const units = allocator.field("units")?.bytes();
  if (units == null) return null;
  const blocks: HeapBlock[] = [];
  for (const [index, unit] of units.subarray(0, bytesIn(range) / UNIT_BYTES).entries()) {
    const before = blocks.at(-1);
    const state = unit === UNIT.free ? "free" : "used";
    if (before !== undefined && before.state === state && unit !== UNIT.first)
      blocks[blocks.length - 1] = { ...before, bytes: before.bytes + UNIT_BYTES };
    else blocks.push({ offset: index * UNIT_BYTES, bytes: UNIT_BYTES, state, list: null });
  }
  return { blocks, separate: true };
}
