/** What translated code takes for granted: mode, privilege, segments. Code runs only where all of it holds. */
import { FLAG } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import type { CpuState } from "#machine/cpu/state.ts";
import { BIG, CS, DS, ES, FS, GS, SS, TYPE_CODE, TYPE_DOWN, TYPE_WRITABLE, UNUSABLE } from "#machine/cpu/state.ts";
import { CR4_SMAP, isOpen } from "#machine/memory/paging.ts";
import { tagKey } from "#machine/memory/tlb.ts";

/** What may be done through a segment register outside 64-bit mode. */
export interface SegmentRules {
  /** Base 0, limit 4 GiB, open for reading and writing: no check is needed. */
  readonly flat: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Base 0 and limit 4 GiB. */
  readonly whole: boolean;
  /** Its attributes, as far as they tell contexts apart; null where they do not, and each access must ask. */
  readonly attributes: number | null;
}

/** The attributes of a segment that code takes for granted. */
export const CONTEXT_ATTRIBUTES = UNUSABLE | BIG | TYPE_CODE | TYPE_DOWN | TYPE_WRITABLE;

export interface Context {
  /** Its number from 1 on, shifted, with `USER_CONTEXT` and `FLAT_CONTEXT` below. */
  readonly id: number;
  readonly mode: 16 | 32 | 64;
  /** The current privilege level. */
  readonly privilege: number;
  /** Privilege 3: pages of the supervisor are closed. */
  readonly user: boolean;
  /** SMAP is on: what the supervisor may access hangs on rflags.AC. */
  readonly guarded: boolean;
  /** The supervisor may access programs' pages, because AC is set. */
  readonly open: boolean;
  /** What entries of the TLB must show, for accesses by the code and by the processor itself. */
  readonly key: number;
  readonly ownKey: number;
  readonly stackWidth: 16 | 32 | 64;
  /** By number of the segment register; of no meaning in 64-bit mode. */
  readonly segments: readonly SegmentRules[];
  /** Of the code segment: 0 and no limit in 64-bit mode. */
  readonly codeBase: number;
  readonly codeLimit: number;
  /** 32- or 64-bit code in a segment without base and limit. */
  readonly isFlat: boolean;
}

/** Bits of identifiers: what is looked at while code runs. */
export const USER_CONTEXT = tagKey(true) & ~tagKey(false);
export const FLAT_CONTEXT = 1;
const NUMBER_SHIFT = 2;
/** Identifiers have twelve bits. */
export const MOST_CONTEXTS = 0xfff >> NUMBER_SHIFT;
const DATA_SEGMENTS = [ES, CS, SS, DS, FS, GS];
/** Of these the rest is asked at each access: systems have segments of their own for programs and processors there. */
const OPEN_SEGMENT: SegmentRules = { flat: false, readable: true, writable: true, whole: false, attributes: null };

/** CR0.MP, EM and TS, and CR4.OSFXSR: they say which units may be used. */
const UNIT_SWITCHES = 0xen;
const OSFXSR = 0x200n;

const ACCESS = 1 << FLAG.AC;

/** The words of the state that a signature is made of, and perhaps some more; those of fs and gs come last. */
const SOURCES: readonly number[] = [
  ...[at.CPL, at.CR0, at.CR4, at.EFER],
  ...DATA_SEGMENTS.flatMap((number) =>
    [at.SEGMENT_BASE, at.SEGMENT_BASE + 4, at.SEGMENT_LIMIT, at.SEGMENT_ATTRIBUTES].map(
      (field) => at.SEGMENTS + number * at.SEGMENT_SIZE + field,
    ),
  ),
].map((offset) => offset / 4);
const SOURCES_OF_PROTECTED_MODE = SOURCES.length - 8;

