/**
 * Objects in the frame whose address goes nowhere become SSA values, field by field: after inlining, most short-lived
 * objects are such.
 */
import { type Incoming, incomingEdges } from "./flow.ts";
import {
  BITS,
  type Block,
  type FrameSlot,
  type Instruction,
  type IrFunction,
  type Value,
  type ValueType,
} from "./ir.ts";
import { edges, operands, terminatorOperands, withEdges } from "./operands.ts";
import { removeTrivialParameters } from "./parameters.ts";
import { Replacements } from "./replace.ts";

type Access = Extract<Instruction, { kind: "load" | "store" }>;

/** A part of a slot that is always read and written as a whole. */
interface Piece {
  readonly offset: number;
  readonly type: ValueType;
}

interface Candidate {
  readonly accesses: Access[];
  pieces: Piece[];
}

export function promoteSlots(f: IrFunction): boolean {
  const slotOf = new Map<Value, FrameSlot>();
  const constants = new Map<Value, bigint>();
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if (i.kind === "slot") slotOf.set(i.results[0]!, i.slot);
      if (i.kind === "constant") constants.set(i.results[0]!, i.value);
    }
  }
  if (slotOf.size === 0) return false;
  const candidates = findCandidates(f, slotOf, constants);
  if (candidates.size === 0) return false;
  new Promotion(f, slotOf, constants, candidates).run();
  removeTrivialParameters(f);
  return true;
}

/** The slots of which only parts that do not overlap are loaded and stored. */
function findCandidates(
  f: IrFunction,
  slotOf: ReadonlyMap<Value, FrameSlot>,
  constants: ReadonlyMap<Value, bigint>,
): Map<FrameSlot, Candidate> {
  const candidates = new Map<FrameSlot, Candidate>();
  for (const slot of slotOf.values()) candidates.set(slot, { accesses: [], pieces: [] });
  const letGo = (value: Value): void => {
    const slot = slotOf.get(value);
    if (slot) candidates.delete(slot);
  };
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if ((i.kind === "load" || i.kind === "store") && !i.volatile) {
        const slot = slotOf.get(i.address);
        if (slot) candidates.get(slot)?.accesses.push(i);
        if (i.kind === "store") letGo(i.value);
      } else operands(i).forEach(letGo);
    }
    terminatorOperands(block.terminator).forEach(letGo);
    for (const edge of edges(block.terminator)) edge.arguments.forEach(letGo);
  }
  for (const [slot, candidate] of candidates) {
    const pieces = piecesOf(slot, candidate.accesses, constants);
    if (pieces) candidate.pieces = pieces;
    else candidates.delete(slot);
  }
  return candidates;
}

/** The parts, or null where accesses overlap in other ways than a constant stored over several parts. */
function piecesOf(slot: FrameSlot, accesses: readonly Access[], constants: ReadonlyMap<Value, bigint>): Piece[] | null {
  const pieces = new Map<number, Piece>();
  const wide: Access[] = [];
  for (const access of accesses) {
    const type = accessType(access);
    if (access.offset < 0 || access.offset + bytesOf(type) > slot.size) return null;
    if (access.kind === "store" && constants.has(access.value)) {
      wide.push(access);
      continue;
    }
    const known = pieces.get(access.offset);
    if (known && known.type !== type) return null;
    pieces.set(access.offset, { offset: access.offset, type });
  }
  const sorted = [...pieces.values()].sort((a, b) => a.offset - b.offset);
  for (let n = 1; n < sorted.length; n++) if (end(sorted[n - 1]!) > sorted[n]!.offset) return null;
  for (const store of wide) {
    const [from, to] = [store.offset, store.offset + bytesOf(accessType(store))];
    const cut = sorted.some(
      (piece) => piece.offset < to && end(piece) > from && (piece.offset < from || end(piece) > to),
    );
    if (cut) return null;
  }
  return sorted;
}

function accessType(access: Access): ValueType {
  return access.kind === "load" ? access.results[0]!.type : access.value.type;
}

function bytesOf(type: ValueType): number {
  return Math.max(8, BITS[type]) / 8;
}

function end(piece: Piece): number {
  return piece.offset + bytesOf(piece.type);
}

/** Rewrites loads and stores of pieces into values, by Braun et al.'s method over the finished control flow. */
class Promotion {
  private readonly incoming: Map<Block, Incoming[]>;
  private readonly replacements = new Replacements();
  private readonly atEnd = new Map<Block, Map<Piece, Value>>();
  private readonly atStart = new Map<Block, Map<Piece, Value>>();
  /** Parameters to be added, in the order of their creation. */
  private readonly added = new Map<Block, { piece: Piece; parameter: Value }[]>();
  private readonly zeros = new Map<ValueType, Value>();
  private readonly newConstants: Instruction[] = [];

