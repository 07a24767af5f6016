/**
 * The state of instruction selection for one function.
 *
 * Selection goes backwards: blocks in postorder, instructions last to first. When an instruction is reached, everything
 * that uses it has been lowered already, so it is known whether its result is wanted at all or was folded into its users.
 */
import type { Place } from "../../place.ts";
import type { Block, FrameSlot, Instruction, IrFunction, Value, ValueType } from "../ssa/ir.ts";
import { Facts, widthOf } from "./facts.ts";
import {
  type Extras,
  type FrameObject,
  ImmediateOperand,
  type MachineBlock,
  MachineFunction,
  MachineInstruction,
  MemoryOperand,
  type Operand,
  RegisterOperand,
  SymbolOperand,
  type Width,
} from "./machine.ts";
import { NONE, type Register } from "./registers.ts";

/** Fits an immediate that the processor sign-extends from 32 bits. */
export function fitsSigned32(value: bigint): boolean {
  return value >= -0x8000_0000n && value <= 0x7fff_ffffn;
}

/** Operations on less than 32 bits are done on 32: the low bits come out the same. */
export function operationWidth(type: ValueType): 32 | 64 {
  return type === "i64" ? 64 : 32;
}

export class Selection {
  readonly facts: Facts;
  readonly machine: MachineFunction;
  /** The IR block being lowered, and the index of the instruction in it. */
  block!: Block;
  position = 0;
  place: Place | null = null;
  /** Where machine instructions go, last one first. */
  private reversed: MachineInstruction[] = [];
  /** Machine instructions of the IR instruction being lowered, in order. */
  private pending: MachineInstruction[] = [];
  /** The block that the instructions belong to. */
  current!: MachineBlock;
  private readonly heads = new Map<Block, MachineBlock>();
  private readonly registers: Int32Array;
  private readonly needed: Uint8Array;
  private readonly slots = new Map<FrameSlot, FrameObject>();
  /** Bools whose only user reads the flags that their instruction leaves: no register is to be set. */
  readonly inFlags = new Set<Value>();

  constructor(readonly fn: IrFunction) {
    const { convention } = fn;
    if (convention === "coroutine") throw new Error(`${fn.symbol} was not split`);
    this.facts = new Facts(fn);
    this.machine = new MachineFunction(fn.symbol, convention, fn.place);
    this.registers = new Int32Array(fn.valueCount).fill(NONE);
    this.needed = new Uint8Array(fn.valueCount);
    for (const block of this.facts.order) this.heads.set(block, this.newBlock(block.cold));
  }

  /** The machine block where an IR block begins. */
  head(block: Block): MachineBlock {
    return this.heads.get(block)!;
  }

  newBlock(cold: boolean): MachineBlock {
    const made = this.machine.block(cold);
    this.machine.blocks.push(made);
    return made;
  }

  begin(block: Block): void {
    this.block = block;
    this.current = this.head(block);
    this.reversed = [];
  }

  /** Appends what was emitted since the last call before everything lowered so far. */
  flush(): void {
    for (let i = this.pending.length - 1; i >= 0; i--) this.reversed.push(this.pending[i]!);
    this.pending = [];
  }

  finish(): void {
    this.current.instructions = this.reversed.reverse();
    this.reversed = [];
  }

  /**
   * Splits the current block here: what has been lowered so far moves, with the terminator, to a new block, which is
   * returned. The caller gives the current block a new terminator.
   */
  split(): MachineBlock {
    const rest = this.newBlock(this.current.cold);
    rest.terminator = this.current.terminator;
    rest.instructions = this.reversed.reverse();
    this.reversed = [];
    return rest;
  }

  /** Runs `body`, and gives the instructions that it emitted instead of adding them to the current block. */
  capture(body: () => void): MachineInstruction[] {
    const outer = this.pending;
    this.pending = [];
    body();
    const captured = this.pending;
    this.pending = outer;
    return captured;
  }

  emit(mnemonic: string, operands: Operand[], extras: Extras | null = null): void {
    this.pending.push(new MachineInstruction(mnemonic, operands, this.place, extras));
  }

  copy(to: Register, from: Register, width: Width): void {
    this.emit("copy", [
      new RegisterOperand(to, width === 64 ? 64 : 32),
      new RegisterOperand(from, width === 64 ? 64 : 32),
    ]);
  }

