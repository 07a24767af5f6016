/** Where a function's locals live: SSA variables, or slots in its frame. */
import { alignOf, sizeOf } from "../layout.ts";
import type { Coroutine, FrameSlot } from "../ssa/ir.ts";
import type { Local, Type } from "../tree.ts";
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

  constructor(
    /** Whether the function can stop and go on, so that its locals are kept meanwhile. */
    private readonly isKept: boolean,
    /** Coroutines by the types of their frames. */
    private readonly coroutines: ReadonlyMap<Type, Coroutine>,
  ) {}

  /** The one or two variables of a register local. */
  variablesOf(local: Local): readonly Variable[] {
    let variables = this.variables.get(local);
    if (!variables) {
      variables = componentTypes(local.type).map((type) => new Variable(type, local.name));
      this.variables.set(local, variables);
    }
    return variables;
  }

  /** The slot of a frame local. */
  slotOf(local: Local): FrameSlot {
    let slot = this.slots.get(local);
    if (!slot) {
      const coroutine = this.coroutines.get(local.type);
      slot = coroutine
        ? frameSlot(local.name, coroutine)
        : { name: local.name, size: sizeOf(local.type), align: alignOf(local.type), kept: this.isKept };
      this.slots.set(local, slot);
    }
    return slot;
  }

  /** A slot of at least `size` bytes, 8-byte aligned, until the statement around it ends (see `duringStatement`). */
  temporary(size: number): FrameSlot {
    // What stops in between must know which bytes are in use: there each statement has a slot of its own.
    if (this.isKept) return { name: "format", size, align: 8, kept: true, lent: true };
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

/** A slot for the frame of a coroutine, as large as that will be once it has been split. */
function frameSlot(name: string, coroutine: Coroutine): FrameSlot {
  return {
    name,
    kept: true,
    coroutine,
    get size() {
      return coroutine.layout.size;
    },
    get align() {
      return coroutine.layout.align;
    },
  };
}
