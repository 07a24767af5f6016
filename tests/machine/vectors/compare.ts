/** A vector's outcome beside a processor's: what differs, in words. */
import { decode } from "../../../machine/isa/index.ts";
import { COMPARED_FLAGS, inputsOf, type Vector, type VectorInputs, type VectorOutputs } from "./cases.ts";
import { mediaDifferences } from "./media-compare.ts";

const hex = (value: bigint | number) => value.toString(16);

/** Empty where nothing differs. */
export function differences(vector: Vector, run: (inputs: VectorInputs) => VectorOutputs): string[] {
  const inputs = inputsOf(vector);
  const found = run(inputs);
  const { outputs } = vector;
  const wrong: string[] = [];
  if (found.fault !== outputs.fault) return [`fault ${found.fault}, not ${outputs.fault}`];
  if (outputs.fault === null && found.rip !== outputs.rip) wrong.push(`rip +${found.rip}, not +${outputs.rip}`);
  outputs.registers.forEach((value, number) => {
    if (found.registers[number] !== value) wrong.push(`r${number} ${hex(found.registers[number]!)}, not ${hex(value)}`);
  });
  const flags = (found.flags ^ outputs.flags) & COMPARED_FLAGS & ~vector.undefinedFlags;
  if (flags !== 0) wrong.push(`flags ${hex(found.flags)}, not ${hex(outputs.flags)} (differ in ${hex(flags)})`);
  const byte = found.memory.findIndex((value, at) => value !== outputs.memory[at]);
  if (byte >= 0) wrong.push(`memory differs at ${byte}`);
  const { mnemonic } = decode(vector.code, 0, vector.mode);
  return [...wrong, ...mediaDifferences(mnemonic ?? "", found.media, outputs.media)];
}
