/**
 * Where the variables of a coroutine that lie in memory are in use, byte by byte: from what fills them to what reads them
 * last. A variable whose address goes further is in use from there on for as long as the body runs.
 */
import { BITS, type Block, type FrameSlot, type Instruction, type IrFunction, type Value } from "./ir.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";

/** Bytes of each slot that are read before they are written, as a mask: bit n is byte n. */
type Bytes = Map<FrameSlot, bigint>;

export class SlotUses {
  /** Which slot a value points into; only values that point into one for sure or perhaps. */
  private readonly pointsInto = new Map<Value, Set<FrameSlot>>();
  /** The values that are the address of a slot itself. */
  private readonly addressOf = new Map<Value, FrameSlot>();
  private readonly constants = new Map<Value, bigint>();
  private readonly neededAtStart = new Map<Block, Bytes>();
  /** Slots whose address has gone further on some way to the start of a block. */
  private readonly leakedAtStart = new Map<Block, Set<FrameSlot>>();

  constructor(private readonly f: IrFunction) {
    this.findPointers();
    for (const block of f.blocks) {
      this.neededAtStart.set(block, new Map());
      this.leakedAtStart.set(block, new Set());
    }
    if (this.addressOf.size === 0) return;
    this.findNeeds();
    this.findLeaks();
  }

  /** The slots that are in use at the start of a block. */
  liveBefore(block: Block): Set<FrameSlot> {
    const live = new Set(this.leakedAtStart.get(block)!);
    for (const [slot, bytes] of this.neededAtStart.get(block)!) if (bytes !== 0n) live.add(slot);
    return live;
  }

  /** The slots that each instruction of a block touches, or that are in use right behind it. */
  liveInside(block: Block): Map<Instruction, ReadonlySet<FrameSlot>> {
    const live = new Map<Instruction, Set<FrameSlot>>();
    const leaked = new Set(this.leakedAtStart.get(block)!);
    for (const i of block.instructions) {
      this.leaks(i, leaked);
      live.set(i, new Set([...leaked, ...this.touched(i)]));
    }
    const needed = this.neededAtEnd(block);
    for (let n = block.instructions.length - 1; n >= 0; n--) {
      const i = block.instructions[n]!;
      for (const [slot, bytes] of needed) if (bytes !== 0n) live.get(i)!.add(slot);
      this.before(i, needed);
    }
    return live;
  }

  /** What is written and never read is written all the same. */
  private touched(i: Instruction): FrameSlot[] {
    if (i.kind === "slot" || isArithmetic(i)) return [];
    return operands(i).flatMap((operand) => [...(this.pointsInto.get(operand) ?? [])]);
  }

  private findPointers(): void {
    for (const block of this.f.blocks) {
      for (const i of block.instructions) {
        if (i.kind === "constant") this.constants.set(i.results[0]!, i.value);
        if (i.kind !== "slot" || !i.slot.kept) continue;
        this.addressOf.set(i.results[0]!, i.slot);
        this.pointsInto.set(i.results[0]!, new Set([i.slot]));
      }
    }
    for (let changed = this.addressOf.size > 0; changed; ) {
      changed = false;
      const flow = (from: Value, to: Value): void => {
        const slots = this.pointsInto.get(from);
        if (!slots) return;
        const known = this.pointsInto.get(to) ?? new Set();
        const before = known.size;
        for (const slot of slots) known.add(slot);
        this.pointsInto.set(to, known);
        changed ||= known.size > before;
      };
      for (const block of this.f.blocks) {
        for (const i of block.instructions) {
          if (isArithmetic(i)) for (const operand of operands(i)) flow(operand, i.results[0]!);
        }
        for (const edge of edges(block.terminator)) {
          edge.arguments.forEach((argument, n) => {
            flow(argument, edge.block.parameters[n]!);
          });
        }
      }
    }
  }

