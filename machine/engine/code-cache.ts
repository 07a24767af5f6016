/** Decoded instructions, kept by physical page and invalidated byte by byte when the guest writes to them. */
import type { Instruction, Mode } from "#isa/instruction.ts";
import type { VectorMeaning } from "#machine/cpu/vector-semantics.ts";
import type { PhysicalMemory } from "#machine/memory/physical.ts";

/** An instruction with its meaning looked up. */
export interface DecodedInstruction {
  readonly instruction: Instruction;
  readonly meaning: VectorMeaning;
  readonly length: number;
}

/** The decoded instructions that begin in one physical page, for one mode. One that crosses the page's end is never kept. */
export class CodePage {
  readonly entries: (DecodedInstruction | undefined)[] = new Array(0x1000).fill(undefined);
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
  ) {}

  keep(offset: number, instruction: DecodedInstruction): void {
    this.entries[offset] = instruction;
    if (this.crossing === offset) this.crossing = -1;
    this.writes = 0;
    this.onKeep(this.place + offset, instruction.length);
  }
}

const LONGEST_INSTRUCTION = 15;
const MODES: readonly Mode[] = [16, 32, 64];
/** After so many writes a page counts as data that was code once, and writes to it become cheap again. */
const PATIENCE = 64;

/** All decoded code of a machine. */
export class CodeCache {
  readonly #pages = new Map<number, CodePage>();
  /** Called with the bytes of each instruction that is kept. */
  onKeep: (place: number, length: number) => void = () => {};

  constructor(readonly memory: PhysicalMemory) {}

  /** The page at a place in RAM (of its first byte), as code of `mode`. */
  page(place: number, mode: Mode): CodePage {
    const key = (place & ~0xfff) | mode;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = new CodePage(place & ~0xfff, (at, length) => this.onKeep(at, length));
      this.#pages.set(key, page);
    }
    return page;
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
      page.entries.fill(undefined, first, offset + length);
      page.heat.fill(0, first, offset + length);
      page.writes = inUse ? 0 : page.writes + 1;
    }
    if (pages.every((page) => page.writes > PATIENCE)) this.#drop(place & ~0xfff);
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
    for (const mode of MODES) this.#pages.delete(page | mode);
    this.memory.forgetCode(page);
  }

  clear(): void {
    this.#pages.clear();
  }
}
