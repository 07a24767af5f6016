/** Loads and stores, with arithmetic done in memory where the result goes back to where it came from. */
import type { BinaryOperation, Instruction, Value } from "../ssa/ir.ts";
import { memory } from "./addresses.ts";
import { widthOf } from "./facts.ts";
import { ImmediateOperand, MemoryOperand, type Operand, RegisterOperand } from "./machine.ts";
import type { Register } from "./registers.ts";
import type { Selection } from "./selection.ts";

type Load = Extract<Instruction, { kind: "load" }>;
type Store = Extract<Instruction, { kind: "store" }>;

export function lowerLoad(s: Selection, instruction: Load): void {
  const result = instruction.results[0]!;
  loadInto(s, s.result(result), memory(s, instruction.address, instruction.offset, widthOf(result.type)));
}

/** Loads with zeros above the width of the datum. */
export function loadInto(s: Selection, to: Register, from: MemoryOperand): void {
  if (from.width === 64 || from.width === 32) s.emit("mov", [new RegisterOperand(to, from.width), from]);
  else s.emit("movzx", [new RegisterOperand(to, 32), from]);
}

export function lowerStore(s: Selection, instruction: Store): void {
  if (!instruction.volatile && storeOperation(s, instruction)) return;
  const { value, address, offset } = instruction;
  const width = widthOf(value.type);
  const operand = s.operand(value, width);
  s.emit("mov", [memory(s, address, offset, width), operand]);
}

const IN_MEMORY: Partial<Record<BinaryOperation, string>> = {
  add: "add",
  sub: "sub",
  and: "and",
  or: "or",
  xor: "xor",
};

/** `store(a, load(a) op x)` as one instruction on memory. */
function storeOperation(s: Selection, { address, offset, value }: Store): boolean {
  const definition = s.facts.definition(value);
  if (definition === null || definition.block !== s.block || s.facts.useCount(value) !== 1) return false;
  const { instruction } = definition;
  if (instruction.kind !== "binary") return false;
  const mnemonic = IN_MEMORY[instruction.operation];
  if (mnemonic === undefined) return false;
  const isSame = (candidate: Value) => {
    const found = s.facts.definition(candidate);
    const load = found?.instruction;
    return (
      load?.kind === "load" &&
      found!.block === s.block &&
      !load.volatile &&
      load.address === address &&
      load.offset === offset &&
      s.facts.useCount(candidate) === 1 &&
      s.facts.sameMemory(s.block, found!.index, s.position)
    );
  };
  const width = widthOf(value.type);
  let operand: Operand;
  if (isSame(instruction.left)) operand = s.operand(instruction.right, width);
  else if (instruction.operation !== "sub" && isSame(instruction.right)) operand = s.operand(instruction.left, width);
  else return false;
  s.emit(mnemonic, [memory(s, address, offset, width), operand]);
  return true;
}

/** Up to this many bytes are copied or filled by moves instead of string instructions. */
const UNROLLED = 64;

/** Pieces of 8, 4, 2 and 1 bytes that cover `bytes` bytes, or null where there are too many. */
function pieces(bytes: bigint | null): { at: number; width: 8 | 16 | 32 | 64 }[] | null {
  if (bytes === null || bytes > BigInt(UNROLLED)) return null;
  const found: { at: number; width: 8 | 16 | 32 | 64 }[] = [];
  let at = 0;
  for (const width of [64, 32, 16, 8] as const) {
    for (; Number(bytes) - at >= width / 8; at += width / 8) found.push({ at, width });
  }
  return found;
}

/** A copy of a constant number of bytes: all loads before all stores, since the two may overlap. */
export function copyPieces(s: Selection, target: Value, source: Value, bytes: bigint | null): boolean {
  const parts = pieces(bytes);
  if (parts === null) return false;
  const to = s.register(target);
  const from = s.register(source);
  const registers = parts.map(({ at, width }) => {
    const register = s.machine.register();
    loadInto(s, register, new MemoryOperand(width, from, at));
    return register;
  });
  parts.forEach(({ at, width }, i) => {
    s.emit("mov", [new MemoryOperand(width, to, at), new RegisterOperand(registers[i]!, width)]);
  });
  return true;
}

/** A fill of a constant number of bytes with a constant byte. */
export function fillPieces(s: Selection, target: Value, byte: bigint | null, bytes: bigint | null): boolean {
  const parts = pieces(bytes);
  if (parts === null || byte === null) return false;
  const to = s.register(target);
  const pattern = byte * 0x0101_0101_0101_0101n;
  let register: Register | null = null;
  if (byte !== 0n && parts.some((part) => part.width === 64)) {
    register = s.machine.register();
    s.constant(register, pattern);
  }
  for (const { at, width } of parts) {
    const value =
      register === null
        ? new ImmediateOperand(BigInt.asUintN(width, pattern), width)
        : new RegisterOperand(register, width);
    s.emit("mov", [new MemoryOperand(width, to, at), value]);
  }
  return true;
}
