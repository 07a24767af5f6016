/** The registers that code writes, against what iced-x86 knows of each instruction. */
import iced from "iced-x86";
import { describe, expect, it } from "vitest";
import { decode } from "../../machine/isa/index.ts";
import { assembleInline } from "../../tangle/assembler/assembler.ts";
import { registersWrittenBy } from "../../tangle/assembler/effects.ts";
import { CASES, hexadecimal, randomCode, randomNumbers } from "../isa/random.ts";

const { Decoder, InstructionInfoFactory, OpAccess, Register, RegisterExt } = iced;
const WRITES: readonly number[] = [OpAccess.Write, OpAccess.CondWrite, OpAccess.ReadWrite, OpAccess.ReadCondWrite];

function writtenByIced(code: Uint8Array): number[] {
  const decoder = new Decoder(64, code, 0);
  const instruction = decoder.decode();
  const factory = new InstructionInfoFactory();
  const info = factory.info(instruction);
  const written = new Set<number>();
  for (const used of info.usedRegisters()) {
    if (!WRITES.includes(used.access) || !RegisterExt.isGPR(used.register)) continue;
    const number = RegisterExt.number(RegisterExt.fullRegister(used.register));
    if (RegisterExt.fullRegister(used.register) !== Register.RSP) written.add(number);
  }
  for (const owner of [info, factory, instruction, decoder]) owner.free();
  return [...written].sort((a, b) => a - b);
}

describe("the registers that an instruction writes", () => {
  it("are those that iced-x86 knows", () => {
    const next = randomNumbers(99);
    const mismatches: string[] = [];
    for (let done = 0; done < CASES; ) {
      const code = randomCode(next);
      const instruction = decode(code, 0, 64);
      if (instruction.mnemonic === null) continue;
      done++;
      const ours = [...registersWrittenBy(instruction)].sort((a, b) => a - b);
      const theirs = writtenByIced(code);
      if (`${ours}` !== `${theirs}`)
        mismatches.push(`${hexadecimal(code)} ${instruction.mnemonic}: ${ours} | ${theirs}`);
    }
    expect(mismatches.slice(0, 20)).toEqual([]);
  });
});

describe("inline assembly", () => {
  const place = { file: "kernel/main.ts", line: 1, column: 1 };
  const written = (text: string, operands: string[] = []) => assembleInline(text, { operands, place }).registersWritten;
  it("names what it writes", () => {
    expect(written("mov {0}, cr3\npush rax\ncmp rcx, 5\npop rbx", ["rdi"])).toEqual(["rbx", "rdi"]);
    expect(written("rep stosq")).toEqual(["rcx", "rdi"]);
    expect(written("mul byte [rbx]\nxadd [rdi], r9d\ncpuid")).toEqual(["rax", "rcx", "rdx", "rbx", "r9"]);
  });
});
