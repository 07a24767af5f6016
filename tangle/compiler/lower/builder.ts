/**
 * Builds one function in SSA form while its statements are walked, by the method of Braun et al., "Simple and Efficient
 * Construction of Static Single Assignment Form" (2013): a block asks its predecessors for a variable's value when it needs it.
 */
import type { Place } from "../../place.ts";
import {
  BITS,
  type BinaryOperation,
  type Block,
  type Edge,
  type FrameSlot,
  type Instruction,
  IrFunction,
  type Path,
  type Predicate,
  type Terminator,
  type Value,
  type ValueType,
} from "../ssa/ir.ts";
import { edges } from "../ssa/operands.ts";
import { removeTrivialParameters } from "../ssa/parameters.ts";
import type { IntrinsicName } from "../tree.ts";

/** Something with one value at a time: a register local, half of a fat one, or an intermediate result of two branches. */
export class Variable {
  constructor(
    readonly type: ValueType,
    /** As it is written in the source; values remember it for reports. */
    readonly name: string | null = null,
  ) {}
}

interface GrowingEdge extends Edge {
  readonly arguments: Value[];
}

interface BlockState {
  readonly incoming: GrowingEdge[];
  readonly predecessors: Block[];
  /** The values that variables have at the end of the block as built so far. */
  readonly values: Map<Variable, Value>;
  /** Variables whose parameter waits for the block's other predecessors, in order of parameters. */
  readonly incomplete: Variable[];
  /** Whether all predecessors are known. */
  sealed: boolean;
}

export class FunctionBuilder {
  readonly function: IrFunction;
  readonly entry: Block;
  /** The block that instructions go to. After a terminator it is a block that nothing reaches. */
  current: Block;
  /** The place that new instructions carry. */
  place: Place | null;
  private readonly states = new Map<Block, BlockState>();

  constructor(
    symbol: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    convention: IrFunction["convention"],
    inline: IrFunction["inline"],
    place: Place | null,
  ) {
    this.function = new IrFunction(symbol, results, convention, inline, place);
    this.place = place;
    this.entry = this.newBlock();
    this.entry.parameters = parameters.map((type) => this.function.value(type));
    this.state(this.entry).sealed = true;
    this.current = this.entry;
    this.function.blocks.push(this.entry);
  }

  // ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

  newBlock(): Block {
    const block = this.function.block();
    this.states.set(block, { incoming: [], predecessors: [], values: new Map(), incomplete: [], sealed: false });
    return block;
  }

  /** Instructions go to this block from now on. Seal it as soon as all jumps to it are made. */
  begin(block: Block): void {
    this.function.blocks.push(block);
    this.current = block;
  }

  /** Begins a block whose predecessors are all known. */
  beginSealed(block: Block): void {
    this.seal(block);
    this.begin(block);
  }

  /** All jumps to the block have been made. */
  seal(block: Block): void {
    const state = this.state(block);
    for (const variable of state.incomplete) this.addArguments(block, variable);
    state.incomplete.length = 0;
    state.sealed = true;
  }

  /** Whether nothing can reach the current block. */
  get dead(): boolean {
    const state = this.state(this.current);
    return this.current !== this.entry && state.sealed && state.predecessors.length === 0;
  }

  // ── Variables ────────────────────────────────────────────────────────────────────────────────────────────────────

  write(variable: Variable, value: Value): void {
    value.name ??= variable.name;
    this.state(this.current).values.set(variable, value);
  }

  read(variable: Variable): Value {
    return this.readIn(this.current, variable);
  }

  private readIn(block: Block, variable: Variable): Value {
    // Chains of blocks can be long, so they are walked, not recursed into.
    const chain: Block[] = [];
    let at = block;
    let value = this.state(at).values.get(variable);
    while (!value && this.hasOnlyPredecessor(at)) {
      chain.push(at);
      at = this.state(at).predecessors[0]!;
      value = this.state(at).values.get(variable);
    }
    const found = value ?? this.define(at, variable);
    for (const passed of chain) this.state(passed).values.set(variable, found);
    return found;
  }

  private hasOnlyPredecessor(block: Block): boolean {
    const { sealed, predecessors } = this.state(block);
    return sealed && predecessors.length === 1;
  }

  /** The value of a variable at the start of a block that several ways lead to, perhaps not all known yet, or none. */
  private define(block: Block, variable: Variable): Value {
    const state = this.state(block);
    if (state.sealed && state.predecessors.length === 0) {
      // Nothing was written on the way here: kernel TypeScript has no undefined values, so it is zero.
      const zero = this.function.value(variable.type);
      block.instructions.unshift({ kind: "constant", value: 0n, results: [zero], place: this.function.place });
      state.values.set(variable, zero);
      return zero;
    }
    const parameter = this.addParameter(block, variable.type);
    parameter.name = variable.name;
    state.values.set(variable, parameter);
    if (state.sealed) this.addArguments(block, variable);
    else state.incomplete.push(variable);
    return parameter;
  }

  private addParameter(block: Block, type: ValueType): Value {
    const value = this.function.value(type);
    block.parameters.push(value);
    return value;
  }

