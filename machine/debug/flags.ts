/** The bits of RFLAGS by name. Intel SDM vol. 1, section 3.4.3. */

export interface Flag {
  readonly bit: number;
  readonly name: string;
  /** In words: "carry". */
  readonly meaning: string;
}

/** Ascending; bit 1, which is always set, and the two bits of the I/O privilege level are not among them. */
export const FLAGS: readonly Flag[] = [
  { bit: 0, name: "CF", meaning: "carry" },
  { bit: 2, name: "PF", meaning: "parity" },
  { bit: 4, name: "AF", meaning: "auxiliary carry" },
  { bit: 6, name: "ZF", meaning: "zero" },
  { bit: 7, name: "SF", meaning: "sign" },
  { bit: 8, name: "TF", meaning: "trap: single step" },
  { bit: 9, name: "IF", meaning: "interrupts on" },
  { bit: 10, name: "DF", meaning: "direction: downwards" },
  { bit: 11, name: "OF", meaning: "overflow" },
  { bit: 14, name: "NT", meaning: "nested task" },
  { bit: 16, name: "RF", meaning: "resume: no instruction breakpoint" },
  { bit: 17, name: "VM", meaning: "virtual 8086 mode" },
  { bit: 18, name: "AC", meaning: "alignment check" },
  { bit: 19, name: "VIF", meaning: "virtual interrupt flag" },
  { bit: 20, name: "VIP", meaning: "virtual interrupt pending" },
  { bit: 21, name: "ID", meaning: "cpuid can be used" },
];

/** The flags that are set. */
export function setFlags(rflags: bigint): readonly Flag[] {
  return FLAGS.filter(({ bit }) => ((rflags >> BigInt(bit)) & 1n) === 1n);
}
