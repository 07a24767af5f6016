/** Integer arithmetic and logic (SDM vol. 1, sections 5.1.2 to 5.1.4). */
import type { Row } from "../notation.ts";

/** The eight operations that share the layout of the first 64 opcodes (SDM vol. 2D, table A-2). */
const EIGHT_OPERATIONS = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];

function operation(mnemonic: string, number: number): Row[] {
  const opcode = (step: number) => (number * 8 + step).toString(16).padStart(2, "0");
  const lock = mnemonic === "cmp" ? "" : "lock";
  return [
    [mnemonic, "r/m,r", `${opcode(0)}+w /r`, lock],
    [mnemonic, "r,r/m", `${opcode(2)}+w /r`],
    [mnemonic, "r/m,imm", `83 /${number} ib`, lock],
    [mnemonic, "a,imm", `${opcode(4)}+w iz`],
    [mnemonic, "r/m,imm", `80+w /${number} iz`, lock],
    [mnemonic, "r/m8,imm8", `82 /${number} ib`, `=8 i64 ${lock}`],
  ];
}

export const ARITHMETIC: readonly Row[] = [
  ...EIGHT_OPERATIONS.flatMap(operation),

  ["inc", "r", "40+r", "i64"],
  ["inc", "r/m", "fe+w /0", "lock"],
  ["dec", "r", "48+r", "i64"],
  ["dec", "r/m", "fe+w /1", "lock"],
  ["neg", "r/m", "f6+w /3", "lock"],
  ["not", "r/m", "f6+w /2", "lock"],

  ["test", "r/m,r", "84+w /r"],
  ["test", "a,imm", "a8+w iz"],
  ["test", "r/m,imm", "f6+w /0 iz"],
  ["test", "r/m,imm", "f6+w /1 iz"],

  ["mul", "r/m", "f6+w /4"],
  ["imul", "r/m", "f6+w /5"],
  ["imul", "r,r/m", "0f af /r"],
  ["imul", "r,r/m,imm", "6b /r ib"],
  ["imul", "r,r/m,imm", "69 /r iz"],
  ["div", "r/m", "f6+w /6"],
  ["idiv", "r/m", "f6+w /7"],

  ["cbw", "", "98", "w16"],
  ["cwde", "", "98", "w32"],
  ["cdqe", "", "98", "w64"],
  ["cwd", "", "99", "w16"],
  ["cdq", "", "99", "w32"],
  ["cqo", "", "99", "w64"],

  ["daa", "", "27", "i64 =8"],
  ["das", "", "2f", "i64 =8"],
  ["aaa", "", "37", "i64 =8"],
  ["aas", "", "3f", "i64 =8"],
  ["aam", "imm8", "d4 ib", "i64 =8"],
  ["aad", "imm8", "d5 ib", "i64 =8"],
];
