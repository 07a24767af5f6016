/** Puts the bodies of functions where they are called. Which calls are worth it is decided in inline-policy.ts. */
import { removeUnreachable } from "./flow.ts";
import {
  type Block,
  type Edge,
  type FrameSlot,
  type Instruction,
  IrFunction,
  type Terminator,
  type Value,
} from "./ir.ts";
import { withEdges, withOperands, withTerminatorOperands } from "./operands.ts";
import { Replacements } from "./replace.ts";

type Call = Extract<Instruction, { kind: "call" }>;

/** Replaces each call for which `choose` names a callee by a copy of its body; says whether there was one. */
export function inlineCalls(f: IrFunction, choose: (call: Call, block: Block) => IrFunction | null): boolean {
  const results = new Replacements();
  const blocks: Block[] = [];
  let inlined = false;
  for (const first of f.blocks) {
    let block = first;
    const waiting = first.instructions;
    const terminator = first.terminator;
    first.instructions = [];
    blocks.push(block);
    for (const instruction of waiting) {
      const callee = instruction.kind === "call" ? choose(instruction, block) : null;
      if (!callee || instruction.kind !== "call") {
        block.instructions.push(instruction);
        continue;
      }
      inlined = true;
      const rest = f.block();
      rest.cold = block.cold;
      rest.parameters = instruction.results.map((result) => f.value(result.type));
      instruction.results.forEach((result, i) => {
        results.set(result, rest.parameters[i]!);
      });
      blocks.push(...new Copy(f, callee, block, rest).insert(instruction.arguments), rest);
      block = rest;
    }
    block.terminator = terminator;
  }
  if (!inlined) return false;
  f.blocks = blocks;
  results.apply(f);
  removeUnreachable(f);
  return true;
}

/** Puts a recursive function's body where it calls itself; the calls in that copy stay. */
export function inlineItself(f: IrFunction): boolean {
  const original = copyOf(f);
  return inlineCalls(f, (call) => (call.symbol === f.symbol ? original : null));
}

function copyOf(f: IrFunction): IrFunction {
  const copy = new IrFunction(f.symbol, f.results, f.convention, f.inline, f.place);
  const entry = copy.block();
  entry.parameters = f.blocks[0]!.parameters.map((parameter) => copy.value(parameter.type));
  copy.blocks = [entry, ...copyInto(copy, f, entry, entry.parameters)];
  return copy;
}

/** Goes on at the end of `entry` with a copy of the callee's body, whose returns stay; gives the copy's other blocks. */
export function copyInto(f: IrFunction, callee: IrFunction, entry: Block, args: readonly Value[]): Block[] {
  return new Copy(f, callee, entry, null).insert(args);
}

/** A copy of a function's body inside another function. */
class Copy {
  private readonly values = new Map<Value, Value>();
  private readonly blocks = new Map<Block, Block>();
  private readonly slots = new Map<FrameSlot, FrameSlot>();

  constructor(
    private readonly f: IrFunction,
    private readonly callee: IrFunction,
    /** Where the call stood; the callee's entry goes on at its end. */
    private readonly before: Block,
    /** Where the callee returns to; null where its returns stay. */
    private readonly after: Block | null,
  ) {}

  /** Gives the new blocks. */
  insert(args: readonly Value[]): Block[] {
    const [entry, ...others] = this.callee.blocks;
    entry!.parameters.forEach((parameter, i) => {
      this.values.set(parameter, args[i]!);
    });
    for (const block of others) {
      const copy = this.f.block();
      copy.cold = block.cold || this.before.cold;
      copy.parameters = block.parameters.map(this.define);
      this.blocks.set(block, copy);
    }
    // Values first: a block may use what a block further down in the list defines.
    for (const block of this.callee.blocks) {
      for (const instruction of block.instructions) instruction.results.forEach(this.define);
    }
    this.fill(entry!, this.before);
    for (const block of others) this.fill(block, this.blocks.get(block)!);
    return [...this.blocks.values()];
  }

  private fill(source: Block, target: Block): void {
    for (const instruction of source.instructions) target.instructions.push(this.instruction(instruction));
    target.terminator = this.terminator(source.terminator);
  }

  private readonly define = (value: Value): Value => {
    const copy = this.f.value(value.type);
    this.values.set(value, copy);
    return copy;
  };

  private readonly use = (value: Value): Value => this.values.get(value)!;

  private instruction(instruction: Instruction): Instruction {
    const copy = { ...withOperands(instruction, this.use), results: instruction.results.map(this.use) };
    return copy.kind === "slot" ? { ...copy, slot: this.slot(copy.slot) } : copy;
  }

  private slot(slot: FrameSlot): FrameSlot {
    const copy = this.slots.get(slot) ?? { ...slot };
    this.slots.set(slot, copy);
    return copy;
  }

  private terminator(terminator: Terminator): Terminator {
    if (terminator.kind === "return" && this.after) {
      const to: Edge = { block: this.after, arguments: terminator.values.map(this.use) };
      return { kind: "jump", to, place: terminator.place };
    }
    const copy = withTerminatorOperands(terminator, this.use);
    return withEdges(copy, (edge) => ({ block: this.blocks.get(edge.block)!, arguments: edge.arguments }));
  }
}
