/** The x87 floating-point unit (SDM vol. 1, section 5.2; opcodes in vol. 2D, tables ). */
import type { Row } from "../notation.ts";

/** The six operations of d8 and its neighbours: memory of 32 and 64 bits, integers of 32 and 16, two registers, and popping. */
const OPERATIONS: readonly (readonly [mnemonic: string, number: number, reversed: number])[] = [
  ["add", 0, 0],
  ["mul", 1, 1],
  ["sub", 4, 5],
  ["subr", 5, 4],
  ["div", 6, 7],
  ["divr", 7, 6],
];

function operation([name, number, reversed]: readonly [string, number, number]): Row[] {
  return [
    [`f${name}`, "m32", `d8 /${number}`, "=32"],
    [`f${name}`, "m64", `dc /${number}`, "=32"],
    [`f${name}`, "st,st0", `dc /${reversed}`, "=32"],
    [`f${name}`, "st0,st", `d8 /${number}`, "=32"],
    [`f${name}p`, "st,st0", `de /${reversed}`, "=32"],
    [`fi${name}`, "m32", `da /${number}`, "=32"],
    [`fi${name}`, "m16", `de /${number}`, "=32"],
  ];
}

/** Instructions without operands, by the two bytes that they are. */
const ALONE: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["fnop", "d9 d0"],
  ["fchs", "d9 e0"],
  ["fabs", "d9 e1"],
  ["ftst", "d9 e4"],
  ["fxam", "d9 e5"],
  ["fld1", "d9 e8"],
  ["fldl2t", "d9 e9"],
  ["fldl2e", "d9 ea"],
  ["fldpi", "d9 eb"],
  ["fldlg2", "d9 ec"],
  ["fldln2", "d9 ed"],
  ["fldz", "d9 ee"],
  ["f2xm1", "d9 f0"],
  ["fyl2x", "d9 f1"],
  ["fptan", "d9 f2"],
  ["fpatan", "d9 f3"],
  ["fxtract", "d9 f4"],
  ["fprem1", "d9 f5"],
  ["fdecstp", "d9 f6"],
  ["fincstp", "d9 f7"],
  ["fprem", "d9 f8"],
  ["fyl2xp1", "d9 f9"],
  ["fsqrt", "d9 fa"],
  ["fsincos", "d9 fb"],
  ["frndint", "d9 fc"],
  ["fscale", "d9 fd"],
  ["fsin", "d9 fe"],
  ["fcos", "d9 ff"],
  ["fucompp", "da e9"],
  ["fneni", "db e0"],
  ["fndisi", "db e1"],
  ["fnclex", "db e2"],
  ["fninit", "db e3"],
  ["fnsetpm", "db e4"],
  ["fcompp", "de d9"],
];

/** Conditional moves: below, equal, not above, unordered, and their opposites. */
const CONDITIONAL: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["fcmovb", "da /0"],
  ["fcmove", "da /1"],
  ["fcmovbe", "da /2"],
  ["fcmovu", "da /3"],
  ["fcmovnb", "db /0"],
  ["fcmovne", "db /1"],
  ["fcmovnbe", "db /2"],
  ["fcmovnu", "db /3"],
];

