/** The general registers by hardware number, and who may use which: the integer part of the System V AMD64 convention. */

/** Below `FIRST_VIRTUAL` a hardware register, from there on a virtual one. */
export type Register = number;

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;
/** Only in what debuggers are told about frames. */
export const RIP = 16;
/** Stands for "no register" in memory operands. */
export const NONE = -1;
export const FIRST_VIRTUAL = 16;

export const ARGUMENTS: readonly Register[] = [RDI, RSI, RDX, RCX, R8, R9];
export const RESULTS: readonly Register[] = [RAX, RDX];
/** A call leaves these with unknown contents. */
export const CALLER_SAVED: readonly Register[] = [RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11];
/** A function that writes one of these saves it first. */
export const CALLEE_SAVED: readonly Register[] = [RBX, RBP, R12, R13, R14, R15];

/** Every register but rsp, cheapest first: no REX prefix before REX, no saving before saving. */
export const ALLOCATABLE: readonly Register[] = [
  RAX,
  RCX,
  RDX,
  RSI,
  RDI,
  R8,
  R9,
  R10,
  R11,
  RBX,
  RBP,
  R14,
  R15,
  R12,
  R13,
];

const NAMES_64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const NAMES_8 = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];

/** `registerName(0, 32)` is eax, `registerName(9, 8)` r9b. */
export function registerName(register: Register, width: 8 | 16 | 32 | 64): string {
  if (register >= 8) return `r${register}${{ 8: "b", 16: "w", 32: "d", 64: "" }[width]}`;
  if (width === 8) return NAMES_8[register]!;
  const name = NAMES_64[register]!;
  if (width === 64) return name;
  return width === 32 ? `e${name.slice(1)}` : name.slice(1);
}

/** The number of a 64-bit register's name, or null. */
export function registerNumber(name: string): Register | null {
  for (let register = 0; register < 16; register++) if (registerName(register, 64) === name) return register;
  return null;
}
