/** The layout of a coroutine's frame: things that never live at the same time share their bytes. */
import type { Gate } from "./coroutine-gates.ts";
import { resumeOf } from "./coroutine-gates.ts";
import type { Item, Liveness } from "./coroutine-liveness.ts";
import { BITS, type FrameState, type IrFunction, Value, type ValueType } from "./ir.ts";

export interface Frame {
  readonly size: number;
  readonly align: number;
  /** Where each value and slot lies that some gate keeps. */
  readonly offsets: ReadonlyMap<Item, number>;
  /** Of the state's number, at offset 0. */
  readonly stateType: ValueType;
  /** Where the parts of the body's result lie in the end, when nothing else does. */
  readonly results: readonly number[];
  readonly states: readonly FrameState[];
}

interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Lays the frame out, the largest items first. */
export function frameItems(body: IrFunction, gates: readonly Gate[], liveness: Liveness): Frame {
  const stateType: ValueType = gates.length < 256 ? "i8" : "i16";
  const state: Range = { offset: 0, size: bytesOfType(stateType) };
  const conflicts = findConflicts(gates, liveness);
  const items = [...conflicts.keys()].sort((a, b) => alignOf(b) - alignOf(a) || sizeOf(b) - sizeOf(a));
  const offsets = new Map<Item, number>();
  for (const item of items) {
    const taken: Range[] = [state];
    for (const other of conflicts.get(item)!) {
      const offset = offsets.get(other);
      if (offset !== undefined) taken.push({ offset, size: sizeOf(other) });
    }
    offsets.set(item, firstFit(taken, sizeOf(item), alignOf(item)));
  }
  const results: Range[] = [];
  for (const type of body.results.slice(1)) {
    const size = bytesOfType(type);
    results.push({ offset: firstFit([state, ...results], size, size), size });
  }
  const ranges = [state, ...results, ...items.map((item) => ({ offset: offsets.get(item)!, size: sizeOf(item) }))];
  return {
    size: Math.max(...ranges.map(({ offset, size }) => offset + size)),
    align: Math.max(...[...items.map(alignOf), ...results.map(({ size }) => size), state.size]),
    offsets,
    stateType,
    results: results.map(({ offset }) => offset),
    states: gates.map((gate) => ({
      place: gate.state === 0 ? body.place : resumeOf(gate).place,
      items: [...liveness.atGate.get(gate)!]
        .map((item) => ({ name: item.name, offset: offsets.get(item)!, size: sizeOf(item) }))
        .sort((a, b) => a.offset - b.offset),
    })),
  };
}

/** For each item that the frame holds the others that live when it does. */
function findConflicts(gates: readonly Gate[], liveness: Liveness): Map<Item, Set<Item>> {
  const conflicts = new Map<Item, Set<Item>>();
  for (const item of [...liveness.across, ...liveness.keptSlots]) conflicts.set(item, new Set());
  const add = (a: Item, b: Item): void => {
    if (a === b) return;
    conflicts.get(a)?.add(b);
    conflicts.get(b)?.add(a);
  };
  for (const gate of gates) {
    const items = [...liveness.atGate.get(gate)!];
    items.forEach((a, n) => {
      for (const b of items.slice(n + 1)) add(a, b);
    });
  }
  liveness.eachPoint((values, slots) => {
    for (const slot of slots) {
      if (!liveness.keptSlots.has(slot)) continue;
      for (const other of [...values, ...slots]) if (conflicts.has(other)) add(slot, other);
    }
  });
  return conflicts;
}

/** The lowest offset at which nothing of what is taken lies. */
function firstFit(taken: readonly Range[], size: number, align: number): number {
  const sorted = [...taken].sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const range of sorted) {
    if (offset + size > range.offset && offset < range.offset + range.size) {
      offset = roundUp(range.offset + range.size, align);
    }
  }
  return offset;
}

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

function sizeOf(item: Item): number {
  return item instanceof Value ? bytesOfType(item.type) : item.size;
}

function alignOf(item: Item): number {
  return item instanceof Value ? bytesOfType(item.type) : item.align;
}

function bytesOfType(type: ValueType): number {
  return Math.max(8, BITS[type]) / 8;
}
