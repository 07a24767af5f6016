/**
 * Machine code before it has registers: x86-64 instructions over virtual registers, in blocks.
 *
 * Selection writes it, register allocation replaces virtual registers by hardware ones in place, emission encodes it.
 * Instructions set and read the flags only in neighbouring pairs (compare, then use): nothing that writes flags may be
 * put between them.
 */
import type { Place } from "../../place.ts";
import { NONE, type Register } from "./registers.ts";

export type Width = 8 | 16 | 32 | 64;

export class RegisterOperand {
  readonly kind = "register";
  constructor(
    public register: Register,
    readonly width: Width,
  ) {}
}

export class ImmediateOperand {
  readonly kind = "immediate";
  /** Signed or unsigned; fits `width` either way. */
  constructor(
    readonly value: bigint,
    readonly width: Width,
  ) {}
}

/** The address of a symbol as an immediate, sign-extended from 32 bits. */
export class SymbolOperand {
  readonly kind = "symbol";
  constructor(
    readonly symbol: string,
    readonly offset: number,
  ) {}
}

/** Bytes in the frame; `offset` from rsp in the function's body is set by frame layout. */
export class FrameObject {
  offset = 0;
  constructor(
    readonly kind: "slot" | "spill" | "outgoing" | "incoming",
    readonly size: number,
    readonly align: number,
  ) {}
}

/** `[base + index * scale + symbol or frame object + displacement]`. */
export class MemoryOperand {
  readonly kind = "memory";
  constructor(
    /** Of the datum; 0 for lea and friends. */
    readonly width: Width | 0,
    public base: Register = NONE,
    public displacement = 0,
    public index: Register = NONE,
    readonly scale: 1 | 2 | 4 | 8 = 1,
    readonly symbol: string | null = null,
    readonly frame: FrameObject | null = null,
  ) {}
}

export type Operand = RegisterOperand | ImmediateOperand | SymbolOperand | MemoryOperand;

/** `r` read, `w` written, `m` both; by operand position. Memory operands only ever read their registers. */
const ROLES: Readonly<Record<string, string>> = {
  copy: "wr",
  mov: "wr",
  movzx: "wr",
  movsx: "wr",
  movsxd: "wr",
  lea: "wr",
  add: "mr",
  sub: "mr",
  and: "mr",
  or: "mr",
  xor: "mr",
  cmp: "rr",
  test: "rr",
  imul: "mr",
  imul3: "wrr",
  mul: "r",
  imul1: "r",
  div: "r",
  idiv: "r",
  neg: "m",
  not: "m",
  shl: "mr",
  shr: "mr",
  sar: "mr",
  rol: "mr",
  set: "m",
  cmov: "mr",
  xchg: "mm",
  xadd: "mm",
  cmpxchg: "mr",
  push: "r",
  pop: "w",
  call: "r",
  jmp: "r",
  in: "wr",
  out: "rr",
  movtocr: "r",
  movfromcr: "w",
  invlpg: "r",
  lidt: "r",
  lgdt: "r",
  ltr: "r",
};

/** The conditions of jcc, setcc and cmovcc that compiled code needs. */
export type Condition = "e" | "ne" | "b" | "be" | "a" | "ae" | "l" | "le" | "g" | "ge";

export const INVERSE: Readonly<Record<Condition, Condition>> = {
  e: "ne",
  ne: "e",
  b: "ae",
  ae: "b",
  be: "a",
  a: "be",
  l: "ge",
  ge: "l",
  le: "g",
  g: "le",
};

/** The condition that holds for (b, a) where this one holds for (a, b). */
export const SWAPPED: Readonly<Record<Condition, Condition>> = {
  e: "e",
  ne: "ne",
  b: "a",
  a: "b",
  be: "ae",
  ae: "be",
  l: "g",
  g: "l",
  le: "ge",
  ge: "le",
};

/** What an instruction carries besides operands. */
export interface Extras {
  /** Hardware registers read or written without being operands. */
  readonly reads?: readonly Register[];
  readonly writes?: readonly Register[];
  /** Of set and cmov. */
  readonly condition?: Condition;
  /** The callee of a direct call. */
  readonly symbol?: string;
  readonly lock?: boolean;
  /** The number of a control register. */
  readonly control?: number;
  readonly assembly?: Assembly;
}

/** Text from asm`…`, with the roles of its operands in order. */
export interface Assembly {
  readonly text: string;
  readonly roles: string;
}

const NOTHING: readonly Register[] = [];