  /** Passes the variable's value along all edges into the block, for the parameter that comes next. */
  private addArguments(block: Block, variable: Variable): void {
    const { incoming, predecessors } = this.state(block);
    predecessors.forEach((predecessor, i) => {
      incoming[i]!.arguments.push(this.readIn(predecessor, variable));
    });
  }

  private state(block: Block): BlockState {
    return this.states.get(block)!;
  }

  // ── Terminators: each leaves `current` on a block that nothing reaches ─────────────────────────────────────────────

  jump(to: Block): void {
    this.terminate({ kind: "jump", to: this.edge(to), place: this.place });
  }

  branch(condition: Value, then: Block, otherwise: Block): void {
    this.terminate({
      kind: "branch",
      condition,
      then: this.edge(then),
      otherwise: this.edge(otherwise),
      place: this.place,
    });
  }

  switch(subject: Value, cases: readonly { readonly value: bigint; readonly to: Block }[], otherwise: Block): void {
    this.terminate({
      kind: "switch",
      subject,
      cases: cases.map(({ value, to }) => ({ value, to: this.edge(to) })),
      otherwise: this.edge(otherwise),
      place: this.place,
    });
  }

  return(values: readonly Value[]): void {
    this.terminate({ kind: "return", values, place: this.place });
  }

  unreachable(): void {
    this.terminate({ kind: "unreachable", place: this.place });
  }

  private edge(to: Block): GrowingEdge {
    const edge: GrowingEdge = { block: to, arguments: [] };
    if (this.dead) return edge;
    const state = this.state(to);
    state.incoming.push(edge);
    state.predecessors.push(this.current);
    return edge;
  }

  private terminate(terminator: Terminator): void {
    this.current.terminator = terminator;
    const next = this.newBlock();
    this.state(next).sealed = true;
    this.begin(next);
  }

  // ── Instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

  constant(type: ValueType, value: bigint): Value {
    return this.one(type, (results) => ({
      kind: "constant",
      value: BigInt.asUintN(BITS[type], value),
      results,
      place: this.place,
    }));
  }

  symbol(symbol: string, offset = 0): Value {
    return this.one("i64", (results) => ({ kind: "symbol", symbol, offset, results, place: this.place }));
  }

  slot(slot: FrameSlot): Value {
    return this.one("i64", (results) => ({ kind: "slot", slot, results, place: this.place }));
  }

  binary(operation: BinaryOperation, left: Value, right: Value): Value {
    return this.one(left.type, (results) => ({ kind: "binary", operation, left, right, results, place: this.place }));
  }

  unary(kind: "negate" | "complement", operand: Value): Value {
    return this.one(operand.type, (results) => ({ kind, operand, results, place: this.place }));
  }

  compare(predicate: Predicate, left: Value, right: Value): Value {
    return this.one("i1", (results) => ({ kind: "compare", predicate, left, right, results, place: this.place }));
  }

  /** Truncates, or extends by the sign of the source. */
  convert(operand: Value, type: ValueType, signed: boolean): Value {
    if (operand.type === type) return operand;
    const kind = BITS[type] < BITS[operand.type] ? "truncate" : signed ? "signExtend" : "zeroExtend";
    return this.one(type, (results) => ({ kind, operand, results, place: this.place }));
  }

  load(type: ValueType, address: Value, offset: number, path: Path = []): Value {
    const { place } = this;
    return this.one(type, (results) => ({ kind: "load", address, offset, volatile: false, path, results, place }));
  }

  store(address: Value, offset: number, value: Value, path: Path = []): void {
    this.emit({ kind: "store", address, offset, value, volatile: false, path, results: [], place: this.place });
  }

  volatileLoad(type: ValueType, address: Value): Value {
    const { place } = this;
    return this.one(type, (results) => ({ kind: "load", address, offset: 0, volatile: true, results, place }));
  }

  volatileStore(address: Value, value: Value): void {
    this.emit({ kind: "store", address, offset: 0, value, volatile: true, results: [], place: this.place });
  }

  call(symbol: string, args: readonly Value[], types: readonly ValueType[]): Value[] {
    const results = types.map((type) => this.function.value(type));
    this.emit({ kind: "call", symbol, arguments: args, results, place: this.place });
    return results;
  }

  callIndirect(callee: Value, args: readonly Value[], types: readonly ValueType[]): Value[] {
    const results = types.map((type) => this.function.value(type));
    this.emit({ kind: "callIndirect", callee, arguments: args, results, place: this.place });
    return results;
  }

  intrinsic(name: IntrinsicName, args: readonly Value[], types: readonly ValueType[]): Value[] {
    const results = types.map((type) => this.function.value(type));
    this.emit({ kind: "intrinsic", name, arguments: args, results, place: this.place });
    return results;
  }

  emit(instruction: Instruction): void {
    this.current.instructions.push(instruction);
  }

  private one(type: ValueType, make: (results: readonly Value[]) => Instruction): Value {
    const value = this.function.value(type);
    this.emit(make([value]));
    return value;
  }

  /** Drops the blocks that nothing reaches, and parameters that turned out to be one value. */
  finish(): IrFunction {
    const reached = new Set<Block>([this.entry]);
    for (const block of reached) for (const edge of edges(block.terminator)) reached.add(edge.block);
    this.function.blocks = this.function.blocks.filter((block) => reached.has(block));
    removeTrivialParameters(this.function);
    return this.function;
  }
}
