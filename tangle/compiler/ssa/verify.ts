/** Checks that a program in SSA form is well formed. A violation is a mistake in lowering or in a pass. */
import { Dominators } from "./flow.ts";
import { BITS, type Block, type Instruction, type IrFunction, type IrProgram, type Value } from "./ir.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";
import { printFunction, printInstruction } from "./print.ts";

/** Throws an error that names the function, what is wrong, and shows the function. */
export function verifyProgram(program: IrProgram): void {
  const signatures = new Map<string, IrFunction>();
  const symbols = new Set<string>(program.data.map((object) => object.symbol));
  for (const f of program.functions) {
    if (signatures.has(f.symbol) || symbols.has(f.symbol)) throw new Error(`symbol ${f.symbol} is defined twice`);
    signatures.set(f.symbol, f);
    symbols.add(f.symbol);
  }
  if (!signatures.has(program.entry)) throw new Error(`entry ${program.entry} does not exist`);
  for (const f of program.functions) new FunctionVerifier(f, signatures, symbols).verify();
  for (const object of program.data) {
    for (const { symbol, at } of object.relocations) {
      if (!symbols.has(symbol)) throw new Error(`data ${object.symbol}: relocation to ${symbol}, which does not exist`);
      if (at + 8 > object.bytes.length) throw new Error(`data ${object.symbol}: relocation at ${at} beyond its end`);
    }
  }
}

class FunctionVerifier {
  /** Where each value is defined: block, and position in it (-1 for parameters). */
  private readonly definitions = new Map<Value, { block: Block; at: number }>();
  private readonly dominators: Dominators;

  constructor(
    private readonly f: IrFunction,
    private readonly signatures: ReadonlyMap<string, IrFunction>,
    private readonly symbols: ReadonlySet<string>,
  ) {
    this.dominators = new Dominators(f);
  }

  verify(): void {
    const blocks = new Set(this.f.blocks);
    if (blocks.size !== this.f.blocks.length) this.fail("a block is listed twice");
    for (const block of this.f.blocks) {
      for (const parameter of block.parameters) this.define(parameter, block, -1);
      block.instructions.forEach((instruction, at) => {
        for (const result of instruction.results) this.define(result, block, at);
      });
    }
    const reachable = new Set(this.dominators.order);
    for (const block of this.f.blocks) {
      if (!reachable.has(block)) this.fail(`block b${block.id} cannot be reached`);
      block.instructions.forEach((instruction, at) => {
        for (const value of operands(instruction)) this.use(value, block, at);
        this.checkTypes(instruction);
      });
      this.checkTerminator(block, blocks);
    }
  }

  private define(value: Value, block: Block, at: number): void {
    if (this.definitions.has(value)) this.fail(`v${value.id} is defined twice`);
    if (value.id >= this.f.valueCount) this.fail(`v${value.id} does not belong to the function`);
    this.definitions.set(value, { block, at });
  }

  private use(value: Value, block: Block, at: number): void {
    const definition = this.definitions.get(value);
    if (!definition) this.fail(`v${value.id} is used in b${block.id} but never defined`);
    const before = definition.block === block ? definition.at < at : this.dominators.dominates(definition.block, block);
    if (!before) this.fail(`v${value.id} is used in b${block.id} where it is not yet defined`);
  }

  private checkTerminator(block: Block, blocks: ReadonlySet<Block>): void {
    const { terminator } = block;
    const end = block.instructions.length;
    for (const value of terminatorOperands(terminator)) this.use(value, block, end);
    for (const edge of edges(terminator)) {
      if (!blocks.has(edge.block)) this.fail(`b${block.id} leads to b${edge.block.id}, which is not in the function`);
      if (edge.block === this.f.blocks[0]) this.fail("the entry has a predecessor");
      for (const value of edge.arguments) this.use(value, block, end);
      if (!sameTypes(edge.arguments, edge.block.parameters)) {
        this.fail(`b${block.id} passes arguments to b${edge.block.id} that do not match its parameters`);
      }
    }
    if (terminator.kind === "branch" && terminator.condition.type !== "i1") this.fail("a branch condition is not i1");
    if (terminator.kind === "return") {
      const types = terminator.values.map((value) => value.type);
      if (types.join() !== this.f.results.join()) this.fail(`b${block.id} returns values of the wrong types`);
    }
    if (terminator.kind === "switch") {
      const values = new Set(terminator.cases.map((c) => c.value));
      if (values.size !== terminator.cases.length) this.fail(`a switch in b${block.id} has a case twice`);
    }
  }

  private checkTypes(i: Instruction): void {
    const result = i.results[0]?.type;
    const one = i.results.length === 1;
    switch (i.kind) {
      case "constant":
        this.require(one && i.value >= 0n && i.value < 1n << BigInt(BITS[result!]), i);
        break;
      case "symbol":
        this.require(one && result === "i64", i);
        if (!this.symbols.has(i.symbol)) this.fail(`symbol ${i.symbol} does not exist`);
        break;
      case "slot":
        this.require(one && result === "i64", i);
        break;
      case "binary":
        this.require(one && i.left.type === i.right.type && result === i.left.type, i);
        if (i.operation === "umulh" || i.operation === "smulh") this.require(result === "i64", i);
        break;
      case "compare":
        this.require(one && i.left.type === i.right.type && result === "i1", i);
        break;
      case "negate":
      case "complement":
        this.require(one && result === i.operand.type, i);
        break;
      case "select":
        this.require(one && i.condition.type === "i1" && i.then.type === result && i.otherwise.type === result, i);
        break;
      case "zeroExtend":
      case "signExtend":
        this.require(one && BITS[result!] > BITS[i.operand.type], i);
        break;
      case "truncate":
        this.require(one && BITS[result!] < BITS[i.operand.type], i);
        break;
      case "load":
        this.require(one && i.address.type === "i64", i);
        break;
      case "store":
        this.require(i.results.length === 0 && i.address.type === "i64", i);
        break;
      case "call": {
        const target = this.signatures.get(i.symbol);
        if (!target) this.fail(`function ${i.symbol} does not exist`);
        this.require(sameTypes(i.arguments, target.blocks[0]!.parameters), i);
        this.require(i.results.map((value) => value.type).join() === target.results.join(), i);
        break;
      }
      case "callIndirect":
        this.require(i.callee.type === "i64", i);
        break;
      case "asm":
        this.require(i.inputs.length === i.operands.length, i);
        this.require(i.results.length === i.operands.filter((operand) => operand.mode !== "in").length, i);
        break;
      case "intrinsic":
        break;
    }
  }

  private require(holds: boolean, instruction: Instruction): void {
    if (!holds) this.fail(`types do not fit in: ${printInstruction(instruction)}`);
  }

  private fail(message: string): never {
    throw new Error(`${this.f.symbol}: ${message}\n${printFunction(this.f)}`);
  }
}

function sameTypes(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, i) => value.type === b[i]!.type);
}
