/** The engine that translates: the evaluator runs what is cold, and what has become hot runs as WebAssembly. */
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { EngineFactory, EngineStop } from "#machine/cpu/engine.ts";
import { Fault } from "#machine/cpu/fault.ts";
import * as at from "#machine/cpu/layout.ts";
import { CS, SS } from "#machine/cpu/state.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import type { CodePage, DecodedInstruction } from "./code-cache.ts";
import { EvaluatorEngine } from "./evaluator-engine.ts";
import { AccessProfile } from "./wasm/access-profile.ts";
import type { ArrivalRules } from "./wasm/arrival.ts";
import { CallOuts } from "./wasm/call-outs.ts";
import { CELL, FETCHED, FETCHED_SIZE } from "./wasm/cells.ts";
import { CodeRecords } from "./wasm/code-records.ts";
import { CodeWindow } from "./wasm/code-window.ts";
import { type Context, Contexts } from "./wasm/context.ts";
import { NOT_OPENED } from "./wasm/flag-operations.ts";
import { Forms } from "./wasm/forms.ts";
import { CurrentGates, type Selectors } from "./wasm/gates.ts";
import { Heat } from "./wasm/heat.ts";
import { HotPlaces } from "./wasm/hot-places.ts";
import { JumpTargets } from "./wasm/jump-targets.ts";
import { NextContexts } from "./wasm/next-contexts.ts";
import { RewrittenCode } from "./wasm/rewritten-code.ts";
import { isGate, StaleGates } from "./wasm/stale-gates.ts";
import { EAGER, FORMS_ONLY, NORMAL } from "./wasm/tiers.ts";
import { MOST_BYTES, type Region, Translations } from "./wasm/translations.ts";

/** Computed jumps that the evaluator does of each, to learn where they lead. */
const LEARNED_JUMPS = 48;
const MOST_SITES = 4096;
/** Blocks of a shape that are met before it gets a function. */
const SHAPE_MET = 32;
/** Instructions between two returns to this loop: optimised code is entered at the next call only. */
const LONGEST_RUN = 300_000;

function isComputedJump({ mnemonic, operands }: DecodedInstruction["instruction"]): boolean {
  return (mnemonic === "jmp" || mnemonic === "call") && operands[0]!.kind !== "relative";
}

export class WasmEngine extends EvaluatorEngine {
  readonly translations: Translations;
  readonly #contexts = new Contexts();
  readonly #nextContexts: NextContexts;
  readonly #callOuts: CallOuts;
  readonly #jumps = new JumpTargets();
  /** Where returns from interrupts have led, if to privilege 3. */
  readonly #returns = new WeakMap<Instruction, Selectors>();
  readonly #halves: Uint32Array;
  #context: Context | null = null;
  #generation = -1;
  readonly #records: CodeRecords;
  readonly #forms: Forms | null;
  /** Instructions that no form can do. */
  #formless = new WeakSet<DecodedInstruction>();
  /** How often the evaluator has done the computed jump at a place in RAM. */
  readonly #jumpSites = new Map<number, number>();
  readonly #rewritten = new RewrittenCode();
  readonly #staleGates = new StaleGates();
  readonly #heat: Heat;
  readonly #hotPlaces: HotPlaces;
  readonly #accesses: AccessProfile;
  /** Where the last run ended, if within a block: a region that begins there would be one more for the same loop. */
  #midway: bigint | null = null;

