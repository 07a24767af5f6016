/**
 * Which numbers a value can be at a place: from how it is computed, from the comparisons that branches on the way have
 * decided, and, for loop counters, from where they start and how they step.
 */
import { Dominators, type Incoming, incomingEdges } from "./flow.ts";
import {
  everything,
  greatest,
  hull,
  type Interval,
  type IntervalSet,
  intersect,
  least,
  satisfying,
  shift,
} from "./intervals.ts";
import { BITS, type Block, type Instruction, type IrFunction, type Predicate, type Value } from "./ir.ts";
import { inverse, swapped } from "./predicates.ts";

type Compare = Extract<Instruction, { kind: "compare" }>;

/** That `value predicate other` holds. */
interface Fact {
  readonly value: Value;
  readonly predicate: Predicate;
  readonly other: Value;
}

/** How deep a question may lead to others. */
const DEEPEST = 6;
/** How many branches back are remembered. */
const FARTHEST = 100;
/** How many block parameters a question may lead through. */
const MOST_ASKED = 4;

export class Ranges {
  private readonly definitions = new Map<Value, { instruction: Instruction | null; block: Block }>();
  /** What the branch that leads to a block has decided; it holds in all blocks that this one dominates. */
  private readonly facts = new Map<Block, readonly Fact[]>();
  /** Answers for block parameters, and those being looked for. */
  private readonly parameters = new Map<Value, Interval>();
  private readonly asked = new Set<Value>();
  private readonly dominators: Dominators;
  private readonly incoming: Map<Block, Incoming[]>;

  constructor(f: IrFunction) {
    this.dominators = new Dominators(f);
    this.incoming = incomingEdges(f);
    for (const block of f.blocks) {
      for (const parameter of block.parameters) this.definitions.set(parameter, { instruction: null, block });
      for (const instruction of block.instructions) {
        for (const result of instruction.results) this.definitions.set(result, { instruction, block });
      }
    }
    for (const block of this.dominators.order) {
      const ways = this.incoming.get(block)!;
      if (ways.length === 1) this.facts.set(block, this.decidedBy(ways[0]!));
    }
  }

  /** Whether the comparison always holds (true) or never (false) where it is used in this block; null if unknown. */
  decide(compare: Compare, block: Block): boolean | null {
    return this.decideFor(compare, this.at(compare.left, block), this.at(compare.right, block));
  }

  /** The same where control passes along an edge. */
  decideOn(compare: Compare, way: Incoming): boolean | null {
    return this.decideFor(compare, this.along(way, compare.left, 0), this.along(way, compare.right, 0));
  }

  private decideFor(compare: Compare, left: Interval, right: Interval): boolean | null {
    const bits = BITS[compare.left.type];
    if (intersect([left], satisfying(compare.predicate, right, bits)).length === 0) return false;
    if (intersect([left], satisfying(inverse(compare.predicate), right, bits)).length === 0) return true;
    return null;
  }

  /** The comparison that computes a value, if one does. */
  comparison(value: Value): Compare | null {
    const i = this.definitions.get(value)?.instruction;
    return i?.kind === "compare" ? i : null;
  }

  /** An interval that holds the value wherever it is used in this block. */
  at(value: Value, block: Block, depth = 0): Interval {
    const bits = BITS[value.type];
    const top = hull(everything(bits))!;
    if (depth > DEEPEST) return top;
    const computed = this.computed(value, block, depth);
    // A set that is empty belongs to code that is never reached.
    return hull(intersect([computed], this.decided(value, block, depth))) ?? computed;
  }

  /** What the branches on the way to a block say of a value. */
  private decided(value: Value, block: Block, depth: number): IntervalSet {
    const bits = BITS[value.type];
    let set = everything(bits);
    let at: Block | undefined = block;
    for (let steps = 0; at && steps < FARTHEST; steps++, at = this.dominators.parentOf(at)) {
      for (const fact of this.facts.get(at) ?? []) {
        if (fact.value !== value) continue;
        set = intersect(set, satisfying(fact.predicate, this.at(fact.other, at, depth + 1), bits));
      }
    }
    return set;
  }

