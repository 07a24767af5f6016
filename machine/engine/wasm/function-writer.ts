/** One WebAssembly function under construction: its code, its labels, its locals. */
import { ByteWriter, I32, I64, OP, type ValueType } from "./encoder.ts";
import { emit, type Temporaries, type Value } from "./expressions.ts";

/** Locals that every region has. The first is the parameter: instructions it may still retire. */
export const LOCAL = {
  budget: 0,
  /** rax; the other general registers follow. */
  registers: 1,
  left: 17,
  right: 18,
  result: 19,
  /** Kind, width and overrides of the lazy flags: see flag-view.ts. */
  flagState: 20,
  /** Status flags that are known, at their places in rflags. */
  flagBits: 21,
  rip: 22,
  /** Why the region is left, and how many instructions go back to the budget: see `leaving`. */
  leaving: 23,
  /** Where to go next, for places that are reached through a table. */
  label: 24,
  /** The carry flag, where a loop begins that needs it. */
  carry: 25,
  /** The linear address that the TLB did not have. */
  missed: 26,
} as const;

/** Ways to leave a region. */
export const LEAVING = {
  /** Whoever has code for rip goes on. */
  onward: 0,
  /** The evaluator must do the instruction at rip. */
  evaluate: 1,
  /** The engine must look at something before the instruction at rip. */
  look: 2,
  /**
   * The page of `missed` must be found; then the instruction at rip is done again. To this the number of bytes is added
   * that are to be stored there: none for a read.
   */
  missed: 3,
} as const;

/** Bits of `LOCAL.leaving` that say why. */
export const WHY = 0xff;
const UNDONE_SHIFT = 8;

/** What `LOCAL.leaving` holds where a region is left with so many instructions of a block paid for and not done. */
export function leaving(why: number, undone: number): number {
  return why | (undone << UNDONE_SHIFT);
}

/** Leaves the instructions that go back to the budget on the stack. */
export function emitUndone({ out }: FunctionWriter): void {
  out.get(LOCAL.leaving);
  out.i32(UNDONE_SHIFT);
  out.byte(OP.i32ShrU);
}

/** Types of the fixed locals, without the parameter. */
export const FIXED: readonly ValueType[] = [...Array<ValueType>(19).fill(I64), I32, I32, I64, I32, I32, I32, I64];

/** A place that can be branched to: the number of labels open inside it, itself included. */
export type Label = number;

export class FunctionWriter implements Temporaries {
  readonly out = new ByteWriter(4096);
  /** Labels open here. */
  level = 0;
  readonly #locals: ValueType[];
  readonly #free = new Map<ValueType, number[]>();
  #taken: { type: ValueType; index: number }[] = [];

  /** `fixed`: types of the locals that are not temporaries, after so many parameters. */
  constructor(
    readonly parameters = 1,
    fixed: readonly ValueType[] = FIXED,
  ) {
    this.#locals = [...fixed];
  }

  get locals(): readonly ValueType[] {
    return this.#locals;
  }

  /** A local that is free until `release`. */
  take(type: ValueType): number {
    let index = this.#free.get(type)?.pop();
    if (index === undefined) {
      index = this.parameters + this.#locals.length;
      this.#locals.push(type);
    }
    this.#taken.push({ type, index });
    return index;
  }

  /** A local for the whole function. */
  keep(type: ValueType): number {
    this.#locals.push(type);
    return this.parameters + this.#locals.length - 1;
  }

  /** All temporaries are free again. */
  release(): void {
    for (const { type, index } of this.#taken) {
      const list = this.#free.get(type);
      if (list === undefined) this.#free.set(type, [index]);
      else list.push(index);
    }
    this.#taken = [];
  }

  open(op: typeof OP.block | typeof OP.loop | typeof OP.if): Label {
    this.out.open(op);
    return ++this.level;
  }

  otherwise(): void {
    this.out.byte(OP.else);
  }

  end(): void {
    this.out.byte(OP.end);
    this.level--;
  }

  branch(label: Label): void {
    this.out.branch(OP.br, this.level - label);
  }

  emit(value: Value, depth = 0): void {
    emit(this.out, value, this, depth);
  }
}
