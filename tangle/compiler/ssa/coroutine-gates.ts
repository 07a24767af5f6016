/** The points where a coroutine can stop, and how values are kept from living across them without need. */
import type { Liveness } from "./coroutine-liveness.ts";
import { reversePostorder } from "./flow.ts";
import type { Block, Edge, Instruction, IrFunction, Value } from "./ir.ts";
import { operands, terminatorOperands, withEdges, withOperands, withTerminatorOperands } from "./operands.ts";

type Resume = Extract<Instruction, { kind: "intrinsic" }>;

/** A block that begins with `resume`. Its number is the state of a frame that waits there. */
export interface Gate {
  readonly state: number;
  readonly block: Block;
}

export function resumeOf(gate: Gate): Resume {
  return gate.block.instructions[0] as Resume;
}

export function isResume(i: Instruction | undefined): i is Resume {
  return i?.kind === "intrinsic" && i.name === "resume";
}

/** Gives each `resume` a block of its own to begin with, other than the entry; the gates in reverse postorder. */
export function findGates(f: IrFunction): Gate[] {
  for (let at = 0; at < f.blocks.length; at++) {
    const block = f.blocks[at]!;
    const first = block.instructions.findIndex(isResume);
    if (first < 0 || (first === 0 && at > 0 && !block.instructions.slice(1).some(isResume))) continue;
    const cut = first === 0 && at > 0 ? 1 + block.instructions.slice(1).findIndex(isResume) : first;
    const rest = f.block();
    rest.cold = block.cold;
    rest.instructions = block.instructions.splice(cut);
    rest.terminator = block.terminator;
    block.terminator = { kind: "jump", to: { block: rest, arguments: [] }, place: block.terminator.place };
    f.blocks.splice(at + 1, 0, rest);
  }
  return reversePostorder(f)
    .filter((block) => isResume(block.instructions[0]))
    .map((block, state) => ({ state, block }));
}

/** Where and how the values of a function are computed. */
class Definitions {
  readonly of = new Map<Value, Instruction>();
  readonly block = new Map<Value, Block>();

  constructor(f: IrFunction) {
    for (const block of f.blocks) {
      for (const parameter of block.parameters) this.block.set(parameter, block);
      for (const i of block.instructions) {
        for (const result of i.results) {
          this.of.set(result, i);
          this.block.set(result, block);
        }
      }
    }
  }
}

/**
 * What is as cheap to compute as to load is computed anew in each block that uses it, where it would live across a gate.
 * Says whether there was something.
 */
export function localize(f: IrFunction, liveness: Liveness): boolean {
  const definitions = new Definitions(f);
  const cheap = new Set<Value>();
  for (const value of liveness.across) {
    const i = definitions.of.get(value);
    if (i && isCheap(i, value, liveness, definitions)) cheap.add(value);
  }
  if (cheap.size === 0) return false;
  for (const block of f.blocks) new Localizing(f, block, cheap, definitions).run();
  return true;
}

function isCheap(i: Instruction, value: Value, liveness: Liveness, definitions: Definitions): boolean {
  switch (i.kind) {
    case "constant":
    case "symbol":
    case "slot":
    case "zeroExtend":
    case "signExtend":
      return true;
    case "binary": {
      if (!["add", "sub", "and", "or", "xor", "shl", "shr", "sar"].includes(i.operation)) return false;
      const parts = [i.left, i.right].filter((part) => !isAddress(part, definitions));
      // Where the other operand is kept anyway, nothing more needs to be.
      return parts.every((part) => liveness.isAcrossWherever(value, part));
    }
    default:
      return false;
  }
}

function isAddress(value: Value, definitions: Definitions): boolean {
  const kind = definitions.of.get(value)?.kind;
  return kind === "constant" || kind === "symbol" || kind === "slot";
}

/** Puts copies of cheap computations into one block, in place of values from other blocks. */
class Localizing {
  private readonly copies = new Map<Value, Value>();
  private readonly made: Instruction[] = [];

  constructor(
    private readonly f: IrFunction,
    private readonly block: Block,
    private readonly cheap: ReadonlySet<Value>,
    private readonly definitions: Definitions,
  ) {}

  run(): void {
    const { block } = this;
    const gate = isResume(block.instructions[0]) ? 1 : 0;
    block.instructions = block.instructions.map((i) =>
      !isResume(i) && operands(i).some(this.isForeign) ? withOperands(i, this.replace) : i,
    );
    if (terminatorOperands(block.terminator).some(this.isForeign)) {
      block.terminator = withTerminatorOperands(block.terminator, this.replace);
    }
    block.terminator = withEdges(
      block.terminator,
      (edge): Edge =>
        edge.arguments.some(this.isForeign) ? { ...edge, arguments: edge.arguments.map(this.replace) } : edge,
    );
    block.instructions.splice(gate, 0, ...this.made);
  }

  private readonly isForeign = (value: Value): boolean =>
    this.cheap.has(value) && this.definitions.block.get(value) !== this.block;

  private readonly replace = (value: Value): Value => {
    if (!this.isForeign(value)) return value;
    const known = this.copies.get(value);
    if (known) return known;
    const i = withOperands(this.definitions.of.get(value)!, this.replace);
    const copy = this.f.value(value.type);
    copy.name = value.name;
    this.copies.set(value, copy);
    this.made.push({ ...i, results: [copy] });
    return copy;
  };
}