  /** A register set to a constant, with zeros above 32 bits where it fits. */
  constant(to: Register, value: bigint): void {
    const width = value >= 0n && value <= 0xffff_ffffn ? 32 : 64;
    this.emit("mov", [new RegisterOperand(to, width), new ImmediateOperand(value, width)]);
  }

  /** True where an instruction with results must be lowered for somebody's sake. */
  isNeeded(instruction: Instruction): boolean {
    return instruction.results.some((result) => this.needed[result.id] === 1);
  }

  need(value: Value): void {
    this.needed[value.id] = 1;
  }

  /** The register where a value is defined; the same at each call. */
  result(value: Value): Register {
    let register = this.registers[value.id]!;
    if (register === NONE) {
      register = this.machine.register();
      this.registers[value.id] = register;
    }
    return register;
  }

  /** The number behind a value, unsigned in its type, or null. */
  constantOf(value: Value): bigint | null {
    const instruction = this.facts.definition(value)?.instruction;
    return instruction?.kind === "constant" ? instruction.value : null;
  }

  /** True for values that never live in a register between their uses: constants and addresses. */
  isMadeAnew(value: Value): boolean {
    const kind = this.facts.definition(this.facts.root(value))?.instruction.kind;
    return kind === "constant" || kind === "symbol" || kind === "slot";
  }

  /** A register that holds the value here. Constants and addresses are made anew at each use. */
  register(value: Value): Register {
    const root = this.facts.root(value);
    const instruction = this.facts.definition(root)?.instruction;
    switch (instruction?.kind) {
      case "constant":
      case "symbol":
      case "slot": {
        const register = this.machine.register();
        this.materialise(register, instruction);
        return register;
      }
      default:
        this.needed[root.id] = 1;
        return this.result(root);
    }
  }

  /** Puts a value into a given register. */
  moveTo(to: Register, value: Value): void {
    const root = this.facts.root(value);
    const instruction = this.facts.definition(root)?.instruction;
    switch (instruction?.kind) {
      case "constant":
      case "symbol":
      case "slot":
        this.materialise(to, instruction);
        break;
      default:
        this.copy(to, this.register(value), widthOf(value.type));
    }
  }

  private materialise(to: Register, instruction: Instruction): void {
    switch (instruction.kind) {
      case "constant":
        this.constant(to, instruction.value);
        break;
      case "symbol":
        this.emit("lea", [
          new RegisterOperand(to, 64),
          new MemoryOperand(0, NONE, instruction.offset, NONE, 1, instruction.symbol),
        ]);
        break;
      case "slot":
        this.slotAddress(to, instruction.slot);
        break;
      default:
        throw new Error(`${instruction.kind} cannot be made anew`);
    }
  }

  /** The frame object of a slot. */
  slot(slot: FrameSlot): FrameObject {
    let made = this.slots.get(slot);
    if (made === undefined) {
      made = this.machine.object("slot", slot.size, slot.align);
      this.slots.set(slot, made);
    }
    return made;
  }

  private slotAddress(to: Register, slot: FrameSlot): void {
    this.emit("lea", [new RegisterOperand(to, 64), new MemoryOperand(0, NONE, 0, NONE, 1, null, this.slot(slot))]);
  }

  /** An operand that is read at `width` bits: register or sign-extended immediate. */
  operand(value: Value, width: Width, extension: "signed" | "unsigned" = "signed"): Operand {
    const constant = this.constantOf(value);
    if (constant !== null) {
      const bits = widthOf(value.type);
      const extended = extension === "signed" ? BigInt.asIntN(bits, constant) : constant;
      const immediate = width === 64 || bits < 32 ? extended : BigInt.asIntN(32, extended);
      if (fitsSigned32(immediate)) return new ImmediateOperand(immediate, width);
    }
    const symbol = this.symbolOperand(value);
    if (symbol !== null && width === 64) return symbol;
    return new RegisterOperand(this.register(value), width);
  }

  private symbolOperand(value: Value): SymbolOperand | null {
    const instruction = this.facts.definition(value)?.instruction;
    return instruction?.kind === "symbol" ? new SymbolOperand(instruction.symbol, instruction.offset) : null;
  }

  registerOperand(value: Value, width: Width): RegisterOperand {
    return new RegisterOperand(this.register(value), width);
  }
}
