/** Values that stand for others from now on, and the rewriting of a function by them. */
import type { IrFunction, Value } from "./ir.ts";
import { withOperands, withTerminatorOperands } from "./operands.ts";

export class Replacements {
  private readonly by = new Map<Value, Value>();

  get size(): number {
    return this.by.size;
  }

  /** Uses of `old` become uses of `value`, or of what stands for that. */
  set(old: Value, value: Value): void {
    const final = this.resolve(value);
    if (final !== old) this.by.set(old, final);
  }

  /** What stands for this value in the end; itself if nothing does. */
  readonly resolve = (value: Value): Value => {
    let next = this.by.get(value);
    if (!next) return value;
    for (let further = this.by.get(next); further; further = this.by.get(next)) next = further;
    this.by.set(value, next);
    return next;
  };

  /** Rewrites every use in the function. The definitions stay, unused. */
  apply(f: IrFunction): void {
    if (this.by.size === 0) return;
    for (const block of f.blocks) {
      block.instructions = block.instructions.map((instruction) => withOperands(instruction, this.resolve));
      block.terminator = withTerminatorOperands(block.terminator, this.resolve);
    }
  }
}
