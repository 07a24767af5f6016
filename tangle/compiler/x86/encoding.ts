/** Machine instructions with hardware registers to bytes, through the instruction table. */
import { encodeWithFields } from "#isa/encode.ts";
import type { MemoryOperand as IsaMemory, Operand as IsaOperand } from "#isa/instruction.ts";
import { generalRegister, immediate, memory, RIP, systemRegister } from "#isa/registers.ts";
import type { Relocation } from "../object.ts";
import type { MachineInstruction, MemoryOperand, Operand } from "./machine.ts";
import { NONE, RSP } from "./registers.ts";

/** Bytes of one instruction and its holes, two where a symbol's address is stored at a symbol: `at` counts from its start. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
}

/** Encodings by instruction text, without what a relocation fills in. Most instructions of a program come again. */
const known = new Map<string, Fields>();
const KNOWN_MOST = 50_000;

/** Instructions that the manual has under another name. */
const NAMES: Readonly<Record<string, string>> = {
  copy: "mov",
  imul3: "imul",
  imul1: "imul",
  movtocr: "mov",
  movfromcr: "mov",
};

export function encodeInstruction(instruction: MachineInstruction): Encoded {
  const { mnemonic, operands, extras } = instruction;
  if (mnemonic === "call" && extras?.symbol !== undefined) {
    const relocation: Relocation = { at: 1, kind: "relative32", symbol: extras.symbol, addend: 0 };
    return { bytes: Uint8Array.of(0xe8, 0, 0, 0, 0), relocations: [relocation] };
  }
  const key = keyOf(instruction);
  let found = known.get(key);
  if (found === undefined) {
    found = encodeNew(instruction);
    if (known.size >= KNOWN_MOST) known.clear();
    known.set(key, found);
  }
  const { bytes, displacementAt, immediateAt } = found;
  const relocations: Relocation[] = [];
  for (const operand of operands) {
    if (operand.kind === "symbol") {
      relocations.push({ at: immediateAt, kind: "absolute32", symbol: operand.symbol, addend: operand.offset });
    }
    if (operand.kind === "memory" && operand.symbol !== null) {
      // Relative to the end of the instruction, while a relocation counts from the end of its hole.
      const tail = bytes.length - displacementAt - 4;
      const isRelative = operand.base === NONE && operand.index === NONE;
      relocations.push({
        at: displacementAt,
        kind: isRelative ? "relative32" : "absolute32",
        symbol: operand.symbol,
        addend: operand.displacement - (isRelative ? tail : 0),
      });
    }
  }
  return { bytes, relocations };
}

/** Bytes of an instruction, and where its displacement and immediate stand in them. */
interface Fields {
  readonly bytes: Uint8Array;
  readonly displacementAt: number;
  readonly immediateAt: number;
}

function keyOf({ mnemonic, operands, extras }: MachineInstruction): string {
  let key = mnemonic;
  if (extras !== null) key += `${extras.condition ?? ""}${extras.lock ? "!" : ""}${extras.control ?? ""}`;
  for (const operand of operands) key += operandKey(operand);
  return key;
}

function operandKey(operand: Operand): string {
  switch (operand.kind) {
    case "register":
      return `,r${operand.register}.${operand.width}`;
    case "immediate":
      return `,${operand.value}.${operand.width}`;
    case "symbol":
      return ",s";
    case "memory": {
      const { width, base, index, scale, symbol } = operand;
      return `,[${width}.${base}.${index}.${scale}.${symbol === null ? displacementOf(operand) : "s"}.${operand.frame ? "f" : ""}]`;
    }
  }
}

function displacementOf(operand: MemoryOperand): number {
  return operand.displacement + (operand.frame?.offset ?? 0);
}

function encodeNew(instruction: MachineInstruction): Fields {
  const { extras } = instruction;
  const [repeat, plain] = instruction.mnemonic.startsWith("rep ")
    ? (["rep", instruction.mnemonic.slice(4)] as const)
    : ([null, instruction.mnemonic] as const);
  let mnemonic = NAMES[plain] ?? plain;
  if (mnemonic === "set" || mnemonic === "cmov") mnemonic += extras!.condition!;
  const operands = instruction.operands.map((operand) => toIsa(operand));
  if (instruction.mnemonic === "movtocr") operands.unshift(systemRegister("control", extras!.control!, 64));
  if (instruction.mnemonic === "movfromcr") operands.push(systemRegister("control", extras!.control!, 64));
  const string = repeat === null ? null : STRING_OPERATIONS[mnemonic];
  const hasSymbol = instruction.operands.some((o) => o.kind === "symbol");
  const hasSymbolMemory = instruction.operands.some((o) => o.kind === "memory" && o.symbol !== null);
  return encodeWithFields(string?.mnemonic ?? mnemonic, operands, {
    mode: 64,
    repeat,
    lock: extras?.lock ?? false,
    ...(string ? { operandWidth: string.width } : {}),
    ...(hasSymbol ? { immediateSize: 4 } : {}),
    ...(hasSymbolMemory ? { displacementSize: 4 } : {}),
  });
}

const STRING_OPERATIONS: Readonly<Record<string, { mnemonic: string; width: 8 | 64 }>> = {
  movsb: { mnemonic: "movs", width: 8 },
  movsq: { mnemonic: "movs", width: 64 },
  stosb: { mnemonic: "stos", width: 8 },
  stosq: { mnemonic: "stos", width: 64 },
};

function toIsa(operand: Operand): IsaOperand {
  switch (operand.kind) {
    case "register":
      return generalRegister(operand.register, operand.width);
    case "immediate":
      return immediate(operand.value, operand.width);
    case "symbol":
      return immediate(0n, 64);
    case "memory":
      return toIsaMemory(operand);
  }
}

function toIsaMemory(operand: MemoryOperand): IsaMemory {
  const { width, index, scale } = operand;
  if (operand.symbol !== null) {
    const isRelative = operand.base === NONE && index === NONE;
    return memory(width, { base: isRelative ? RIP : operand.base, index, scale, displacement: 0n });
  }
  const base = operand.frame !== null ? RSP : operand.base;
  return memory(width, { base, index, scale, displacement: BigInt(displacementOf(operand)) });
}
