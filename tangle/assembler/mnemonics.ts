/** Mnemonics as programmers write them, and the names that the instruction table has for them. */
import { CONDITION_SYNONYMS } from "#isa/conditions.ts";
import type { Mode, Width } from "#isa/instruction.ts";
import { plansOf } from "#isa/matching.ts";

export interface TableName {
  readonly mnemonic: string;
  /** Operand size that the spelling says. */
  readonly operandWidth?: Width;
}

const LETTERS: Readonly<Record<string, Width>> = { b: 8, w: 16, d: 32, q: 64 };
const STRING_INSTRUCTIONS = ["movs", "cmps", "stos", "lods", "scas", "ins", "outs"];
const SYNONYMS: Readonly<Record<string, string>> = {
  sal: "shl",
  retn: "ret",
  xlatb: "xlat",
  loopz: "loope",
  loopnz: "loopne",
  fwait: "wait",
  icebp: "int1",
  pushfw: "pushf",
  popfw: "popf",
  pushaw: "pusha",
  popaw: "popa",
  iretw: "iret",
  ud2a: "ud2",
};
/** Spellings that mean the operand size of the mode, where the table has a name for each size. */
const BY_MODE: Readonly<Record<string, Readonly<Record<Mode, string>>>> = {
  pushf: { 16: "pushf", 32: "pushfd", 64: "pushfq" },
  popf: { 16: "popf", 32: "popfd", 64: "popfq" },
  pusha: { 16: "pusha", 32: "pushad", 64: "pushad" },
  popa: { 16: "popa", 32: "popad", 64: "popad" },
  iret: { 16: "iret", 32: "iretd", 64: "iretd" },
};
const MODES: readonly Mode[] = [16, 32, 64];

function synonymOfCondition(word: string): string | null {
  for (const family of ["j", "set", "cmov"]) {
    const condition = word.startsWith(family) ? CONDITION_SYNONYMS[word.slice(family.length)] : undefined;
    if (condition) return family + condition;
  }
  return null;
}

const KNOWN_NAMES: Readonly<Record<Mode, Map<string, TableName>>> = { 16: new Map(), 32: new Map(), 64: new Map() };

/** The table's name for a mnemonic in lower case, whether or not the table has it. */
export function tableName(word: string, mode: Mode): TableName {
  const known = KNOWN_NAMES[mode].get(word) ?? findTableName(word, mode);
  KNOWN_NAMES[mode].set(word, known);
  return known;
}

function findTableName(word: string, mode: Mode): TableName {
  const modal = BY_MODE[word];
  if (modal) return { mnemonic: modal[mode] };
  const letter = LETTERS[word.at(-1)!];
  if (letter && STRING_INSTRUCTIONS.includes(word.slice(0, -1))) {
    return { mnemonic: word.slice(0, -1), operandWidth: letter };
  }
  if (letter && /^retf[wdq]$/.test(word)) return { mnemonic: "retf", operandWidth: letter };
  return { mnemonic: SYNONYMS[word] ?? synonymOfCondition(word) ?? word };
}

const RESERVED_NAMES = new Set(["jmpf", "callf", ...STRING_INSTRUCTIONS]);

/** True for words that are an instruction in some mode. */
export function isMnemonic(word: string): boolean {
  if (RESERVED_NAMES.has(word)) return false;
  return MODES.some((mode) => plansOf(tableName(word, mode).mnemonic, mode).length > 0);
}