/**
 * One instruction. Mnemonics are the manual's, but for: `copy` (a mov that allocation may drop), `imul3` and `imul1` (the
 * other forms of imul), `set` and `cmov` (with `condition`), `movtocr` and `movfromcr`, `asm`, and two without
 * code: `define` (its registers start to live) and `keep` (they are read and written).
 */
export class MachineInstruction {
  private used: Register[] | null = null;
  private defined: Register[] | null = null;
  constructor(
    readonly mnemonic: string,
    readonly operands: Operand[],
    readonly place: Place | null,
    readonly extras: Extras | null = null,
  ) {}

  /** `r`, `w`, `m` for each operand. */
  get roles(): string {
    if (this.extras?.assembly) return this.extras.assembly.roles;
    if (this.mnemonic === "define") return "w".repeat(this.operands.length);
    if (this.mnemonic === "keep") return "m".repeat(this.operands.length);
    return ROLES[this.mnemonic] ?? "";
  }

  /** Registers read, hardware ones included; may hold one twice. */
  get uses(): readonly Register[] {
    if (this.used === null) this.collect();
    return this.used!;
  }

  /** Registers written, hardware ones included. */
  get definitions(): readonly Register[] {
    if (this.defined === null) this.collect();
    return this.defined!;
  }

  /** To be called after an operand's register was changed. */
  operandsChanged(): void {
    this.used = null;
    this.defined = null;
  }

  private collect(): void {
    const used = [...(this.extras?.reads ?? NOTHING)];
    const defined = [...(this.extras?.writes ?? NOTHING)];
    const roles = this.roles;
    for (let i = 0; i < this.operands.length; i++) {
      const operand = this.operands[i]!;
      if (operand.kind === "register") {
        const role = roles[i];
        if (role === undefined) throw new Error(`${this.mnemonic} has no role for operand ${i}`);
        if (role !== "w") used.push(operand.register);
        if (role !== "r") defined.push(operand.register);
      } else if (operand.kind === "memory") {
        if (operand.base !== NONE) used.push(operand.base);
        if (operand.index !== NONE) used.push(operand.index);
      }
    }
    this.used = used;
    this.defined = defined;
  }
}

export type MachineTerminator = { readonly place: Place | null } & (
  | { readonly kind: "jump"; to: MachineBlock }
  /** Reads the flags that the block's last instruction set. */
  | { readonly kind: "branch"; condition: Condition; then: MachineBlock; otherwise: MachineBlock }
  /** The block's last instruction is an indirect jump to one of these. */
  | { readonly kind: "table"; readonly targets: MachineBlock[]; readonly symbol: string }
  /** `reads`: the registers that hold the results. */
  | { readonly kind: "return"; readonly reads: readonly Register[] }
  /** Control never gets here; `trap` leaves an instruction that says so. */
  | { readonly kind: "none"; readonly trap: boolean }
);

export class MachineBlock {
  instructions: MachineInstruction[] = [];
  terminator: MachineTerminator = { kind: "none", trap: true, place: null };
  /** How many loops it lies in. */
  depth = 0;
  /** How often it runs compared with the entry, estimated from loops and coldness. */
  weight = 1;
  constructor(
    readonly id: number,
    public cold: boolean,
  ) {}

  get successors(): readonly MachineBlock[] {
    const t = this.terminator;
    switch (t.kind) {
      case "jump":
        return [t.to];
      case "branch":
        return [t.then, t.otherwise];
      case "table":
        return t.targets;
      default:
        return [];
    }
  }
}

export class MachineFunction {
  /** The entry first. */
  blocks: MachineBlock[] = [];
  readonly frame: FrameObject[] = [];
  /** Bytes at the bottom of the frame for stack arguments of calls. */
  outgoing = 0;
  /** True where some instruction calls what may come back: rsp must be aligned there. */
  calls = false;
  private nextRegister = 16;
  private nextBlock = 0;
  constructor(
    readonly symbol: string,
    readonly convention: "plain" | "naked" | "interrupt" | "interruptWithError",
    readonly place: Place | null,
  ) {}

  register(): Register {
    return this.nextRegister++;
  }
  get registerCount(): number {
    return this.nextRegister;
  }
  block(cold: boolean): MachineBlock {
    return new MachineBlock(this.nextBlock++, cold);
  }
  get blockCount(): number {
    return this.nextBlock;
  }
  object(kind: FrameObject["kind"], size: number, align: number): FrameObject {
    const made = new FrameObject(kind, size, align);
    this.frame.push(made);
    return made;
  }
}
