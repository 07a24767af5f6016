/**
 * One walk over a function in the order of dominance that simplifies every instruction by rules, and gives equal
 * computations one value (global value numbering). Where a branch has decided a condition, the code behind it knows.
 */
import { Dominators, type Incoming, incomingEdges, removeUnreachable } from "./flow.ts";
import type {
  BinaryOperation,
  Block,
  Edge,
  FrameSlot,
  Instruction,
  IrFunction,
  Predicate,
  Terminator,
  Value,
  ValueType,
} from "./ir.ts";
import { withOperands, withTerminatorOperands } from "./operands.ts";
import { commutes, implied, swapped } from "./predicates.ts";
import { Replacements } from "./replace.ts";

/** Constant parts of addresses beyond this stay computations, so that back ends can put the others into instructions. */
export const LARGEST_OFFSET = 0x1000_0000;

/** Says which value an instruction has without being executed, or null; new instructions are made through the rewriter. */
export type Rule = (instruction: Instruction, rewriter: Rewriter) => Value | null;

/** What rules see and make. Instructions they make are simplified too. */
export interface Rewriter {
  definition(value: Value): Instruction | undefined;
  /** The value's bits where it is a constant, else null. */
  constantOf(value: Value): bigint | null;
  constant(type: ValueType, value: bigint): Value;
  binary(operation: BinaryOperation, left: Value, right: Value): Value;
  compare(predicate: Predicate, left: Value, right: Value): Value;
  unary(kind: "negate" | "complement", operand: Value): Value;
  convert(kind: "zeroExtend" | "signExtend" | "truncate", operand: Value, type: ValueType): Value;
  select(condition: Value, then: Value, otherwise: Value): Value;
  symbol(symbol: string, offset: number): Value;
}

/** Simplifies in place by these rules. Branches that are decided become jumps. */
export function simplify(f: IrFunction, rules: readonly Rule[]): void {
  if (new Simplifier(f, rules).run()) removeUnreachable(f);
}

class Simplifier implements Rewriter {
  private readonly definitions: (Instruction | undefined)[];
  private readonly replacements = new Replacements();
  /** Values of computations that dominate the current place, by `keyOf`. */
  private readonly numbered = new Map<string, Value>();
  /** Values that are constants here because of the branches taken on the way. */
  private readonly known = new Map<Value, Value>();
  private readonly undo: (() => void)[] = [];
  private readonly slots = new Map<FrameSlot, number>();
  /** Constants, symbols and slots of the whole function: they stand at its beginning. */
  private readonly pool: Instruction[] = [];
  private readonly incoming: Map<Block, Incoming[]>;
  private output: Instruction[] = [];
  private hasCut = false;
  private place: Instruction["place"] = null;

  constructor(
    private readonly f: IrFunction,
    private readonly rules: readonly Rule[],
  ) {
    this.incoming = incomingEdges(f);
    this.definitions = new Array<Instruction | undefined>(f.valueCount).fill(undefined);
    for (const block of f.blocks) for (const i of block.instructions) this.define(i);
  }

