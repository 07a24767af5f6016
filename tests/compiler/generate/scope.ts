/** What a random program has at hand at some point: variables by type, functions to call, and how much work is left. */
export const INTEGERS = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64"] as const;
export type Integer = (typeof INTEGERS)[number];
/** Types of values that expressions are grown for. */
export type ValueType = Integer | "bool" | "Color";

export const BITS: Readonly<Record<Integer, number>> = {
  u8: 8,
  u16: 16,
  u32: 32,
  u64: 64,
  usize: 64,
  i8: 8,
  i16: 16,
  i32: 32,
  i64: 64,
};

export function isInteger(type: ValueType): type is Integer {
  return type !== "bool" && type !== "Color";
}
export function isSigned(type: Integer): boolean {
  return type.startsWith("i");
}

export interface Variable {
  /** As it is written where it is used: `x`, `global3`, `this.count`, `plain.inner.b`. */
  readonly text: string;
  readonly type: ValueType;
  readonly mutable: boolean;
  /** The object that it is a field of, where that may be moved away. */
  readonly owner?: Owner;
}
/** A local that owns an object on the heap. */
export interface Owner {
  readonly name: string;
  readonly mutable: boolean;
  /** On some way to here. */
  moved: boolean;
  /** The `level` of the scope that declares it, and how many closures are around that. */
  readonly level: number;
  readonly closure: number;
}
/** Something with elements: `table`, `bytes.slice(1, 4)`. Slices have no known length. */
export interface Elements {
  readonly text: string;
  readonly of: ValueType;
  readonly length: number | null;
}
export interface Callable {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result: ValueType;
  /** About how many statements a call runs. */
  readonly cost: number;
}

let nextLevel = 1;

export class Scope {
  private readonly known: Variable[];
  readonly elements: Elements[];
  readonly owners: Owner[];
  /** Differs wherever code may run another number of times than the code around it. */
  level = 0;
  closureDepth = 0;
  /** Whether a `break` without a label leaves the innermost loop: not so inside of a switch. */
  plainBreak = false;
  constructor(
    parent: {
      readonly variables: readonly Variable[];
      readonly elements: readonly Elements[];
      readonly owners?: readonly Owner[];
    },
    readonly functions: readonly Callable[],
    /** How often the code here runs at most for each call of the function around it. */
    readonly repeats: number,
    readonly loops: readonly (string | null)[],
    readonly result: ValueType | null,
  ) {
    this.known = [...parent.variables];
    this.elements = [...parent.elements];
    this.owners = [...(parent.owners ?? [])];
  }

  /** Those that are still there. */
  get variables(): Variable[] {
    for (let index = this.known.length - 1; index >= 0; index--) {
      if (this.known[index]!.owner?.moved === true) {
        this.known.splice(index, 1);
      }
    }
    return this.known;
  }

  /** Inside of a closure: it is called once, and nothing jumps out of it. */
  closure(): Scope {
    const scope = new Scope(this, this.functions, this.repeats, [], null);
    scope.level = nextLevel++;
    scope.closureDepth = this.closureDepth + 1;
    return scope;
  }

  inner(rounds = 1, loop: string | null | undefined = undefined): Scope {
    const loops = loop === undefined ? this.loops : [...this.loops, loop];
    const scope = new Scope(this, this.functions, this.repeats * rounds, loops, this.result);
    scope.level = rounds === 1 && loop === undefined ? this.level : nextLevel++;
    scope.closureDepth = this.closureDepth;
    scope.plainBreak = loop === undefined ? this.plainBreak : true;
    return scope;
  }
}

/** Calls are left out where a function would take longer than this. */
export const MOST_WORK = 3_000;
