/** Page-table entries in words, and the walk of an address: which entries lead on, and which refuse what. */
import { EFER_LMA } from "#machine/cpu/control.ts";
import type { Machine, Registers } from "#machine/machine.ts";
import { CR0_PG, CR0_WP, CR4_PAE, CR4_PSE, CR4_SMAP, CR4_SMEP, EFER_NXE } from "#machine/memory/paging.ts";

/** The part of a machine that paging is read from. */
export type Paged = Pick<Machine, "registers" | "readPhysical">;

/** Bits of an entry by number. Intel SDM vol. 3A, tables 4-15 to 4-20. */
const BITS = [
  { bit: 1, name: "W", meaning: "may be written" },
  { bit: 2, name: "U", meaning: "user programs may use it" },
  { bit: 3, name: "WT", meaning: "caches write through" },
  { bit: 4, name: "CD", meaning: "not cached" },
  { bit: 5, name: "A", meaning: "accessed" },
  { bit: 6, name: "D", meaning: "dirty: written to" },
  { bit: 7, name: "PS", meaning: "a large page" },
  { bit: 8, name: "G", meaning: "global: stays in the TLB" },
  { bit: 63, name: "NX", meaning: "may not be executed" },
] as const;

export const PRESENT = 1n;
export const WRITABLE = 1n << 1n;
export const USER = 1n << 2n;
export const ACCESSED = 1n << 5n;
export const DIRTY = 1n << 6n;
export const LARGE = 1n << 7n;
export const NO_EXECUTE = 1n << 63n;

const ADDRESS = 0x000f_ffff_ffff_f000n;

/** RFLAGS.AC (Intel SDM vol. 3A, section 2.3). */
const ALIGNMENT_CHECK = 1n << 18n;

/** How the tables of a mode are built. */
export interface PagingForm {
  /** 4 in long mode, 3 with PAE, 2 without; 0: paging is off. */
  readonly levels: 0 | 2 | 3 | 4;
  readonly entryBytes: 4 | 8;
  /** Bits of the address that each level uses up. */
  readonly indexBits: 9 | 10;
  /** Physical address of the topmost table. */
  readonly root: number;
  /** A page directory may hold large pages. */
  readonly hasLarge: boolean;
}

export function pagingForm({ cr0, cr3, cr4, efer }: Registers): PagingForm {
  if ((cr0 & CR0_PG) === 0n) return { levels: 0, entryBytes: 8, indexBits: 9, root: 0, hasLarge: false };
  if ((efer & EFER_LMA) !== 0n)
    return { levels: 4, entryBytes: 8, indexBits: 9, root: Number(cr3 & ADDRESS), hasLarge: true };
  if ((cr4 & CR4_PAE) !== 0n)
    return { levels: 3, entryBytes: 8, indexBits: 9, root: Number(cr3 & 0xffff_ffe0n), hasLarge: true };
  const hasLarge = (cr4 & CR4_PSE) !== 0n;
  return { levels: 2, entryBytes: 4, indexBits: 10, root: Number(cr3 & 0xffff_f000n), hasLarge };
}

/** Name of an entry on a level: 1 is the last, whose entries are pages of 4 KiB. Intel SDM vol. 3A, table 4-2. */
export const ENTRY_NAMES = ["", "PTE", "PDE", "PDPTE", "PML4E"] as const;
export const TABLE_NAMES = ["", "page table", "page directory", "page directory pointers", "page map"] as const;

/** Bytes of address space that one entry of a level covers. */
export function spanOf({ indexBits }: PagingForm, level: number): bigint {
  return 1n << BigInt(12 + indexBits * (level - 1));
}

/** Entries in a table of a level: 512, or 1,024 of four bytes, or the four that CR3 points to with PAE. */
export function entriesOf({ levels, indexBits }: PagingForm, level: number): number {
  return levels === 3 && level === 3 ? 4 : 1 << indexBits;
}

/** Whether the entry, which is present, is a page and no table. */
export function isPage({ levels, hasLarge }: PagingForm, level: number, entry: bigint): boolean {
  if (level === 1) return true;
  return hasLarge && (entry & LARGE) !== 0n && (level === 2 || (level === 3 && levels === 4));
}

/** Where the table or page begins that an entry of a level names. */
export function targetOf(form: PagingForm, level: number, entry: bigint): number {
  const address = entry & ADDRESS;
  if (!isPage(form, level, entry)) return Number(address);
  return Number(address - (address % spanOf(form, level)));
}

export interface EntryBit {
  readonly name: string;
  readonly meaning: string;
}

/** The bits of an entry that are set, beside "present" and its address. A table has no dirty bit and is never global. */
export function entryBits(form: PagingForm, level: number, entry: bigint): EntryBit[] {
  const page = isPage(form, level, entry);
  return BITS.filter(({ bit, name }) => {
    if (((entry >> BigInt(bit)) & 1n) === 0n) return false;
    if (name === "PS") return page && level > 1;
    return page || (name !== "D" && name !== "G");
  }).map(({ name, meaning }) => ({ name, meaning }));
}

/** One entry on the way of an address. */
export interface WalkStep {
  readonly level: number;
  readonly index: number;
  /** Where the entry lies in physical memory. */
  readonly at: number;
  readonly entry: bigint;
  readonly bits: readonly EntryBit[];
  readonly page: boolean;
}

/** Who does what with an address. */
export interface AccessKind {
  readonly act: "read" | "write" | "run";
  readonly user: boolean;
}