  /** Says whether a branch was decided, so that blocks may be out of reach. */
  run(): boolean {
    const dominators = new Dominators(this.f);
    const entry = dominators.order[0]!;
    const path = [{ block: entry, next: 0, mark: 0 }];
    this.visit(entry);
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const child = dominators.children.get(top.block)![top.next++];
      if (child) {
        path.push({ block: child, next: 0, mark: this.undo.length });
        this.visit(child);
      } else {
        while (this.undo.length > top.mark) this.undo.pop()!();
        path.pop();
      }
    }
    entry.instructions = [...this.pool, ...entry.instructions];
    return this.hasCut;
  }

  private visit(block: Block): void {
    const instructions = block.instructions;
    this.output = [];
    this.enter(block);
    for (const instruction of instructions) {
      this.place = instruction.place;
      this.simplifyOne(withOperands(instruction, this.resolve));
    }
    this.place = block.terminator.place;
    block.terminator = this.simplifyTerminator(withTerminatorOperands(block.terminator, this.resolve));
    block.instructions = this.output;
  }

  private simplifyOne(instruction: Instruction): void {
    const [result] = instruction.results;
    if (result && isNumbered(instruction)) {
      this.replacements.set(result, this.number(instruction, result));
      return;
    }
    const emitted = this.withKnownCallee(this.withShortAddress(instruction));
    this.define(emitted);
    this.output.push(emitted);
  }

  /** The value of a computation: simpler by a rule, already computed, or computed here. */
  private number(instruction: Instruction, result: Value): Value {
    const canonical = this.canonical(instruction);
    const isFree = canonical.kind === "constant" || canonical.kind === "symbol" || canonical.kind === "slot";
    for (const rule of isFree ? [] : this.rules) {
      const value = rule(canonical, this);
      if (value) return value;
    }
    const key = this.keyOf(canonical);
    const existing = this.numbered.get(key);
    if (existing) return existing;
    this.define(canonical);
    if (isFree) {
      this.numbered.set(key, result);
      this.pool.push({ ...canonical, place: null });
    } else {
      this.remember(key, result);
      this.output.push(canonical);
    }
    return result;
  }

  /** Commutative operations have their constant on the right, else the older value on the left. */
  private canonical(i: Instruction): Instruction {
    if (i.kind !== "compare" && !(i.kind === "binary" && commutes(i.operation))) return i;
    const leftConstant = this.constantOf(i.left) !== null;
    const rightConstant = this.constantOf(i.right) !== null;
    const ordered = leftConstant === rightConstant ? i.left.id <= i.right.id : rightConstant;
    if (ordered) return i;
    const turned = { ...i, left: i.right, right: i.left };
    return turned.kind === "compare" ? { ...turned, predicate: swapped(turned.predicate) } : turned;
  }

  private keyOf(i: Instruction): string {
    switch (i.kind) {
      case "constant":
        return `${i.results[0]!.type} ${i.value}`;
      case "symbol":
        return `symbol ${i.symbol} ${i.offset}`;
      case "slot": {
        const number = this.slots.get(i.slot) ?? this.slots.size;
        this.slots.set(i.slot, number);
        return `slot ${number}`;
      }
      case "binary":
        return `${i.operation} ${i.left.id} ${i.right.id}`;
      case "compare":
        return `${i.predicate} ${i.left.id} ${i.right.id}`;
      case "select":
        return `select ${i.condition.id} ${i.then.id} ${i.otherwise.id}`;
      case "negate":
      case "complement":
      case "zeroExtend":
      case "signExtend":
      case "truncate":
        return `${i.kind} ${i.operand.id} ${i.results[0]!.type}`;
      default:
        throw new Error(`${i.kind} is not a computation`);
    }
  }

  // ── What is known in a block ─────────────────────────────────────────────────────────────────────────────────────

  /** A block with one way in knows what decided that way. */
  private enter(block: Block): void {
    const incoming = this.incoming.get(block)!;
    if (incoming.length !== 1) return;
    const { terminator } = incoming[0]!.from;
    if (terminator.kind === "branch") {
      this.learn(terminator.condition, terminator.then.block === block);
    } else if (terminator.kind === "switch") {
      const taken = terminator.cases.find((c) => c.to.block === block);
      if (taken) this.know(terminator.subject, this.constant(terminator.subject.type, taken.value));
    }
  }

  private learn(condition: Value, holds: boolean): void {
    this.know(condition, this.truth(holds));
    const definition = this.definition(condition);
    if (definition?.kind === "complement") this.learn(definition.operand, !holds);
    if (definition?.kind === "binary" && definition.operation === (holds ? "and" : "or")) {
      this.learn(definition.left, holds);
      this.learn(definition.right, holds);
    }
    if (definition?.kind !== "compare") return;
    const { predicate, left, right } = definition;
    for (const other of implied(predicate, holds)) {
      this.remember(`${other.predicate} ${left.id} ${right.id}`, this.truth(other.holds));
    }
    if (predicate === (holds ? "eq" : "ne") && this.constantOf(right) !== null) this.know(left, right);
  }

  private know(value: Value, constant: Value): void {
    if (this.known.has(value) || value === constant) return;
    this.known.set(value, constant);
    this.undo.push(() => this.known.delete(value));
  }

  private remember(key: string, value: Value): void {
    const before = this.numbered.get(key);
    this.numbered.set(key, value);
    this.undo.push(() => {
      if (before) this.numbered.set(key, before);
      else this.numbered.delete(key);
    });
  }

  private readonly resolve = (value: Value): Value => {
    const resolved = this.replacements.resolve(value);
    return this.known.get(resolved) ?? resolved;
  };

  // ── Instructions that stay ───────────────────────────────────────────────────────────────────────────────────────

  /** Loads and stores take constant parts of their address into the offset. */
  private withShortAddress(i: Instruction): Instruction {
    if (i.kind !== "load" && i.kind !== "store") return i;
    const added = this.definition(i.address);
    if (added?.kind !== "binary" || added.operation !== "add") return i;
    const constant = this.constantOf(added.right);
    if (constant === null) return i;
    const offset = i.offset + Number(BigInt.asIntN(64, constant));
    return Math.abs(offset) < LARGEST_OFFSET ? this.withShortAddress({ ...i, address: added.left, offset }) : i;
  }

  /** A call of a function pointer that is a constant is a call of the function. */
  private withKnownCallee(i: Instruction): Instruction {
    if (i.kind !== "callIndirect") return i;
    const callee = this.definition(i.callee);
    if (callee?.kind !== "symbol" || callee.offset !== 0) return i;
    return { kind: "call", symbol: callee.symbol, arguments: i.arguments, results: i.results, place: i.place };
  }

  private simplifyTerminator(t: Terminator): Terminator {
    if (t.kind === "branch") {
      const condition = this.constantOf(t.condition);
      if (condition !== null) return this.cut(t, condition !== 0n ? t.then : t.otherwise);
      const definition = this.definition(t.condition);
      if (definition?.kind === "complement") {
        return { ...t, condition: definition.operand, then: t.otherwise, otherwise: t.then };
      }
    }
    if (t.kind === "switch") {
      const subject = this.constantOf(t.subject);
      if (subject !== null) return this.cut(t, t.cases.find((c) => c.value === subject)?.to ?? t.otherwise);
    }
    return t;
  }

  /** Only one way is taken. */
  private cut(t: Terminator, to: Edge): Terminator {
    this.hasCut = true;
    return { kind: "jump", to, place: t.place };
  }

  // ── Rewriter ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private define(instruction: Instruction): void {
    for (const result of instruction.results) this.definitions[result.id] = instruction;
  }

  definition(value: Value): Instruction | undefined {
    return this.definitions[value.id];
  }

  constantOf(value: Value): bigint | null {
    const definition = this.definitions[value.id];
    return definition?.kind === "constant" ? definition.value : null;
  }

  private make(type: ValueType, instruction: (results: readonly Value[]) => Instruction): Value {
    const result = this.f.value(type);
    return this.number(instruction([result]), result);
  }

  private truth(holds: boolean): Value {
    return this.constant("i1", holds ? 1n : 0n);
  }

  constant(type: ValueType, value: bigint): Value {
    const known = this.numbered.get(`${type} ${value}`);
    if (known) return known;
    return this.make(type, (results) => ({ kind: "constant", value, results, place: null }));
  }

  binary(operation: BinaryOperation, left: Value, right: Value): Value {
    return this.make(left.type, (results) => ({ kind: "binary", operation, left, right, results, place: this.place }));
  }

  compare(predicate: Predicate, left: Value, right: Value): Value {
    return this.make("i1", (results) => ({ kind: "compare", predicate, left, right, results, place: this.place }));
  }

  unary(kind: "negate" | "complement", operand: Value): Value {
    return this.make(operand.type, (results) => ({ kind, operand, results, place: this.place }));
  }

  convert(kind: "zeroExtend" | "signExtend" | "truncate", operand: Value, type: ValueType): Value {
    if (operand.type === type) return operand;
    return this.make(type, (results) => ({ kind, operand, results, place: this.place }));
  }

  select(condition: Value, then: Value, otherwise: Value): Value {
    const { place } = this;
    return this.make(then.type, (results) => ({ kind: "select", condition, then, otherwise, results, place }));
  }

  symbol(symbol: string, offset: number): Value {
    return this.make("i64", (results) => ({ kind: "symbol", symbol, offset, results, place: null }));
  }
}

function isNumbered(i: Instruction): boolean {
  return !["load", "store", "call", "callIndirect", "intrinsic", "asm"].includes(i.kind);
}