export const X87: readonly Row[] = [
  ...OPERATIONS.flatMap(operation),
  ["fcom", "m32", "d8 /2", "=32"],
  ["fcom", "m64", "dc /2", "=32"],
  ["fcom", "st0,st", "d8 /2", "=32"],
  ["fcomp", "m32", "d8 /3", "=32"],
  ["fcomp", "m64", "dc /3", "=32"],
  ["fcomp", "st0,st", "d8 /3", "=32"],
  ["ficom", "m32", "da /2", "=32"],
  ["ficom", "m16", "de /2", "=32"],
  ["ficomp", "m32", "da /3", "=32"],
  ["ficomp", "m16", "de /3", "=32"],
  ["fucom", "st0,st", "dd /4", "=32"],
  ["fucomp", "st0,st", "dd /5", "=32"],
  ["fcomi", "st0,st", "db /6", "=32"],
  ["fucomi", "st0,st", "db /5", "=32"],
  ["fcomip", "st0,st", "df /6", "=32"],
  ["fucomip", "st0,st", "df /5", "=32"],

  ["fld", "m32", "d9 /0", "=32"],
  ["fld", "m64", "dd /0", "=32"],
  ["fld", "m80", "db /5", "=32"],
  ["fld", "st", "d9 /0", "=32"],
  ["fst", "m32", "d9 /2", "=32"],
  ["fst", "m64", "dd /2", "=32"],
  ["fst", "st", "dd /2", "=32"],
  ["fstp", "m32", "d9 /3", "=32"],
  ["fstp", "m64", "dd /3", "=32"],
  ["fstp", "m80", "db /7", "=32"],
  ["fstp", "st", "dd /3", "=32"],
  ["fild", "m16", "df /0", "=32"],
  ["fild", "m32", "db /0", "=32"],
  ["fild", "m64", "df /5", "=32"],
  ["fist", "m16", "df /2", "=32"],
  ["fist", "m32", "db /2", "=32"],
  ["fistp", "m16", "df /3", "=32"],
  ["fistp", "m32", "db /3", "=32"],
  ["fistp", "m64", "df /7", "=32"],
  ["fbld", "m80", "df /4", "=32"],
  ["fbstp", "m80", "df /6", "=32"],
  ["fxch", "st0,st", "d9 /1", "=32"],
  ["ffree", "st", "dd /0", "=32"],
  ["ffreep", "st", "df /0", "=32"],

  ["fldcw", "m16", "d9 /5", "=32"],
  ["fnstcw", "m16", "d9 /7", "=32"],
  ["fnstsw", "m16", "dd /7", "=32"],
  ["fnstsw", "ax", "df e0", "=32"],
  ["fldenv", "m", "d9 /4", "w16/32 max32"],
  ["fnstenv", "m", "d9 /6", "w16/32 max32"],
  ["frstor", "m", "dd /4", "w16/32 max32"],
  ["fnsave", "m", "dd /6", "w16/32 max32"],

  ...ALONE.map(([mnemonic, opcode]): Row => [mnemonic, "", opcode, "=32"]),
  ...CONDITIONAL.map(([mnemonic, opcode]): Row => [mnemonic, "st0,st", opcode, "=32"]),

  // The same again at places that the manual leaves out and every processor has (AMD APM vol. 3, section A.1.5).
  ["fcom", "st0,st", "dc /2", "=32"],
  ["fcomp", "st0,st", "dc /3", "=32"],
  ["fcomp", "st0,st", "de /2", "=32"],
  ["fxch", "st0,st", "dd /1", "=32"],
  ["fxch", "st0,st", "df /1", "=32"],
  ["fstp", "st", "df /2", "=32"],
  ["fstp", "st", "df /3", "=32"],

  // Short forms: the register that goes without saying.
  ["faddp", "", "de c1", "=32"],
  ["fmulp", "", "de c9", "=32"],
  ["fsubrp", "", "de e1", "=32"],
  ["fsubp", "", "de e9", "=32"],
  ["fdivrp", "", "de f1", "=32"],
  ["fdivp", "", "de f9", "=32"],
  ["fxch", "", "d9 c9", "=32"],
  ["fcom", "", "d8 d1", "=32"],
  ["fcomp", "", "d8 d9", "=32"],
  ["fucom", "", "dd e1", "=32"],
  ["fucomp", "", "dd e9", "=32"],
  ...["fadd d8 /0", "fmul d8 /1", "fcom d8 /2", "fcomp d8 /3", "fsub d8 /4", "fsubr d8 /5", "fdiv d8 /6", "fdivr d8 /7"]
    .concat(["fxch d9 /1", "fucom dd /4", "fucomp dd /5", "faddp de /0", "fmulp de /1", "fsubrp de /4", "fsubp de /5"])
    .concat(["fdivrp de /6", "fdivp de /7", "fcomi db /6", "fucomi db /5", "fcomip df /6", "fucomip df /5"])
    .concat(CONDITIONAL.map((pair) => pair.join(" ")))
    .map((text): Row => [text.slice(0, text.indexOf(" ")), "st", text.slice(text.indexOf(" ") + 1), "=32"]),
];