  constructor(
    private readonly f: IrFunction,
    private readonly slotOf: ReadonlyMap<Value, FrameSlot>,
    private readonly constants: ReadonlyMap<Value, bigint>,
    private readonly candidates: ReadonlyMap<FrameSlot, Candidate>,
  ) {
    this.incoming = incomingEdges(f);
    for (const block of f.blocks) {
      this.atEnd.set(block, new Map());
      this.atStart.set(block, new Map());
    }
  }

  run(): void {
    // Stores first, so that a block can be asked for what it leaves behind; then loads.
    const loads: { load: Access; block: Block; before: Value | undefined; piece: Piece }[] = [];
    for (const block of this.f.blocks) {
      const current = this.atEnd.get(block)!;
      block.instructions = block.instructions.filter((i) => {
        const candidate = this.candidateOf(i);
        if (!candidate || (i.kind !== "load" && i.kind !== "store")) return true;
        if (i.kind === "store") this.store(i, candidate, current);
        else {
          const piece = candidate.pieces.find((p) => p.offset === i.offset)!;
          loads.push({ load: i, block, before: current.get(piece), piece });
        }
        return false;
      });
    }
    for (const { load, block, before, piece } of loads) {
      this.replacements.set(load.results[0]!, before ?? this.startOf(block, piece));
    }
    this.passArguments();
    this.replacements.apply(this.f);
    const entry = this.f.blocks[0]!;
    entry.instructions = [...this.newConstants, ...entry.instructions];
  }

  private candidateOf(i: Instruction): Candidate | undefined {
    if (i.kind !== "load" && i.kind !== "store") return undefined;
    const slot = this.slotOf.get(i.address);
    return slot && this.candidates.get(slot);
  }

  private store(store: Extract<Access, { kind: "store" }>, candidate: Candidate, current: Map<Piece, Value>): void {
    store.value.name ??= this.slotOf.get(store.address)!.name;
    const constant = this.constants.get(store.value);
    const [from, to] = [store.offset, store.offset + bytesOf(store.value.type)];
    for (const piece of candidate.pieces) {
      if (piece.offset < from || end(piece) > to) continue;
      if (constant === undefined || piece.type === store.value.type) {
        current.set(piece, store.value);
      } else {
        const part = BigInt.asUintN(BITS[piece.type], constant >> BigInt(8 * (piece.offset - from)));
        current.set(piece, this.constant(piece.type, part));
      }
    }
  }

  private endOf(block: Block, piece: Piece): Value {
    return this.atEnd.get(block)!.get(piece) ?? this.startOf(block, piece);
  }

  private startOf(block: Block, piece: Piece): Value {
    // Chains of blocks can be long, so they are walked, not recursed into.
    const chain: Block[] = [];
    let at = block;
    let value = this.atStart.get(at)!.get(piece);
    while (!value && this.incoming.get(at)!.length === 1) {
      chain.push(at);
      at = this.incoming.get(at)![0]!.from;
      value = this.atEnd.get(at)!.get(piece) ?? this.atStart.get(at)!.get(piece);
    }
    const found = value ?? this.define(at, piece);
    for (const passed of chain) this.atStart.get(passed)!.set(piece, found);
    return found;
  }

  /** What a piece holds at the start of the entry, or of a block that several ways lead to. */
  private define(block: Block, piece: Piece): Value {
    let value: Value;
    if (this.incoming.get(block)!.length === 0) {
      // Never written on the way here: what a slot holds at first may be anything.
      value = this.zeros.get(piece.type) ?? this.constant(piece.type, 0n);
      this.zeros.set(piece.type, value);
    } else {
      value = this.f.value(piece.type);
      this.added.set(block, [...(this.added.get(block) ?? []), { piece, parameter: value }]);
    }
    this.atStart.get(block)!.set(piece, value);
    return value;
  }

  /** Adds the parameters and what each edge passes for them, which may ask for more parameters. */
  private passArguments(): void {
    const passed = new Map<Block, number>();
    for (let more = true; more; ) {
      more = false;
      for (const [block, list] of this.added) {
        for (let n = passed.get(block) ?? 0; n < list.length; n++) {
          for (const { from } of this.incoming.get(block)!) this.endOf(from, list[n]!.piece);
          passed.set(block, n + 1);
          more = true;
        }
      }
    }
    for (const [block, list] of this.added) block.parameters.push(...list.map(({ parameter }) => parameter));
    for (const block of this.f.blocks) {
      block.terminator = withEdges(block.terminator, (edge) => {
        const list = this.added.get(edge.block);
        if (!list) return edge;
        return {
          block: edge.block,
          arguments: [...edge.arguments, ...list.map(({ piece }) => this.endOf(block, piece))],
        };
      });
    }
  }

  private constant(type: ValueType, value: bigint): Value {
    const result = this.f.value(type);
    this.newConstants.push({ kind: "constant", value, results: [result], place: null });
    return result;
  }
}