function signature(state: CpuState): string {
  const { mode, cpl } = state;
  const units = `${state.cr0 & UNIT_SWITCHES} ${state.cr4 & (OSFXSR | CR4_SMAP)} ${isOpen(state)}`;
  if (mode === 64) return `${cpl} ${units}`;
  let text = `${units} ${mode} ${cpl} ${state.protectedMode} ${state.segmentBase(CS)} ${state.segmentLimit(CS)}`;
  for (const number of DATA_SEGMENTS) {
    if (isOpenSegment(state, number)) continue;
    const flat = state.segmentBase(number) === 0n && state.segmentLimit(number) === 0xffffffff;
    text += ` ${state.segmentAttributes(number) & CONTEXT_ATTRIBUTES}${flat ? "f" : ""}`;
  }
  return text;
}

/** Whether a context says nothing of a segment register: fs and gs in protected mode. */
function isOpenSegment({ protectedMode }: CpuState, number: number): boolean {
  return protectedMode && number >= FS;
}

function rulesOf(state: CpuState, number: number): SegmentRules {
  if (isOpenSegment(state, number)) return OPEN_SEGMENT;
  const attributes = state.segmentAttributes(number);
  const code = (attributes & TYPE_CODE) !== 0;
  const open = (attributes & TYPE_WRITABLE) !== 0;
  const plain = (attributes & UNUSABLE) === 0 && (code || (attributes & TYPE_DOWN) === 0);
  const typed = state.protectedMode;
  const readable = plain && (!typed || !code || open);
  const writable = plain && (!typed || (!code && open));
  const whole = state.segmentBase(number) === 0n && state.segmentLimit(number) === 0xffffffff;
  const flat = whole && readable && writable;
  return { readable, writable, flat, whole, attributes: attributes & CONTEXT_ATTRIBUTES };
}

/** All contexts met so far. */
export class Contexts {
  readonly #known = new Map<string, Context>();
  /** The context that was asked for last, and the words that it was found by. */
  #last: Context | null = null;
  readonly #words = new Uint32Array(SOURCES.length);
  #access = 0;

  /** The context of the running code, or null where there are too many. */
  of(state: CpuState): Context | null {
    if (this.#changed(state)) this.#last = this.#find(state);
    return this.#last;
  }

  /** Whether a word is another one than the last time. A guest that polls a port comes here at every turn. */
  #changed({ halves, protectedMode }: CpuState): boolean {
    const words = this.#words;
    const count = protectedMode ? SOURCES_OF_PROTECTED_MODE : words.length;
    const access = halves[at.RFLAGS / 4]! & ACCESS;
    let changed = this.#last === null || access !== this.#access;
    this.#access = access;
    for (let index = 0; index < count; index++) {
      const word = halves[SOURCES[index]!]!;
      if (words[index] === word) continue;
      words[index] = word;
      changed = true;
    }
    return changed;
  }

  #find(state: CpuState): Context | null {
    const key = signature(state);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size === MOST_CONTEXTS) return null;
    const { mode } = state;
    const long = mode === 64;
    const isFlat = long || (mode === 32 && state.segmentBase(CS) === 0n && state.segmentLimit(CS) === 0xffffffff);
    const user = state.cpl === 3;
    const open = isOpen(state);
    const number = this.#known.size + 1;
    const context: Context = {
      id: (number << NUMBER_SHIFT) | (user ? USER_CONTEXT : 0) | (isFlat ? FLAT_CONTEXT : 0),
      mode,
      privilege: state.cpl,
      user,
      guarded: (state.cr4 & CR4_SMAP) !== 0n,
      open,
      key: tagKey(user, open),
      ownKey: tagKey(false, open),
      stackWidth: long ? 64 : (state.segmentAttributes(SS) & BIG) !== 0 ? 32 : 16,
      segments: long ? [] : DATA_SEGMENTS.map((number) => rulesOf(state, number)),
      codeBase: long ? 0 : Number(state.segmentBase(CS)),
      codeLimit: long ? Number.POSITIVE_INFINITY : state.segmentLimit(CS),
      isFlat,
    };
    this.#known.set(key, context);
    return context;
  }

  /** There is no room for another context: whoever goes on so should clear all. */
  get isFull(): boolean {
    return this.#known.size >= MOST_CONTEXTS;
  }

  clear(): void {
    this.#known.clear();
    this.#last = null;
  }
}
