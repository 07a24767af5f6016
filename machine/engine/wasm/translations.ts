/** The regions that have been translated: found by where they begin, dropped when their code changes, bounded in number. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { type ArrivalRules, type Arrivals, makeArrivals } from "./arrival.ts";
import { bookCalls } from "./book-routines.ts";
import type { CallOuts } from "./call-outs.ts";
import type { CodeWindow } from "./code-window.ts";
import type { Context } from "./context.ts";
import { encodeModule } from "./encoder.ts";
import type { Gates } from "./gates.ts";
import { JumpCache } from "./jump-cache.ts";
import type { Block } from "./region.ts";
import { regionFunction } from "./region-function.ts";
import { ModuleImports, makeRoutines, makeRuntime, TYPES } from "./runtime.ts";

/** Bytes of guest code in RAM, `end` exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A region to be translated. */
export interface Draft {
  readonly context: Context;
  readonly entry: bigint;
  /** Where it begins in RAM. */
  readonly place: number;
  readonly blocks: readonly Block[];
  readonly gates: Gates;
  readonly ranges: readonly Range[];
  readonly window: CodeWindow;
  /** The mapping under which its code was found. */
  readonly generation: number;
}

export interface Region {
  readonly draft: Draft;
  /** Retires up to `budget` instructions; gives how many are left, or their complement where the evaluator must go on. */
  readonly run: (budget: number) => number;
  readonly slot: number;
  readonly low: number;
  readonly high: number;
  /** The mapping under which it was last checked. */
  generation: number;
  /** It has not been dropped. */
  isAlive: boolean;
}

/** Modules alive at a time, and bytes of WebAssembly in them. */
export const MOST_MODULES = 600;
export const MOST_BYTES = 2 << 20;
const MOST_REGIONS = 1 << 14;
export const MOST_FORMS = 4096;
/** In the table of functions, forms come after the regions. */
export const FIRST_FORM_SLOT = MOST_REGIONS;
/** After these, functions of blocks. */
export const MOST_BLOCKS = 1024;
export const FIRST_BLOCK_SLOT = FIRST_FORM_SLOT + MOST_FORMS;
const TABLE_SIZE = FIRST_BLOCK_SLOT + MOST_BLOCKS;