  private computed(value: Value, block: Block, depth: number): Interval {
    const bits = BITS[value.type];
    const top = hull(everything(bits))!;
    const definition = this.definitions.get(value);
    const i = definition?.instruction;
    if (!definition) return top;
    if (!i) return this.parameter(value, definition.block);
    const of = (operand: Value): Interval => this.at(operand, block, depth + 1);
    switch (i.kind) {
      case "constant":
        return { low: i.value, high: i.value };
      case "zeroExtend":
        return of(i.operand);
      case "signExtend": {
        const operand = of(i.operand);
        return operand.high < 1n << BigInt(BITS[i.operand.type] - 1) ? operand : top;
      }
      case "truncate": {
        const operand = of(i.operand);
        return operand.high <= top.high ? operand : top;
      }
      case "select": {
        const [then, otherwise] = [of(i.then), of(i.otherwise)];
        return union(then, otherwise);
      }
      case "binary":
        return this.binary(i, of, top);
      default:
        return top;
    }
  }

  private binary(i: Extract<Instruction, { kind: "binary" }>, of: (value: Value) => Interval, top: Interval): Interval {
    const bits = BITS[i.left.type];
    const right = of(i.right);
    const exact = right.low === right.high ? right.low : null;
    switch (i.operation) {
      case "and": {
        const left = of(i.left);
        return { low: 0n, high: least(left.high, right.high) };
      }
      case "urem":
        return right.low > 0n ? { low: 0n, high: least(of(i.left).high, right.high - 1n) } : top;
      case "udiv":
        return right.low > 0n ? { low: of(i.left).low / right.high, high: of(i.left).high / right.low } : top;
      case "shr": {
        if (exact === null) return { low: 0n, high: of(i.left).high };
        const count = exact % BigInt(bits);
        return { low: of(i.left).low >> count, high: of(i.left).high >> count };
      }
      case "add": {
        const left = of(i.left);
        if (left.high + right.high <= top.high) return { low: left.low + right.low, high: left.high + right.high };
        // Adding a constant may go round as a whole: x - 1 for x ≥ 1.
        const moved = exact === null ? [] : shift(left, exact, bits);
        return moved.length === 1 ? moved[0]! : top;
      }
      case "sub": {
        const left = of(i.left);
        return left.low >= right.high ? { low: left.low - right.high, high: left.high - right.low } : top;
      }
      case "mul": {
        const left = of(i.left);
        return left.high * right.high <= top.high ? { low: left.low * right.low, high: left.high * right.high } : top;
      }
      case "shl": {
        if (exact === null) return top;
        const count = exact % BigInt(bits);
        const left = of(i.left);
        return left.high << count <= top.high ? { low: left.low << count, high: left.high << count } : top;
      }
      case "umulh": {
        const left = of(i.left);
        return { low: (left.low * right.low) >> 64n, high: (left.high * right.high) >> 64n };
      }
      default:
        return top;
    }
  }

  // ── Block parameters and loop counters ───────────────────────────────────────────────────────────────────────────

  private parameter(value: Value, block: Block): Interval {
    const top = hull(everything(BITS[value.type]))!;
    const ways = this.incoming.get(block)!;
    const known = this.parameters.get(value);
    if (known) return known;
    if (ways.length === 0 || this.asked.has(value) || this.asked.size >= MOST_ASKED) return top;
    this.asked.add(value);
    const at = block.parameters.indexOf(value);
    const isBack = ({ from }: Incoming): boolean => this.dominators.dominates(block, from);
    const backs = ways.filter(isBack);
    const range =
      backs.length > 0
        ? this.counter(
            value,
            at,
            ways.filter((way) => !isBack(way)),
            backs,
          )
        : ways.map((way) => this.along(way, way.edge.arguments[at]!, 0)).reduce(union);
    this.asked.delete(value);
    // Only a complete answer is kept: inside the question for another parameter this one was asked with less known.
    if (this.asked.size === 0) this.parameters.set(value, range);
    return range;
  }

