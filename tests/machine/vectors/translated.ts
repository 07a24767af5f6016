/**
 * Runs cases in translated code. Each stands in a page of its own, mapped where all of them stand, so that many share a
 * module; code that is written to again and again at one place would be left to the evaluator.
 */
import type { Cpu } from "#machine/cpu/cpu.ts";
import { EAGER, FORMS_ONLY } from "../../../machine/engine/wasm/tiers.ts";
import { WasmEngine } from "../../../machine/engine/wasm-engine.ts";
import { bareCpu, caseCode, enterUserMode, loadCase, MEBIBYTE, runCase } from "../processor.ts";
import { instructionOf, START, type VectorInputs, type VectorOutputs } from "./cases.ts";

const PAGE = 0x1000;
/** The page table of the 2 MiB with the window and the code. */
const TABLE = 0x4000;
const TABLE_START = START & ~(2 * MEBIBYTE - 1);
/** Present, writable, open to programs, used and written to: nothing is left to mark. */
const OPEN = 0x67n;
/** Where the pages with code lie. */
const POOL = 4 * MEBIBYTE;
/** Cases that share a module. */
const BATCH = 256;

/** `regions` for whole functions of WebAssembly, `forms` for the quick tier. */
export type Tier = "regions" | "forms";

const TIERS = { regions: { ...EAGER, batch: BATCH + 1, special: 0 }, forms: FORMS_ONLY } as const;

export class WatchedEngine extends WasmEngine {
  /** Instructions that the evaluator has done. */
  evaluated = 0;

  protected override evaluate(): boolean {
    this.evaluated++;
    return super.evaluate();
  }
}

function mnemonicOf(inputs: VectorInputs): string {
  return instructionOf(inputs).mnemonic ?? "undecodable";
}

export class TranslatedProcessor {
  readonly #cpu: Cpu = bareCpu(POOL + BATCH * PAGE);
  readonly #engine: WatchedEngine;
  /** Number of the page with code that is mapped. */
  #mapped = -1;
  /** The mnemonics of those cases that came to their end in the evaluator, without a fault. */
  readonly evaluated: string[] = [];

  constructor(readonly tier: Tier) {
    this.#engine = new WatchedEngine(this.#cpu, TIERS[tier]);
  }

  /** Runs cases of one mode; those that follow each other with the same code share what it is translated to. */
  run(cases: readonly VectorInputs[]): VectorOutputs[] {
    const outputs: VectorOutputs[] = [];
    for (let from = 0; from < cases.length; ) {
      const codes: Uint8Array[] = [];
      let to = from;
      for (; to < cases.length; to++) {
        const { code } = cases[to]!;
        if (code === codes.at(-1)) continue;
        if (codes.length === BATCH) break;
        codes.push(code);
      }
      outputs.push(...this.#runBatch(codes, cases.slice(from, to)));
      from = to;
    }
    return outputs;
  }

  #runBatch(codes: readonly Uint8Array[], cases: readonly VectorInputs[]): VectorOutputs[] {
    this.#map(cases[0]!.mode);
    this.#engine.reset();
    for (const [index, code] of codes.entries())
      this.#cpu.memory.writeBytes(POOL + index * PAGE + (START % PAGE), caseCode(code));
    let place = -1;
    const placed = cases.map((inputs, index) => {
      const isFirst = inputs.code !== cases[index - 1]?.code;
      if (isFirst) place++;
      return { inputs, place, isFirst };
    });
    // Regions are made of code that has been seen: the first time the evaluator does it.
    if (this.tier === "regions")
      for (const { inputs, place, isFirst } of placed) if (isFirst) this.#runOne(place, inputs);
    return placed.map(({ inputs, place }) => {
      const before = this.#engine.evaluated;
      const outputs = this.#runOne(place, inputs);
      if (outputs.fault === null && this.#engine.evaluated > before) this.evaluated.push(mnemonicOf(inputs));
      return outputs;
    });
  }

  #map(mode: 32 | 64): void {
    const { memory } = this.#cpu;
    enterUserMode(this.#cpu, mode);
    this.#mapped = -1;
    const directory = 0x3000 + (TABLE_START / (2 * MEBIBYTE)) * 8;
    memory.write64(directory, BigInt(TABLE) | OPEN);
    for (let index = 0; index < 512; index++)
      memory.write64(TABLE + index * 8, BigInt(TABLE_START + index * PAGE) | OPEN);
  }

  #runOne(place: number, inputs: VectorInputs): VectorOutputs {
    const cpu = this.#cpu;
    const { state } = cpu;
    if (place !== this.#mapped) {
      cpu.memory.write64(TABLE + ((START - TABLE_START) >> 12) * 8, BigInt(POOL + place * PAGE) | OPEN);
      cpu.mmu.flush();
      this.#mapped = place;
    }
    state.cpl = 3;
    loadCase(cpu, inputs);
    return runCase(cpu, this.#engine, inputs);
  }
}
