/** String instructions, and input and output. One mnemonic for all widths: `movs` with operand size 32 is written `movsd`. */
import type { Row } from "../notation.ts";

export const STRINGS: readonly Row[] = [
  ["movs", "[di],[si]", "a4+w", "string"],
  ["cmps", "[si],[di]", "a6+w", "string"],
  ["stos", "[di],a", "aa+w", "string"],
  ["lods", "a,[si]", "ac+w", "string"],
  ["scas", "a,[di]", "ae+w", "string"],
  ["ins", "[di],dx", "6c+w", "string max32"],
  ["outs", "dx,[si]", "6e+w", "string max32"],

  ["in", "a,imm8", "e4+w ib", "max32"],
  ["out", "imm8,a", "e6+w ib", "max32"],
  ["in", "a,dx", "ec+w", "max32"],
  ["out", "dx,a", "ee+w", "max32"],
];