  constructor(
    cpu: Cpu,
    readonly tiers = NORMAL,
  ) {
    super(cpu);
    this.#heat = new Heat(tiers.hotForms ?? 0x10000);
    this.#records = new CodeRecords(cpu.state.memory, cpu.memory.size);
    this.#nextContexts = new NextContexts(cpu.state, cpu.memory.size);
    const stays = (region: number) => this.#stays(region);
    this.#callOuts = new CallOuts(cpu, () => this.evaluator.attention, stays);
    this.#accesses = new AccessProfile(cpu.state.halves, tiers.special);
    this.translations = new Translations(cpu, this.#callOuts, this.#arrivalRules(), this.#accesses);
    const window = (context: Context) =>
      new CodeWindow(cpu, this.evaluator.cursor, context, this.#jumps, this.#records);
    this.#hotPlaces = new HotPlaces(tiers, this.#records, this.translations, this.#rewritten, window);
    this.#forms = this.#makeForms();
    this.#halves = cpu.state.halves;
    this.evaluator.cursor.cache.onKeep = (place, length) => this.#records.noteCode(place, length);
    this.evaluator.cursor.fetchedEver = new Uint8Array(cpu.state.memory.buffer, FETCHED, FETCHED_SIZE);
    this.evaluator.cursor.onFetch = (page, place) => this.#fetched(page, place);
    this.evaluator.cursor.fetchedElsewhere = (page) => this.#placeOfPage(page);
    cpu.memory.connect({
      codeWritten: (place, length) => this.#codeWritten(place, length),
      remapped: () => {
        this.#callOuts.disturbed = true;
        cpu.mmu.flush();
        this.evaluator.cursor.page = null;
      },
    });
  }

  #arrivalRules(): ArrivalRules {
    return this.tiers.eagerForms ? { leading: 1, shape: 1 } : { leading: 2, shape: SHAPE_MET };
  }

  #makeForms(): Forms | null {
    const { hotForms, eagerForms: isEager, mostForms: most } = this.tiers;
    if (hotForms === null) return null;
    const hasLearned = (place: number) => (this.#jumpSites.get(place) ?? 0) >= LEARNED_JUMPS;
    const { shape } = this.translations.rules;
    return new Forms(this.cpu, this.#records, this.translations, { isEager, most, shape, hasLearned });
  }

  /** Regions must not forget a page by themselves that code has been fetched from, nor see it fetched once more. */
  #fetched(page: bigint, place: number): void {
    const [low, high] = [Number(page & 0xffffffffn), Number(page >> 32n)];
    const context = this.#contextNow();
    if (context?.isFlat && place >= 0) this.#records.enterPage(low, high, context.id, place);
  }

  #placeOfPage(page: bigint): number {
    const context = this.#contextNow();
    if (!context?.isFlat) return -1;
    return this.#records.placeOfPage(Number(page & 0xffffffffn), Number(page >> 32n), context.id);
  }

  /** Tells regions what they need to know of the state that they cannot see. */
  #tell(): void {
    const { memory, state, interrupts } = this.cpu;
    const { words, halves } = state;
    words[CELL.end / 8] = BigInt(this.#callOuts.end);
    halves[CELL.a20 / 4] = memory.a20 ? 1 : 0;
    halves[CELL.hot / 4] = this.#heat.limit(this.cpu.retired, this.translations.bytes / MOST_BYTES);
    halves[CELL.missedAt / 4] = 0xffffffff;
    halves[CELL.misses / 4] = 0;
    halves[CELL.opened / 4] = Number(NOT_OPENED);
    halves[CELL.pending / 4] = interrupts.pending() ? 1 : 0;
  }

  override reset(): void {
    this.#startOver();
    super.reset();
  }

