/** The engine that translates: the evaluator runs what is cold, and what has become hot runs as WebAssembly. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory, EngineStop } from "#machine/cpu/engine.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Mmu } from "#machine/memory/mmu.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import { slot } from "#machine/memory/tlb.ts";
import type { CodePage, DecodedInstruction } from "./code-cache.ts";
import { EvaluatorEngine } from "./evaluator-engine.ts";
import { CallOuts } from "./wasm/call-outs.ts";
import { CELL, FETCHED } from "./wasm/cells.ts";
import { CodeWindow } from "./wasm/code-window.ts";
import { type Context, Contexts } from "./wasm/context.ts";
import { CurrentGates } from "./wasm/gates.ts";
import { JumpTargets } from "./wasm/jump-targets.ts";
import { discover } from "./wasm/region.ts";
import { type Draft, type Region, Translations } from "./wasm/translations.ts";

/** Arrivals at a place after which it is hot. */
const HOT = 60;
/** The heat of a place whose first instruction only the evaluator can do. */
const NEVER = 0xffff;
/** Regions of one module. */
const MOST_IN_BATCH = 24;
/** Instructions between two returns to this loop: optimised code is entered at the next call only. */
const LONGEST_RUN = 300_000;

/** A hot place, and the page that it was seen in. */
interface Candidate {
  readonly page: CodePage;
  readonly offset: number;
  readonly context: Context;
  readonly entry: bigint;
  readonly window: CodeWindow;
}

/** A page number as a region compares it; infinity as the largest one. */
function pageNumber(page: number): bigint {
  return page < 0 ? 0n : Number.isFinite(page) ? BigInt(page) : 0xffffffffffffffffn;
}

function isComputedJump({ mnemonic, operands }: DecodedInstruction["instruction"]): boolean {
  return (mnemonic === "jmp" || mnemonic === "call") && operands[0]!.kind !== "relative";
}

export class WasmEngine extends EvaluatorEngine {
  readonly translations: Translations;
  readonly #contexts = new Contexts();
  readonly #callOuts: CallOuts;
  readonly #jumps = new JumpTargets();
  readonly #halves: Uint32Array;
  #context: Context | null = null;
  #generation = -1;
  /** Places that are hot, and wait for others to share a module with. */
  #candidates: Candidate[] = [];
  /** The range of large pages that the regions were told of. */
  #large: Mmu["large"] | null = null;

  /** `hot`: after how many arrivals a place is translated. */
  constructor(
    cpu: Cpu,
    readonly hot = HOT,
  ) {
    super(cpu);
    this.#callOuts = new CallOuts(cpu, () => this.evaluator.attention);
    this.translations = new Translations(cpu, this.#callOuts.call);
    this.#halves = cpu.state.halves;
    this.evaluator.cursor.onFetch = (page) => this.#fetched(page);
    cpu.memory.connect({
      codeWritten: (place, length) => this.#codeWritten(place, length),
      remapped: () => {
        this.#callOuts.disturbed = true;
        cpu.mmu.flush();
        this.evaluator.cursor.page = null;
      },
    });
  }

  /** Regions must not forget a page by themselves that code has been fetched from. */
  #fetched(page: bigint): void {
    const entry = slot(0, Number(page & 0xffffffffn), Number(page >> 32n)) / 4;
    new Uint8Array(this.cpu.state.memory.buffer)[FETCHED + entry] = 1;
  }

  /** Tells regions what they need to know of the state that they cannot see. */
  #tell(): void {
    const { mmu, memory, state, interrupts } = this.cpu;
    const { words, halves } = state;
    if (this.#large !== mmu.large) {
      this.#large = mmu.large;
      words[CELL.firstLargePage / 8] = pageNumber(mmu.large.first);
      words[CELL.lastLargePage / 8] = pageNumber(mmu.large.last);
    }
    words[CELL.end / 8] = BigInt(this.#callOuts.end);
    halves[CELL.a20 / 4] = memory.a20 ? 1 : 0;
    halves[CELL.askedAt / 4] = 0xffffffff;
    halves[CELL.pending / 4] = interrupts.pending() ? 1 : 0;
  }

  override reset(): void {
    this.#large = null;
    this.#candidates = [];
    this.translations.clear();
    this.#contexts.clear();
    this.#context = null;
    super.reset();
  }

