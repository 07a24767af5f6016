/** Makes of a coroutine's body the code that saves to its frame on the way to a gate, and goes on from there. */
import type { Frame } from "./coroutine-frame.ts";
import { type Gate, isResume, resumeOf } from "./coroutine-gates.ts";
import type { Liveness } from "./coroutine-liveness.ts";
import { incomingEdges, removeUnreachable } from "./flow.ts";
import {
  BITS,
  type Block,
  type Edge,
  type FrameSlot,
  type Instruction,
  type IrFunction,
  Value,
  type ValueType,
} from "./ir.ts";
import { withEdges, withOperands, withTerminatorOperands } from "./operands.ts";
import { Replacements } from "./replace.ts";

/** What a poll gives: the members of the ambient enum `Poll`. */
const PENDING = 0n;
const READY = 1n;

export class Rewriting {
  /** The parameters of the function that goes on; the first is also that of the one that fills a frame. */
  private readonly frame: Value;
  private readonly waker: Value;
  private readonly dropped: Value;
  /** The blocks on the way into a gate, which save. */
  private readonly arrivals: Block[] = [];
  private readonly homes = new Map<Value, FrameSlot>();
  private readonly constants = new Map<Value, bigint>();

  constructor(
    private readonly f: IrFunction,
    private readonly gates: readonly Gate[],
    private readonly liveness: Liveness,
    private readonly layout: Frame,
  ) {
    this.frame = f.value("i64");
    this.waker = f.value("i64");
    this.dropped = f.value("i1");
  }

  run(): void {
    for (const block of this.f.blocks) {
      for (const i of block.instructions) if (i.kind === "constant") this.constants.set(i.results[0]!, i.value);
    }
    this.f.blocks[0]!.parameters.unshift(this.frame);
    this.saveOnTheWay();
    this.placeSlots();
    for (const block of this.f.blocks) this.useHomes(block);
    for (const gate of this.gates) this.loadAt(gate);
  }

  /** Shows the body as the function that fills a frame, while `use` looks: it ends at the first gate. */
  asStart(use: () => void): void {
    const { blocks } = this.f;
    const terminators = this.arrivals.map((block) => block.terminator);
    for (const block of this.arrivals) block.terminator = { kind: "return", values: [], place: null };
    removeUnreachable(this.f);
    use();
    this.f.blocks = blocks;
    this.arrivals.forEach((block, n) => {
      block.terminator = terminators[n]!;
    });
  }

  /** Makes the body the function (frame, waker, dropped): i8 that goes on from the frame's state. */
  asStep(): void {
    const { f } = this;
    for (const block of [...f.blocks]) this.finishReturn(block);
    const entry = f.block();
    const after = f.block();
    entry.parameters = [this.frame, this.waker, this.dropped];
    const state = f.value(this.layout.stateType);
    entry.instructions.push(load(this.frame, 0, state));
    const cases = this.gates.map((gate) => ({ value: BigInt(gate.state), to: { block: gate.block, arguments: [] } }));
    const otherwise: Edge = { block: after, arguments: [] };
    entry.terminator = { kind: "switch", subject: state, cases, otherwise, place: f.place };
    this.return(after, READY);
    f.blocks = [entry, ...f.blocks.slice(1), after];
    removeUnreachable(f);
  }

  /** Makes of an empty function of the frame the one that reads the result. */
  fillResult(part: IrFunction): void {
    const entry = part.blocks[0]!;
    const values = part.results.map((type) => part.value(type));
    entry.instructions = values.map((value, n) => load(entry.parameters[0]!, this.layout.results[n]!, value));
    entry.terminator = { kind: "return", values, place: part.place };
  }

