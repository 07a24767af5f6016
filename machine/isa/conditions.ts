/** The sixteen conditions of jcc, setcc and cmovcc (SDM vol. 1, appendix B). */

/** By condition code: `j` + CONDITIONS[4] is `je`. An odd code is the opposite of the even one before it. */
export const CONDITIONS = [
  "o",
  "no",
  "b",
  "ae",
  "e",
  "ne",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** Other spellings, each with the one that this project uses. */
export const CONDITION_SYNONYMS: Readonly<Record<string, Condition>> = {
  c: "b",
  nae: "b",
  nb: "ae",
  nc: "ae",
  z: "e",
  nz: "ne",
  na: "be",
  nbe: "a",
  pe: "p",
  po: "np",
  nge: "l",
  nl: "ge",
  ng: "le",
  nle: "g",
};

/** The code of a condition in the low four bits of an opcode. */
export function conditionCode(condition: Condition): number {
  return CONDITIONS.indexOf(condition);
}

/** The condition that holds exactly when this one does not. */
export function negateCondition(condition: Condition): Condition {
  return CONDITIONS[conditionCode(condition) ^ 1]!;
}

/** Splits `jne`, `setb`, `cmovge` into family and condition; null for other mnemonics (`jmp`, `jrcxz`). */
export function splitCondition(mnemonic: string): { family: "j" | "set" | "cmov"; condition: Condition } | null {
  const match = /^(j|set|cmov)(.+)$/.exec(mnemonic);
  const condition = match && CONDITIONS.find((name) => name === match[2]);
  return condition ? { family: match[1] as "j" | "set" | "cmov", condition } : null;
}
