/**
 * Decoded instructions, kept by physical page and invalidated byte by byte when the guest writes to them. They take a
 * bounded part of the host's memory: the oldest pages go first.
 */
import type { Instruction, Mode } from "#isa/instruction.ts";
import { meaningOf, vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import type { VectorMeaning } from "#machine/cpu/vector-semantics.ts";
import type { PhysicalMemory } from "#machine/memory/physical.ts";

/** An instruction with its meaning looked up. */
export interface DecodedInstruction {
  readonly instruction: Instruction;
  readonly meaning: VectorMeaning;
  readonly length: number;
}

/** An instruction with its meaning; null where it has none. */
export function withMeaning(instruction: Instruction): DecodedInstruction | null {
  const meaning = meaningOf(instruction.mnemonic) ?? vectorMeaningOf(instruction.mnemonic);
  return meaning === null ? null : { instruction, meaning, length: instruction.length };
}

type Entries = (DecodedInstruction | undefined)[];
const noEntries = (): Entries => new Array(0x1000).fill(undefined);
/** The entries of all pages in which nothing has been decoded. */
const NO_ENTRIES: Readonly<Entries> = noEntries();

/** Bytes that decoded code may take, and what it is made up of, about. */
export const MOST_BYTES = 12 << 20;
const PAGE_BYTES = 9 << 10;
const ENTRIES_BYTES = 32 << 10;
const INSTRUCTION_BYTES = 512;

/** The decoded instructions that begin in one physical page, for one mode. One that crosses the page's end is never kept. */
export class CodePage {
  #entries: Entries | null = null;
  entries: Readonly<Entries> = NO_ENTRIES;
  /** What it takes of the host's memory. */
  bytes = PAGE_BYTES;
  /** The cache has it no more: nobody may keep it, or rely on its entries. */
  isDropped = false;
  /** Writes to the page since an instruction was last decoded there. */
  writes = 0;
  /** Where the instruction that crosses into the next page has begun when it was last run; -1 before that. */
  crossing = -1;
  /** How often execution has arrived at each offset by a jump: counted by engines that translate. */
  readonly heat = new Uint16Array(0x1000);

  constructor(
    /** Where its first byte lies in RAM. */
    readonly place: number,
    readonly onKeep: (place: number, length: number) => void,
    readonly onGrow: (bytes: number) => void,
  ) {}

  keep(offset: number, instruction: DecodedInstruction): void {
    if (this.#entries === null) {
      this.#entries = noEntries();
      this.entries = this.#entries;
      this.#grow(ENTRIES_BYTES);
    }
    if (this.#entries[offset] === undefined) this.#grow(INSTRUCTION_BYTES);
    this.#entries[offset] = instruction;
    if (this.crossing === offset) this.crossing = -1;
    this.writes = 0;
    this.onKeep(this.place + offset, instruction.length);
  }

  /** Forgets the instructions that begin in a range of offsets. */
  forget(first: number, end: number): void {
    this.heat.fill(0, first, end);
    const entries = this.#entries;
    if (entries === null) return;
    for (let offset = first; offset < end; offset++) {
      if (entries[offset] === undefined) continue;
      entries[offset] = undefined;
      this.#grow(-INSTRUCTION_BYTES);
    }
  }

  #grow(bytes: number): void {
    this.bytes += bytes;
    this.onGrow(bytes);
  }
}

const LONGEST_INSTRUCTION = 15;
const MODES: readonly Mode[] = [16, 32, 64];
/** After so many writes a page counts as data that was code once, and writes to it become cheap again. */
const PATIENCE = 64;

/** All decoded code of a machine. */
export class CodeCache {
  /** Oldest first. */
  readonly #pages = new Map<number, CodePage>();
  #bytes = 0;
  /** Called with the bytes of each instruction that is kept. */
  onKeep: (place: number, length: number) => void = () => {};

  constructor(readonly memory: PhysicalMemory) {}

  /** The page at a place in RAM (of its first byte), as code of `mode`. */
  page(place: number, mode: Mode): CodePage {
    const key = (place & ~0xfff) | mode;
    let page = this.#pages.get(key);
    if (page === undefined) {
      this.#makeRoom();
      page = new CodePage(
        place & ~0xfff,
        (at, length) => this.onKeep(at, length),
        (bytes) => {
          this.#bytes += bytes;
        },
      );
      this.#bytes += page.bytes;
      this.#pages.set(key, page);
    }
    return page;
  }

  /** What all pages take of the host's memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Drops the oldest pages where there are too many. Writes to them are still reported. */
  #makeRoom(): void {
    for (const key of this.#pages.keys()) {
      if (this.#bytes <= MOST_BYTES) return;
      this.#forget(key);
    }
  }

  #forget(key: number): void {
    const page = this.#pages.get(key);
    if (page === undefined) return;
    page.isDropped = true;
    this.#bytes -= page.bytes;
    this.#pages.delete(key);
  }

  /**
   * Forgets every instruction that has a byte in the written range, which lies in one page. `inUse` says that other code
   * of the page is known to be run.
   */
  written(place: number, length: number, inUse = false): void {
    const offset = place & 0xfff;
    const pages = MODES.flatMap((mode) => this.#pages.get((place & ~0xfff) | mode) ?? []);
    for (const page of pages) {
      const first = Math.max(0, offset - LONGEST_INSTRUCTION + 1);
      page.forget(first, Math.min(offset + length, 0x1000));
      page.writes = inUse ? 0 : page.writes + 1;
    }
    if (!inUse && pages.every((page) => page.writes > PATIENCE)) this.#drop(place & ~0xfff);
  }

  /** Whether an instruction that is kept has a byte in a range, which lies in one page. */
  holds(place: number, length: number): boolean {
    const offset = place & 0xfff;
    for (const mode of MODES) {
      const page = this.#pages.get((place & ~0xfff) | mode);
      if (page === undefined) continue;
      for (let start = Math.max(0, offset - LONGEST_INSTRUCTION + 1); start < offset + length; start++)
        if ((page.entries[start]?.length ?? -LONGEST_INSTRUCTION) > offset - start) return true;
    }
    return false;
  }

  #drop(page: number): void {
    for (const mode of MODES) this.#forget(page | mode);
    this.memory.forgetCode(page);
  }

  clear(): void {
    for (const key of this.#pages.keys()) this.#forget(key);
  }
}
