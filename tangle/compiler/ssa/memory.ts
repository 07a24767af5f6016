/**
 * Loads of what was just stored or loaded become that value, stores of what is there already disappear, and so do stores
 * that are overwritten before anyone looks, and objects in the frame that are only written.
 */
import { Aliases, type Location } from "./alias.ts";
import { incomingEdges, reversePostorder } from "./flow.ts";
import type { Block, Instruction, IrFunction, Value, ValueType } from "./ir.ts";
import { edges } from "./operands.ts";
import { Replacements } from "./replace.ts";

/** That a value stands in memory. */
interface Fact {
  readonly location: Location;
  readonly value: Value;
}

export function forwardMemory(f: IrFunction): void {
  new Forwarding(f).run();
  new DeadStores(f).run();
}

/** Intrinsics that leave memory alone. */
const QUIET: readonly string[] = ["readFlags", "readCr0", "readCr2", "readCr3", "readCr4", "readTimestamp"];

class Forwarding {
  private readonly aliases: Aliases;
  private readonly replacements = new Replacements();
  private readonly atEnd = new Map<Block, readonly Fact[]>();
  private facts: Fact[] = [];

  constructor(private readonly f: IrFunction) {
    this.aliases = new Aliases(f);
  }

  run(): void {
    const incoming = incomingEdges(this.f);
    for (const block of reversePostorder(this.f)) {
      this.facts = this.meet(incoming.get(block)!.map(({ from }) => this.atEnd.get(from)));
      block.instructions = block.instructions.filter((i) => this.keep(i));
      this.atEnd.set(block, this.facts);
    }
    this.replacements.apply(this.f);
  }

  /** What holds on all ways into a block; nothing where one of them comes from behind (a loop). */
  private meet(ways: readonly (readonly Fact[] | undefined)[]): Fact[] {
    const [first, ...others] = ways;
    if (!first || others.some((way) => way === undefined)) return [];
    return first.filter((fact) => others.every((way) => way!.some((other) => isSame(fact, other))));
  }

  /** Takes the instruction into account; false where it can go. */
  private keep(i: Instruction): boolean {
    switch (i.kind) {
      case "load":
        return this.load(i, i.results[0]!);
      case "store":
        return this.store(i);
      case "call":
      case "callIndirect":
      case "asm":
        this.forgetShared();
        return true;
      case "intrinsic":
        this.intrinsic(i);
        return true;
      default:
        return true;
    }
  }

  private load(i: Extract<Instruction, { kind: "load" }>, result: Value): boolean {
    if (i.volatile) {
      this.forgetShared();
      return true;
    }
    const location = this.aliases.location(this.replacements.resolve(i.address), i.offset, result.type);
    const known = this.find(location, result.type);
    if (known) this.replacements.set(result, known);
    else this.facts = [...this.facts, { location, value: result }];
    return !known;
  }

  private store(i: Extract<Instruction, { kind: "store" }>): boolean {
    const location = this.aliases.location(this.replacements.resolve(i.address), i.offset, i.value.type);
    if (i.volatile) {
      this.forgetShared();
      this.facts = this.facts.filter((fact) => !this.aliases.mayOverlap(fact.location, location));
      return true;
    }
    const value = this.replacements.resolve(i.value);
    if (this.find(location, value.type) === value) return false;
    this.facts = this.facts.filter((fact) => !this.aliases.mayOverlap(fact.location, location));
    this.facts.push({ location, value });
    return true;
  }

  private intrinsic(i: Extract<Instruction, { kind: "intrinsic" }>): void {
    if (QUIET.includes(i.name)) return;
    if (i.name !== "copyMemory" && i.name !== "fillMemory") {
      this.forgetShared();
      return;
    }
    const written = this.aliases.range(this.replacements.resolve(i.arguments[0]!), 0, lengthOf(i, this.aliases));
    this.facts = this.facts.filter((fact) => !this.aliases.mayOverlap(fact.location, written));
  }

