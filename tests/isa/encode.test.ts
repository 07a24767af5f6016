/** The encoder: it undoes the decoder, chooses the shortest bytes, and tells where its fields are. */
import { expect, describe as group, it } from "vitest";
import {
  decode,
  EncodeError,
  encode,
  encodeWithFields,
  generalRegister,
  highByteRegister,
  immediate,
  memory,
  RIP,
  relative,
} from "../../machine/isa/index.ts";
import { describe, readWithIced } from "./iced.ts";
import { CASES, hexadecimal, MODES, randomCode, randomNumbers } from "./random.ts";

const rax = generalRegister(0, 64);
const eax = generalRegister(0, 32);
const rbx = generalRegister(3, 64);
const in64 = { mode: 64 } as const;

group("random instructions", () => {
  it.each(MODES)("are encoded to bytes that mean the same, to us and to iced-x86, in %i-bit mode", (mode) => {
    const next = randomNumbers(mode + 1000);
    const mismatches: string[] = [];
    let done = 0;
    while (done < CASES) {
      const original = randomCode(next);
      const instruction = decode(original, 0, mode);
      if (instruction.mnemonic === null) continue;
      done++;
      const { operands, operandWidth, lock, repeat } = instruction;
      const bytes = encode(instruction.mnemonic, operands, { mode, operandWidth, lock, repeat });
      const again = decode(bytes, 0, mode);
      // Branches are compared with their length put back: it is part of their target.
      const text = describe({ ...instruction, length: bytes.length }).text;
      const same =
        again.mnemonic !== null &&
        again.length === bytes.length &&
        again.operandWidth === operandWidth &&
        bytes.length <= instruction.length &&
        describe(again).text === text &&
        readWithIced(bytes, mode)?.text === text;
      if (!same) mismatches.push(`${hexadecimal(original)} ${text} -> ${hexadecimal(bytes)}`);
    }
    expect(mismatches.slice(0, 20)).toEqual([]);
  });
});

group("the shortest encoding", () => {
  const shortest = (bytes: Uint8Array) => hexadecimal(bytes);
  it("uses sign-extended byte immediates, accumulator forms and short displacements", () => {
    expect(shortest(encode("add", [rax, immediate(-1, 64)], in64))).toBe("4883c0ff");
    expect(shortest(encode("add", [eax, immediate(0x1000, 32)], in64))).toBe("0500100000");
    expect(shortest(encode("mov", [rax, memory(64, { base: 5 })], in64))).toBe("488b4500");
    expect(shortest(encode("mov", [rax, memory(64, { base: 12, displacement: 128n })], in64))).toBe("498b842480000000");
  });
  it("gives a 64-bit immediate only to mov, and only where 32 bits do not do", () => {
    expect(shortest(encode("mov", [rax, immediate(-2, 64)], in64))).toBe("48c7c0feffffff");
    expect(shortest(encode("mov", [rax, immediate(0x80000000n, 64)], in64))).toBe("48b80000008000000000");
    expect(() => encode("add", [rax, immediate(0x80000000n, 64)], in64)).toThrow(EncodeError);
  });
  it("never makes nop of an exchange that clears the upper half", () => {
    expect(shortest(encode("xchg", [eax, eax], in64))).toBe("87c0");
  });
  it("keeps high byte registers apart from those that need REX", () => {
    expect(shortest(encode("mov", [highByteRegister(0), generalRegister(3, 8)], in64))).toBe("88dc");
    expect(shortest(encode("mov", [generalRegister(4, 8), generalRegister(3, 8)], in64))).toBe("4088dc");
    expect(() => encode("mov", [highByteRegister(0), generalRegister(8, 8)], in64)).toThrow(EncodeError);
  });
  it("takes string instructions without operands", () => {
    expect(shortest(encode("stos", [], { mode: 64, operandWidth: 64, repeat: "rep" }))).toBe("f348ab");
    expect(shortest(encode("movs", [], { mode: 16, operandWidth: 32 }))).toBe("66a5");
  });
  it("refuses what a mode does not have", () => {
    expect(() => encode("pusha", [], in64)).toThrow(EncodeError);
    expect(() => encode("mov", [rax, rbx], { mode: 32 })).toThrow(EncodeError);
    expect(() => encode("frobnicate", [], in64)).toThrow("no encoding of frobnicate");
  });
});

group("fields for addresses that are known later", () => {
  it("tells where displacement and immediate lie", () => {
    const store = encodeWithFields("mov", [memory(32, { base: RIP }), immediate(7, 32)], in64);
    expect(hexadecimal(store.bytes)).toBe("c7050000000007000000");
    expect(store).toMatchObject({ displacementAt: 2, displacementSize: 4, immediateAt: 6, immediateSize: 4 });
  });
  it("makes fields as wide as they are asked to be", () => {
    const wide = encodeWithFields("mov", [rax, immediate(0, 64)], { mode: 64, immediateSize: 8 });
    expect(wide).toMatchObject({ immediateAt: 2, immediateSize: 8 });
    const add = encodeWithFields("add", [rax, immediate(1, 64)], { mode: 64, immediateSize: 4 });
    expect(hexadecimal(add.bytes)).toBe("480501000000");
    const load = encodeWithFields("mov", [eax, memory(32, { base: 3 })], { mode: 64, displacementSize: 4 });
    expect(load).toMatchObject({ displacementAt: 2, displacementSize: 4 });
  });
  it("takes branch widths as said", () => {
    expect(hexadecimal(encode("jmp", [relative(0, 8)], in64))).toBe("eb00");
    expect(encodeWithFields("je", [relative(0, 32)], in64)).toMatchObject({ immediateAt: 2, immediateSize: 4 });
  });
});
