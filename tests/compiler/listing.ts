/** Compiled functions as text, one instruction a line, for tests that say which instructions they expect. */
import { decode } from "../../machine/isa/decode.ts";
import { format } from "../../machine/isa/format.ts";
import type { ObjectFunction } from "../../tangle/compiler/object.ts";
import { generate } from "../../tangle/compiler/x86/generate.ts";
import { type Extras, readIr } from "./read-ir.ts";

/** The instructions; branch targets are offsets in the function, addresses of symbols still zero. */
export function listing(fn: ObjectFunction): string[] {
  const lines: string[] = [];
  for (let at = 0; at < fn.code.length; ) {
    const instruction = decode(fn.code, at, 64);
    if (instruction.mnemonic === null) throw new Error(`${fn.symbol} + ${at}: ${instruction.reason}`);
    lines.push(format(instruction, BigInt(at)));
    at += instruction.length;
  }
  return lines;
}

/** The instructions that the first function of an SSA text becomes. */
export function compiled(text: string, extras: Extras = {}): string[] {
  return listing(generate(readIr(text, extras)).object.functions[0]!);
}
