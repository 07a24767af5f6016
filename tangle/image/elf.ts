/** The kernel as an ELF64 executable (System V ABI, "Object Files"): segments to load, symbols, debug information. */
import type { LinkedProgram, LinkedSymbol, Segment } from "../compiler/object.ts";
import { ByteBuffer } from "./bytes.ts";

const PAGE = 0x1000;
const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;

const ET_EXEC = 2;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;
const STB_GLOBAL = 1;
const STT_OBJECT = 1;
const STT_FUNC = 2;

/** A section that is not loaded: symbols, strings, debug information. */
export interface ExtraSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** The file. Each segment starts on a page of the file as it does in memory; empty segments are left out. */
export function writeElf(program: LinkedProgram, debug: readonly ExtraSection[] = []): Uint8Array {
  const out = new ByteBuffer();
  const segments = program.segments.filter((segment) => segment.size > 0);
  let offset = HEADER_SIZE + segments.length * PROGRAM_HEADER_SIZE;
  const offsets = segments.map((segment) => {
    if (segment.bytes.length === 0) return offset;
    offset = Math.ceil(offset / PAGE) * PAGE;
    const at = offset;
    offset += segment.bytes.length;
    return at;
  });

  out.put(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  out.u16(ET_EXEC);
  out.u16(EM_X86_64);
  out.u32(1);
  out.u64(program.entry);
  out.u64(HEADER_SIZE);
  const sectionOffsetAt = out.length;
  out.u64(0);
  out.u32(0);
  out.u16(HEADER_SIZE);
  out.u16(PROGRAM_HEADER_SIZE);
  out.u16(segments.length);
  out.u16(SECTION_HEADER_SIZE);
  const sectionCountAt = out.length;
  out.u16(0);
  out.u16(0);

  segments.forEach((segment, i) => {
    out.u32(PT_LOAD);
    out.u32(PF_R | (segment.flags.write ? PF_W : 0) | (segment.flags.execute ? PF_X : 0));
    out.u64(offsets[i]!);
    out.u64(segment.address);
    out.u64(segment.address);
    out.u64(segment.bytes.length);
    out.u64(segment.size);
    out.u64(PAGE);
  });
  segments.forEach((segment, i) => {
    if (segment.bytes.length === 0) return;
    padTo(out, offsets[i]!);
    out.put(segment.bytes);
  });

  const sections = segments.map((segment, i) => loadedSection(segment, offsets[i]!));
  const extra = (name: string, type: number, bytes: Uint8Array, rest: Partial<Section> = {}) => {
    out.align(8);
    const at = out.length;
    out.put(bytes);
    const plain = { flags: 0, address: 0n, link: 0, info: 0, align: 1, entrySize: 0 };
    sections.push({ ...plain, ...rest, name, type, offset: at, size: bytes.length });
  };
  const { symbols, names } = symbolTable(program.symbols, segments);
  extra(".symtab", SHT_SYMTAB, symbols, { link: segments.length + 2, info: 1, align: 8, entrySize: 24 });
  extra(".strtab", SHT_STRTAB, names);
  for (const section of debug) extra(section.name, SHT_PROGBITS, section.bytes);
  const sectionNames = new StringTable();
  const nameOffsets = [...sections.map((s) => s.name), ".shstrtab"].map((name) => sectionNames.add(name));
  extra(".shstrtab", SHT_STRTAB, sectionNames.toBytes());

  out.align(8);
  const sectionOffset = out.length;
  out.put(new Uint8Array(SECTION_HEADER_SIZE));
  sections.forEach((section, i) => {
    writeSectionHeader(out, section, nameOffsets[i]!);
  });
  out.patchU32(sectionOffsetAt, sectionOffset);
  out.patchU32(sectionCountAt, (sections.length + 1) | (sections.length << 16));
  return out.toBytes();
}

function padTo(out: ByteBuffer, offset: number): void {
  out.put(new Uint8Array(offset - out.length));
}

function loadedSection(segment: Segment, offset: number): Section {
  return {
    name: segment.name,
    type: segment.name === ".bss" ? SHT_NOBITS : SHT_PROGBITS,
    flags: SHF_ALLOC | (segment.flags.write ? SHF_WRITE : 0) | (segment.flags.execute ? SHF_EXECINSTR : 0),
    address: segment.address,
    offset,
    size: segment.size,
    link: 0,
    info: 0,
    align: 16,
    entrySize: 0,
  };
}

function writeSectionHeader(out: ByteBuffer, section: Section, name: number): void {
  out.u32(name);
  out.u32(section.type);
  out.u64(section.flags);
  out.u64(section.address);
  out.u64(section.offset);
  out.u64(section.size);
  out.u32(section.link);
  out.u32(section.info);
  out.u64(section.align);
  out.u64(section.entrySize);
}

/** Strings one after another, each once, each ending in a zero byte; offset 0 is the empty string. */
class StringTable {
  private readonly out = new ByteBuffer();
  private readonly known = new Map<string, number>();
  constructor() {
    this.add("");
  }
  add(text: string): number {
    let at = this.known.get(text);
    if (at === undefined) {
      at = this.out.length;
      this.known.set(text, at);
      this.out.text(text);
    }
    return at;
  }
  toBytes(): Uint8Array {
    return this.out.toBytes();
  }
}

function symbolTable(
  list: readonly LinkedSymbol[],
  segments: readonly Segment[],
): { symbols: Uint8Array; names: Uint8Array } {
  const names = new StringTable();
  const out = new ByteBuffer();
  out.put(new Uint8Array(24));
  for (const symbol of list) {
    const section = segments.findIndex(
      ({ address, size }) => symbol.address >= address && symbol.address < address + BigInt(size),
    );
    out.u32(names.add(symbol.name));
    out.u8((STB_GLOBAL << 4) | (symbol.kind === "function" ? STT_FUNC : STT_OBJECT));
    out.u8(0);
    out.u16(section + 1);
    out.u64(symbol.address);
    out.u64(symbol.size);
  }
  return { symbols: out.toBytes(), names: names.toBytes() };
}
