/** An ELF64 file as a linker would read it: independent of the book's own writer and loaders. */

const SECTION_HEADER = 64;
const SYMBOL = 24;
const SYMBOL_TABLE = 2;

export interface Segment {
  readonly address: bigint;
  readonly fileBytes: Uint8Array;
  readonly memorySize: number;
  readonly executable: boolean;
  readonly writable: boolean;
}

export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  /** Section 0: used but not defined. */
  readonly section: number;
  readonly kind: "function" | "object" | "other";
}

export interface Elf {
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  readonly symbols: readonly ElfSymbol[];
  /** Relocation and dynamic sections: work that would be left for a loader. */
  readonly unfinished: number;
}

/** Reads an ELF64 file for x86-64 (System V ABI, chapters 4 and 5). */
export function readElfFile(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  const offset = (at: number) => Number(view.getBigUint64(at, true));
  const rows = (start: number, size: number, count: number) =>
    Array.from({ length: count }, (_, i) => start + i * size);

  const segments = rows(offset(32), u16(54), u16(56))
    .filter((at) => u32(at) === 1)
    .map((at) => ({
      address: view.getBigUint64(at + 16, true),
      fileBytes: file.slice(offset(at + 8), offset(at + 8) + offset(at + 32)),
      memorySize: offset(at + 40),
      executable: (u32(at + 4) & 1) !== 0,
      writable: (u32(at + 4) & 2) !== 0,
    }));
  const sections = rows(offset(40), SECTION_HEADER, u16(60));
  const name = (strings: number, at: number): string => {
    const start = offset(strings + 24) + at;
    return new TextDecoder().decode(file.slice(start, file.indexOf(0, start)));
  };
  const symbols = sections
    .filter((section) => u32(section + 4) === SYMBOL_TABLE)
    .flatMap((section) =>
      rows(offset(section + 24), SYMBOL, offset(section + 32) / SYMBOL)
        .slice(1) // the first is always empty
        .map((at) => ({
          name: name(sections[u32(section + 40)]!, u32(at)),
          address: view.getBigUint64(at + 8, true),
          size: offset(at + 16),
          section: u16(at + 6),
          kind: (["other", "object", "function"] as const)[file[at + 4]! & 15] ?? "other",
        })),
    );
  // SHT_RELA, SHT_DYNAMIC, SHT_REL
  const unfinished = sections.filter((section) => [4, 6, 9].includes(u32(section + 4))).length;
  return { entry: view.getBigUint64(24, true), segments, symbols, unfinished };
}
