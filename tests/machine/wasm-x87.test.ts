/** The runtime's routines for plain 80-bit numbers against those of the book: the same state after, or nothing done. */
import { describe, expect, it } from "vitest";
import { plainRoutine } from "../../machine/engine/wasm/plain-routines.ts";
import { randomBits } from "./random-bits.ts";
import { callsOf, compareCall, encodings, fillState, operandOf } from "./x87-routines.ts";

const ON_TOP = ["frndint", "fscale", "fxtract", "fprem", "fprem1", "fxam", "fincstp", "fdecstp", "fninit", "fnclex"];

describe("routines of the x87 for plain numbers", () => {
  const instructions = encodings().filter((instruction) => {
    const calls = callsOf(instruction, 0n);
    return calls.length > 0 && calls.every(({ routine }) => plainRoutine(instruction, routine) !== null);
  });

  it("are there for arithmetic, comparisons and moves", () => {
    const mnemonics = new Set(instructions.map(({ mnemonic }) => mnemonic));
    for (const mnemonic of [
      "fadd",
      "fsubrp",
      "fidiv",
      "fsqrt",
      "fcomip",
      "ficomp",
      "fld",
      "fldpi",
      "fistp",
      "fxch",
    ].concat(ON_TOP))
      expect(mnemonics).toContain(mnemonic);
  });

  it("leave the state that the book's routines leave, or do nothing", () => {
    const random = randomBits(20261123);
    const rounds = Number(process.env.ROUNDS ?? 100);
    const done = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      for (const instruction of instructions) {
        fillState(random);
        for (const call of callsOf(instruction, operandOf(random)))
          if (compareCall(instruction, call)) done.add(instruction.mnemonic);
      }
    }
    const never = instructions.map(({ mnemonic }) => mnemonic).filter((mnemonic) => !done.has(mnemonic));
    expect([...new Set(never)]).toEqual([]);
  });
});
