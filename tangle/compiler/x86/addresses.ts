/** Folding of address arithmetic and of loads into the operands of other instructions. */
import type { Instruction, Value } from "../ssa/ir.ts";
import { widthOf } from "./facts.ts";
import { type FrameObject, MemoryOperand, type Width } from "./machine.ts";
import { NONE } from "./registers.ts";
import { fitsSigned32, type Selection } from "./selection.ts";

/** The terms of `base + index * scale + symbol or frame object + displacement`, as far as they were found. */
class Terms {
  base: Value | null = null;
  index: Value | null = null;
  scale: 1 | 2 | 4 | 8 = 1;
  symbol: string | null = null;
  /** Takes the place of the base: the frame's base is rsp. */
  frame: FrameObject | null = null;
  displacement = 0n;

  /** How many registers can still be added. */
  get room(): number {
    return Number(this.base === null && this.frame === null) + Number(this.index === null);
  }

  get hasFixed(): boolean {
    return this.symbol !== null || this.frame !== null;
  }

  /** How many parts there are. */
  get count(): number {
    const parts = [this.base !== null, this.index !== null, this.hasFixed, this.displacement !== 0n];
    return parts.filter((part) => part).length;
  }
}

/** Symbols lie in the top 2 GiB, at least a page above its start; a constant beside one must leave the sum there. */
const SYMBOL_REACH = { least: -0x1000n, most: 0x10_0000n };

function staysInReach(displacement: bigint): boolean {
  return displacement >= SYMBOL_REACH.least && displacement < SYMBOL_REACH.most;
}

/** The operand for memory at `address + offset`. */
export function memory(s: Selection, address: Value, offset: number, width: Width | 0): MemoryOperand {
  const terms = new Terms();
  terms.displacement = BigInt(offset);
  addTerm(s, terms, address, true, 0);
  return operandOf(s, terms, width);
}

/**
 * The terms of an addition as an operand of lea. Lea has a destination of its own, which leaves register allocation free;
 * where it turns out to be one of the terms, it becomes an add. Null where a loaded term is better added from memory.
 */
export function addition(s: Selection, value: Value): MemoryOperand | null {
  const { instruction } = s.facts.definition(value)!;
  const terms = new Terms();
  if (!split(s, terms, value, instruction, 0)) return null;
  const isSum = terms.count === 2 && terms.scale === 1 && terms.base !== null && terms.index !== null;
  if (isSum && (isOnlyLoaded(s, terms.base!) || isOnlyLoaded(s, terms.index!))) return null;
  return operandOf(s, terms, 0);
}

/** True for a load of 32 or 64 bits that the use in question could fold. */
function isOnlyLoaded(s: Selection, value: Value): boolean {
  const definition = s.facts.definition(value);
  if (definition?.instruction.kind !== "load" || definition.block !== s.block) return false;
  return s.facts.useCount(value) === 1 && !definition.instruction.volatile && widthOf(value.type) >= 32;
}

function operandOf(s: Selection, terms: Terms, width: Width | 0): MemoryOperand {
  return new MemoryOperand(
    width,
    terms.base === null ? NONE : s.register(terms.base),
    Number(terms.displacement),
    terms.index === null ? NONE : s.register(terms.index),
    terms.scale,
    terms.symbol,
    terms.frame,
  );
}

/** Adds a value to the terms, taking it apart where that costs nothing; leaves room for `reserve` more registers. */
function addTerm(s: Selection, terms: Terms, value: Value, isAddress: boolean, reserve: number): void {
  if (addFixed(s, terms, value, reserve)) return;
  const definition = s.facts.definition(value);
  if (definition !== null) {
    const { instruction } = definition;
    const shared = isAddress ? !s.facts.onlyAddress(value) : s.facts.useCount(value) > 1;
    // Elsewhere than in its own block only where one register stands for one: nothing is kept alive in vain.
    const isNear = definition.block === s.block || hasSymbol(s, instruction);
    const free = hasConstant(s, instruction) || (isNear && !shared);
    if (free && split(s, terms, value, instruction, reserve)) return;
    if (scaled(s, terms, value)) return;
  }
  if (terms.base === null && terms.frame === null) terms.base = value;
  else if (terms.index === null) terms.index = value;
  else throw new Error("no room for another term of an address");
}