  private find(location: Location, type: ValueType): Value | undefined {
    return this.facts.find((fact) => fact.value.type === type && isSameLocation(fact.location, location))?.value;
  }

  private forgetShared(): void {
    this.facts = this.facts.filter((fact) => !this.aliases.isShared(fact.location));
  }
}

function lengthOf(i: Extract<Instruction, { kind: "intrinsic" }>, aliases: Aliases): number {
  const length = aliases.constantOf(i.arguments[2]!);
  return length === null ? Number.POSITIVE_INFINITY : Number(length);
}

function isSame(a: Fact, b: Fact): boolean {
  return a.value === b.value && isSameLocation(a.location, b.location);
}

function isSameLocation(a: Location, b: Location): boolean {
  return a.base === b.base && a.offset === b.offset && a.bytes === b.bytes;
}

/** Walks each block backwards: what is certain to be overwritten, or dies with the frame, need not be stored. */
class DeadStores {
  private readonly aliases: Aliases;
  /** Locations that nobody reads before they are written again. */
  private dying: Location[] = [];
  /** Whether the block leaves the function, so that its frame is read no more. */
  private leaving = false;
  private readonly readLater: Location[] = [];

  constructor(private readonly f: IrFunction) {
    this.aliases = new Aliases(f);
  }

  run(): void {
    this.collectReads();
    for (const block of this.f.blocks) {
      this.dying = [];
      this.leaving = edges(block.terminator).length === 0;
      const readHere: Location[] = [];
      block.instructions = block.instructions
        .reverse()
        .filter((i) => this.keep(i, readHere))
        .reverse();
    }
  }

  /** All reads of memory in the function, to find objects in the frame that are only written. */
  private collectReads(): void {
    for (const block of this.f.blocks) {
      for (const i of block.instructions) {
        if (i.kind === "load") this.readLater.push(this.aliases.location(i.address, i.offset, i.results[0]!.type));
        else if (i.kind === "intrinsic" && i.name === "copyMemory") {
          this.readLater.push(this.aliases.range(i.arguments[1]!, 0, lengthOf(i, this.aliases)));
        }
      }
    }
  }

  private keep(i: Instruction, readHere: Location[]): boolean {
    switch (i.kind) {
      case "store": {
        const location = this.aliases.location(i.address, i.offset, i.value.type);
        if (i.volatile) {
          this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
          return true;
        }
        if (this.dying.some((dying) => covers(dying, location)) || this.isNeverRead(location, readHere)) return false;
        this.dying.push(location);
        return true;
      }
      case "load":
        this.read(this.aliases.location(i.address, i.offset, i.results[0]!.type), readHere);
        if (i.volatile) this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
        return true;
      case "call":
      case "callIndirect":
      case "asm":
        this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
        return true;
      case "intrinsic":
        if (i.name === "copyMemory" || i.name === "fillMemory") {
          if (this.isNeverRead(this.aliases.range(i.arguments[0]!, 0, lengthOf(i, this.aliases)), readHere))
            return false;
        }
        if (i.name === "copyMemory") {
          this.read(this.aliases.range(i.arguments[1]!, 0, lengthOf(i, this.aliases)), readHere);
        } else if (i.name !== "fillMemory" && !QUIET.includes(i.name)) {
          this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
        }
        return true;
      default:
        return true;
    }
  }

  private read(location: Location, readHere: Location[]): void {
    this.dying = this.dying.filter((dying) => !this.aliases.mayOverlap(dying, location));
    readHere.push(location);
  }

  /** Whether a store goes into an object of this frame that is not read from there on. */
  private isNeverRead(location: Location, readHere: readonly Location[]): boolean {
    if (this.aliases.isShared(location)) return false;
    const reads = this.leaving ? readHere : this.readLater;
    return !reads.some((read) => this.aliases.mayOverlap(read, location));
  }
}

function covers(outer: Location, inner: Location): boolean {
  return (
    outer.base === inner.base &&
    outer.offset <= inner.offset &&
    outer.offset + outer.bytes >= inner.offset + inner.bytes
  );
}
