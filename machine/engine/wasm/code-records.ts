/**
 * Decoded instructions as the quick tier reads them: records in the machine's memory, one after the other as they are
 * run. An index finds them by where the instruction begins in RAM. Beside them stand the pages that code is reached
 * through, and notes of which code others rely on.
 */
import { engineRoom } from "#machine/cpu/layout.ts";
import { CELL } from "./cells.ts";

export const RECORD_BYTES = 32;
/** A ring: the newest record takes the place of the oldest. One more is never used. */
const RECORDS = 1 << 18;
export const RING_BYTES = RECORDS * RECORD_BYTES;
/**
 * Bytes of the index: four for each four bytes of RAM, that others may share. They are the offset, in the machine's
 * memory, of the record of the first instruction that begins there; those of the others follow it.
 */
const INDEX_BYTES = 1 << 22;
/** What there is in common of a place and of the offset of its entry in the index. */
export const INDEX_MASK = INDEX_BYTES - 4;
/** Fields of a record. The tag is the place in RAM, with the context's number in its upper half; 0 for none. */
export const RECORD = {
  tag: 0,
  /** u16: the slot of the form's function. */
  slot: 8,
  /** u16: how often execution has jumped here. */
  met: 10,
  /** u8: bytes of the instruction. */
  length: 12,
  /** u8 each: eight times the numbers of up to three registers. */
  registers: 13,
  /** i64: an immediate. */
  immediate: 16,
  /** i32, of relative jumps: where the record of the target lies, from the beginning of the records. See near-jumps.ts. */
  link: 16,
  /** i32: a displacement; of relative jumps from the next instruction. */
  displacement: 24,
  /** u16: the number of the head's entry, from 1 on; 0 where none is known. See heads.ts. */
  head: 28,
  /** u8: whether control goes elsewhere after the instruction: see `ENDS`. */
  ends: 30,
  /** u8: what each jump here adds to the heat of the place. */
  weight: 31,
} as const;

/** Whether control goes elsewhere after an instruction. */
export const ENDS = { no: 0, maybe: 1, always: 2 } as const;

/** Pages that code is fetched from: rip shifted by 12 with the context's number below, then the place in RAM. */
export const PAGES = 256;
export const PAGE_BYTES = 16;
export const PAGE_PLACE = 8;

/** What a jump to a place weighs that runs in forms, and what it does where a function of its shape runs the block. */
export const FORM_WEIGHT = 8;
export const SHAPE_WEIGHT = 1;

/** How often execution has jumped to eight bytes of RAM, each time weighted: u16 each, that others may share. */
export const HEATS = 1 << 18;

/** Entries of jump-cache.ts: several for each region that there may be. */
export const JUMP_ENTRIES = 1 << 14;
export const JUMP_ENTRY_BYTES = 16;

const LONGEST_INSTRUCTION = 15;

/** Entries of heads.ts and shapes.ts. */
export const HEADS = 1 << 15;
export const HEAD_BYTES = 40;
export const SHAPES = 1 << 11;
export const SHAPE_BYTES = 160;
const CONTEXTS_BYTES = 0x1000;

/** Where the tables begin in the machine's memory. */
export interface Tables {
  readonly records: number;
  readonly index: number;
  readonly pages: number;
  /** Heads of instructions, and for each first byte a mask of the lengths that heads have. */
  readonly heads: number;
  readonly lengths: number;
  /** Shapes of blocks, and room for one more. */
  readonly shapes: number;
  readonly heats: number;
  /** Where regions find each other, and where they lie: see jump-cache.ts. */
  readonly jumps: number;
  readonly homes: number;
  /** See next-contexts.ts. */
  readonly contexts: number;
  /** A bit for each byte of RAM: set where the evaluator has decoded it as code, or a region was made from it. */
  readonly noted: number;
  /** See function-tables.ts. */
  readonly functions: number;
}

