/** Shifts, rotates, and instructions on single bits. */
import type { Row } from "../notation.ts";

const SHIFTS = ["rol", "ror", "rcl", "rcr", "shl", "shr", "", "sar"];

function shift(mnemonic: string, number: number): Row[] {
  if (mnemonic === "") return [];
  return [
    [mnemonic, "r/m,1", `d0+w /${number}`],
    [mnemonic, "r/m,imm8", `c0+w /${number} ib`],
    [mnemonic, "r/m,cl", `d2+w /${number}`],
  ];
}

export const BITS: readonly Row[] = [
  ...SHIFTS.flatMap(shift),
  ["shl", "r/m,1", "d0+w /6"],
  ["shl", "r/m,imm8", "c0+w /6 ib"],
  ["shl", "r/m,cl", "d2+w /6"],
  ["shld", "r/m,r,imm8", "0f a4 /r ib"],
  ["shld", "r/m,r,cl", "0f a5 /r"],
  ["shrd", "r/m,r,imm8", "0f ac /r ib"],
  ["shrd", "r/m,r,cl", "0f ad /r"],

  ["bt", "r/m,r", "0f a3 /r"],
  ["bt", "r/m,imm8", "0f ba /4 ib"],
  ["bts", "r/m,r", "0f ab /r", "lock"],
  ["bts", "r/m,imm8", "0f ba /5 ib", "lock"],
  ["btr", "r/m,r", "0f b3 /r", "lock"],
  ["btr", "r/m,imm8", "0f ba /6 ib", "lock"],
  ["btc", "r/m,r", "0f bb /r", "lock"],
  ["btc", "r/m,imm8", "0f ba /7 ib", "lock"],

  ["bsf", "r,r/m", "0f bc /r"],
  ["bsr", "r,r/m", "0f bd /r"],
  ["tzcnt", "r,r/m", "f3 0f bc /r"],
  ["lzcnt", "r,r/m", "f3 0f bd /r"],
  ["popcnt", "r,r/m", "f3 0f b8 /r"],
  ["setcc", "r/m8", "0f 90+cc /r", "=8"],
];
