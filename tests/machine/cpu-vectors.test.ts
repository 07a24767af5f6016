/** Instructions against what a real processor made of them: registers, flags, memory, faults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decode, format } from "../../machine/isa/index.ts";
import { userProcessor } from "./processor.ts";
import { COMPARED_FLAGS, inputsOf, readVector, START, type Vector } from "./vectors/cases.ts";

const text = gunzipSync(readFileSync(join(import.meta.dirname, "vectors/vectors.txt.gz"))).toString();
const vectors = text.trim().split("\n").map(readVector);

const processor = userProcessor();
const hex = (value: bigint | number) => value.toString(16);

/** What differs, in words; empty where nothing does. */
function differences(vector: Vector): string[] {
  const inputs = inputsOf(vector);
  const found = processor.run(inputs);
  const { outputs } = vector;
  const wrong: string[] = [];
  if (found.fault !== outputs.fault) return [`fault ${found.fault}, not ${outputs.fault}`];
  if (outputs.fault === null && found.rip !== outputs.rip) wrong.push(`rip +${found.rip}, not +${outputs.rip}`);
  outputs.registers.forEach((value, number) => {
    if (found.registers[number] !== value) wrong.push(`r${number} ${hex(found.registers[number]!)}, not ${hex(value)}`);
  });
  const flags = (found.flags ^ outputs.flags) & COMPARED_FLAGS & ~vector.undefinedFlags;
  if (flags !== 0) wrong.push(`flags ${hex(found.flags)}, not ${hex(outputs.flags)} (differ in ${hex(flags)})`);
  if (!found.memory.every((byte, at) => byte === outputs.memory[at])) wrong.push("memory differs");
  return wrong;
}

const mnemonicOf = ({ code, mode }: Vector) => decode(code, 0, mode).mnemonic ?? "undecodable";
const mnemonics = [...new Set(vectors.map(mnemonicOf))];

describe("each user-mode instruction does what a processor does", () => {
  it.each(mnemonics)("%s", (mnemonic) => {
    const wrong = vectors
      .filter((vector) => mnemonicOf(vector) === mnemonic)
      .flatMap((vector) => {
        const list = differences(vector);
        const instruction = decode(vector.code, 0, vector.mode);
        const shown = instruction.mnemonic === null ? "?" : format(instruction, BigInt(START));
        return list.length === 0 ? [] : [`${shown}: ${list.join("; ")}`];
      });
    expect(wrong).toEqual([]);
  });
});
