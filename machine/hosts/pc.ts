/** A PC for any host, in Node or in a browser: the book's machine with the evaluator as its engine. */
import { Machine } from "#machine/machine.ts";
import { isElf } from "#machine/platform/elf.ts";
import { evaluatorEngine } from "../engine/evaluator-engine.ts";

export interface PcConfig {
  /** A raw disk image, or a kernel's ELF file, told apart by their first bytes. */
  readonly image: Uint8Array;
  /** Bytes of RAM, a multiple of 1 MiB; the machine's default unless given. */
  readonly memory?: number;
  /** `host` for a person who watches: a sleeping guest takes its time. `free` unless given. */
  readonly clock?: "free" | "host";
  /** What the guest's clock shows at power-on, in milliseconds since 1970; always the same unless given. */
  readonly startTime?: number;
}

/** A machine at power-on with `image` in it. Throws `ElfError` for an ELF file that it cannot load. */
export function createMachine({ image, ...config }: PcConfig): Machine {
  const kernel = isElf(image);
  const machine = new Machine({ ...config, disk: kernel ? null : image, engine: evaluatorEngine });
  if (kernel) machine.loadKernel(image);
  return machine;
}
