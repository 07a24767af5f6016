/** The regions that have been translated: found by where they begin, dropped when their code changes, bounded in number. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { CodeCursor } from "../code-cursor.ts";
import type { AccessProfile } from "./access-profile.ts";
import { type ArrivalRules, type Arrivals, makeArrivals } from "./arrival.ts";
import { bookCalls } from "./book-routines.ts";
import type { CallOuts } from "./call-outs.ts";
import { tablesOf } from "./code-records.ts";
import { areMapped, type MappedPage } from "./code-window.ts";
import type { Context } from "./context.ts";
import { encodeModule } from "./encoder.ts";
import type { Gates } from "./gates.ts";
import { JumpCache } from "./jump-cache.ts";
import type { Block } from "./region.ts";
import { regionFunction } from "./region-function.ts";
import { ModuleImports, makeRuntime, Routines, TYPES } from "./runtime.ts";

/** Bytes of guest code in RAM, `end` exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A region to be translated. */
export interface Draft {
  /** No two have the same. */
  readonly number: number;
  readonly context: Context;
  readonly entry: bigint;
  /** Where it begins in RAM. */
  readonly place: number;
  readonly blocks: readonly Block[];
  readonly gates: Gates;
  readonly ranges: readonly Range[];
  /** Where its code was found, and under which mapping. */
  readonly pages: readonly MappedPage[];
  readonly generation: number;
}

/** A translated region. What it was made from is forgotten: it would take more memory than the code. */
export interface Region extends Pick<Draft, "number" | "context" | "place" | "ranges" | "pages"> {
  readonly module: Module;
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

/** A compiled module, which is kept while one of its regions is alive. */
interface Module {
  readonly regions: Region[];
  readonly bytes: number;
  /** Regions that have not been dropped. */
  alive: number;
}

/** Modules alive at a time, and bytes of WebAssembly in them. */
export const MOST_MODULES = 240;
export const MOST_BYTES = 3 << 20;
const MOST_REGIONS = 1 << 14;

export class Translations {
  readonly jumps: JumpCache;
  bytes = 0;
  /** The functions of regions. Their modules do not import it: a copy for each would be larger than their code. */
  #table = tableOf(MOST_REGIONS);
  /** The functions of forms and blocks: a table that grows with their number. */
  #forms = tableOf(0);
  #formSlots = 0;
  /** Oldest first. */
  readonly #modules = new Set<Module>();
  readonly #free: number[] = [];
  #slots = 0;
  /** Regions by context and entry; several where an address has meant several places. */
  readonly #entries = new Map<number, Map<number, Region[]>>();
  readonly #pages = new Map<number, Set<Region>>();
  readonly #byNumber = new Map<number, Region>();
  /** Made when the first region is: a machine that has just been switched on must not wait for it. */
  #imports: WebAssembly.ModuleImports | null = null;

  #arrivals: Arrivals | null = null;
  #routines: Routines | null = null;

  constructor(
    readonly cpu: Cpu,
    /** Does an operation for a region. */
    readonly callOuts: CallOuts,
    readonly rules: ArrivalRules,
    readonly accesses: AccessProfile,
  ) {
    this.jumps = new JumpCache(cpu.state.memory, cpu.memory.size);
  }

  /** What all modules import. */
  get shared(): WebAssembly.ModuleImports {
    if (this.#imports === null) {
      const shared = { memory: this.cpu.state.memory, regions: this.#table, forms: this.#forms };
      const { size } = this.cpu.memory;
      this.#arrivals = makeArrivals(shared, size, this.rules);
      this.#imports = {
        ...shared,
        callOut: this.callOuts.call,
        portIn: this.callOuts.portIn,
        portOut: this.callOuts.portOut,
        bookCall: bookCalls(this.cpu),
        ...makeRuntime(shared),
        ...this.#arrivals,
      };
    }
    return this.#imports;
  }

  get arrivals(): Arrivals {
    return this.shared && this.#arrivals!;
  }

  /** What a module imports: routines are made when the first one asks for them. */
  importsOf({ routines }: ModuleImports): WebAssembly.ModuleImports {
    if (routines.length === 0) return this.shared;
    this.#routines ??= new Routines(this.shared, tablesOf(this.cpu.memory.size).functions);
    return { ...this.shared, ...this.#routines.with(routines) };
  }

  /** The region that begins at an address under the current mapping; the cursor stands there. */
  find(low: number, high: number, context: Context, generation: number, cursor: CodeCursor): Region | null {
    for (const region of this.#entries.get(context.id)?.get(keyOf(low, high)) ?? []) {
      if (region.generation !== generation) {
        if (!areMapped(region.pages, cursor)) continue;
        region.generation = generation;
      }
      this.jumps.enter(low, high, region);
      return region;
    }
    this.jumps.dropDoubtful(low, generation);
    return null;
  }

  /** Compiles regions into one module. Gives the bytes of WebAssembly that had to go for it. */
  add(drafts: readonly Draft[]): number {
    const imports = new ModuleImports();
    const functions = drafts.map((draft, index) =>
      regionFunction(draft, this.cpu, imports, this.accesses, `r${index}`),
    );
    const bytes = encodeModule({ types: TYPES, imports: imports.list, functions });
    const before = this.bytes;
    while (this.modules >= MOST_MODULES || (this.modules > 0 && this.bytes + bytes.length > MOST_BYTES)) this.#evict();
    const evicted = before - this.bytes;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { engine: this.importsOf(imports) });
    const module: Module = { regions: [], bytes: bytes.length, alive: 0 };
    this.#modules.add(module);
    this.bytes += bytes.length;
    for (const [index, draft] of drafts.entries()) this.#enter(draft, exports[`r${index}`] as Region["run"], module);
    return evicted;
  }

