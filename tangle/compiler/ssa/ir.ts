/**
 * The SSA form between the typed tree and machine code. It knows nothing of x86-64.
 *
 * A function is a list of blocks (the first is the entry); a block has parameters instead of phi nodes, a list of
 * instructions and one terminator. Every `Value` is defined once: as a function parameter (parameters of the entry
 * block), as a block parameter, or as a result of an instruction. Fat values of the typed tree (string, slice, format) are
 * two `i64` values. Addresses are `i64`. Bools are `i1` in values and one byte (0 or 1) in memory.
 */
import type { Place } from "../../place.ts";
import type { IntrinsicName } from "../tree.ts";

export type ValueType = "i1" | "i8" | "i16" | "i32" | "i64";

export const BITS: Readonly<Record<ValueType, number>> = { i1: 1, i8: 8, i16: 16, i32: 32, i64: 64 };

export class Value {
  /** The variable that held it when it was made, where there is one: for reports alone. */
  name: string | null = null;
  constructor(
    /** Unique in its function; only for printing and as an index into tables. */
    readonly id: number,
    readonly type: ValueType,
  ) {}
}

/** Both operands and the result have one integer type. Shift counts are taken modulo the width. */
export type BinaryOperation =
  | "add"
  | "sub"
  | "mul"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr" // logical
  | "sar" // arithmetic
  | "udiv" // divisor never zero: lowering has emitted the check
  | "urem"
  | "sdiv" // never by zero, never the most negative value by -1: lowering has emitted both checks
  | "srem"
  | "umulh" // the upper half of the 128-bit product; i64 only
  | "smulh";

export type Predicate = "eq" | "ne" | "ult" | "ule" | "ugt" | "uge" | "slt" | "sle" | "sgt" | "sge";

/** Memory in this call's frame; contents undefined at first. */
export interface FrameSlot {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  /** A variable of a coroutine's body: what it holds is kept where the body can stop. Other slots may lose it there. */
  readonly kept?: boolean;
  /** Calls use its address while they run, and keep it no longer. */
  readonly lent?: boolean;
  /** It holds the frame of this coroutine, whose `start` fills it and whose size is known once that has been split. */
  readonly coroutine?: Coroutine;
}

export type Instruction = {
  readonly results: readonly Value[];
  readonly place: Place | null;
} /** The value's bits as an unsigned number below 2^width. */ & (
  | { readonly kind: "constant"; readonly value: bigint }
  /** The address of a function or data object, plus bytes. */
  | { readonly kind: "symbol"; readonly symbol: string; readonly offset: number }
  | { readonly kind: "slot"; readonly slot: FrameSlot }
  | { readonly kind: "binary"; readonly operation: BinaryOperation; readonly left: Value; readonly right: Value }
  | { readonly kind: "negate" | "complement"; readonly operand: Value }
  | { readonly kind: "compare"; readonly predicate: Predicate; readonly left: Value; readonly right: Value } // i1
  | { readonly kind: "select"; readonly condition: Value; readonly then: Value; readonly otherwise: Value }
  | { readonly kind: "zeroExtend" | "signExtend" | "truncate"; readonly operand: Value }
  /** Reads the result's type at `address + offset`. An i1 is read as a byte. */
  | {
      readonly kind: "load";
      readonly address: Value;
      readonly offset: number;
      readonly volatile: boolean;
      readonly path?: Path;
    }
  | {
      readonly kind: "store";
      readonly address: Value;
      readonly offset: number;
      readonly value: Value;
      readonly volatile: boolean;
      readonly path?: Path;
    }
  | { readonly kind: "call"; readonly symbol: string; readonly arguments: readonly Value[] }
  | { readonly kind: "callIndirect"; readonly callee: Value; readonly arguments: readonly Value[] }
  /** Everything in `IntrinsicName` but volatile accesses (those are load and store) and `unreachable`. Never removed. */
  | { readonly kind: "intrinsic"; readonly name: IntrinsicName; readonly arguments: readonly Value[] }
  /**
   * `{n}` in the text is operand n. `inputs[i]` is for operand i or null; results are the outputs in operand order.
   */
  | {
      readonly kind: "asm";
      readonly text: string;
      readonly operands: readonly {
        readonly mode: "in" | "out" | "inout";
        readonly register: string | null;
        readonly type: ValueType;
      }[];
      readonly inputs: readonly (Value | null)[];
      readonly clobbers: readonly string[];
    }
);

