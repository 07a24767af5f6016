/** Decoded instructions, kept by physical page and invalidated byte by byte when the guest writes to them. */
import type { Instruction, Mode } from "#isa/instruction.ts";
import type { Meaning } from "#machine/cpu/meaning.ts";

/** An instruction with its meaning looked up. */
export interface DecodedInstruction {
  readonly instruction: Instruction;
  readonly meaning: Meaning;
  readonly length: number;
}

/** The decoded instructions that begin in one physical page, for one mode. An instruction that crosses the page's end is never kept. */
export class CodePage {
  readonly entries: (DecodedInstruction | undefined)[] = new Array(0x1000).fill(undefined);
}

const LONGEST_INSTRUCTION = 15;

/** All decoded code of a machine. */
export class CodeCache {
  readonly #pages = new Map<number, CodePage>();

  /** The page at a place in RAM (of its first byte), as code of `mode`. */
  page(place: number, mode: Mode): CodePage {
    const key = (place & ~0xfff) | mode;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = new CodePage();
      this.#pages.set(key, page);
    }
    return page;
  }

  /** Forgets every instruction that has a byte in the written range, which lies in one page. */
  written(place: number, length: number): void {
    const offset = place & 0xfff;
    for (const mode of [16, 32, 64]) {
      const entries = this.#pages.get((place & ~0xfff) | mode)?.entries;
      entries?.fill(undefined, Math.max(0, offset - LONGEST_INSTRUCTION + 1), offset + length);
    }
  }

  clear(): void {
    this.#pages.clear();
  }
}
