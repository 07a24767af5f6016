/** Floating point in XMM registers (SDM vol. 1, sections 5.5 and 5.6). */
import type { Row } from "../notation.ts";

/** The four element types: suffix, mandatory prefix, width of the operand in memory. */
const PS = ["ps", "", 128] as const;
const PD = ["pd", "66 ", 128] as const;
const SS = ["ss", "f3 ", 32] as const;
const SD = ["sd", "f2 ", 64] as const;
type Type = typeof PS | typeof PD | typeof SS | typeof SD;
const ALL: readonly Type[] = [PS, PD, SS, SD];

/** One instruction at several types: `add` gives addps, addpd, addss, addsd. */
function typed(stem: string, opcode: string, types: readonly Type[]): Row[] {
  return types.map(
    ([suffix, prefix, width]): Row => [
      stem + suffix,
      `xmm,xmm/m${width}${opcode.endsWith("ib") ? ",imm8" : ""}`,
      `${prefix}0f ${opcode}`,
      prefix === "" ? "np" : "",
    ],
  );
}

const MOVES: readonly Row[] = [
  ["movups", "xmm,xmm/m128", "0f 10 /r", "np"],
  ["movups", "xmm/m128,xmm", "0f 11 /r", "np"],
  ["movupd", "xmm,xmm/m128", "66 0f 10 /r"],
  ["movupd", "xmm/m128,xmm", "66 0f 11 /r"],
  ["movss", "xmm,xmm/m32", "f3 0f 10 /r"],
  ["movss", "xmm/m32,xmm", "f3 0f 11 /r"],
  ["movsd", "xmm,xmm/m64", "f2 0f 10 /r"],
  ["movsd", "xmm/m64,xmm", "f2 0f 11 /r"],
  ["movaps", "xmm,xmm/m128", "0f 28 /r", "np"],
  ["movaps", "xmm/m128,xmm", "0f 29 /r", "np"],
  ["movapd", "xmm,xmm/m128", "66 0f 28 /r"],
  ["movapd", "xmm/m128,xmm", "66 0f 29 /r"],
  ["movhlps", "xmm,xmm:rm", "0f 12 /r", "np"],
  ["movlps", "xmm,m64", "0f 12 /r", "np"],
  ["movlps", "m64,xmm", "0f 13 /r", "np"],
  ["movlpd", "xmm,m64", "66 0f 12 /r"],
  ["movlpd", "m64,xmm", "66 0f 13 /r"],
  ["movlhps", "xmm,xmm:rm", "0f 16 /r", "np"],
  ["movhps", "xmm,m64", "0f 16 /r", "np"],
  ["movhps", "m64,xmm", "0f 17 /r", "np"],
  ["movhpd", "xmm,m64", "66 0f 16 /r"],
  ["movhpd", "m64,xmm", "66 0f 17 /r"],
  ["movntps", "m128,xmm", "0f 2b /r", "np"],
  ["movntpd", "m128,xmm", "66 0f 2b /r"],
  ["movnti", "m64,r64", "0f c3 /r", "np w64 o64"],
  ["movnti", "m32,r32", "0f c3 /r", "np =32"],
  ["movmskps", "r32,xmm:rm", "0f 50 /r", "np"],
  ["movmskpd", "r32,xmm:rm", "66 0f 50 /r"],
];

const CONVERSIONS: readonly Row[] = [
  ["cvtpi2ps", "xmm,mm/m64", "0f 2a /r", "np"],
  ["cvtpi2pd", "xmm,mm/m64", "66 0f 2a /r"],
  ["cvtsi2ss", "xmm,r/m", "f3 0f 2a /r", "w32/64"],
  ["cvtsi2sd", "xmm,r/m", "f2 0f 2a /r", "w32/64"],
  ["cvttps2pi", "mm,xmm/m64", "0f 2c /r", "np"],
  ["cvttpd2pi", "mm,xmm/m128", "66 0f 2c /r"],
  ["cvttss2si", "r,xmm/m32", "f3 0f 2c /r", "w32/64"],
  ["cvttsd2si", "r,xmm/m64", "f2 0f 2c /r", "w32/64"],
  ["cvtps2pi", "mm,xmm/m64", "0f 2d /r", "np"],
  ["cvtpd2pi", "mm,xmm/m128", "66 0f 2d /r"],
  ["cvtss2si", "r,xmm/m32", "f3 0f 2d /r", "w32/64"],
  ["cvtsd2si", "r,xmm/m64", "f2 0f 2d /r", "w32/64"],
  ["cvtps2pd", "xmm,xmm/m64", "0f 5a /r", "np"],
  ["cvtpd2ps", "xmm,xmm/m128", "66 0f 5a /r"],
  ["cvtss2sd", "xmm,xmm/m32", "f3 0f 5a /r"],
  ["cvtsd2ss", "xmm,xmm/m64", "f2 0f 5a /r"],
  ["cvtdq2ps", "xmm,xmm/m128", "0f 5b /r", "np"],
  ["cvtps2dq", "xmm,xmm/m128", "66 0f 5b /r"],
  ["cvttps2dq", "xmm,xmm/m128", "f3 0f 5b /r"],
  ["cvtdq2pd", "xmm,xmm/m64", "f3 0f e6 /r"],
  ["cvtpd2dq", "xmm,xmm/m128", "f2 0f e6 /r"],
  ["cvttpd2dq", "xmm,xmm/m128", "66 0f e6 /r"],
];

export const SSE: readonly Row[] = [
  ...MOVES,
  ...typed("unpckl", "14 /r", [PS, PD]),
  ...typed("unpckh", "15 /r", [PS, PD]),
  ["ucomiss", "xmm,xmm/m32", "0f 2e /r", "np"],
  ["ucomisd", "xmm,xmm/m64", "66 0f 2e /r"],
  ["comiss", "xmm,xmm/m32", "0f 2f /r", "np"],
  ["comisd", "xmm,xmm/m64", "66 0f 2f /r"],
  ...typed("sqrt", "51 /r", ALL),
  ...typed("rsqrt", "52 /r", [PS, SS]),
  ...typed("rcp", "53 /r", [PS, SS]),
  ...typed("and", "54 /r", [PS, PD]),
  ...typed("andn", "55 /r", [PS, PD]),
  ...typed("or", "56 /r", [PS, PD]),
  ...typed("xor", "57 /r", [PS, PD]),
  ...typed("add", "58 /r", ALL),
  ...typed("mul", "59 /r", ALL),
  ...typed("sub", "5c /r", ALL),
  ...typed("min", "5d /r", ALL),
  ...typed("div", "5e /r", ALL),
  ...typed("max", "5f /r", ALL),
  ...typed("cmp", "c2 /r ib", ALL),
  ...typed("shuf", "c6 /r ib", [PS, PD]),
  ...CONVERSIONS,

  ["fxsave", "m", "0f ae /0", "np w16/32"],
  ["fxrstor", "m", "0f ae /1", "np w16/32"],
  ["fxsave64", "m", "0f ae /0", "np w64 o64"],
  ["fxrstor64", "m", "0f ae /1", "np w64 o64"],
  ["ldmxcsr", "m32", "0f ae /2", "np =32"],
  ["stmxcsr", "m32", "0f ae /3", "np =32"],
];
