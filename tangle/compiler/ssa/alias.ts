/** Which memory accesses can touch the same bytes. */
import { BITS, type FrameSlot, type Instruction, type IrFunction, type Path, type Value } from "./ir.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";

/** A range of bytes: an object that is known, or an address that is not, plus an offset. */
export interface Location {
  /** Equal for locations whose distance is known: a slot, a symbol, or an address value. */
  readonly base: FrameSlot | string | Value;
  readonly offset: number;
  readonly bytes: number;
  /** The frame slot that the address points into, if it does; with an index, `base` is the address itself. */
  readonly slot: FrameSlot | null;
  readonly path: Path;
}

export class Aliases {
  private readonly definitions = new Map<Value, Instruction>();
  /** Slots whose address other functions, memory or unknown pointers may hold. */
  private readonly escaped = new Set<FrameSlot>();

  constructor(f: IrFunction) {
    for (const block of f.blocks) {
      for (const i of block.instructions) for (const result of i.results) this.definitions.set(result, i);
    }
    for (const block of f.blocks) {
      for (const i of block.instructions) this.findEscapes(i);
      terminatorOperands(block.terminator).forEach(this.escape);
      for (const edge of edges(block.terminator)) edge.arguments.forEach(this.escape);
    }
  }

  /** The bytes of a load or store whose address is, or by now would be, `address`. */
  accessed(access: Extract<Instruction, { kind: "load" | "store" }>, address = access.address): Location {
    const type = access.kind === "load" ? access.results[0]!.type : access.value.type;
    return this.range(address, access.offset, Math.max(8, BITS[type]) / 8, access.path);
  }

  /** The range of `bytes` bytes; Infinity where the length is unknown. */
  range(address: Value, offset: number, bytes: number, path: Path = []): Location {
    const i = this.definitions.get(address);
    if (i?.kind === "slot") return { base: i.slot, offset, bytes, slot: i.slot, path };
    if (i?.kind === "symbol") return { base: i.symbol, offset: i.offset + offset, bytes, slot: null, path };
    return { base: address, offset, bytes, slot: this.slotBehind(address), path };
  }

  /** The bits of a value that is a constant, else null. */
  constantOf(value: Value): bigint | null {
    const i = this.definitions.get(value);
    return i?.kind === "constant" ? i.value : null;
  }

  /** The number of bytes that copyMemory or fillMemory writes; Infinity where it is not known. */
  lengthOf(i: Extract<Instruction, { kind: "intrinsic" }>): number {
    const length = this.constantOf(i.arguments[2]!);
    return length === null ? Number.POSITIVE_INFINITY : Number(length);
  }

  mayOverlap(a: Location, b: Location): boolean {
    if (a.base === b.base) return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
    if (a.slot || b.slot) {
      if (a.slot && b.slot) return a.slot === b.slot && !areApart(a.path, b.path);
      // Nobody else has the address of a slot that never left the function.
      const slot = (a.slot ?? b.slot)!;
      if (!this.escaped.has(slot)) return false;
    }
    return !(isObject(a) && isObject(b)) && !areApart(a.path, b.path);
  }

  /** Whether other code (calls, hardware, other cores) may read or write there. */
  isShared(location: Location): boolean {
    return !location.slot || this.escaped.has(location.slot);
  }

  private slotBehind(address: Value): FrameSlot | null {
    const i = this.definitions.get(address);
    if (i?.kind === "slot") return i.slot;
    if (i?.kind !== "binary" || i.operation !== "add") return null;
    return this.slotBehind(i.left) ?? this.slotBehind(i.right);
  }

  private findEscapes(i: Instruction): void {
    if (i.kind === "load") return;
    if (i.kind === "store") this.escape(i.value);
    else if (i.kind === "intrinsic" && (i.name === "copyMemory" || i.name === "fillMemory")) return;
    else if (i.kind === "binary" && i.operation === "add") return;
    else operands(i).forEach(this.escape);
  }

  private readonly escape = (value: Value): void => {
    const slot = this.slotBehind(value);
    if (slot) this.escaped.add(slot);
  };
}

/** Whether the base is an object of its own, not an address that could point anywhere. */
function isObject(location: Location): boolean {
  return typeof location.base === "string" || location.base === location.slot;
}

/** Whether the accesses go through different parts of one kind of object. */
function areApart(a: Path, b: Path): boolean {
  return a.some(({ whole, part }) => b.some((other) => other.whole === whole && other.part !== part));
}

/** Intrinsics that leave memory alone. */
const QUIET: readonly string[] = ["readFlags", "readCr0", "readCr2", "readCr3", "readCr4", "readTimestamp"];

export function isQuiet(i: Extract<Instruction, { kind: "intrinsic" }>): boolean {
  return QUIET.includes(i.name);
}

/** Whether the outer range is known to contain the inner one. */
export function covers(outer: Location, inner: Location): boolean {
  return (
    outer.base === inner.base &&
    outer.offset <= inner.offset &&
    outer.offset + outer.bytes >= inner.offset + inner.bytes
  );
}