  // ── Saving ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Each way into a gate gets a block that stores what the gate keeps and the frame does not hold yet. */
  private saveOnTheWay(): void {
    const { f, arrivals } = this;
    const gateOf = new Map(this.gates.map((gate) => [gate.block, gate]));
    const unsaved = this.unsavedAtEnds(gateOf);
    const last = this.lastGates(gateOf);
    for (const from of [...f.blocks]) {
      from.terminator = withEdges(from.terminator, (edge): Edge => {
        const gate = gateOf.get(edge.block);
        if (!gate) return edge;
        const block = f.block();
        block.cold = from.cold;
        arrivals.push(block);
        const along = (value: Value): Value => edge.arguments[edge.block.parameters.indexOf(value)] ?? value;
        for (const item of this.liveness.atGate.get(gate)!) {
          if (!(item instanceof Value) || (along(item) === item && !unsaved.get(from)!.has(item))) continue;
          block.instructions.push(store(this.frame, this.layout.offsets.get(item)!, along(item)));
        }
        if (last.get(from) !== gate) this.storeState(block, gate.state);
        this.arrive(block, gate, along(resumeOf(gate).arguments[0]!));
        return { block, arguments: [] };
      });
    }
    f.blocks.push(...arrivals);
    for (const gate of this.gates) gate.block.parameters = [];
  }

  /** At the end of a block on the way to a gate: returns where `wait` is true, else goes on at once. */
  private arrive(block: Block, gate: Gate, wait: Value): void {
    const { place } = resumeOf(gate);
    const constant = this.constants.get(wait);
    const to: Edge = { block: gate.block, arguments: [] };
    if (constant === 0n) block.terminator = { kind: "jump", to, place };
    else if (constant === 1n) this.return(block, PENDING);
    else {
      const leave = this.f.block();
      this.return(leave, PENDING);
      this.f.blocks.push(leave);
      block.terminator = {
        kind: "branch",
        condition: wait,
        then: { block: leave, arguments: [] },
        otherwise: to,
        place,
      };
    }
  }