export class Translations {
  readonly jumps: JumpCache;
  bytes = 0;
  readonly table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_SIZE });
  /** Oldest first. */
  #modules: { readonly regions: readonly Region[]; readonly bytes: number }[] = [];
  readonly #free: number[] = [];
  #slots = 0;
  /** Regions by context and entry; several where an address has meant several places. */
  readonly #entries = new Map<number, Map<number, Region[]>>();
  readonly #pages = new Map<number, Set<Region>>();
  /** Made when the first region is: a machine that has just been switched on must not wait for it. */
  #imports: WebAssembly.ModuleImports | null = null;

  #arrivals: Arrivals | null = null;
  /** With the routines of the x87. */
  #routines: WebAssembly.ModuleImports | null = null;

  constructor(
    readonly cpu: Cpu,
    /** Does an operation for a region. */
    readonly callOut: CallOuts["call"],
    readonly rules: ArrivalRules,
  ) {
    this.jumps = new JumpCache(cpu.state.memory);
  }

  /** What all modules import. */
  get shared(): WebAssembly.ModuleImports {
    if (this.#imports === null) {
      const shared = { memory: this.cpu.state.memory, regions: this.table };
      const { size } = this.cpu.memory;
      this.#arrivals = makeArrivals(shared, size, this.rules);
      this.#imports = {
        ...shared,
        callOut: this.callOut,
        bookCall: bookCalls(this.cpu),
        ...makeRuntime(shared, size),
        ...this.#arrivals,
      };
    }
    return this.#imports;
  }

  get arrivals(): Arrivals {
    return this.shared && this.#arrivals!;
  }

  /** What a module imports: the routines of the x87 are made when the first one asks for them. */
  importsOf({ needsRoutines }: ModuleImports): WebAssembly.ModuleImports {
    if (!needsRoutines) return this.shared;
    this.#routines ??= { ...this.shared, ...makeRoutines(this.shared) };
    return this.#routines;
  }

  /** The region that begins at an address under the current mapping. */
  find(low: number, high: number, context: Context, generation: number): Region | null {
    const list = this.#entries.get(context.id)?.get(keyOf(low, high));
    if (list === undefined) return null;
    for (const region of list) {
      if (region.generation !== generation) {
        if (!region.draft.window.isMapped(region.draft.ranges)) continue;
        region.generation = generation;
      }
      this.jumps.enter(low, high, context.id, region.slot);
      return region;
    }
    return null;
  }

  /** Compiles regions into one module. */
  add(drafts: readonly Draft[]): void {
    const imports = new ModuleImports();
    const functions = drafts.map((draft, index) => regionFunction(draft, this.cpu, imports, `r${index}`));
    const bytes = encodeModule({ types: TYPES, imports: imports.list, functions });
    while (this.modules >= MOST_MODULES || (this.modules > 0 && this.bytes + bytes.length > MOST_BYTES)) this.#evict();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { engine: this.importsOf(imports) });
    this.bytes += bytes.length;
    const regions = drafts.map((draft, index) => this.#enter(draft, exports[`r${index}`] as Region["run"]));
    this.#modules.push({ regions, bytes: bytes.length });
  }

  get modules(): number {
    return this.#modules.length;
  }

  /** Drops the oldest module: what is still hot in it comes back. */
  #evict(): void {
    const oldest = this.#modules.shift()!;
    this.bytes -= oldest.bytes;
    for (const region of oldest.regions) if (region.isAlive) this.#drop(region);
  }

  #enter(draft: Draft, run: Region["run"]): Region {
    while (this.#free.length === 0 && this.#slots === MOST_REGIONS) this.#evict();
    const slot = this.#free.pop() ?? this.#slots++;
    this.table.set(slot, run);
    const low = Number(BigInt.asUintN(32, draft.entry));
    const high = Number(draft.entry >> 32n);
    const { generation } = draft;
    const region = { draft, run, slot, low, high, generation, isAlive: true };
    const { id } = draft.context;
    const entries = this.#entries.get(id) ?? new Map<number, Region[]>();
    this.#entries.set(id, entries);
    const key = keyOf(low, high);
    entries.set(key, [region, ...(entries.get(key) ?? [])]);
    for (const { start } of draft.ranges) {
      const page = start & ~0xfff;
      const regions = this.#pages.get(page);
      if (regions === undefined) this.#pages.set(page, new Set([region]));
      else regions.add(region);
    }
    return region;
  }

  /** Whether code of a page is translated. */
  holds(place: number): boolean {
    return this.#pages.has(place & ~0xfff);
  }

  /** Whether code of a range, which lies in one page, is translated. */
  touches(place: number, length: number): boolean {
    for (const { draft } of this.#pages.get(place & ~0xfff) ?? [])
      if (draft.ranges.some(({ start, end }) => start < place + length && end > place)) return true;
    return false;
  }

  /** Drops the regions that have code in a range, which lies in one page. Gives where these begin in RAM. */
  written(place: number, length: number): number[] {
    const dropped: number[] = [];
    for (const region of this.#pages.get(place & ~0xfff) ?? []) {
      const touched = region.draft.ranges.some(({ start, end }) => start < place + length && end > place);
      if (!touched) continue;
      this.#drop(region);
      dropped.push(region.draft.place);
    }
    return dropped;
  }

  #drop(region: Region): void {
    const { draft, low, high, slot } = region;
    region.isAlive = false;
    const entries = this.#entries.get(draft.context.id)!;
    const key = keyOf(low, high);
    const others = entries.get(key)!.filter((other) => other !== region);
    if (others.length === 0) entries.delete(key);
    else entries.set(key, others);
    for (const { start } of draft.ranges) {
      const page = start & ~0xfff;
      const regions = this.#pages.get(page);
      regions?.delete(region);
      if (regions?.size === 0) this.#pages.delete(page);
    }
    this.jumps.drop(low, slot);
    this.table.set(slot, null);
    this.#free.push(slot);
  }

  /** Forgets everything. */
  clear(): void {
    for (let slot = 0; slot < this.#slots; slot++) this.table.set(slot, null);
    this.#slots = 0;
    this.#free.length = 0;
    this.#entries.clear();
    this.#pages.clear();
    this.jumps.clear();
    this.#modules = [];
    this.bytes = 0;
  }
}

/** Canonical addresses have 48 bits and a sign: 53 are enough. */
function keyOf(low: number, high: number): number {
  return (high & 0x1fffff) * 0x100000000 + low;
}
