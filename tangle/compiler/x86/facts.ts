/** What instruction selection asks about the values of a function: where defined, how often used, which upper bits are zero. */
import type { Block, Instruction, IrFunction, Value, ValueType } from "../ssa/ir.ts";
import { edges, operands, terminatorOperands } from "../ssa/operands.ts";

/** Where a value is defined by an instruction. */
export interface Definition {
  readonly instruction: Instruction;
  readonly block: Block;
  /** Index in the block. */
  readonly index: number;
}

/** Bits of a value; bools count as bytes. */
export function widthOf(type: ValueType): 8 | 16 | 32 | 64 {
  switch (type) {
    case "i64":
      return 64;
    case "i32":
      return 32;
    case "i16":
      return 16;
    default:
      return 8;
  }
}

/** True where an instruction may be left out when nothing uses its results. */
export function isPure(instruction: Instruction): boolean {
  switch (instruction.kind) {
    case "store":
    case "call":
    case "callIndirect":
    case "intrinsic":
    case "asm":
      return false;
    case "load":
      return !instruction.volatile;
    default:
      return true;
  }
}

export class Facts {
  /** Reverse postorder of the reachable blocks. */
  readonly order: readonly Block[];
  private readonly definitions: (Definition | null)[];
  private readonly uses: Int32Array;
  private readonly addressUses: Int32Array;
  private readonly zeroExtended: Uint8Array;
  /** For each block, how many instructions with side effects come before each index. */
  private readonly epochs = new Map<Block, Int32Array>();

  constructor(fn: IrFunction) {
    this.order = reversePostorder(fn.blocks[0]!);
    this.definitions = new Array<Definition | null>(fn.valueCount).fill(null);
    this.uses = new Int32Array(fn.valueCount);
    this.addressUses = new Int32Array(fn.valueCount);
    this.zeroExtended = new Uint8Array(fn.valueCount);
    for (const block of this.order) this.count(block);
    this.findZeroExtended();
  }

  definition(value: Value): Definition | null {
    return this.definitions[value.id]!;
  }

  useCount(value: Value): number {
    return this.uses[value.id]!;
  }

  /** True where every use of the value is as the address of a memory access. */
  onlyAddress(value: Value): boolean {
    return this.uses[value.id] === this.addressUses[value.id];
  }

  /** True where the register holding this value has zeros above the value's width. */
  isZeroExtended(value: Value): boolean {
    return this.zeroExtended[value.id] === 1;
  }

  /** True where memory is the same at both indexes of a block. */
  sameMemory(block: Block, from: number, to: number): boolean {
    const epochs = this.epochs.get(block)!;
    return epochs[from] === epochs[to];
  }

  /**
   * The value whose register also holds this one: cutting changes no bits below the cut, and extending with zeros
   * changes nothing where zeros are there already.
   */
  root(value: Value): Value {
    const instruction = this.definitions[value.id]?.instruction;
    if (instruction === undefined) return value;
    if (instruction.kind === "truncate" && value.type !== "i1") return this.root(instruction.operand);
    if (instruction.kind === "zeroExtend" && this.isZeroExtended(instruction.operand))
      return this.root(instruction.operand);
    return value;
  }

  private count(block: Block): void {
    const epochs = new Int32Array(block.instructions.length + 1);
    let epoch = 0;
    const use = (value: Value) => {
      this.uses[value.id]!++;
    };
    block.instructions.forEach((instruction, index) => {
      epochs[index] = epoch;
      if (!isPure(instruction)) epoch++;
      for (const result of instruction.results) this.definitions[result.id] = { instruction, block, index };
      for (const operand of operands(instruction)) use(operand);
      const address = addressOperand(instruction);
      if (address !== null) this.addressUses[address.id]!++;
    });
    epochs[block.instructions.length] = epoch;
    this.epochs.set(block, epochs);
    for (const value of terminatorOperands(block.terminator)) use(value);
    for (const edge of edges(block.terminator)) for (const value of edge.arguments) use(value);
  }

  /** Starts from "all block parameters are" and takes back what an edge contradicts. */
  private findZeroExtended(): void {
    const table = this.zeroExtended;
    const entry = this.order[0]!;
    for (const block of this.order) {
      if (block === entry) continue;
      for (const parameter of block.parameters) table[parameter.id] = 1;
    }
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of this.order) {
        for (const instruction of block.instructions) {
          for (const result of instruction.results) {
            table[result.id] = this.extendsWithZeros(instruction, result.type) ? 1 : 0;
          }
        }
        for (const edge of edges(block.terminator)) {
          edge.arguments.forEach((argument, i) => {
            const parameter = edge.block.parameters[i]!;
            if (table[parameter.id] === 1 && table[argument.id] === 0) {
              table[parameter.id] = 0;
              changed = true;
            }
          });
        }
      }
    }
  }

  /** Mirrors what selection emits: 32-bit instructions clear the upper half of their destination. */
  private extendsWithZeros(instruction: Instruction, type: ValueType): boolean {
    const zero = (value: Value) => this.zeroExtended[value.id] === 1;
    switch (instruction.kind) {
      case "constant":
      case "compare":
      case "load":
      case "zeroExtend":
        return true;
      case "truncate":
        return type === "i1";
      case "symbol":
      case "slot":
        return true;
      case "binary":
        if (type === "i64" || type === "i32") return true;
        switch (instruction.operation) {
          case "and":
            return zero(instruction.left) || zero(instruction.right);
          case "or":
          case "xor":
            return zero(instruction.left) && zero(instruction.right);
          case "shr":
          case "udiv":
          case "urem":
            return true;
          default:
            return false;
        }
      case "negate":
      case "complement":
      case "signExtend":
        return type === "i64" || type === "i32";
      case "select":
        return type === "i64" || type === "i32" || (zero(instruction.then) && zero(instruction.otherwise));
      default:
        return type === "i64";
    }
  }
}

/** The value that is only used to address memory by this instruction, or null. */
function addressOperand(instruction: Instruction): Value | null {
  if (instruction.kind === "load" || instruction.kind === "store") return instruction.address;
  if (instruction.kind === "intrinsic" && instruction.name.startsWith("atomic")) return instruction.arguments[0]!;
  return null;
}

/** Blocks reachable from `entry`, each before its successors but for back edges. */
function reversePostorder(entry: Block): Block[] {
  const seen = new Set<Block>([entry]);
  const postorder: Block[] = [];
  const stack: { block: Block; next: Block[] }[] = [{ block: entry, next: successors(entry) }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const block = top.next.pop();
    if (block === undefined) {
      postorder.push(top.block);
      stack.pop();
    } else if (!seen.has(block)) {
      seen.add(block);
      stack.push({ block, next: successors(block) });
    }
  }
  return postorder.reverse();
}

function successors(block: Block): Block[] {
  return edges(block.terminator).map((edge) => edge.block);
}