export function tablesOf(size: number): Tables {
  const { start } = engineRoom(size);
  const index = start + (RECORDS + 1) * RECORD_BYTES;
  const pages = index + INDEX_BYTES;
  const heads = pages + PAGES * PAGE_BYTES;
  const lengths = heads + HEADS * HEAD_BYTES;
  const shapes = lengths + 256;
  const heats = shapes + (SHAPES + 1) * SHAPE_BYTES;
  const jumps = heats + HEATS * 2;
  const homes = jumps + JUMP_ENTRIES * JUMP_ENTRY_BYTES;
  const contexts = homes + JUMP_ENTRIES * JUMP_ENTRY_BYTES;
  const noted = contexts + CONTEXTS_BYTES;
  const functions = noted + (size >> 3);
  return { records: start, index, pages, heads, lengths, shapes, heats, jumps, homes, contexts, noted, functions };
}

export class CodeRecords {
  readonly #tables: Tables;
  readonly #bytes: Uint8Array;
  readonly #words: Uint16Array;
  readonly #halves: Uint32Array;
  /** Something has been noted: memory that nobody has touched costs nothing, and should stay so. */
  #isUsed = false;

  constructor(
    memory: WebAssembly.Memory,
    readonly size: number,
  ) {
    this.#tables = tablesOf(size);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint16Array(memory.buffer);
    this.#halves = new Uint32Array(memory.buffer);
  }

  /** Word of the index for a place. */
  #entry(place: number): number {
    return (this.#tables.index + (place & INDEX_MASK)) >> 2;
  }

  /** The records that an entry of the index leads to: all of instructions that begin in the same four bytes. */
  #group(entry: number): number[] {
    const group: number[] = [];
    const first = this.#halves[entry]!;
    if (first === 0 || this.#entry(this.#halves[first >> 2]!) !== entry) return group;
    const isOneOf = (record: number) =>
      this.#halves[record >> 2]! >>> 2 === this.#halves[first >> 2]! >>> 2 &&
      this.#halves[(record >> 2) + 1] === this.#halves[(first >> 2) + 1];
    if (this.#halves[(first >> 2) + 1] === 0) return group;
    for (let record = first; isOneOf(record); record += RECORD_BYTES) group.push(record);
    return group;
  }

  /** Where the record of a place lies; 0 for none. */
  #find(place: number): number {
    return this.#group(this.#entry(place)).find((record) => this.#halves[record >> 2] === place) ?? 0;
  }

  has(place: number, context: number): boolean {
    const record = this.#find(place);
    return record !== 0 && this.#halves[(record >> 2) + 1] === context;
  }

  /** Whether there is a record, of whichever context. */
  isMade(place: number): boolean {
    return this.#find(place) !== 0;
  }

  /** Word of the heat of a place. */
  #heat(place: number): number {
    return (this.#tables.heats >> 1) + ((place >>> 3) & (HEATS - 1));
  }

