/**
 * Shapes of blocks: instructions that differ in nothing but their numbers. Code that is written at run time comes in few
 * shapes, again and again. A shape that has been met often gets a function, which serves wherever it is met again.
 */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { FORM_TYPE } from "./arrival.ts";
import { makeBlock } from "./block-function.ts";
import { CELL } from "./cells.ts";
import { SHAPE_BYTES, SHAPES, tablesOf } from "./code-records.ts";
import { encodeModule, type FunctionBody } from "./encoder.ts";
import type { Heads } from "./heads.ts";
import { LOOP, NEVER, SHAPE } from "./leading.ts";
import { ModuleImports, TYPES } from "./runtime.ts";
import type { Translations } from "./translations.ts";

/** Functions of one module; functions, modules and bytes of all together. */
const MOST_IN_BATCH = 16;
const MOST_BLOCKS = 1024;
const MOST_MODULES = 64;
const MOST_BYTES = 1 << 20;

export class Shapes {
  readonly #halves: Uint32Array;
  readonly #numbers: Uint16Array;
  #blocks = 0;
  #modules = 0;
  #bytes = 0;

  constructor(
    readonly cpu: Cpu,
    readonly heads: Heads,
    readonly translations: Translations,
    /** As given to `leading`. */
    readonly hot: number,
  ) {
    const { buffer } = cpu.state.memory;
    this.#halves = new Uint32Array(buffer);
    this.#numbers = new Uint16Array(buffer);
  }

  /** Makes functions for the shapes that have been met often, if somebody has asked and there are enough of them. */
  makeAsked(): void {
    if (this.#halves[CELL.shapeAsked / 4] === 0) return;
    const ready = this.#open(this.hot);
    this.#halves[CELL.shapeAsked / 4] = ready.length > MOST_IN_BATCH ? 1 : 0;
    if (ready.length < this.#batch) return;
    const soon = this.#open(this.hot / 2).filter((entry) => !ready.includes(entry));
    this.#make([...ready, ...soon].slice(0, MOST_IN_BATCH));
  }

  /** The shapes that have no function and have been met so often; each as the number of a word. */
  #open(count: number): number[] {
    const { shapes } = tablesOf(this.cpu.memory.size);
    const entries: number[] = [];
    for (let index = 0; index < SHAPES; index++) {
      const entry = (shapes + index * SHAPE_BYTES) >> 2;
      const met = this.#halves[entry + SHAPE.count / 4]!;
      if (this.#halves[entry + SHAPE.slot / 4] === 0 && met > 0 && met >= count && met < NEVER) entries.push(entry);
    }
    return entries;
  }

  get #isEager(): boolean {
    return this.hot === 1;
  }

  /** Shapes that are worth a module: the more modules there are, the dearer each becomes. */
  get #batch(): number {
    return this.#isEager ? 1 : Math.min(MOST_IN_BATCH, 1 + (this.#modules >> 2));
  }

  #make(entries: readonly number[]): void {
    const imports = new ModuleImports();
    const made: { readonly entry: number; readonly body: FunctionBody }[] = [];
    for (const entry of entries) {
      const hasRoom = this.#blocks + made.length < MOST_BLOCKS && this.#bytes < MOST_BYTES;
      const isAllowed = hasRoom && (this.#isEager || this.#modules < MOST_MODULES);
      const body = isAllowed ? this.#function(entry, imports, `b${made.length}`) : null;
      if (body === null) this.#halves[entry + SHAPE.count / 4] = NEVER;
      else made.push({ entry, body });
    }
    if (made.length === 0) return;
    const functions = made.map(({ body }) => body);
    const bytes = encodeModule({ types: [...TYPES, FORM_TYPE], tables: ["forms"], imports: imports.list, functions });
    this.#bytes += bytes.length;
    const engine = this.translations.importsOf(imports);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { engine });
    const first = this.translations.addForms(functions.map(({ name }) => exports[name]));
    for (const [index, { entry }] of made.entries()) this.#halves[entry + SHAPE.slot / 4] = first + index;
    this.#blocks += made.length;
    this.#modules++;
  }

  #function(entry: number, imports: ModuleImports, name: string): FunctionBody | null {
    const length = this.#halves[entry + SHAPE.length / 4]!;
    const first = entry * 2 + SHAPE.heads / 2;
    const numbers = [...this.#numbers.subarray(first, first + length)];
    const loops = numbers.at(-1) === LOOP;
    if (loops) numbers.pop();
    if (numbers.length < 2) return null;
    const heads = numbers.map((number) => this.heads.get(number));
    const isCall = heads.at(-1)!.decoded.instruction.mnemonic === "call";
    return makeBlock(heads, this.cpu, imports, TYPES.length, loops && !isCall, name);
  }

  /** The table of functions and the memory have been cleared. */
  clear(): void {
    this.#blocks = 0;
    this.#modules = 0;
    this.#bytes = 0;
    this.#halves[CELL.shapeAsked / 4] = 0;
  }
}
