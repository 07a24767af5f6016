/** Loops that only fill or copy an array, element by element, become one fill or copy of memory. */
import { Dominators } from "./flow.ts";
import { BITS, type Block, type Edge, type Instruction, type IrFunction, type Value } from "./ir.ts";
import { findLoops, type Loop, preheaderOf } from "./loops.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";
import { Ranges } from "./ranges.ts";

type Kind<K extends Instruction["kind"]> = Extract<Instruction, { kind: K }>;

/** Below this many bytes a loop is as good. */
const FEW_BYTES = 64n;

/** Replaces all such loops; says whether there was one. */
export function replaceMemoryLoops(f: IrFunction): boolean {
  let any = false;
  while (replaceOne(f)) any = true;
  return any;
}

function replaceOne(f: IrFunction): boolean {
  for (const loop of findLoops(f, new Dominators(f))) {
    const plan = loop.blocks.size === 1 ? new Recognition(f, loop).plan() : null;
    if (!plan) continue;
    carryOut(f, loop, plan);
    return true;
  }
  return false;
}

/** An address that grows with the loop's counter: base + offset + counter × size. */
interface Walk {
  readonly base: Value;
  readonly offset: number;
}

interface Plan {
  readonly to: Walk;
  /** What is copied, or the byte that fills. */
  readonly from: Walk | null;
  readonly byte: Value | bigint | null;
  /** Binary logarithm of the size of an element. */
  readonly scale: number;
  readonly start: Value;
  readonly end: Value;
  readonly leave: Edge;
  readonly place: Instruction["place"];
}

class Recognition {
  private readonly header: Block;
  private readonly definitions = new Map<Value, Instruction>();
  private readonly inside = new Set<Value>();

  constructor(
    private readonly f: IrFunction,
    private readonly loop: Loop,
  ) {
    this.header = loop.header;
    for (const block of f.blocks) {
      for (const i of block.instructions) for (const result of i.results) this.definitions.set(result, i);
    }
    for (const parameter of this.header.parameters) this.inside.add(parameter);
    for (const i of this.header.instructions) for (const result of i.results) this.inside.add(result);
  }

  plan(): Plan | null {
    const [counter, ...others] = this.header.parameters;
    const stores = this.header.instructions.filter((i) => i.kind === "store");
    const store = stores[0];
    if (!counter || others.length > 0 || stores.length !== 1 || !store || store.volatile) return null;
    const loads = this.header.instructions.filter((i) => i.kind === "load");
    const harmless = this.header.instructions.every((i) => i.kind === "store" || i.kind === "load" || isPure(i));
    if (!harmless || loads.length > 1 || this.loop.entries.length !== 1 || this.isUsedOutside()) return null;
    const bounds = this.bounds(counter);
    const scale = Math.log2(Math.max(8, BITS[store.value.type]) / 8);
    const to = this.walk(store, counter, scale);
    if (!bounds || !to) return null;
    const common = { ...bounds, to, scale, place: store.place };
    const load = loads[0];
    if (load) {
      const from = load.volatile || store.value !== load.results[0] ? null : this.walk(load, counter, scale);
      return from && this.areDifferentObjects(to.base, from.base) ? { ...common, from, byte: null } : null;
    }
    const byte = this.fillByte(store.value);
    return byte === null ? null : { ...common, from: null, byte };
  }

  /** The counter goes from `start` up to but not including `end`, by ones, at least once. */
  private bounds(counter: Value): Pick<Plan, "start" | "end" | "leave"> | null {
    const { terminator } = this.header;
    if (terminator.kind !== "branch" || terminator.then.block !== this.header) return null;
    const compare = this.definitions.get(terminator.condition);
    if (compare?.kind !== "compare") return null;
    const next = terminator.then.arguments[0]!;
    const [left, right] = compare.predicate === "ugt" ? [compare.right, compare.left] : [compare.left, compare.right];
    if (!["ult", "ugt", "ne"].includes(compare.predicate) || left !== next || this.inside.has(right)) return null;
    const step = this.definitions.get(next);
    if (step?.kind !== "binary" || step.operation !== "add" || step.left !== counter) return null;
    if (this.constantOf(step.right) !== 1n || counter.type !== "i64") return null;
    const { from, edge } = this.loop.entries[0]!;
    const start = edge.arguments[0]!;
    const ranges = new Ranges(this.f);
    const place = null;
    const isBelow = { kind: "compare", predicate: "ult", left: start, right, results: [], place } as const;
    if (ranges.decideOn(isBelow, { from, edge }) !== true) return null;
    const [low, high] = [this.constantOf(start), this.constantOf(right)];
    const bytes = low !== null && high !== null ? (high - low) * BigInt(this.elementBytes()) : FEW_BYTES;
    return bytes < FEW_BYTES ? null : { start, end: right, leave: terminator.otherwise };
  }

