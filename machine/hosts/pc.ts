/** A PC for any host, in Node or in a browser: the book's machine with one of its engines. */
import type { EngineFactory } from "#machine/cpu/engine.ts";
import { Machine } from "#machine/machine.ts";
import { isElf } from "#machine/platform/elf.ts";
import { evaluatorEngine } from "../engine/evaluator-engine.ts";
import { bootingWasmEngine, eagerWasmEngine, formsEngine } from "../engine/wasm-engine.ts";

/** What can run the processor, by name. All of them do the same; they differ in speed. */
export const ENGINES = {
  evaluator: evaluatorEngine,
  wasm: bootingWasmEngine,
  "wasm-eager": eagerWasmEngine,
  "wasm-forms": formsEngine,
} as const satisfies Record<string, EngineFactory>;
export type EngineName = keyof typeof ENGINES;
/** The quickest. */
const DEFAULT_ENGINE: EngineName = "wasm";

export interface PcConfig {
  /** A raw disk image, or a kernel's ELF file, told apart by their first bytes. */
  readonly image: Uint8Array;
  /** Bytes of RAM, a multiple of 1 MiB; the machine's default unless given. */
  readonly memory?: number;
  /** `host` for a person who watches: a sleeping guest takes its time. `free` unless given. */
  readonly clock?: "free" | "host";
  /** What the guest's clock shows at power-on, in milliseconds since 1970; always the same unless given. */
  readonly startTime?: number;
  readonly engine?: EngineName;
}

/** A machine at power-on with `image` in it. Throws `ElfError` for an ELF file that it cannot load. */
export function createMachine({ image, engine, ...config }: PcConfig): Machine {
  const kernel = isElf(image);
  const machine = new Machine({
    ...config,
    disk: kernel ? null : image,
    engine: ENGINES[engine ?? DEFAULT_ENGINE],
  });
  if (kernel) machine.loadKernel(image);
  return machine;
}