/** Adds the address of a symbol or frame slot, where the terms have none yet. */
function addFixed(s: Selection, terms: Terms, value: Value, reserve: number): boolean {
  const instruction = s.facts.definition(value)?.instruction;
  if (terms.hasFixed) return false;
  if (instruction?.kind === "symbol") {
    const sum = terms.displacement + BigInt(instruction.offset);
    if (!staysInReach(sum)) return false;
    terms.symbol = instruction.symbol;
    terms.displacement = sum;
    return true;
  }
  if (instruction?.kind === "slot" && terms.base === null && terms.room > reserve) {
    terms.frame = s.slot(instruction.slot);
    return true;
  }
  return false;
}

/** Adds both sides of an addition, or of a subtraction of a constant; false, and nothing changed, where it cannot. */
function split(s: Selection, terms: Terms, value: Value, instruction: Instruction, reserve: number): boolean {
  if (instruction.kind !== "binary") return false;
  const { operation, left, right } = instruction;
  if (operation !== "add" && operation !== "sub") return false;
  const constant = s.constantOf(right);
  if (constant !== null) {
    const signed = BigInt.asIntN(widthOf(value.type), constant);
    const sum = terms.displacement + (operation === "add" ? signed : -signed);
    if (terms.symbol === null ? fitsSigned32(sum) : staysInReach(sum)) {
      terms.displacement = sum;
      addTerm(s, terms, left, false, reserve);
      return true;
    }
  }
  if (operation === "sub") return false;
  if (terms.room - reserve >= 2) {
    addTerm(s, terms, left, false, reserve + 1);
    addTerm(s, terms, right, false, reserve);
    return true;
  }
  if (addFixed(s, terms, right, reserve + 1)) addTerm(s, terms, left, false, reserve);
  else if (addFixed(s, terms, left, reserve + 1)) addTerm(s, terms, right, false, reserve);
  else return false;
  return true;
}

/** A constant that fits a displacement is folded wherever it is defined: it saves an instruction and costs nothing. */
function hasConstant(s: Selection, instruction: Instruction): boolean {
  if (instruction.kind !== "binary") return false;
  const constant = s.constantOf(instruction.right);
  return constant !== null && fitsSigned32(BigInt.asIntN(64, constant));
}

/** An addition to the address of a symbol. */
function hasSymbol(s: Selection, instruction: Instruction): boolean {
  if (instruction.kind !== "binary" || instruction.operation !== "add") return false;
  return [instruction.left, instruction.right].some((v) => s.facts.definition(v)?.instruction.kind === "symbol");
}

/** Adds `x << 1, 2, 3` as an index. */
function scaled(s: Selection, terms: Terms, value: Value): boolean {
  const definition = s.facts.definition(value);
  if (terms.index !== null || definition === null) return false;
  if (definition.block !== s.block && s.facts.useCount(value) > 1) return false;
  const { instruction } = definition;
  if (instruction.kind !== "binary" || instruction.operation !== "shl") return false;
  const count = s.constantOf(instruction.right);
  if (count === null || count < 1n || count > 3n) return false;
  terms.index = instruction.left;
  terms.scale = (1 << Number(count)) as 2 | 4 | 8;
  return true;
}

/**
 * The memory operand to use instead of a value that was loaded only for this: the load is of this width, used once,
 * in this block, and nothing writes memory between it and here. Otherwise null.
 */
export function foldableLoad(s: Selection, value: Value, width: Width): MemoryOperand | null {
  const definition = s.facts.definition(value);
  if (definition === null || definition.block !== s.block) return null;
  const { instruction, index } = definition;
  if (instruction.kind !== "load" || instruction.volatile || widthOf(value.type) !== width) return null;
  if (s.facts.useCount(value) !== 1 || !s.facts.sameMemory(s.block, index, s.position)) return null;
  return memory(s, instruction.address, instruction.offset, width);
}