  private findNeeds(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of [...this.f.blocks].reverse()) {
        const needed = this.neededAtEnd(block);
        for (const i of [...block.instructions].reverse()) this.before(i, needed);
        const known = this.neededAtStart.get(block)!;
        for (const [slot, bytes] of needed) {
          const all = bytes | (known.get(slot) ?? 0n);
          changed ||= all !== (known.get(slot) ?? 0n);
          known.set(slot, all);
        }
      }
    }
  }

  private neededAtEnd(block: Block): Bytes {
    const needed: Bytes = new Map();
    for (const edge of edges(block.terminator)) {
      for (const [slot, bytes] of this.neededAtStart.get(edge.block)!) {
        needed.set(slot, bytes | (needed.get(slot) ?? 0n));
      }
    }
    for (const value of terminatorOperands(block.terminator)) this.needAll(value, needed);
    return needed;
  }

  private needAll(value: Value, needed: Bytes): void {
    for (const slot of this.pointsInto.get(value) ?? []) needed.set(slot, maskOf(0, slot.size));
  }

  /** From what is needed behind an instruction to what is needed before it. */
  private before(i: Instruction, needed: Bytes): void {
    const write = (address: Value, offset: number, bytes: number): void => {
      const slot = this.addressOf.get(address);
      if (slot) needed.set(slot, (needed.get(slot) ?? 0n) & ~maskOf(offset, bytes));
    };
    if (i.kind === "slot" || isArithmetic(i)) return;
    if (i.kind === "store") {
      write(i.address, i.offset, bytesOf(i.value));
      this.needAll(i.value, needed);
    } else if (i.kind === "load") {
      const slot = this.addressOf.get(i.address);
      if (slot) needed.set(slot, (needed.get(slot) ?? 0n) | maskOf(i.offset, bytesOf(i.results[0]!)));
      else this.needAll(i.address, needed);
    } else if (i.kind === "intrinsic" && (i.name === "fillMemory" || i.name === "copyMemory")) {
      const length = this.constants.get(i.arguments[2]!);
      if (length !== undefined) write(i.arguments[0]!, 0, Number(length));
      if (i.name === "copyMemory") this.needAll(i.arguments[1]!, needed);
    } else if (i.kind === "call" && this.startsCoroutine(i)) {
      needed.set(this.addressOf.get(i.arguments[0]!)!, 0n);
      for (const argument of i.arguments.slice(1)) this.needAll(argument, needed);
    } else {
      for (const operand of operands(i)) this.needAll(operand, needed);
    }
  }

  private startsCoroutine(i: Extract<Instruction, { kind: "call" }>): boolean {
    const slot = this.addressOf.get(i.arguments[0]!);
    return slot?.coroutine?.start === i.symbol;
  }

  private findLeaks(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of this.f.blocks) {
        const leaked = new Set(this.leakedAtStart.get(block)!);
        for (const i of block.instructions) this.leaks(i, leaked);
        for (const value of terminatorOperands(block.terminator)) this.leak(value, leaked);
        for (const edge of edges(block.terminator)) {
          const known = this.leakedAtStart.get(edge.block)!;
          const before = known.size;
          for (const slot of leaked) known.add(slot);
          changed ||= known.size > before;
        }
      }
    }
  }

  /** Adds the slots whose address the instruction gives to others. The parts of a coroutine keep no address of its frame. */
  private leaks(i: Instruction, leaked: Set<FrameSlot>): void {
    if (i.kind === "load" || i.kind === "slot" || i.kind === "compare" || isArithmetic(i)) return;
    if (i.kind === "store") this.leak(i.value, leaked);
    else if (i.kind === "intrinsic" && (i.name === "fillMemory" || i.name === "copyMemory")) return;
    else if (i.kind === "call" && this.addressOf.get(i.arguments[0]!)?.coroutine) {
      for (const argument of i.arguments.slice(1)) this.leak(argument, leaked);
    } else for (const operand of operands(i)) this.leak(operand, leaked);
  }

  private leak(value: Value, leaked: Set<FrameSlot>): void {
    for (const slot of this.pointsInto.get(value) ?? []) if (!slot.lent) leaked.add(slot);
  }
}

/** Whether the result is an address made of the operands, or a number in which nobody would look for one. */
function isArithmetic(i: Instruction): boolean {
  return i.kind === "binary" || i.kind === "select" || i.kind === "negate" || i.kind === "complement";
}

function bytesOf(value: Value): number {
  return Math.max(8, BITS[value.type]) / 8;
}

function maskOf(offset: number, bytes: number): bigint {
  return ((1n << BigInt(bytes)) - 1n) << BigInt(offset);
}
