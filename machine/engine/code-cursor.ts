/** Where execution stands, and the decoded instructions there. */
import { decode } from "#isa/decode.ts";
import type { DecodeFailure, Instruction, Mode } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { generalProtection, invalidOpcode } from "#machine/cpu/fault.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS } from "#machine/cpu/state.ts";
import { isCanonical } from "#machine/memory/canonical.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import { ENTRIES, slot } from "#machine/memory/tlb.ts";
import { CodeCache, type CodePage, type DecodedInstruction, withMeaning } from "./code-cache.ts";

interface FetchedPage {
  readonly linear: bigint;
  readonly user: boolean;
  readonly mode: Mode;
  readonly place: number;
  page: CodePage;
}

const FETCH_SLOTS = 256;

/** The number of the entry that a page would have in the TLB. */
function entryOf(linear: bigint): number {
  return slot(0, Number(linear & 0xffffffffn), Number(linear >> 32n)) / 4;
}

/**
 * The instruction pointer as a page and an offset in it, so that straight code and short jumps need no 64-bit
 * arithmetic: rip is always `base + offset`.
 */
export class CodeCursor {
  readonly cache: CodeCache;
  /** Decoded instructions of the current page; null where it must be looked up again. */
  page: CodePage | null = null;
  base = 0n;
  offset = 0;
  /** Highest offset in the page where an instruction may begin. */
  last = 0;
  mode: Mode = 16;
  /** Where the running instruction began. */
  startBase = 0n;
  startOffset = 0;
  onUnknownOpcode: ((address: bigint, bytes: Uint8Array) => void) | null = null;
  /** Called for each linear page that code is newly fetched from, with its place in RAM or -1. */
  onFetch: ((page: bigint, place: number) => void) | null = null;
  /** Where a linear page lies that translated code has fetched code from under the present mapping; -1 for none. */
  fetchedElsewhere: (page: bigint) => number = () => -1;

  readonly #fetched: (FetchedPage | undefined)[] = new Array(FETCH_SLOTS).fill(undefined);
  #generation = -1;
  /** By entry of the TLB: not 0 where code has been fetched from a page that would have it. */
  fetchedEver = new Uint8Array(ENTRIES);
  /** Where the current page lies in RAM; -1 where no memory answers. */
  place = -1;

  constructor(readonly cpu: Cpu) {
    this.cache = new CodeCache(cpu.memory);
    cpu.mmu.holdsCode = (linear) => this.fetchedEver[entryOf(linear)] !== 0;
  }

  /** Forgets all derived from memory. */
  reset(): void {
    this.cache.clear();
    this.fetchedEver.fill(0);
    this.#generation = -1;
    this.load();
  }

  get rip(): bigint {
    return this.wrap(this.base + BigInt(this.offset));
  }

  /** rip of the running instruction. */
  get start(): bigint {
    return this.wrap(this.startBase + BigInt(this.startOffset));
  }

  wrap(rip: bigint): bigint {
    return this.mode === 64 ? BigInt.asUintN(64, rip) : BigInt.asUintN(32, rip);
  }

  /** Writes rip to the processor's state. */
  save(): void {
    this.cpu.state.words[at.RIP / 8] = this.rip;
  }

  /** Takes rip and the mode from the processor's state. */
  load(): void {
    const { state } = this.cpu;
    this.page = null;
    this.mode = state.mode;
    this.base = state.rip;
    this.offset = 0;
  }

  /** Goes to a checked offset of the code segment. */
  goTo(rip: bigint): void {
    const distance = rip - this.base;
    if (this.page !== null && distance >= 0n && distance <= BigInt(this.last)) this.offset = Number(distance);
    else {
      this.page = null;
      this.base = rip;
      this.offset = 0;
    }
  }

  /** Finds the page that rip is in. Faults as an instruction fetch does. */
  enter(): CodePage {
    const { cpu } = this;
    const rip = this.rip;
    this.startBase = rip;
    this.startOffset = 0;
    const linear = this.#linear(rip);
    const user = cpu.state.cpl === 3;
    const found = this.#fetch(linear, user);
    this.offset = Number(linear & 0xfffn);
    this.base = rip - BigInt(this.offset);
    this.startBase = this.base;
    this.startOffset = this.offset;
    this.last = this.#lastOffset();
    this.place = found.place;
    this.page = found.page;
    return found.page;
  }