/**
 * The parts of objects that an access goes through, outermost first: for `ring.items[i]` that it is in `items` of a
 * `Ring`. Accesses through different parts of one kind of object never touch the same bytes. Absent: nothing is known.
 */
export type Path = readonly { readonly whole: object; readonly part: string }[];

export interface Edge {
  readonly block: Block;
  readonly arguments: readonly Value[];
}

export type Terminator = { readonly place: Place | null } & (
  | { readonly kind: "jump"; readonly to: Edge }
  | { readonly kind: "branch"; readonly condition: Value; readonly then: Edge; readonly otherwise: Edge }
  | {
      readonly kind: "switch";
      readonly subject: Value;
      readonly cases: readonly { readonly value: bigint; readonly to: Edge }[];
      readonly otherwise: Edge;
    }
  /** None, one, or two values (fat). */
  | { readonly kind: "return"; readonly values: readonly Value[] }
  | { readonly kind: "unreachable" }
);

export class Block {
  parameters: Value[] = [];
  instructions: Instruction[] = [];
  terminator: Terminator = { kind: "unreachable", place: null };
  /** True on blocks that end in a panic: laid out last, never worth optimising for. */
  cold = false;
  constructor(readonly id: number) {}
}

export class IrFunction {
  /** The entry comes first and has no predecessors; its parameters are the function's. */
  blocks: Block[] = [];
  private nextValue = 0;
  private nextBlock = 0;
  constructor(
    readonly symbol: string,
    readonly results: readonly ValueType[],
    /** `coroutine`: the body of an async function before it is split; see coroutine.ts. */
    readonly convention: "plain" | "naked" | "interrupt" | "interruptWithError" | "coroutine",
    readonly inline: "auto" | "always" | "never",
    readonly place: Place | null,
  ) {}
  value(type: ValueType): Value {
    return new Value(this.nextValue++, type);
  }
  /** A new block, not yet in `blocks`. */
  block(): Block {
    return new Block(this.nextBlock++);
  }
  /** An upper bound of the ids of values made so far, for tables indexed by them. */
  get valueCount(): number {
    return this.nextValue;
  }
}

/** Bytes in the image (or zeros) with the addresses to be filled in by the linker. */
export interface DataObject {
  readonly symbol: string;
  readonly section: "rodata" | "data" | "bss";
  readonly align: number;
  readonly size: number;
  /** Empty for bss. */
  readonly bytes: Uint8Array;
  /** 64-bit little-endian absolute addresses to be written at `at`. */
  readonly relocations: readonly { readonly at: number; readonly symbol: string; readonly offset: number }[];
  readonly place: Place | null;
}

/** An async function: its body, and the four functions that a split makes of it, by their symbols. */
export interface Coroutine {
  readonly body: string;
  /** (frame, …parameters): fills a frame, and runs nothing of the body yet. */
  readonly start: string;
  /** (frame, waker): i8. Goes on; 1 once the body has ended, 0 before. */
  readonly poll: string;
  /** (frame): what the body returned; asked for once it has ended. */
  readonly result: string;
  /** (frame): cleans up what a frame holds that is given up before its end. */
  readonly drop: string;
  readonly layout: FrameLayout;
}

/** Of a coroutine's frame. Zero and empty until the split. */
export interface FrameLayout {
  size: number;
  align: number;
  /** What each state keeps, in the order of their numbers; the first is the one before anything has run. */
  states: readonly FrameState[];
}

export interface FrameState {
  /** Of the `await` that the state stands for; of the function for the first. */
  readonly place: Place | null;
  readonly items: readonly FrameItem[];
}

/** Something that lives in a frame. */
export interface FrameItem {
  readonly name: string | null;
  readonly offset: number;
  readonly size: number;
}

export interface IrProgram {
  readonly functions: IrFunction[];
  readonly data: DataObject[];
  readonly coroutines: readonly Coroutine[];
  /** Where the image starts: the kernel's `_start`, or a generated function that runs the initializers first. */
  readonly entry: string;
}
