/** Instructions against what a real processor made of them: registers, flags, memory, faults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decode, format } from "../../machine/isa/index.ts";
import { userProcessor } from "./processor.ts";
import { readVector, START, type Vector } from "./vectors/cases.ts";
import { differences } from "./vectors/compare.ts";

const text = gunzipSync(readFileSync(join(import.meta.dirname, "vectors/vectors.txt.gz"))).toString();
const vectors = text.trim().split("\n").map(readVector);

const processor = userProcessor();
const mnemonicOf = ({ code, mode }: Vector) => decode(code, 0, mode).mnemonic ?? "undecodable";
const mnemonics = [...new Set(vectors.map(mnemonicOf))];

describe("each user-mode instruction does what a processor does", () => {
  it.each(mnemonics)("%s", (mnemonic) => {
    const wrong = vectors
      .filter((vector) => mnemonicOf(vector) === mnemonic)
      .flatMap((vector) => {
        const list = differences(vector, processor.run);
        const instruction = decode(vector.code, 0, vector.mode);
        const shown = instruction.mnemonic === null ? "?" : format(instruction, BigInt(START));
        return list.length === 0 ? [] : [`${shown}: ${list.join("; ")}`];
      });
    expect(wrong).toEqual([]);
  });
});