  /** Forgets all that has been learned of code. */
  #startOver(): void {
    this.#hotPlaces.clear();
    this.translations.clear();
    this.#forms?.clear();
    this.#records.clear();
    this.#formless = new WeakSet();
    this.#jumpSites.clear();
    this.#rewritten.clear();
    this.#staleGates.clear();
    this.#heat.clear();
    this.#accesses.clear();
    this.#contexts.clear();
    this.#nextContexts.clear();
    this.#context = null;
    this.#midway = null;
    const { cursor } = this.evaluator;
    cursor.cache.clear();
    cursor.page = null;
  }

  /** Forms and contexts are never dropped one by one: records and regions rely on them. */
  get #isFull(): boolean {
    return this.#contexts.isFull || (this.#forms?.isFull ?? false);
  }

  #codeWritten(place: number, length: number): void {
    const { translations, cpu } = this;
    this.#callOuts.disturbed = true;
    for (const dropped of translations.written(place, length)) this.#rewritten.dropped(dropped);
    this.#records.drop(place, length);
    this.evaluator.cursor.cache.written(place, length, translations.holds(place));
    this.#records.releaseCode(place, length, (at) => translations.touches(at, 1));
    if ((cpu.memory.notes(place) & NOTE_CODE) !== 0) return;
    const page = place & ~0xfff;
    translations.written(page, 0x1000);
    this.#records.drop(page, 0x1000);
    this.#records.releaseCode(page, 0x1000, () => false);
  }

  protected override loop(): EngineStop {
    if (this.breakpoints.size > 0) return super.loop();
    const { evaluator } = this;
    const { cursor } = evaluator;
    let arrived = true;
    while (this.left > 0 && this.effort > 0) {
      this.effort--;
      if (this.#isFull) this.#startOver();
      if (evaluator.attention) {
        const stop = this.attend();
        if (stop !== null) return stop;
        this.#context = null;
      }
      const page = cursor.page === null || cursor.offset > cursor.last ? cursor.enter() : cursor.page;
      if (!evaluator.attention) {
        const region = arrived ? this.#regionAt(page, cursor.offset) : null;
        if (region !== null) {
          arrived = this.#enter(region.context, region.run);
          if (arrived) continue;
          if (this.left <= 0) break;
          this.#noteLeaving();
        } else if (this.#hasForm(page)) {
          const goesOn = this.#resume();
          if (goesOn) {
            arrived = this.#isHot();
            continue;
          }
          if (this.left <= 0) break;
          this.#noteLeaving();
        }
      }
      arrived = this.evaluate();
    }
    this.#midway = arrived ? null : cursor.rip;
    return { kind: "budget" };
  }

  /** Runs one instruction as the evaluator does. Gives whether the next may be the beginning of a region. */
  protected evaluate(): boolean {
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
    if (isGate(decoded.instruction.mnemonic) && page.place >= 0 && this.#staleGates.note(page.place + offset))
      this.translations.written(page.place + offset, 1);
    const isElsewhere = cursor.page !== page || cursor.offset !== offset + decoded.length;
    if (isElsewhere && isComputedJump(decoded.instruction)) this.#learn(page, offset);
    if (isElsewhere && decoded.instruction.mnemonic.startsWith("iret")) this.#learnReturn(decoded.instruction);
    return isElsewhere || evaluator.attention;
  }

  #learnReturn(instruction: Instruction): void {
    const { state } = this.cpu;
    if (state.cpl === 3) this.#returns.set(instruction, { code: state.selector(CS), stack: state.selector(SS) });
    else this.#returns.delete(instruction);
  }

  /** A computed jump has been done by the evaluator. */
  #learn(page: CodePage, offset: number): void {
    this.#jumps.note(page, offset, this.evaluator.cursor.rip);
    const site = page.place + offset;
    if (this.#jumpSites.size >= MOST_SITES) this.#jumpSites.clear();
    this.#jumpSites.set(site, (this.#jumpSites.get(site) ?? 0) + 1);
  }

  /** Whether the next instruction can be done by its form, which has a record then. */
  #hasForm(page: CodePage): boolean {
    const { cursor } = this.evaluator;
    const forms = this.#forms;
    if (this.cpu.retired < this.tiers.formsFrom) return false;
    if (forms === null || cursor.place < 0 || page.crossing === cursor.offset) return false;
    const context = this.#contextNow();
    if (context === null || !context.isFlat) return false;
    const place = cursor.place + cursor.offset;
    if (!this.#records.has(place, context.id)) {
      const known = page.entries[cursor.offset];
      if (known !== undefined && this.#formless.has(known)) return false;
      const found = forms.enter(place, cursor.rip, context);
      if (found === "never" && known !== undefined) this.#formless.add(known);
      if (found !== "some") return false;
    }
    return true;
  }

  /** Goes on in the quick tier. False where the evaluator must do the next instruction. */
  #resume(): boolean {
    const { rip } = this.evaluator.cursor;
    const context = this.#context!;
    this.#enterPage(context);
    const { resume } = this.translations.arrivals;
    return this.#enter(context, (budget) => resume(budget, rip));
  }

  /** Lets the quick tier into the page that execution stands in. */
  #enterPage({ id }: Context): void {
    const { rip, place } = this.evaluator.cursor;
    this.#records.enterPage(Number(BigInt.asUintN(32, rip)), Number(rip >> 32n), id, place);
  }

  /** Whether the quick tier has come back because it has met a place often, or one that it can do nothing with. */
  #isHot(): boolean {
    const { cursor, attention } = this.evaluator;
    const isDoubted = this.#halves[CELL.doubted / 4] !== 0;
    this.#halves[CELL.doubted / 4] = 0;
    if (attention || this.left <= 0) return false;
    if (isDoubted) return true;
    const page = cursor.page === null || cursor.offset > cursor.last ? cursor.enter() : cursor.page;
    if (page.crossing === cursor.offset) return true;
    if (cursor.place < 0 || this.#records.takeHeat(cursor.place + cursor.offset) < this.#halves[CELL.hot / 4]!)
      return false;
    this.#hotPlaces.heat(page, cursor.offset);
    return true;
  }

  /** Takes over a change of what addresses mean. */
  #renew(): void {
    const { generation } = this.cpu.mmu;
    if (this.#generation === generation) return;
    this.#records.forgetPages();
    this.#generation = generation;
  }

  /** Whether a region that has written a control register may go on: context and code are what they were. */
  #stays(region: number): boolean {
    const { cpu } = this;
    const { cursor } = this.evaluator;
    const context = this.#contexts.of(cpu.state);
    if (context === null || context.id !== this.#halves[CELL.context / 4]) return false;
    cursor.load();
    try {
      cursor.enter();
    } catch (reason) {
      if (reason instanceof Fault) return false;
      throw reason;
    }
    if (!this.translations.isMapped(region, cursor)) return false;
    this.#renew();
    this.#enterPage(context);
    return true;
  }

  #contextNow(): Context | null {
    const { cpu } = this;
    this.#renew();
    this.#context ??= this.#contexts.of(cpu.state);
    return this.#context;
  }

  /** Runs translated code. False where the evaluator must do the next instruction. */
  #enter({ id }: Context, run: (budget: number) => number): boolean {
    const { cpu } = this;
    const { cursor } = this.evaluator;
    const budget = Math.min(this.left, LONGEST_RUN);
    this.#callOuts.end = cpu.retired + budget;
    this.#callOuts.disturbed = false;
    this.#tell();
    this.#halves[CELL.context / 4] = id;
    const rest = run(budget);
    const over = rest < 0 ? ~rest : rest;
    const done = budget - over;
    cpu.retired += done;
    this.left -= done;
    const isShadowed = this.#halves[CELL.opened / 4] === over && (rest >= 0 || this.left === 0);
    if (this.#halves[CELL.context / 4] === 0) this.#answerContext();
    const isRemapped = this.#generation !== cpu.mmu.generation;
    const isElsewhere = this.#callOuts.disturbed || isRemapped || this.#halves[CELL.context / 4] !== id;
    if (isElsewhere) this.evaluator.refresh();
    else cursor.goTo(cpu.state.rip);
    if (isShadowed) this.evaluator.attention = cpu.shadow = true;
    this.#forms?.shapes.makeAsked();
    return rest >= 0;
  }

  /** Code has changed a segment register, and could not tell which context it is in. */
  #answerContext(): void {
    const context = this.#contexts.of(this.cpu.state);
    if (context !== null) this.#nextContexts.answer(context);
  }

  /** Translated code has left: if that was at an access that the runtime can do, its regions are made again. */
  #noteLeaving(): void {
    const { rip, place, offset } = this.evaluator.cursor;
    if (this.#accesses.noteLeaving(rip) && place >= 0) this.translations.written(place + offset, 1);
  }

  #regionAt(page: CodePage, offset: number): Region | null {
    const { cpu, translations } = this;
    const context = this.#contextNow();
    if (context === null) return null;
    this.evaluator.cursor.save();
    const low = this.#halves[at.RIP / 4]!;
    const high = this.#halves[at.RIP / 4 + 1]!;
    const found = translations.find(low, high, context, this.#generation, this.evaluator.cursor);
    if (found !== null) return found;
    if (cpu.state.rip === this.#midway) {
      this.#midway = null;
      return null;
    }
    const arrival = { page, offset, context, entry: cpu.state.rip, generation: this.#generation };
    if (!this.#hotPlaces.arrive(arrival)) return null;
    const gates = new CurrentGates(cpu, this.#contexts, this.#returns);
    this.#heat.evicted(this.#hotPlaces.translate(context, gates), cpu.retired);
    return translations.find(low, high, context, this.#generation, this.evaluator.cursor);
  }
}

/** The translating engine for a PC that has just been switched on: its first letter comes sooner. */
export const bootingWasmEngine: EngineFactory = (cpu) => new WasmEngine(cpu, { ...NORMAL, formsFrom: 40_000 });

/** The translating engine as a machine's engine: hot code is translated from the first instruction on. */
export const wasmEngine: EngineFactory = (cpu) => new WasmEngine(cpu);

/** The same, with all code translated the first time that it is met: for tests. */
export const eagerWasmEngine: EngineFactory = (cpu) => new WasmEngine(cpu, EAGER);

/** The same, with nothing but forms: for tests of the quick tier. */
export const formsEngine: EngineFactory = (cpu) => new WasmEngine(cpu, FORMS_ONLY);