  /** Drops the records that an entry of the index leads to. */
  #dropGroup(entry: number): void {
    for (const record of this.#group(entry)) {
      this.#halves[record >> 2] = 0;
      this.#halves[(record >> 2) + 1] = 0;
    }
    this.#halves[entry] = 0;
  }

  /** Every record that counts is found through the index: whoever writes to its code must find it. */
  #place(place: number, context: number): number {
    const entry = this.#entry(place);
    const next = this.#halves[CELL.nextRecord / 4]!;
    const record = this.#tables.records + next;
    this.#halves[CELL.nextRecord / 4] = (next + RECORD_BYTES) % RING_BYTES;
    const before = this.#group(entry).at(-1) ?? 0;
    const tag = [this.#halves[before >> 2]!, this.#halves[(before >> 2) + 1]!] as const;
    const joins = tag[0] >>> 2 === place >>> 2 && tag[0] < place && tag[1] === context;
    if (joins && before + RECORD_BYTES === record) return record;
    if (this.#halves[entry] !== 0) this.#dropGroup(entry);
    else this.#words[this.#heat(place)] = 0;
    this.#halves[entry] = record;
    return record;
  }

  /** Makes a record, all but its numbers, and gives its address in the machine's memory. */
  enter(place: number, context: number, slot: number, length: number, registers: readonly number[]): number {
    this.use();
    const record = this.#place(place, context);
    const halves = this.#halves;
    halves[record >> 2] = place;
    halves[(record >> 2) + 1] = context;
    halves[(record + RECORD.slot) >> 2] = slot;
    halves[(record + RECORD.head) >> 2] = FORM_WEIGHT << 24;
    this.#bytes[record + RECORD.length] = length;
    for (let index = 0; index < registers.length; index++)
      this.#bytes[record + RECORD.registers + index] = registers[index]! * 8;
    return record;
  }

  /** How often execution has jumped to a place, weighted, since that was last asked. */
  takeHeat(place: number): number {
    const heat = this.#words[this.#heat(place)]!;
    this.#words[this.#heat(place)] = 0;
    return heat;
  }

  /** Forgets how hot a range has become: a region passes through it now, and mostly will not be entered there. */
  cool(place: number, length: number): void {
    for (let part = place & ~7; part < place + length; part += 8) this.#words[this.#heat(part)] = 0;
  }

  /** Drops the records that have a byte in a range, and those that are found with them. */
  drop(place: number, length: number): void {
    const end = place + length;
    for (let start = Math.max(0, place - LONGEST_INSTRUCTION + 1) & ~3; start < end; start += 4) {
      const isTouched = (record: number) => {
        const first = this.#halves[record >> 2]!;
        return first < end && first + this.#bytes[record + RECORD.length]! > place;
      };
      const entry = this.#entry(start);
      if (this.#group(entry).some(isTouched)) this.#dropGroup(entry);
    }
  }

  /** Tells where the page of `rip` lies in RAM. */
  enterPage(low: number, high: number, context: number, place: number): void {
    const entry = (this.#tables.pages + ((low >>> 12) & (PAGES - 1)) * PAGE_BYTES) >> 2;
    this.#halves[entry] = (low & 0xfffff000) | context;
    this.#halves[entry + 1] = high;
    this.#halves[entry + 2] = place;
  }

  /** Where the page at a linear address is known to lie; -1 for nowhere. */
  placeOfPage(low: number, high: number, context: number): number {
    const entry = (this.#tables.pages + ((low >>> 12) & (PAGES - 1)) * PAGE_BYTES) >> 2;
    const isKnown = this.#halves[entry] === ((low & 0xfffff000) | context) >>> 0 && this.#halves[entry + 1] === high;
    return isKnown ? this.#halves[entry + PAGE_PLACE / 4]! : -1;
  }

  /** Addresses may mean other places now. */
  forgetPages(): void {
    const { pages } = this.#tables;
    this.#bytes.fill(0, pages, pages + PAGES * PAGE_BYTES);
  }

  /** The tables are about to be written to. */
  use(): void {
    this.#isUsed = true;
  }

  noteCode(place: number, length: number): void {
    this.use();
    const { noted } = this.#tables;
    for (let at = place; at < place + length; at++) this.#bytes[noted + (at >>> 3)]! |= 1 << (at & 7);
  }

  /** Forgets the notes of the bytes in a range of which `remains` does not say that they are still relied on. */
  releaseCode(place: number, length: number, remains: (at: number) => boolean): void {
    const { noted } = this.#tables;
    for (let at = place; at < place + length; at++) {
      const bit = 1 << (at & 7);
      if ((this.#bytes[noted + (at >>> 3)]! & bit) !== 0 && !remains(at)) this.#bytes[noted + (at >>> 3)]! &= ~bit;
    }
  }

  clear(): void {
    this.forgetPages();
    if (!this.#isUsed) return;
    this.#isUsed = false;
    const { records, noted } = this.#tables;
    this.#bytes.fill(0, records, noted + (this.size >>> 3));
    this.#halves[CELL.nextRecord / 4] = 0;
  }
}