  /** What a value can be when control passes along an edge. */
  private along(way: Incoming, value: Value, depth: number): Interval {
    const known = this.at(value, way.from, depth + 1);
    return hull(intersect([known], this.decidedOn(way, value, depth))) ?? known;
  }

  /** What the branch at the end of a block says of a value on one of its ways. */
  private decidedOn(way: Incoming, value: Value, depth: number): IntervalSet {
    const bits = BITS[value.type];
    let set = everything(bits);
    for (const fact of this.decidedBy(way)) {
      if (fact.value !== value) continue;
      set = intersect(set, satisfying(fact.predicate, this.at(fact.other, way.from, depth + 1), bits));
    }
    return set;
  }

  /**
   * A parameter of a loop header that steps by constants. A range is guessed from what the loop's tests say, and kept
   * if it holds at the start and every step from inside it leads back into it.
   */
  private counter(value: Value, at: number, entries: readonly Incoming[], backs: readonly Incoming[]): Interval {
    const bits = BITS[value.type];
    const top = hull(everything(bits))!;
    const start = entries.map((way) => this.along(way, way.edge.arguments[at]!, 0)).reduce(union);
    const steps = backs.map((way) => this.step(value, way, way.edge.arguments[at]!));
    const lows = new Set([start.low]);
    const highs = new Set([start.high]);
    for (const { by, before, after } of steps) {
      for (const { low, high } of after) {
        lows.add(low);
        highs.add(high);
      }
      if (by === null) continue;
      for (const { low, high } of before.flatMap((interval) => shift(interval, by, bits))) {
        lows.add(low);
        highs.add(high);
      }
    }
    const guesses = [...lows]
      .flatMap((low) => [...highs].map((high) => ({ low, high })))
      .filter(({ low, high }) => low <= start.low && high >= start.high)
      .sort((a, b) => (a.high - a.low < b.high - b.low ? -1 : 1));
    const holds = (guess: Interval): boolean =>
      steps.every(({ by, before, after }) => {
        const reached =
          by === null
            ? after
            : intersect([guess], before).flatMap((interval) => intersect(shift(interval, by, bits), after));
        return reached.every(({ low, high }) => low >= guess.low && high <= guess.high);
      });
    return guesses.find(holds) ?? top;
  }

  /** How a loop's counter comes round. */
  private step(value: Value, way: Incoming, argument: Value): Step {
    const known = (of: Value): IntervalSet => intersect(this.decidedOn(way, of, 0), this.decided(of, way.from, 0));
    const after = known(argument);
    if (argument === value) return { by: 0n, before: after, after };
    const i = this.definitions.get(argument)?.instruction;
    const by = i?.kind === "binary" && i.operation === "add" ? this.definitions.get(i.right)?.instruction : null;
    if (i?.kind !== "binary" || i.left !== value || by?.kind !== "constant") {
      return { by: null, before: everything(BITS[value.type]), after };
    }
    return { by: by.value, before: known(value), after };
  }

  // ── Comparisons that branches decide ─────────────────────────────────────────────────────────────────────────────

  /** What holds on one way out of a block, said of each side of the comparison. */
  private decidedBy({ from, edge }: Incoming): Fact[] {
    const { terminator } = from;
    if (terminator.kind !== "branch" || terminator.then.block === terminator.otherwise.block) return [];
    const compare = this.comparison(terminator.condition);
    if (!compare) return [];
    const predicate = terminator.then.block === edge.block ? compare.predicate : inverse(compare.predicate);
    return [
      { value: compare.left, predicate, other: compare.right },
      { value: compare.right, predicate: swapped(predicate), other: compare.left },
    ];
  }
}

interface Step {
  /** What is added; null where the next value is something else. */
  readonly by: bigint | null;
  /** What is known of the counter before the step. */
  readonly before: IntervalSet;
  /** What the edge back to the header says of it after the step. */
  readonly after: IntervalSet;
}

function union(a: Interval, b: Interval): Interval {
  return { low: least(a.low, b.low), high: greatest(a.high, b.high) };
}
