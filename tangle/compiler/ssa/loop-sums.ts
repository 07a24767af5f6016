/**
 * Takes sums in addresses apart, so that what a loop leaves alone can be added up before it: (base + (row + k) × 8)
 * becomes (base + row × 8) + k × 8, whose first part moves out and whose second is part of an addressing mode.
 */
import { Dominators } from "./flow.ts";
import { BITS, type Block, type Instruction, type IrFunction, type Value } from "./ir.ts";
import { findLoops, type Loop, preheaderOf } from "./loops.ts";

type Access = Extract<Instruction, { kind: "load" | "store" }>;

/** One summand: value × 2^shift. */
interface Term {
  readonly value: Value;
  readonly shift: bigint;
}

export function splitAddressSums(f: IrFunction): boolean {
  let any = false;
  // Only loops without loops in them: there it pays most, and what moves out of them has an outer loop's pass before it.
  const dominators = new Dominators(f);
  const loops = findLoops(f, dominators);
  const headers = new Set(loops.map((loop) => loop.header));
  for (const loop of loops) {
    if ([...loop.blocks].some((block) => block !== loop.header && headers.has(block))) continue;
    if (new Splitting(f, loop).run()) any = true;
  }
  return any;
}

class Splitting {
  private readonly definitions = new Map<Value, Instruction>();
  private readonly inside = new Set<Value>();
  private readonly before: Instruction[] = [];

  constructor(
    private readonly f: IrFunction,
    private readonly loop: Loop,
  ) {
    for (const block of f.blocks) {
      for (const i of block.instructions) for (const result of i.results) this.definitions.set(result, i);
    }
    for (const block of loop.blocks) {
      for (const parameter of block.parameters) this.inside.add(parameter);
      for (const i of block.instructions) for (const result of i.results) this.inside.add(result);
    }
  }

  run(): boolean {
    for (const block of this.loop.blocks) if (!block.cold) this.splitIn(block);
    if (this.before.length === 0) return false;
    preheaderOf(this.f, this.loop).instructions.push(...this.before);
    return true;
  }

  private splitIn(block: Block): void {
    block.instructions = block.instructions.flatMap((i) => {
      if (i.kind !== "load" && i.kind !== "store") return [i];
      const split = this.split(i);
      return split ? [...split.instructions, { ...i, address: split.address }] : [i];
    });
  }

  /** The new address of an access, with what must stand before it; null where nothing is won. */
  private split(access: Access): { instructions: Instruction[]; address: Value } | null {
    if (!this.inside.has(access.address)) return null;
    const flat = this.flatten(access.address, 0n);
    const fixed = flat.terms.filter(({ value }) => !this.inside.has(value));
    const varying = flat.terms.filter(({ value }) => this.inside.has(value));
    const scaled = varying.filter(({ shift }) => shift !== 0n).length;
    // What will be computed in every round: the scaling of each varying term, their sum, and the sum of both parts.
    const rounds = scaled + varying.length;
    if (fixed.length < 2 || varying.length === 0 || rounds >= flat.operations) return null;
    const { place } = access;
    const base = this.sum(fixed, this.before, place);
    const instructions: Instruction[] = [];
    const rest = this.sum(varying, instructions, place);
    return { instructions, address: this.emit("add", base, rest, instructions, place) };
  }

  /** The terms of a sum, and how many operations in the loop make it. */
  private flatten(value: Value, shift: bigint): { terms: Term[]; operations: number } {
    const i = this.inside.has(value) ? this.definitions.get(value) : undefined;
    if (i?.kind === "binary" && i.operation === "add") {
      const [left, right] = [this.flatten(i.left, shift), this.flatten(i.right, shift)];
      return { terms: [...left.terms, ...right.terms], operations: left.operations + right.operations + 1 };
    }
    const count = i?.kind === "binary" && i.operation === "shl" ? this.constantOf(i.right) : null;
    if (i?.kind === "binary" && count !== null && count + shift < BigInt(BITS.i64)) {
      const inner = this.flatten(i.left, shift + count);
      return { terms: inner.terms, operations: inner.operations + 1 };
    }
    return { terms: [{ value, shift }], operations: 0 };
  }

  private sum(terms: readonly Term[], into: Instruction[], place: Instruction["place"]): Value {
    const values = terms.map(({ value, shift }) => {
      if (shift === 0n) return value;
      const count = this.f.value("i64");
      into.push({ kind: "constant", value: shift, results: [count], place });
      return this.emit("shl", value, count, into, place);
    });
    return values.reduce((total, value) => this.emit("add", total, value, into, place));
  }

  private emit(
    operation: "add" | "shl",
    left: Value,
    right: Value,
    into: Instruction[],
    place: Instruction["place"],
  ): Value {
    const result = this.f.value("i64");
    into.push({ kind: "binary", operation, left, right, results: [result], place });
    return result;
  }

  private constantOf(value: Value): bigint | null {
    const i = this.definitions.get(value);
    return i?.kind === "constant" ? i.value : null;
  }
}
