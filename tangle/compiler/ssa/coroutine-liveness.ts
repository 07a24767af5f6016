/** What lives across the gates of a coroutine: values, and variables in memory. */
import type { Gate } from "./coroutine-gates.ts";
import { SlotUses } from "./coroutine-slots.ts";
import { incomingEdges } from "./flow.ts";
import { type Block, type FrameSlot, type Instruction, type IrFunction, Value } from "./ir.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";

/** What has a place of its own while it lives. */
export type Item = Value | FrameSlot;

export class Liveness {
  /** What each gate keeps: its block's parameters that are used later are among it, the results of `resume` are not. */
  readonly atGate = new Map<Gate, ReadonlySet<Item>>();
  /** The values that some gate keeps. */
  readonly across = new Set<Value>();
  /** The slots that some gate keeps. */
  readonly keptSlots = new Set<FrameSlot>();
  private readonly atStart = new Map<Block, Set<Value>>();
  private readonly slots: SlotUses;

  constructor(
    private readonly f: IrFunction,
    gates: readonly Gate[],
  ) {
    for (const block of f.blocks) this.atStart.set(block, new Set());
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of [...f.blocks].reverse()) {
        const live = this.through(block, () => {});
        for (const parameter of block.parameters) live.delete(parameter);
        const known = this.atStart.get(block)!;
        if (live.size > known.size) {
          this.atStart.set(block, live);
          changed = true;
        }
      }
    }
    this.slots = new SlotUses(f);
    for (const gate of gates) {
      const values = new Set<Value>();
      this.through(gate.block, (i, live) => {
        if (i === gate.block.instructions[0]) for (const value of live) values.add(value);
      });
      for (const result of gate.block.instructions[0]!.results) values.delete(result);
      for (const value of values) this.across.add(value);
      const slots = this.slots.liveBefore(gate.block);
      for (const slot of slots) this.keptSlots.add(slot);
      this.atGate.set(gate, new Set<Item>([...values, ...slots]));
    }
  }

  /** Whether `part` is kept by every gate that keeps `value`. */
  isAcrossWherever(value: Value, part: Value): boolean {
    return [...this.atGate.values()].every((items) => !items.has(value) || items.has(part));
  }

  /**
   * Calls `visit` with all that has its bytes in the frame at one and the same point, for the points where a slot has. A
   * value has none before the first gate that keeps it.
   */
  eachPoint(visit: (values: ReadonlySet<Value>, slots: ReadonlySet<FrameSlot>) => void): void {
    if (this.keptSlots.size === 0) return;
    const saved = this.savedAtStarts();
    for (const block of this.f.blocks) {
      const inside = this.slots.liveInside(block);
      const own = new Set(block.instructions.flatMap((i) => i.results));
      this.through(block, (i, live) => {
        const slots = inside.get(i)!;
        if (slots.size === 0) return;
        visit(new Set([...live].filter((value) => saved.get(block)!.has(value) && !own.has(value))), slots);
      });
    }
  }

  /** For each block the values that some gate may have saved before, and that have not been computed anew since. */
  private savedAtStarts(): Map<Block, Set<Value>> {
    const { f } = this;
    const gates = new Map([...this.atGate].map(([gate, items]) => [gate.block, items]));
    const starts = new Map<Block, Set<Value>>(f.blocks.map((block) => [block, new Set()]));
    const incoming = incomingEdges(f);
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of f.blocks) {
        const saved = new Set<Value>();
        for (const item of gates.get(block) ?? []) if (item instanceof Value) saved.add(item);
        for (const { from } of gates.has(block) ? [] : incoming.get(block)!) {
          const own = new Set(from.instructions.flatMap((i) => i.results));
          for (const value of starts.get(from)!) if (!own.has(value)) saved.add(value);
        }
        changed ||= saved.size > starts.get(block)!.size;
        starts.set(block, saved);
      }
    }
    return starts;
  }

  /** Goes backward through a block; `visit` sees what lives right behind each instruction. Gives what lives at its start. */
  private through(block: Block, visit: (i: Instruction, live: ReadonlySet<Value>) => void): Set<Value> {
    const live = new Set<Value>(terminatorOperands(block.terminator));
    for (const edge of edges(block.terminator)) {
      for (const value of this.atStart.get(edge.block)!) live.add(value);
      for (const value of edge.arguments) live.add(value);
    }
    for (let n = block.instructions.length - 1; n >= 0; n--) {
      const i = block.instructions[n]!;
      visit(i, live);
      for (const result of i.results) live.delete(result);
      for (const operand of operands(i)) live.add(operand);
    }
    return live;
  }
}
