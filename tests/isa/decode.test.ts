/** The decoder against iced-x86 on random machine code, and its answers to bytes that are no instruction. */
import { expect, describe as group, it } from "vitest";
import { decode, type Mode } from "../../machine/isa/index.ts";
import { describe, readWithIced } from "./iced.ts";
import { CASES, hexadecimal, MODES, randomCode, randomNumbers } from "./random.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

group("random machine code", () => {
  it.each(MODES)("is read as iced-x86 reads it, wherever the table has it, in %i-bit mode", (mode) => {
    const next = randomNumbers(mode);
    const mismatches: string[] = [];
    let claimed = 0;
    while (claimed < CASES) {
      const code = randomCode(next);
      const instruction = decode(code, 0, mode);
      if (instruction.mnemonic === null) continue;
      claimed++;
      const ours = describe(instruction);
      const theirs = readWithIced(code, mode);
      if (ours.length !== theirs?.length || ours.text !== theirs.text) {
        mismatches.push(`${hexadecimal(code)}: ${ours.length} ${ours.text} | ${theirs?.length} ${theirs?.text}`);
      }
    }
    expect(mismatches.slice(0, 20)).toEqual([]);
  });
});

group("bytes that are no instruction", () => {
  const failure = (text: string, mode: Mode) => decode(bytes(text), 0, mode);

  it("are unknown where no row of the table has them", () => {
    expect(failure("0f ff c0", 64)).toEqual({ mnemonic: null, reason: "unknown", length: 2 });
    expect(failure("06", 64)).toEqual({ mnemonic: null, reason: "unknown", length: 1 });
  });
  it("are truncated where they end before the instruction does", () => {
    expect(failure("48 8b 05 00 00", 64)).toEqual({ mnemonic: null, reason: "truncated", length: 5 });
    expect(failure("", 64)).toEqual({ mnemonic: null, reason: "truncated", length: 0 });
  });
  it("are too long beyond fifteen bytes", () => {
    const code = bytes(`${"66".repeat(14)} 01 d8`);
    expect(decode(code, 0, 64)).toEqual({ mnemonic: null, reason: "tooLong", length: 15 });
  });
  it("are refused where lock stands before an instruction that cannot be locked", () => {
    expect(failure("f0 01 c0", 64)).toMatchObject({ mnemonic: null, reason: "lock" });
    expect(failure("f0 8b 00", 64)).toMatchObject({ mnemonic: null, reason: "lock" });
    expect(failure("f0 01 00", 64)).toMatchObject({ mnemonic: "add", lock: true });
  });
});

group("what the decoder tells beyond mnemonic and operands", () => {
  it("reads at an offset and gives the length", () => {
    expect(decode(bytes("90 90 48 89 d8 90"), 2, 64)).toMatchObject({ mnemonic: "mov", length: 3 });
  });
  it("gives the operand size: that of the datum for string and byte instructions", () => {
    expect(decode(bytes("f3 a4"), 0, 64)).toMatchObject({ mnemonic: "movs", operandWidth: 8, repeat: "rep" });
    expect(decode(bytes("66 ab"), 0, 64)).toMatchObject({ mnemonic: "stos", operandWidth: 16, repeat: null });
    expect(decode(bytes("50"), 0, 64)).toMatchObject({ mnemonic: "push", operandWidth: 64 });
    expect(decode(bytes("66 50"), 0, 16)).toMatchObject({ mnemonic: "push", operandWidth: 32 });
  });
  it("gives segments after prefixes and defaults", () => {
    expect(decode(bytes("8b 46 02"), 0, 16)).toMatchObject({ operands: [{}, { base: 5, segment: 2 }] });
    expect(decode(bytes("26 8b 46 02"), 0, 16)).toMatchObject({ operands: [{}, { segment: 0 }], segmentOverride: 0 });
    expect(decode(bytes("2e 8b 45 02"), 0, 64)).toMatchObject({ operands: [{}, { segment: 2 }], segmentOverride: 1 });
    expect(decode(bytes("65 48 8b 04 25 10 00 00 00"), 0, 64)).toMatchObject({ operands: [{}, { segment: 5 }] });
  });
  it("ignores a REX prefix that does not stand right before the opcode", () => {
    expect(decode(bytes("48 66 01 c0"), 0, 64)).toMatchObject({ mnemonic: "add", operandWidth: 16, length: 4 });
  });
});
