/** The text of asm`…` to bytes, once its operands have registers. */
import type { Diagnostic } from "../../place.ts";
import type { Relocation } from "../object.ts";
import type { MachineInstruction } from "./machine.ts";
import { registerName } from "./registers.ts";

export interface AssembledText {
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  readonly diagnostics: readonly Diagnostic[];
}

export function assembleText(instruction: MachineInstruction): AssembledText {
  const text = instruction.extras!.assembly!.text.replace(/\{(\d+)\}/g, (_, n: string) => {
    const operand = instruction.operands[Number(n)];
    if (operand?.kind !== "register") throw new Error(`asm has no operand ${n}`);
    return registerName(operand.register, operand.width);
  });
  throw new Error(`no assembler yet for ${text}`);
}
