/** In which form the processor's tables lie in memory; each mode has its own. */
import type { Registers } from "#machine/machine.ts";

/** `real`: far pointers at address 0. `protected`: descriptors of eight bytes. `long`: gates and TSS of sixteen. */
export type TableForm = "real" | "protected" | "long";

const PROTECTION_ENABLE = 1n;
const LONG_MODE_ACTIVE = 0x400n;

export function tableForm({ cr0, efer }: Pick<Registers, "cr0" | "efer">): TableForm {
  if ((cr0 & PROTECTION_ENABLE) === 0n) return "real";
  return (efer & LONG_MODE_ACTIVE) === 0n ? "protected" : "long";
}
