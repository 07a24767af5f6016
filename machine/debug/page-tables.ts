/** The page tables as a tree: entries that are alike and follow each other are one. */
import {
  ACCESSED,
  DIRTY,
  type EntryBit,
  entriesOf,
  entryBits,
  isPage,
  NO_EXECUTE,
  type Paged,
  type PagingForm,
  PRESENT,
  pagingForm,
  spanOf,
  targetOf,
  USER,
  WRITABLE,
} from "./paging.ts";

/** Entries `first` to `last` of a table: one that names a table, or pages with the same bits, one after another. */
export interface EntryRun {
  readonly first: number;
  readonly last: number;
  /** Linear address of the first byte that they cover. */
  readonly address: bigint;
  /** Bytes that all of them cover. */
  readonly bytes: bigint;
  /** Physical address of the table, or of the first page. */
  readonly target: number;
  readonly bits: readonly EntryBit[];
  /** The raw first entry. */
  readonly entry: bigint;
  /** Pages that were used and pages that were written to; for a table 0 or 1. */
  readonly accessed: number;
  readonly dirty: number;
  /** What this entry and all above it allow together. */
  readonly permissions: Permissions;
  /** Null: these are pages. */
  readonly table: TableNode | null;
}

export interface Permissions {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
}

const EVERYTHING: Permissions = { writable: true, user: true, executable: true };

export interface TableNode {
  readonly level: number;
  /** Physical address. */
  readonly at: number;
  readonly runs: readonly EntryRun[];
}

export interface PageTree {
  readonly form: PagingForm;
  readonly root: TableNode | null;
  /** Physical addresses of all tables, each once. */
  readonly tables: readonly number[];
  /** Tables lead back to themselves, or are too many to be shown: some were left out. */
  readonly cut: boolean;
}

/** More tables than this are not followed: a guest may well have made a mess. */
const MOST_TABLES = 1024;

/** Reads all tables that CR3 leads to. */
export function readPageTree(machine: Paged): PageTree {
  const form = pagingForm(machine.registers());
  if (form.levels === 0) return { form, root: null, tables: [], cut: false };
  const reader = new TreeReader(machine, form);
  const root = reader.read(form.levels, form.root, 0n, { above: [], allowed: EVERYTHING });
  return { form, root, tables: [...reader.tables], cut: reader.cut };
}

/** How a table was reached. */
interface Way {
  /** The tables on the way; one of them again would go on for ever. */
  readonly above: readonly number[];
  readonly allowed: Permissions;
}

class TreeReader {
  readonly tables = new Set<number>();
  cut = false;
  private visits = 0;

  constructor(
    private readonly machine: Paged,
    private readonly form: PagingForm,
  ) {}

  read(level: number, at: number, address: bigint, way: Way): TableNode {
    this.tables.add(at);
    this.visits++;
    const runs: EntryRun[] = [];
    for (const [index, entry] of this.entries(level, at).entries()) {
      if ((entry & PRESENT) === 0n) continue;
      const begin = canonical(this.form, address + BigInt(index) * spanOf(this.form, level));
      const run = this.run(level, index, entry, begin, { ...way, above: [...way.above, at] });
      const before = runs.at(-1);
      if (before !== undefined && continues(before, run)) runs[runs.length - 1] = joined(before, run);
      else runs.push(run);
    }
    return { level, at, runs };
  }

  private run(level: number, index: number, entry: bigint, address: bigint, { above, allowed }: Way): EntryRun {
    const { form } = this;
    const target = targetOf(form, level, entry);
    // The four pointers that CR3 leads to with PAE have no permissions.
    const permissions = form.levels === 3 && level === 3 ? allowed : both(allowed, entry);
    return {
      first: index,
      last: index,
      address,
      bytes: spanOf(form, level),
      target,
      bits: entryBits(form, level, entry),
      entry,
      accessed: (entry & ACCESSED) === 0n ? 0 : 1,
      dirty: (entry & DIRTY) === 0n ? 0 : 1,
      permissions,
      table: isPage(form, level, entry) ? null : this.below(level, target, address, { above, allowed: permissions }),
    };
  }

  /** The table that an entry of `level` names, without its entries where following it would not end. */
  private below(level: number, at: number, address: bigint, way: Way): TableNode {
    if (!way.above.includes(at) && this.visits < MOST_TABLES) return this.read(level - 1, at, address, way);
    this.cut = true;
    return { level: level - 1, at, runs: [] };
  }

  private entries(level: number, at: number): bigint[] {
    const { entryBytes } = this.form;
    const count = entriesOf(this.form, level);
    const bytes = this.machine.readPhysical(at, count * entryBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, index) =>
      entryBytes === 8 ? view.getBigUint64(index * 8, true) : BigInt(view.getUint32(index * 4, true)),
    );
  }
}

function both({ writable, user, executable }: Permissions, entry: bigint): Permissions {
  return {
    writable: writable && (entry & WRITABLE) !== 0n,
    user: user && (entry & USER) !== 0n,
    executable: executable && (entry & NO_EXECUTE) === 0n,
  };
}

/** In long mode the upper half of the addresses begins with ones (Intel SDM vol. 1, section 3.3.7.1). */
function canonical({ levels }: PagingForm, address: bigint): bigint {
  return levels === 4 ? BigInt.asUintN(64, BigInt.asIntN(48, address)) : address;
}

const isMark = ({ name }: EntryBit): boolean => name === "A" || name === "D";

function continues(before: EntryRun, run: EntryRun): boolean {
  if (before.table !== null || run.table !== null || before.last + 1 !== run.first) return false;
  if (before.target + Number(before.bytes) !== run.target) return false;
  const lasting = ({ bits }: EntryRun): string =>
    bits
      .filter((bit) => !isMark(bit))
      .map(({ name }) => name)
      .join();
  return lasting(before) === lasting(run);
}

function joined(before: EntryRun, run: EntryRun): EntryRun {
  return {
    ...before,
    last: run.last,
    bytes: before.bytes + run.bytes,
    bits: before.bits.filter((bit) => !isMark(bit)),
    accessed: before.accessed + run.accessed,
    dirty: before.dirty + run.dirty,
  };
}

/** All pages, ascending by address. */
export function pagesOf(node: TableNode | null): EntryRun[] {
  return (node?.runs ?? []).flatMap((run) => (run.table === null ? [run] : pagesOf(run.table)));
}
