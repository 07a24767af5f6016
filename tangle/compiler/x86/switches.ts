/** Switches: jump tables where the cases lie close together, else a binary search by comparisons. */
import type { Edge, Terminator } from "../ssa/ir.ts";
import { widthOf } from "./facts.ts";
import {
  ImmediateOperand,
  type MachineBlock,
  type MachineTerminator,
  MemoryOperand,
  RegisterOperand,
  type Width,
} from "./machine.ts";
import { NONE, type Register } from "./registers.ts";
import { fitsSigned32, type Selection } from "./selection.ts";

type Switch = Extract<Terminator, { kind: "switch" }>;

/** Names the jump tables of a program; each becomes read-only data full of code addresses. */
export class JumpTables {
  private count = 0;
  next(): string {
    return `jumps:${this.count++}`;
  }
}

/** Up to this many cases are compared one by one. */
const FEW = 4;
/** A table may have this many entries for each case. */
const SPARSENESS = 3n;

interface Case {
  /** Unsigned in the subject's type. */
  readonly value: bigint;
  readonly target: MachineBlock;
}

/** Ends the current block with the ways out of a switch. */
export function lowerSwitch(
  s: Selection,
  terminator: Switch,
  edgeBlock: (edge: Edge) => MachineBlock,
  tables: JumpTables,
): void {
  const otherwise = edgeBlock(terminator.otherwise);
  const cases = terminator.cases
    .map((c) => ({ value: c.value, target: edgeBlock(c.to) }))
    .sort((a, b) => (a.value < b.value ? -1 : 1));
  const lowering = new SwitchLowering(s, terminator, otherwise);
  const first = cases[0]?.value ?? 0n;
  const span = cases.length === 0 ? 0n : cases[cases.length - 1]!.value - first + 1n;
  const dense = cases.length > FEW && span <= SPARSENESS * BigInt(cases.length);
  s.current.terminator = dense ? lowering.table(cases, first, Number(span), tables.next()) : lowering.search(cases);
}

class SwitchLowering {
  private readonly subject: Register;
  private readonly width: Width;
  constructor(
    private readonly s: Selection,
    private readonly terminator: Switch,
    private readonly otherwise: MachineBlock,
  ) {
    this.subject = s.register(terminator.subject);
    this.width = widthOf(terminator.subject.type);
  }

  /** Emits one comparison of a search among sorted cases, makes blocks for the rest, and gives the block's end. */
  search(cases: readonly Case[]): MachineTerminator {
    const { place } = this.terminator;
    if (cases.length === 0) return { kind: "jump", to: this.otherwise, place };
    if (cases.length <= FEW) {
      const { value, target } = cases[0]!;
      const rest = cases.length === 1 ? this.otherwise : this.searchBlock(cases.slice(1));
      this.compareWith(value);
      return { kind: "branch", condition: "e", then: target, otherwise: rest, place };
    }
    const middle = cases.length >> 1;
    const below = this.searchBlock(cases.slice(0, middle));
    const above = this.searchBlock(cases.slice(middle));
    this.compareWith(cases[middle]!.value);
    return { kind: "branch", condition: "b", then: below, otherwise: above, place };
  }

  private searchBlock(cases: readonly Case[]): MachineBlock {
    return this.block((block) => {
      block.terminator = this.search(cases);
    });
  }

  private block(body: (block: MachineBlock) => void): MachineBlock {
    const made = this.s.newBlock(this.s.current.cold);
    made.instructions = this.s.capture(() => body(made));
    return made;
  }

  private compareWith(value: bigint): void {
    const signed = BigInt.asIntN(this.width, value);
    const left = new RegisterOperand(this.subject, this.width);
    if (value === 0n) {
      this.s.emit("test", [left, new RegisterOperand(this.subject, this.width)]);
    } else if (fitsSigned32(signed)) {
      this.s.emit("cmp", [left, new ImmediateOperand(signed, this.width)]);
    } else {
      const right = this.s.machine.register();
      this.s.constant(right, value);
      this.s.emit("cmp", [left, new RegisterOperand(right, this.width)]);
    }
  }

  /** Emits `subject - first`, and its comparison with the table's size; the jump through the table is its own block. */
  table(cases: readonly Case[], first: bigint, span: number, symbol: string): MachineTerminator {
    const { place } = this.terminator;
    const targets = new Array<MachineBlock>(span).fill(this.otherwise);
    for (const { value, target } of cases) targets[Number(value - first)] = target;
    const index = this.index(first);
    const dispatch = this.block((block) => {
      this.s.emit("jmp", [new MemoryOperand(64, NONE, 0, index, 8, symbol)]);
      block.terminator = { kind: "table", targets, symbol, place };
    });
    const width = this.width === 64 ? 64 : 32;
    this.s.emit("cmp", [new RegisterOperand(index, width), new ImmediateOperand(BigInt(span - 1), width)]);
    return { kind: "branch", condition: "a", then: this.otherwise, otherwise: dispatch, place };
  }

  /** `subject - first` with zeros above the subject's width. */
  private index(first: bigint): Register {
    const index = this.s.machine.register();
    const subject = new RegisterOperand(this.subject, this.width);
    if (this.width === 64) this.s.copy(index, this.subject, 64);
    else if (this.width === 32) this.s.emit("mov", [new RegisterOperand(index, 32), subject]);
    else this.s.emit("movzx", [new RegisterOperand(index, 32), subject]);
    if (first === 0n) return index;
    const width = this.width === 64 ? 64 : 32;
    const signed = BigInt.asIntN(width, first);
    if (fitsSigned32(signed)) {
      this.s.emit("sub", [new RegisterOperand(index, width), new ImmediateOperand(signed, width)]);
    } else {
      const right = this.s.machine.register();
      this.s.constant(right, first);
      this.s.emit("sub", [new RegisterOperand(index, width), new RegisterOperand(right, width)]);
    }
    return index;
  }
}
