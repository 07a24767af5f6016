/** Which registers are live at the end of each block, by the usual backward data flow. */
import type { MachineBlock, MachineFunction } from "./machine.ts";

/** Sets of registers, one a block, as rows of bits. */
export class LiveSets {
  private readonly words: number;
  private readonly bits: Uint32Array;
  constructor(rows: number, registers: number) {
    this.words = (registers + 31) >> 5;
    this.bits = new Uint32Array(rows * this.words);
  }

  has(row: number, register: number): boolean {
    return ((this.bits[row * this.words + (register >> 5)]! >>> (register & 31)) & 1) === 1;
  }

  add(row: number, register: number): void {
    this.bits[row * this.words + (register >> 5)]! |= 1 << (register & 31);
  }

  /** Adds `other`'s row to this one; says whether that changed anything. */
  addAll(row: number, other: LiveSets, otherRow: number): boolean {
    const { words } = this;
    let changed = false;
    for (let i = 0; i < words; i++) {
      const at = row * words + i;
      const before = this.bits[at]!;
      const after = (before | other.bits[otherRow * words + i]!) >>> 0;
      if (after !== before) {
        this.bits[at] = after;
        changed = true;
      }
    }
    return changed;
  }

  /** Adds what is in `other`'s row and not in `without`'s. */
  addAllBut(row: number, other: LiveSets, without: LiveSets, otherRow: number): void {
    const { words } = this;
    for (let i = 0; i < words; i++) {
      const from = otherRow * words + i;
      this.bits[row * words + i]! |= other.bits[from]! & ~without.bits[from]!;
    }
  }

  forEach(row: number, body: (register: number) => void): void {
    for (let i = 0; i < this.words; i++) {
      let word = this.bits[row * this.words + i]!;
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word);
        body(i * 32 + bit);
        word &= word - 1;
      }
    }
  }
}

/** The registers live at the end of each block, by block id. `order` lists blocks before their successors, as far as can be. */
export function liveOut(fn: MachineFunction, order: readonly MachineBlock[]): LiveSets {
  const [rows, count] = [fn.blockCount, fn.registerCount];
  const liveIn = new LiveSets(rows, count);
  const written = new LiveSets(rows, count);
  const out = new LiveSets(rows, count);
  for (const block of order) {
    const { id, instructions, terminator } = block;
    for (const instruction of instructions) {
      for (const register of instruction.uses) if (!written.has(id, register)) liveIn.add(id, register);
      for (const register of instruction.definitions) written.add(id, register);
    }
    if (terminator.kind === "return") {
      for (const register of terminator.reads) if (!written.has(id, register)) liveIn.add(id, register);
    }
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const block = order[i]!;
      let grew = false;
      for (const successor of block.successors) grew = out.addAll(block.id, liveIn, successor.id) || grew;
      if (!grew) continue;
      liveIn.addAllBut(block.id, out, written, block.id);
      changed = true;
    }
  }
  return out;
}