  /** For each block the values that may have changed since the frame held them, at its end. */
  private unsavedAtEnds(gateOf: ReadonlyMap<Block, Gate>): Map<Block, Set<Value>> {
    const { f } = this;
    const atEnd = new Map<Block, Set<Value>>(f.blocks.map((block) => [block, new Set()]));
    const incoming = incomingEdges(f);
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of f.blocks) {
        const unsaved = new Set<Value>();
        if (!gateOf.has(block)) {
          for (const { from } of incoming.get(block)!) for (const value of atEnd.get(from)!) unsaved.add(value);
          for (const parameter of block.parameters) unsaved.add(parameter);
        }
        for (const i of block.instructions) for (const result of i.results) unsaved.add(result);
        changed ||= unsaved.size > atEnd.get(block)!.size;
        atEnd.set(block, unsaved);
      }
    }
    return atEnd;
  }

  /** For each block the gate that was passed last before its end, where that is sure. */
  private lastGates(gateOf: ReadonlyMap<Block, Gate>): Map<Block, Gate | null> {
    const { f } = this;
    const atEnd = new Map<Block, Gate | null>();
    const incoming = incomingEdges(f);
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of f.blocks) {
        const ways = incoming.get(block)!.flatMap(({ from }) => atEnd.get(from) ?? (atEnd.has(from) ? [null] : []));
        const only = ways.length > 0 && ways.every((way) => way === ways[0]) ? ways[0]! : null;
        const gate = gateOf.get(block) ?? only;
        changed ||= atEnd.get(block) !== gate;
        atEnd.set(block, gate);
      }
    }
    return atEnd;
  }

  private storeState(block: Block, state: number): void {
    block.instructions.push(store(this.frame, 0, this.constant(block, this.layout.stateType, BigInt(state))));
  }

  // ── Going on ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Variables in memory that live across a gate lie in the frame. */
  private placeSlots(): void {
    for (const block of this.f.blocks) {
      block.instructions = block.instructions.flatMap((i): Instruction[] => {
        const offset = i.kind === "slot" ? this.layout.offsets.get(i.slot) : undefined;
        if (offset === undefined) return [i];
        const { results, place } = i;
        const bytes = this.f.value("i64");
        return [
          { kind: "constant", value: BigInt(offset), results: [bytes], place },
          { kind: "binary", operation: "add", left: this.frame, right: bytes, results, place },
        ];
      });
    }
  }

  /**
   * A value that a gate keeps has several sources from now on: where it was computed, and where it is loaded. Each puts
   * it into a slot of its own, and other blocks read that; `promoteSlots` makes values of the slots again.
   */
  private useHomes(block: Block): void {
    const { across } = this.liveness;
    const own = new Set<Value>(block.parameters);
    for (const i of block.instructions) for (const result of i.results) own.add(result);
    const loads: Instruction[] = [];
    const loaded = new Map<Value, Value>();
    const use = (value: Value): Value => {
      if (own.has(value) || !across.has(value)) return value;
      let copy = loaded.get(value);
      if (!copy) {
        const address = this.f.value("i64");
        copy = this.f.value(value.type);
        loads.push(this.homeAddress(value, address), load(address, 0, copy));
        loaded.set(value, copy);
      }
      return copy;
    };
    const keep = (values: readonly Value[]): Instruction[] =>
      values.filter((value) => across.has(value)).flatMap((value) => this.keep(value, value));
    const [head, ...rest] = isResume(block.instructions[0]) ? block.instructions : [null, ...block.instructions];
    const body = rest.flatMap((i) => [withOperands(i!, use), ...keep(i!.results)]);
    block.terminator = withTerminatorOperands(block.terminator, use);
    block.instructions = [...(head ? [head] : []), ...keep(block.parameters), ...loads, ...body];
  }

  /** Loads what the gate keeps, and puts it where other blocks look for it. */
  private loadAt(gate: Gate): void {
    const resume = resumeOf(gate);
    const replaced = new Replacements();
    replaced.set(resume.results[0]!, this.waker);
    replaced.set(resume.results[1]!, this.dropped);
    replaced.apply(this.f);
    const loads = [...this.liveness.atGate.get(gate)!].flatMap((item): Instruction[] => {
      if (!(item instanceof Value)) return [];
      const value = this.f.value(item.type);
      return [load(this.frame, this.layout.offsets.get(item)!, value), ...this.keep(item, value)];
    });
    gate.block.instructions.splice(0, 1, ...loads);
  }

  private keep(item: Value, value: Value): Instruction[] {
    const address = this.f.value("i64");
    return [this.homeAddress(item, address), store(address, 0, value)];
  }

  private homeAddress(item: Value, address: Value): Instruction {
    const size = Math.max(8, BITS[item.type]) / 8;
    const slot = this.homes.get(item) ?? { name: item.name ?? `v${item.id}`, size, align: size };
    this.homes.set(item, slot);
    return { kind: "slot", slot, results: [address], place: null };
  }

  /** At the end of the body the frame holds its result, and a state after which nothing happens. */
  private finishReturn(block: Block): void {
    const { terminator } = block;
    if (terminator.kind !== "return" || this.arrivals.includes(block)) return;
    const [ended, ...values] = terminator.values;
    if (!ended) return;
    const constant = this.constants.get(ended);
    if (constant === undefined) {
      const finish = this.f.block();
      const giveUp = this.f.block();
      this.finish(finish, values);
      this.return(giveUp, READY);
      this.f.blocks.push(finish, giveUp);
      const [then, otherwise] = [finish, giveUp].map((to): Edge => ({ block: to, arguments: [] }));
      block.terminator = {
        kind: "branch",
        condition: ended,
        then: then!,
        otherwise: otherwise!,
        place: terminator.place,
      };
    } else if (constant === 1n) this.finish(block, values);
    else this.return(block, READY);
  }

  private finish(block: Block, values: readonly Value[]): void {
    values.forEach((value, n) => {
      block.instructions.push(store(this.frame, this.layout.results[n]!, value));
    });
    this.storeState(block, this.gates.length);
    this.return(block, READY);
  }

  private return(block: Block, poll: bigint): void {
    const { place } = block.terminator;
    block.terminator = { kind: "return", values: [this.constant(block, "i8", poll)], place };
  }

  private constant(block: Block, type: ValueType, value: bigint): Value {
    const result = this.f.value(type);
    block.instructions.push({ kind: "constant", value, results: [result], place: null });
    return result;
  }
}

function load(address: Value, offset: number, value: Value): Instruction {
  return { kind: "load", address, offset, volatile: false, results: [value], place: null };
}

function store(address: Value, offset: number, value: Value): Instruction {
  return { kind: "store", address, offset, value, volatile: false, results: [], place: null };
}
