/** Removes stores that nobody looks at: those overwritten before, and those into objects of a frame that is given up. */
import { Aliases, covers, isQuiet, type Location } from "./alias.ts";
import type { Instruction, IrFunction } from "./ir.ts";
import { edges } from "./operands.ts";

/** Says whether there were any. */
export function removeDeadStores(f: IrFunction): boolean {
  return new DeadStores(f).run();
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

  run(): boolean {
    let any = false;
    this.collectReads();
    for (const block of this.f.blocks) {
      this.dying = [];
      this.leaving = edges(block.terminator).length === 0;
      const readHere: Location[] = [];
      const before = block.instructions.length;
      block.instructions = block.instructions
        .reverse()
        .filter((i) => this.keep(i, readHere))
        .reverse();
      any ||= block.instructions.length < before;
    }
    return any;
  }

  /** All reads of memory in the function, to find objects in the frame that are only written. */
  private collectReads(): void {
    for (const block of this.f.blocks) {
      for (const i of block.instructions) {
        if (i.kind === "load") this.readLater.push(this.aliases.accessed(i));
        else if (i.kind === "intrinsic" && i.name === "copyMemory") {
          this.readLater.push(this.aliases.range(i.arguments[1]!, 0, this.aliases.lengthOf(i)));
        }
      }
    }
  }

  private keep(i: Instruction, readHere: Location[]): boolean {
    switch (i.kind) {
      case "store": {
        const location = this.aliases.accessed(i);
        if (i.volatile) {
          this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
          return true;
        }
        if (this.dying.some((dying) => covers(dying, location)) || this.isNeverRead(location, readHere)) return false;
        this.dying.push(location);
        return true;
      }
      case "load":
        this.read(this.aliases.accessed(i), readHere);
        if (i.volatile) this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
        return true;
      case "call":
      case "callIndirect":
      case "asm":
        this.dying = this.dying.filter((dying) => !this.aliases.isShared(dying));
        return true;
      case "intrinsic":
        if (i.name === "copyMemory" || i.name === "fillMemory") {
          if (this.isNeverRead(this.aliases.range(i.arguments[0]!, 0, this.aliases.lengthOf(i)), readHere))
            return false;
        }
        if (i.name === "copyMemory") {
          this.read(this.aliases.range(i.arguments[1]!, 0, this.aliases.lengthOf(i)), readHere);
        } else if (i.name !== "fillMemory" && !isQuiet(i)) {
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