  private elementBytes(): number {
    const store = this.header.instructions.find((i) => i.kind === "store") as Kind<"store">;
    return Math.max(8, BITS[store.value.type]) / 8;
  }

  /** Whether the loop leaves more behind than memory. */
  private isUsedOutside(): boolean {
    const isInside = (value: Value): boolean => this.inside.has(value);
    return this.f.blocks.some((block) => {
      const passed = edges(block.terminator)
        .filter((edge) => edge.block !== this.header)
        .some((edge) => edge.arguments.some(isInside));
      if (passed || block === this.header) return passed;
      const used = block.instructions.some((i) => operands(i).some(isInside));
      return used || terminatorOperands(block.terminator).some(isInside);
    });
  }

  private walk(access: Kind<"load" | "store">, counter: Value, scale: number): Walk | null {
    const sum = this.definitions.get(access.address);
    if (sum?.kind !== "binary" || sum.operation !== "add") return null;
    for (const [base, index] of [
      [sum.left, sum.right],
      [sum.right, sum.left],
    ] as const) {
      if (!this.inside.has(base) && this.isScaled(index, counter, scale)) return { base, offset: access.offset };
    }
    return null;
  }

  private isScaled(index: Value, counter: Value, scale: number): boolean {
    if (scale === 0) return index === counter;
    const i = this.definitions.get(index);
    if (i?.kind !== "binary" || i.operation !== "shl" || i.left !== counter) return false;
    return this.constantOf(i.right) === BigInt(scale);
  }

  /** What all bytes of a stored value are, if they are one. */
  private fillByte(value: Value): Value | bigint | null {
    const constant = this.constantOf(value);
    if (constant === null) return value.type === "i8" && !this.inside.has(value) ? value : null;
    const byte = constant & 0xffn;
    const bytes = Math.max(8, BITS[value.type]) / 8;
    return BigInt(`0x${byte.toString(16).padStart(2, "0").repeat(bytes)}`) === constant ? byte : null;
  }

  private areDifferentObjects(a: Value, b: Value): boolean {
    const [x, y] = [this.definitions.get(a), this.definitions.get(b)];
    if (x?.kind === "symbol" && y?.kind === "symbol") return x.symbol !== y.symbol;
    if (x?.kind === "slot" && y?.kind === "slot") return x.slot !== y.slot;
    return (x?.kind === "symbol" && y?.kind === "slot") || (x?.kind === "slot" && y?.kind === "symbol");
  }

  private constantOf(value: Value): bigint | null {
    const i = this.definitions.get(value);
    return i?.kind === "constant" ? i.value : null;
  }
}

function isPure(i: Instruction): boolean {
  return !["load", "store", "call", "callIndirect", "intrinsic", "asm"].includes(i.kind);
}

function carryOut(f: IrFunction, loop: Loop, plan: Plan): void {
  const { start, end, scale, place } = plan;
  const preheader = preheaderOf(f, loop);
  const constant = (value: bigint, type: Value["type"] = "i64"): Value => {
    const result = f.value(type);
    preheader.instructions.push({ kind: "constant", value, results: [result], place });
    return result;
  };
  const binary = (operation: "add" | "sub" | "shl", left: Value, right: Value): Value => {
    const result = f.value("i64");
    preheader.instructions.push({ kind: "binary", operation, left, right, results: [result], place });
    return result;
  };
  const shift = constant(BigInt(scale));
  const first = binary("shl", start, shift);
  const address = ({ base, offset }: Walk): Value =>
    binary("add", binary("add", base, first), constant(BigInt.asUintN(64, BigInt(offset))));
  const length = binary("shl", binary("sub", end, start), shift);
  const to = address(plan.to);
  const source = plan.from
    ? address(plan.from)
    : typeof plan.byte === "bigint"
      ? constant(plan.byte, "i8")
      : plan.byte!;
  const name = plan.from ? "copyMemory" : "fillMemory";
  preheader.instructions.push({ kind: "intrinsic", name, arguments: [to, source, length], results: [], place });
  preheader.terminator = { kind: "jump", to: plan.leave, place };
  f.blocks = f.blocks.filter((block) => block !== loop.header);
}