  get modules(): number {
    return this.#modules.size;
  }

  /** Drops the oldest module: what is still hot in it comes back. */
  #evict(): void {
    const [oldest] = this.#modules;
    for (const region of oldest!.regions) if (region.isAlive) this.#drop(region);
  }

  #enter(
    { number, context, place, ranges, pages, entry, generation }: Draft,
    run: Region["run"],
    module: Module,
  ): void {
    while (this.#free.length === 0 && this.#slots === MOST_REGIONS) this.#evict();
    const slot = this.#free.pop() ?? this.#slots++;
    this.#table.set(slot, run);
    const low = Number(BigInt.asUintN(32, entry));
    const high = Number(entry >> 32n);
    const region = { number, context, place, ranges, pages, module, run, slot, low, high, generation, isAlive: true };
    module.regions.push(region);
    this.#byNumber.set(number, region);
    module.alive++;
    const { id } = context;
    const entries = this.#entries.get(id) ?? new Map<number, Region[]>();
    this.#entries.set(id, entries);
    const key = keyOf(low, high);
    entries.set(key, [region, ...(entries.get(key) ?? [])]);
    for (const { start } of ranges) {
      const page = start & ~0xfff;
      const regions = this.#pages.get(page);
      if (regions === undefined) this.#pages.set(page, new Set([region]));
      else regions.add(region);
    }
  }

  /** Whether the code of a region, given by its number, is where it was. The cursor must be in a page. */
  isMapped(number: number, cursor: CodeCursor): boolean {
    const region = this.#byNumber.get(number);
    return region !== undefined && areMapped(region.pages, cursor);
  }

  /** Whether code of a page is translated. */
  holds(place: number): boolean {
    return this.#pages.has(place & ~0xfff);
  }

  /** Whether code of a range, which lies in one page, is translated. */
  touches(place: number, length: number): boolean {
    for (const { ranges } of this.#pages.get(place & ~0xfff) ?? [])
      if (ranges.some(({ start, end }) => start < place + length && end > place)) return true;
    return false;
  }

  /** Drops the regions that have code in a range, which lies in one page. Gives where these begin in RAM. */
  written(place: number, length: number): number[] {
    const dropped: number[] = [];
    for (const region of this.#pages.get(place & ~0xfff) ?? []) {
      const touched = region.ranges.some(({ start, end }) => start < place + length && end > place);
      if (!touched) continue;
      this.#drop(region);
      dropped.push(region.place);
    }
    return dropped;
  }

  #drop(region: Region): void {
    const { number, context, ranges, module, low, high, slot } = region;
    region.isAlive = false;
    this.#byNumber.delete(number);
    module.alive--;
    if (module.alive === 0) {
      this.#modules.delete(module);
      this.bytes -= module.bytes;
    }
    const entries = this.#entries.get(context.id)!;
    const key = keyOf(low, high);
    const others = entries.get(key)!.filter((other) => other !== region);
    if (others.length === 0) entries.delete(key);
    else entries.set(key, others);
    for (const { start } of ranges) {
      const page = start & ~0xfff;
      const regions = this.#pages.get(page);
      regions?.delete(region);
      if (regions?.size === 0) this.#pages.delete(page);
    }
    this.jumps.drop(low, slot);
    this.#table.set(slot, null);
    this.#free.push(slot);
  }

  /** Takes in functions of forms or blocks. Gives the slot of the first in their table; the others follow. */
  addForms(functions: readonly unknown[]): number {
    const first = this.#formSlots;
    this.#formSlots += functions.length;
    const missing = this.#formSlots - this.#forms.length;
    if (missing > 0) this.#forms.grow(Math.max(missing, this.#forms.length));
    for (const [index, one] of functions.entries()) this.#forms.set(first + index, one);
    return first;
  }

  /** Forgets everything. A table would hold each module that has ever imported it: new ones take their places. */
  clear(): void {
    if (this.#imports !== null) {
      this.#table = tableOf(MOST_REGIONS);
      this.#forms = tableOf(0);
      this.#formSlots = 0;
      this.#imports = this.#arrivals = this.#routines = null;
    }
    this.#slots = 0;
    this.#free.length = 0;
    this.#entries.clear();
    this.#pages.clear();
    this.#byNumber.clear();
    this.jumps.clear();
    this.#modules.clear();
    this.bytes = 0;
  }
}

function tableOf(initial: number): WebAssembly.Table {
  return new WebAssembly.Table({ element: "anyfunc", initial });
}

/** Canonical addresses have 48 bits and a sign: 53 are enough. */
function keyOf(low: number, high: number): number {
  return (high & 0x1fffff) * 0x100000000 + low;
}
