/** Where a function's locals live: SSA variables, or slots in its frame. */
import { alignOf, sizeOf } from "../layout.ts";
import type { FrameSlot } from "../ssa/ir.ts";
import type { Local } from "../tree.ts";
import { Variable } from "./builder.ts";
import { componentTypes } from "./types.ts";

/** A slot that statements take turns to use; it grows to the largest of their wants while the function is lowered. */
interface SharedSlot extends FrameSlot {
  size: number;
}

export class Frame {
  private readonly variables = new Map<Local, readonly Variable[]>();
  private readonly slots = new Map<Local, FrameSlot>();
  private readonly temporaries: SharedSlot[] = [];
  private used = 0;

  /** The one or two variables of a register local. */
  variablesOf(local: Local): readonly Variable[] {
    let variables = this.variables.get(local);
    if (!variables) {
      variables = componentTypes(local.type).map((type) => new Variable(type));
      this.variables.set(local, variables);
    }
    return variables;
  }

  /** The slot of a frame local. */
  slotOf(local: Local): FrameSlot {
    let slot = this.slots.get(local);
    if (!slot) {
      slot = { name: local.name, size: sizeOf(local.type), align: alignOf(local.type) };
      this.slots.set(local, slot);
    }
    return slot;
  }

  /** A slot of at least `size` bytes, 8-byte aligned, until the statement around it ends (see `duringStatement`). */
  temporary(size: number): FrameSlot {
    let slot = this.temporaries[this.used];
    if (!slot) {
      slot = { name: `temporary${this.used}`, size: 0, align: 8 };
      this.temporaries.push(slot);
    }
    this.used++;
    slot.size = Math.max(slot.size, size);
    return slot;
  }

  /** Runs the lowering of a statement and frees the temporary slots that it took. */
  duringStatement(lower: () => void): void {
    const before = this.used;
    lower();
    this.used = before;
  }
}
