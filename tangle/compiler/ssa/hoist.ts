/** Moves computations and loads that give the same in every round of a loop to where the loop is entered. */
import { Aliases, type Location } from "./alias.ts";
import { Dominators } from "./flow.ts";
import { BITS, type Block, type Instruction, type IrFunction, type Value } from "./ir.ts";
import { findLoops, type Loop, preheaderOf } from "./loops.ts";
import { edges, operands } from "./operands.ts";

export function hoistInvariants(f: IrFunction): void {
  let dominators = new Dominators(f);
  const loops = findLoops(f, dominators);
  if (loops.length === 0) return;
  const aliases = new Aliases(f);
  for (const loop of loops) {
    const before = f.blocks.length;
    const preheader = new Hoisting(f, loop, aliases, dominators).run();
    if (f.blocks.length > before) dominators = new Dominators(f);
    if (!preheader) continue;
    for (const outer of loops) if (outer !== loop && outer.blocks.has(loop.header)) outer.blocks.add(preheader);
  }
}

class Hoisting {
  private readonly definedInside = new Set<Value>();
  private readonly written: Location[] = [];
  /** Whether something in the loop may write any memory that others know. */
  private writesShared = false;

  constructor(
    private readonly f: IrFunction,
    private readonly loop: Loop,
    private readonly aliases: Aliases,
    private readonly dominators: Dominators,
  ) {
    for (const block of loop.blocks) {
      for (const parameter of block.parameters) this.definedInside.add(parameter);
      for (const i of block.instructions) {
        for (const result of i.results) this.definedInside.add(result);
        this.noteWrites(i);
      }
    }
  }

  /** Gives the block that now runs before the loop, if anything moved there. */
  run(): Block | null {
    const moved: Instruction[] = [];
    for (const block of this.dominators.order) {
      if (!this.loop.blocks.has(block) || block.cold) continue;
      block.instructions = block.instructions.filter((i) => {
        if (!this.isInvariant(i, block)) return true;
        moved.push(i);
        for (const result of i.results) this.definedInside.delete(result);
        return false;
      });
    }
    if (moved.length === 0) return null;
    const preheader = preheaderOf(this.f, this.loop);
    preheader.instructions.push(...moved);
    return preheader;
  }

  private noteWrites(i: Instruction): void {
    if (i.kind === "store" && !i.volatile) {
      this.written.push(this.aliases.accessed(i));
    } else if (i.kind === "intrinsic" && (i.name === "copyMemory" || i.name === "fillMemory")) {
      this.written.push(this.aliases.range(i.arguments[0]!, 0, Number.POSITIVE_INFINITY));
    } else if (["store", "call", "callIndirect", "asm", "intrinsic"].includes(i.kind)) {
      this.writesShared = true;
    } else if (i.kind === "load" && i.volatile) {
      this.writesShared = true;
    }
  }

  private isInvariant(i: Instruction, block: Block): boolean {
    if (operands(i).some((operand) => this.definedInside.has(operand))) return false;
    switch (i.kind) {
      case "negate":
      case "complement":
      case "zeroExtend":
      case "signExtend":
      case "truncate":
      case "select":
        return true;
      case "binary":
        return !/div|rem/.test(i.operation) || this.isSafeDivisor(i.right);
      case "load":
        return !i.volatile && this.isUntouched(i) && this.isSafe(i, block);
      default:
        return false;
    }
  }

  /** A division moved before the check of its divisor must not trap. */
  private isSafeDivisor(divisor: Value): boolean {
    const constant = this.aliases.constantOf(divisor);
    return constant !== null && constant !== 0n && BigInt.asIntN(BITS[divisor.type], constant) !== -1n;
  }

  private isUntouched(i: Extract<Instruction, { kind: "load" }>): boolean {
    const location = this.aliases.accessed(i);
    if (this.writesShared && this.aliases.isShared(location)) return false;
    return !this.written.some((written) => this.aliases.mayOverlap(written, location));
  }

  /** Whether the load can be made although the program might not have come to it: it runs in every round, or cannot fault. */
  private isSafe(i: Extract<Instruction, { kind: "load" }>, block: Block): boolean {
    const { base } = this.aliases.accessed(i);
    if (base !== i.address) return true;
    const leaving = [...this.loop.blocks].filter((inside) =>
      edges(inside.terminator).some((edge) => !this.loop.blocks.has(edge.block) && !edge.block.cold),
    );
    return [...this.loop.latches, ...leaving].every((last) => this.dominators.dominates(block, last));
  }
}