export interface Verdict extends AccessKind {
  /** Null: allowed. */
  readonly refusal: { readonly step: number | null; readonly why: string } | null;
}

export interface Walk {
  readonly address: bigint;
  /** False where bits 63 to 48 are not copies of bit 47: such an address is not walked at all. */
  readonly canonical: boolean;
  readonly steps: readonly WalkStep[];
  /** Where the walk ends; null where an entry on the way is missing or broken. */
  readonly physical: number | null;
  readonly pageBytes: bigint | null;
  /** Six: each act, by the kernel and by a user's program. */
  readonly verdicts: readonly Verdict[];
  /** Whether it is a user's program that runs now. */
  readonly user: boolean;
}

/** Reads an entry. */
export function readEntry(machine: Paged, { entryBytes }: PagingForm, table: number, index: number): bigint {
  const bytes = machine.readPhysical(table + index * entryBytes, entryBytes);
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Walks `address` through the tables as they are now, without marking anything. Null where paging is off. */
export function walkAddress(machine: Paged, address: bigint): Walk | null {
  const registers = machine.registers();
  const form = pagingForm(registers);
  if (form.levels === 0) return null;
  const canonical = form.levels < 4 ? address < 1n << 32n : BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
  const steps: WalkStep[] = [];
  let physical: number | null = null;
  let pageBytes: bigint | null = null;
  let table = form.root;
  for (let level: number = form.levels; canonical && level > 0; level--) {
    const span = spanOf(form, level);
    const index = Number((address / span) % BigInt(entriesOf(form, level)));
    const entry = readEntry(machine, form, table, index);
    const page = (entry & PRESENT) !== 0n && isPage(form, level, entry);
    const bits = (entry & PRESENT) === 0n ? [] : entryBits(form, level, entry);
    steps.push({ level, index, at: table + index * form.entryBytes, entry, bits, page });
    if ((entry & PRESENT) === 0n || reserved(form, level, entry, registers)) break;
    table = targetOf(form, level, entry);
    if (!page) continue;
    physical = table + Number(address % span);
    pageBytes = span;
    break;
  }
  const verdicts = ([false, true] as const).flatMap((user) =>
    (["read", "write", "run"] as const).map((act): Verdict => {
      const refusal = canonical
        ? refusalOf(form, registers, steps, { act, user })
        : { step: null, why: "the address is not canonical" };
      return { act, user, refusal };
    }),
  );
  return { address, canonical, steps, physical, pageBytes, verdicts, user: (registers.cs & 3n) === 3n };
}

/** Bits that must be zero (Intel SDM vol. 3A, section 4.4.2 and 4.5). */
function reserved(form: PagingForm, level: number, entry: bigint, { efer }: Registers): boolean {
  if (form.entryBytes === 4) return false;
  if ((entry & 0x000f_ff00_0000_0000n) !== 0n) return true;
  if (form.levels === 3 && level === 3) return (entry & (0x1e6n | NO_EXECUTE | 0x7ff0_0000_0000_0000n)) !== 0n;
  if ((efer & EFER_NXE) === 0n && (entry & NO_EXECUTE) !== 0n) return true;
  if (level === 4 && (entry & LARGE) !== 0n) return true;
  return level > 1 && isPage(form, level, entry) && (entry & (spanOf(form, level) - 0x2000n) & ADDRESS) !== 0n;
}

/** The first entry that stands in the way of an access, and why. Intel SDM vol. 3A, section 4.6. */
function refusalOf(
  form: PagingForm,
  registers: Registers,
  steps: readonly WalkStep[],
  { act, user }: AccessKind,
): Verdict["refusal"] {
  const { cr0, cr4, efer, rflags } = registers;
  const last = steps.length - 1;
  const end = steps[last]!;
  if ((end.entry & PRESENT) === 0n) return { step: last, why: "is not present" };
  if (reserved(form, end.level, end.entry, registers)) return { step: last, why: "has reserved bits set" };
  // The four pointers that CR3 leads to with PAE have no permissions.
  const asked = steps.filter(({ level }) => !(form.levels === 3 && level === 3));
  const first = (lacks: (entry: bigint) => boolean): number => steps.indexOf(asked.find(({ entry }) => lacks(entry))!);
  const isUsers = asked.every(({ entry }) => (entry & USER) !== 0n);
  if (user && !isUsers) return { step: first((entry) => (entry & USER) === 0n), why: "belongs to the kernel" };
  if (!user && isUsers) {
    if (act === "run" && (cr4 & CR4_SMEP) !== 0n)
      return { step: last, why: "belongs to user programs, and SMEP is on" };
    if (act !== "run" && (cr4 & CR4_SMAP) !== 0n && (rflags & ALIGNMENT_CHECK) === 0n)
      return { step: last, why: "belongs to user programs, and SMAP is on" };
  }
  const readOnly = first((entry) => (entry & WRITABLE) === 0n);
  if (act === "write" && readOnly >= 0 && (user || (cr0 & CR0_WP) !== 0n))
    return { step: readOnly, why: "is read-only" };
  const sealed = first((entry) => (entry & NO_EXECUTE) !== 0n);
  const hasNoExecute = form.entryBytes === 8 && (efer & EFER_NXE) !== 0n;
  if (act === "run" && hasNoExecute && sealed >= 0) return { step: sealed, why: "is not executable" };
  return null;
}