  #codeWritten(place: number, length: number): void {
    const { translations, cpu } = this;
    this.#callOuts.disturbed = true;
    translations.written(place, length);
    this.evaluator.cursor.cache.written(place, length, translations.holds(place));
    if ((cpu.memory.notes(place) & NOTE_CODE) === 0) translations.written(place & ~0xfff, 0x1000);
  }

  protected override loop(): EngineStop {
    if (this.breakpoints.size > 0) return super.loop();
    const { evaluator } = this;
    const { cursor } = evaluator;
    let arrived = true;
    while (this.left > 0) {
      if (evaluator.attention) {
        const stop = this.attend();
        if (stop !== null) return stop;
        this.#context = null;
      }
      const page = cursor.page === null || cursor.offset > cursor.last ? cursor.enter() : cursor.page;
      if (arrived && !evaluator.attention) {
        const region = this.#regionAt(page, cursor.offset);
        if (region !== null) {
          arrived = this.#enter(region);
          if (arrived) continue;
          if (this.left <= 0) break;
        }
      }
      arrived = this.#evaluate();
    }
    return { kind: "budget" };
  }

  /** Runs one instruction as the evaluator does. Gives whether the next may be the beginning of a region. */
  #evaluate(): boolean {
    const { cpu, evaluator } = this;
    const { cursor } = evaluator;
    const page = cursor.page === null || cursor.offset > cursor.last ? cursor.enter() : cursor.page;
    const offset = cursor.offset;
    cursor.startOffset = offset;
    const decoded = page.entries[offset] ?? cursor.decode(page);
    cursor.offset = offset + decoded.length;
    decoded.meaning(evaluator, decoded.instruction);
    cpu.retired++;
    this.left--;
    const isElsewhere = cursor.page !== page || cursor.offset !== offset + decoded.length;
    if (isElsewhere && isComputedJump(decoded.instruction)) this.#jumps.note(page, offset, cursor.rip);
    return isElsewhere || evaluator.attention;
  }

  /** Runs a region, and those that it leads to. False where the evaluator must do the next instruction. */
  #enter(region: Region): boolean {
    const { cpu } = this;
    const { cursor } = this.evaluator;
    const budget = Math.min(this.left, LONGEST_RUN);
    const { id } = region.draft.context;
    this.#callOuts.end = cpu.retired + budget;
    this.#callOuts.disturbed = false;
    this.#tell();
    this.#halves[CELL.context / 4] = id;
    const rest = region.run(budget);
    const done = budget - (rest < 0 ? ~rest : rest);
    cpu.retired += done;
    this.left -= done;
    const isElsewhere = this.#callOuts.disturbed || this.#halves[CELL.context / 4] !== id;
    if (isElsewhere) this.evaluator.refresh();
    else cursor.goTo(cpu.state.rip);
    return rest >= 0;
  }

  #regionAt(page: CodePage, offset: number): Region | null {
    const { cpu, translations } = this;
    if (this.#generation !== cpu.mmu.generation) {
      translations.jumps.clear();
      this.#generation = cpu.mmu.generation;
    }
    this.#context ??= this.#contexts.of(cpu.state);
    const context = this.#context;
    if (context === null) return null;
    this.evaluator.cursor.save();
    const low = this.#halves[at.RIP / 4]!;
    const high = this.#halves[at.RIP / 4 + 1]!;
    const found = translations.find(low, high, context, this.#generation);
    if (found !== null) return found;
    const heat = page.heat[offset]!;
    if (heat === NEVER) return null;
    page.heat[offset] = heat + 1;
    if (heat + 1 < this.hot) return null;
    const waits = this.#candidates.some((candidate) => candidate.page === page && candidate.offset === offset);
    if (!waits) {
      const window = new CodeWindow(cpu, this.evaluator.cursor, context.mode, this.#jumps);
      this.#candidates.push({ page, offset, context, entry: cpu.state.rip, window });
    }
    if (this.#candidates.length < this.#batch && heat + 1 < 2 * this.hot) return null;
    this.#translate(context);
    return translations.find(low, high, context, this.#generation);
  }

  /** Regions that are worth a module: the more modules there are, the dearer each becomes. */
  get #batch(): number {
    return this.hot === 1 ? 1 : Math.min(MOST_IN_BATCH, 1 + (this.translations.modules >> 4));
  }

  /** Translates the regions that begin at all the places that wait, as far as they are of the running context. */
  #translate(context: Context): void {
    const { cpu, translations } = this;
    const gates = new CurrentGates(cpu, this.#contexts);
    const drafts: Draft[] = [];
    for (const { page, offset, context: theirs, entry, window } of this.#candidates) {
      page.heat[offset] = 0;
      if (theirs !== context || !window.isNoted) continue;
      const blocks = discover(window, context, gates, entry);
      if (blocks[0]!.steps.length === 0) page.heat[offset] = NEVER;
      else drafts.push({ context, entry, blocks, gates, ranges: window.ranges(blocks), isMapped: window.isMapped });
    }
    this.#candidates = [];
    if (drafts.length > 0) translations.add(drafts, this.#generation);
  }
}

/** The translating engine as a machine's engine. */
export const wasmEngine: EngineFactory = (cpu) => new WasmEngine(cpu);

/** The same, with all code translated the first time that it is met: for tests. */
export const eagerWasmEngine: EngineFactory = (cpu) => new WasmEngine(cpu, 1);