  #linear(rip: bigint): bigint {
    const { state } = this.cpu;
    if (this.mode === 64) {
      if (!isCanonical(rip)) throw generalProtection(0, `rip = 0x${rip.toString(16)} is not canonical`);
      return rip;
    }
    if (rip > BigInt(state.segmentLimit(CS))) {
      throw generalProtection(0, `rip = 0x${rip.toString(16)} lies beyond the code segment`);
    }
    return BigInt.asUintN(32, state.segmentBase(CS) + rip);
  }

  #lastOffset(): number {
    if (this.mode === 64) return 0xfff;
    const room = BigInt(this.cpu.state.segmentLimit(CS)) - this.base;
    return room < 0xfffn ? Number(room) : 0xfff;
  }

  #fetch(linear: bigint, user: boolean): FetchedPage {
    const { cpu } = this;
    const page = linear & ~0xfffn;
    const index = Number((linear >> 12n) & BigInt(FETCH_SLOTS - 1));
    const known = this.#generation === cpu.mmu.generation ? this.#fetched[index] : undefined;
    if (known?.linear === page && known.user === user && known.mode === this.mode) {
      if (known.page.isDropped) known.page = this.cache.page(known.place, this.mode);
      return known;
    }
    const elsewhere = this.fetchedElsewhere(page);
    const place = elsewhere >= 0 ? elsewhere : this.#walk(linear, user);
    if (this.#generation !== cpu.mmu.generation) this.#fetched.fill(undefined);
    // Noting a page flushes the TLB, for the sake of writes: where code is fetched from stays what it was.
    if (place >= 0) cpu.memory.noteCode(place);
    this.#generation = cpu.mmu.generation;
    const fresh = { linear: page, user, mode: this.mode, place, page: this.cache.page(place, this.mode) };
    this.#fetched[index] = fresh;
    this.fetchedEver[entryOf(page)] = 1;
    this.onFetch?.(page, place);
    return fresh;
  }

  /** Where the page lies in RAM that code is fetched from. */
  #walk(linear: bigint, user: boolean): number {
    const physical = this.cpu.mmu.translate(linear, { write: false, user, fetch: true });
    return this.cpu.memory.place(physical - (physical % 0x1000));
  }

  /**
   * The page at a linear address that code has been fetched from already, under the present mapping and at the present
   * privilege: nobody would see a further fetch from it. Null if there is none.
   */
  fetchedPage(linear: bigint): { readonly place: number; readonly page: CodePage } | null {
    const { cpu } = this;
    if (this.#generation !== cpu.mmu.generation) return null;
    const known = this.#fetched[Number((linear >> 12n) & BigInt(FETCH_SLOTS - 1))];
    if (known?.linear !== linear || known.user !== (cpu.state.cpl === 3) || known.mode !== this.mode) return null;
    return known.place < 0 ? null : known;
  }

  /**
   * The page at a linear address that code has been fetched from, under whatever mapping, if it can be told without
   * marking anything that it is mapped.
   */
  knownPage(linear: bigint): { readonly place: number; readonly page: CodePage } | null {
    const place = this.placeOfCode(linear);
    if (place < 0 || (this.cpu.memory.notes(place) & NOTE_CODE) === 0) return null;
    const page = this.cache.page(place, this.mode);
    if (this.page?.isDropped === true) this.page = null;
    return { place, page };
  }

  /** Where the page of code at a linear address lies in RAM, as far as can be told without marking anything; otherwise -1. */
  placeOfCode(linear: bigint): number {
    const fetched = this.fetchedPage(linear);
    if (fetched !== null) return fetched.place;
    const { mmu, memory, state } = this.cpu;
    const physical = mmu.settled(linear, { write: false, user: state.cpl === 3, fetch: true });
    return physical === null ? -1 : memory.place(physical - (physical % 0x1000));
  }

  /** Decodes the instruction at `offset`. Kept, unless it crosses into the next page. */
  decode(page: CodePage): DecodedInstruction {
    const offset = this.offset;
    const inPage = Math.min(15, 0x1000 - offset);
    const bytes =
      this.place < 0 ? new Uint8Array(inPage).fill(0xff) : this.cpu.memory.readBytes(this.place + offset, inPage);
    const first = decode(bytes, 0, this.mode);
    if (first.mnemonic === null && first.reason === "truncated" && inPage < 15) {
      const both = new Uint8Array(15);
      both.set(bytes);
      both.set(this.#nextPage(15 - inPage), inPage);
      page.crossing = offset;
      if (page.isDropped) this.page = null;
      return this.#complete(decode(both, 0, this.mode), both);
    }
    const decoded = this.#complete(first, bytes);
    if (this.place >= 0) page.keep(offset, decoded);
    return decoded;
  }

  #nextPage(count: number): Uint8Array {
    const { cpu } = this;
    const { place } = this.#fetch(this.#linear(this.wrap(this.base + 0x1000n)), cpu.state.cpl === 3);
    return place < 0 ? new Uint8Array(count).fill(0xff) : cpu.memory.readBytes(place, count);
  }

  #complete(decoded: Instruction | DecodeFailure, bytes: Uint8Array): DecodedInstruction {
    if (decoded.mnemonic === null) {
      if (decoded.reason === "tooLong") throw generalProtection(0, "the instruction is longer than 15 bytes");
      if (decoded.reason === "unknown") this.onUnknownOpcode?.(this.#linear(this.rip), bytes);
      throw invalidOpcode(decoded.reason === "lock" ? "lock is not allowed here" : "the bytes are no instruction");
    }
    if (this.offset + decoded.length - 1 > this.last && this.last < 0xfff) {
      throw generalProtection(0, "the instruction reaches beyond the code segment");
    }
    const complete = withMeaning(decoded);
    if (complete === null) throw invalidOpcode(`${decoded.mnemonic} has no meaning`);
    return complete;
  }
}
