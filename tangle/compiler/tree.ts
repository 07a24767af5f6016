/**
 * The typed tree: kernel TypeScript after parsing and checking, before lowering.
 *
 * It is monomorphic (generic functions and classes have been instantiated), every expression has a concrete type, names
 * are resolved, conversions are explicit, constants are exact. Nothing here knows of SSA or of x86-64.
 *
 * Values and places. A *scalar* (integer, bool, enum, pointer, function, nullable of these) is a value in a register.
 * An *aggregate* (class, array, volatile and atomic cells) lives in memory; an expression of aggregate type denotes its
 * address ("a reference"), never a copy. Local variables, parameters and results of class type therefore hold an
 * address; fields, array elements and module-level variables of class or array type hold the bytes themselves.
 * A *fat* value (string, slice, format, interface) is a pair of 64-bit words (address, length) in registers; in memory 16 bytes.
 */
import type { Place } from "../place.ts";

export type IntegerName = "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64";

export interface IntegerType {
  readonly kind: "integer";
  readonly name: IntegerName;
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}
/** One byte in memory: 0 or 1. */
export interface BoolType {
  readonly kind: "bool";
}
export interface VoidType {
  readonly kind: "void";
}
export interface NeverType {
  readonly kind: "never";
}
/** Fat: address and length in bytes of UTF-8 text. */
export interface StringType {
  readonly kind: "string";
}
/** Fat: address and number of `FormatPiece`s (see `FORMAT_PIECE`). The type of a template literal. */
export interface FormatType {
  readonly kind: "format";
}
/** Fat: address and number of elements. */
export interface SliceType {
  readonly kind: "slice";
  readonly of: Type;
}
/** A raw address, 64 bits, never checked. `of` may be void. */
export interface PointerType {
  readonly kind: "pointer";
  readonly of: Type;
}
/** Aggregate: `length` elements, one after another. */
export interface ArrayType {
  readonly kind: "array";
  readonly of: Type;
  readonly length: number;
}
/** Aggregate of the size of `of` (an integer, bool or enum), only read and written by volatile accesses. */
export interface VolatileType {
  readonly kind: "volatile";
  readonly of: Type;
}
/** Aggregate of the size of `of` (an integer, bool or enum), only touched by atomic operations. */
export interface AtomicType {
  readonly kind: "atomic";
  readonly of: Type;
}
/** `of` is a pointer, class or function type, or an owned class; null is the address 0. */
export interface NullableType {
  readonly kind: "nullable";
  readonly of: PointerType | ClassType | FunctionType | OwnedType;
}
/**
 * The address of an object on the heap (fat where `of` is an interface), and the duty to drop it. 0 is what a local holds
 * whose value has been moved away: dropping that does nothing.
 */
export interface OwnedType {
  readonly kind: "owned";
  readonly of: ClassType | InterfaceType;
}
/** The address of code; no environment. */
export interface FunctionType {
  readonly kind: "function";
  readonly parameters: readonly Type[];
  readonly result: Type;
}
export interface EnumType {
  readonly kind: "enum";
  readonly name: string;
  readonly repr: IntegerType;
  readonly members: readonly { readonly name: string; readonly value: bigint }[];
}
/**
 * Fat: the address of an object, and that of its class's method table. The table is an array of function addresses in the
 * order of `methods`. Made by `makeSlice`, taken apart by `sliceAddress` and `sliceLength`.
 */
export interface InterfaceType {
  readonly kind: "interface";
  readonly name: string;
  /** With the object's address as the first parameter. Filled in after creation. */
  methods: readonly { readonly name: string; readonly type: FunctionType }[];
}
/** Aggregate with C layout. Filled in after creation, since classes may point to themselves. */
export interface ClassType {
  readonly kind: "class";
  /** With type arguments, for instance `Ring<u8>`. */
  readonly name: string;
  readonly packed: boolean;
  fields: readonly Field[];
  /** Bytes, rounded up to `align`. */
  size: number;
  align: number;
  readonly place: Place;
}
export interface Field {
  readonly name: string;
  readonly type: Type;
  /** Bytes from the start of the object. */
  readonly offset: number;
}

export type Type =
  | IntegerType
  | BoolType
  | VoidType
  | NeverType
  | StringType
  | FormatType
  | SliceType
  | PointerType
  | ArrayType
  | VolatileType
  | AtomicType
  | NullableType
  | OwnedType
  | FunctionType
  | EnumType
  | InterfaceType
  | ClassType;

/** A parameter or local variable. */
export interface Local {
  readonly name: string;
  readonly type: Type;
  /**
   * `register`: a scalar or fat value (for class and array types: the address). `frame`: the value lives in this
   * function's stack frame for the whole call, so that it has an address. An aggregate is zeroed where it is declared,
   * and reading the local gives its address; a scalar is loaded and stored (and back in a register after optimisation,
   * unless its address goes further).
   */
  readonly storage: "register" | "frame";
  readonly mutable: boolean;
  readonly place: Place;
}

/** A module-level variable. Its initial bytes are in the image; what cannot be folded runs in `Program.initializers`. */
export interface Global {
  /** Unique: module path without extension, a colon, the name: `kernel/vga:writer`. */
  readonly symbol: string;
  readonly type: Type;
  readonly mutable: boolean;
  /** The folded value, or null where an initializer function fills it at run time (then it starts as zeros). */
  readonly initial: ConstantValue | null;
  /** Nothing in the language can write to it, though it is an aggregate: a table that the compiler made. */
  readonly sealed?: boolean;
  readonly place: Place;
}

/** What the image holds for a constant of some type. */
export type ConstantValue =
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "string"; readonly bytes: Uint8Array }
  | { readonly kind: "zero" }
  | { readonly kind: "function"; readonly target: Function }
  /** The address of another global, plus bytes: references, pointers. */
  | { readonly kind: "address"; readonly target: Global; readonly offset: number }
  /** Array elements or class fields, in order; for a slice its address and its length. */
  | { readonly kind: "aggregate"; readonly elements: readonly ConstantValue[] };

export interface Function {
  /** Unique: `kernel/vga:Writer.writeByte`, `kernel/sort:sort<u8>`; also the symbol in the ELF file. */
  readonly symbol: string;
  readonly parameters: readonly Local[];
  readonly result: Type;
  /**
   * `plain`: the compiler's own calling convention (System V AMD64 in registers). `naked`: the body is asm only, no
   * prologue. `interrupt` and `interruptWithError`: entered by the processor (chapter 5 on). `coroutine`: the body of an
   * async function (chapter 12 on); nothing calls it, its `Coroutine` has the functions that can be called.
   */
  readonly convention: "plain" | "naked" | "interrupt" | "interruptWithError" | "coroutine";
  readonly inline: "auto" | "always" | "never";
  /** Present on the parts of a coroutine: they have no statements, but mean what `Coroutine` says. */
  readonly part?: Coroutine;
  /** Filled in after creation, since functions call each other. */
  body: readonly Statement[];
  locals: readonly Local[];
  readonly place: Place;
}

/**
 * An async function, taken apart. A call of it makes a promise: a frame in memory that holds the arguments, and later
 * whatever lives across an `await`. Nothing runs before the first poll.
 */
export interface Coroutine {
  /** The function as written; it returns what the promise promises. Convention `coroutine`. */
  readonly body: Function;
  /** (frame: pointer, …parameters): void. Fills a frame. */
  readonly start: Function;
  /** (frame: pointer, waker: u64): Poll. Goes on until the body ends or has to wait; again after its end: ready. */
  readonly poll: Function;
  /** (frame: pointer): what the body returned; called once, after `poll` has said that it is ready. */
  readonly result: Function;
  /** (frame: pointer): void. Drops what a frame holds that has not come to its end. The memory stays. */
  readonly drop: Function;
  /** The type of locals that hold a frame; its size is known once the body has been split. */
  readonly frame: ClassType;
}

export interface Program {
  readonly globals: readonly Global[];
  /** All functions that the entry point, initializers or panic handler can reach. */
  readonly functions: readonly Function[];
  readonly classes: readonly ClassType[];
  /** `_start` of `kernel/main.ts` (or of the test image's file): parameters () or (boot information), result never. */
  readonly entry: Function;
  /** Run in this order before the entry point; empty where all module-level values fold. */
  readonly initializers: readonly Function[];
  /** The function wrapped in `panicHandler(…)`: one parameter of class PanicInfo, result never. */
  readonly panicHandler: Function;
  /** From a place in the tangled sources to the one that a panic names: the chapter's Markdown file and line. */
  readonly placeOf: (place: Place) => Place;
}

/** What the checks that the language itself makes say when they fail. */
export const PANIC_MESSAGE = {
  division: "division by zero",
  bounds: (index: bigint, length: bigint): string => `index ${index} out of bounds for length ${length}`,
  slice: "slice out of bounds",
  member: "not a member of the enum",
  assertion: "assertion failed",
  /** Before and after the number of bytes. */
  memory: ["out of memory: ", " bytes"],
} as const;

// ── Statements ─────────────────────────────────────────────────────────────────────────────────────────────────────

export type Statement =
  | { readonly kind: "expression"; readonly expression: Expression; readonly place: Place }
  /** Declares a local; null leaves it zero. */
  | { readonly kind: "let"; readonly local: Local; readonly initial: Expression | null; readonly place: Place }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
      readonly place: Place;
    }
  /**
   * All loops: `test` runs before each round (null: for ever), `update` after it and after `continue`.
   * `do … while` has `testAtEnd`: the first round is not tested.
   */
  | {
      readonly kind: "loop";
      readonly label: LoopLabel;
      readonly test: Expression | null;
      readonly testAtEnd: boolean;
      readonly update: Expression | null;
      readonly body: readonly Statement[];
      readonly place: Place;
    }
  /** A labelled or switch block that `break` can leave. */
  | {
      readonly kind: "block";
      readonly label: LoopLabel | null;
      readonly body: readonly Statement[];
      readonly place: Place;
    }
  | { readonly kind: "break"; readonly label: LoopLabel; readonly place: Place }
  | { readonly kind: "continue"; readonly label: LoopLabel; readonly place: Place }
  /** `cases` in source order, falling through as in TypeScript; `values` null is `default`. */
  | {
      readonly kind: "switch";
      readonly label: LoopLabel;
      readonly subject: Expression;
      readonly cases: readonly { readonly value: bigint | null; readonly body: readonly Statement[] }[];
      readonly place: Place;
    }
  | { readonly kind: "return"; readonly value: Expression | null; readonly place: Place };

/** Identity of a loop, switch or labelled block. */
export interface LoopLabel {
  readonly name: string;
}

// ── Places in memory and registers ─────────────────────────────────────────────────────────────────────────────────

export type Target =
  | { readonly kind: "local"; readonly local: Local; readonly type: Type; readonly place: Place }
  | { readonly kind: "global"; readonly global: Global; readonly type: Type; readonly place: Place }
  /** `object` has class type: its address. */
  | {
      readonly kind: "field";
      readonly object: Expression;
      readonly field: Field;
      readonly type: Type;
      readonly place: Place;
    }
  /** `array` has array type (an address) or slice type; the index is any unsigned integer; panics out of bounds. */
  | {
      readonly kind: "element";
      readonly array: Expression;
      readonly index: Expression;
      /** False where the checker has proved the index in bounds (a constant). */
      readonly checked: boolean;
      readonly type: Type;
      readonly place: Place;
    }
  /** What a pointer points at. */
  | { readonly kind: "pointee"; readonly pointer: Expression; readonly type: Type; readonly place: Place };

// ── Expressions ────────────────────────────────────────────────────────────────────────────────────────────────────
//
// Order of evaluation: operands from left to right. A target's operands and its bounds check come before the value that
// is stored there; `update` reads the old value before it evaluates the new operand; `construct` has its address first.

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>";
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

export type Expression = {
  readonly type: Type;
  readonly place: Place;
} /** Integer, bool (0, 1), enum and pointer types; null is 0. The value itself, negative for negative numbers. */ & (
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "string"; readonly bytes: Uint8Array }
  | { readonly kind: "function"; readonly target: Function }
  /** The value in a target: a load for scalars and fat values, the address for aggregates. */
  | { readonly kind: "read"; readonly target: Target }
  /** The address of a target that lives in memory, as a pointer. */
  | { readonly kind: "addressOf"; readonly target: Target }
  /** Stores, and has the stored value. Scalars and fat values only. */
  | { readonly kind: "assign"; readonly target: Target; readonly value: Expression }
  /** `target op= value`: the target's operands are evaluated once. `result` says which value the expression has. */
  | {
      readonly kind: "update";
      readonly target: Target;
      readonly operator: ArithmeticOperator;
      readonly value: Expression;
      readonly result: "before" | "after";
    }
  | { readonly kind: "negate" | "complement"; readonly operand: Expression } // wraps in its own width
  | { readonly kind: "not"; readonly operand: Expression }
  /**
   * Both operands and the result have the same integer type, but for shifts, whose count is any unsigned type and is
   * taken modulo the width. `/` and `%` truncate toward zero and panic on zero; the most negative value divided by -1 wraps.
   * `>>` is arithmetic on signed types, logical on unsigned ones.
   */
  | {
      readonly kind: "arithmetic";
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  /** Operands of one type: integers (by their sign), bool, enum, pointer, nullable, function, class (by address). */
  | {
      readonly kind: "compare";
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  /** Of type bool, or void where only the effect counts: `assert` is `condition || panic`. */
  | { readonly kind: "logical"; readonly operator: "&&" | "||"; readonly left: Expression; readonly right: Expression }
  /** A branch may have type never; of type void, the branches' values are dropped. */
  | {
      readonly kind: "conditional";
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  /** Integer, bool or enum to integer: truncates, or extends by the sign of the source. */
  | { readonly kind: "convert"; readonly operand: Expression }
  /**
   * Same bits under another type. Scalars: pointer to u64 and back, reference (class, array, cell) to pointer and back,
   * pointer to pointer, T to T | null and back, enum to its repr and back. Fat: string to slice of u8 and back, format
   * to slice of the class FormatPiece.
   */
  | { readonly kind: "reinterpret"; readonly operand: Expression }
  | { readonly kind: "call"; readonly target: Function; readonly arguments: readonly Expression[] }
  | { readonly kind: "callIndirect"; readonly callee: Expression; readonly arguments: readonly Expression[] }
  | { readonly kind: "intrinsic"; readonly name: IntrinsicName; readonly arguments: readonly Expression[] }
  /** A fat value from address and length. */
  | { readonly kind: "makeSlice"; readonly address: Expression; readonly length: Expression }
  | { readonly kind: "sliceAddress" | "sliceLength"; readonly operand: Expression } // of string, slice, format or interface
  /** Pieces are built in the caller's frame; the value is valid while the call it is passed to runs. */
  | { readonly kind: "format"; readonly pieces: readonly FormatPiece[] }
  | { readonly kind: "asm"; readonly asm: InlineAssembly }
  | { readonly kind: "sequence"; readonly first: readonly Expression[]; readonly last: Expression } // comma
  /** Fills the aggregate at `address` by a constructor call or copy, and has that address: `new C(…)` in place. */
  | {
      readonly kind: "construct";
      readonly address: Expression;
      readonly constructor_: Function;
      readonly arguments: readonly Expression[];
    }
  /** Gives the message (always of type format) to the panic handler, with this expression's place; type never. */
  | { readonly kind: "panic"; readonly message: Expression }
  /**
   * In the body of a coroutine alone. `first` runs once; then `poll` (of type Poll) is evaluated, and again each time that
   * the coroutine itself is polled, until it is ready; then the expression has the value of `result`. `waker` holds the
   * number that the poll under way got. `abandon` runs instead of all that follows where the frame is dropped meanwhile.
   */
  | {
      readonly kind: "await";
      readonly first: readonly Expression[];
      readonly waker: Local;
      readonly poll: Expression;
      readonly result: Expression;
      readonly abandon: readonly Statement[];
    }
);

/** Part of a template literal. Laid out in memory as `FORMAT_PIECE` says. */
export type FormatPiece =
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  /** `value` is integer, bool, enum, string or pointer; `style` how it is shown. */
  | {
      readonly kind: "value";
      readonly value: Expression;
      readonly style: "decimal" | "hex" | "binary" | "fixed" | "character" | "text" | "bool";
      /** Least width in characters, from `pad(x, width)`, 0 for none; a constant. */
      readonly width: number;
      /** Padding character code, a space unless given. */
      readonly fill: number;
      /** Digits after the point for `fixed`. */
      readonly digits: number;
    };

/**
 * Memory layout of one piece, 24 bytes: the ambient class `FormatPiece` that kernel code reads.
 * kind: 0 text (value = address, length = bytes) · 1 unsigned decimal · 2 signed decimal · 3 hex · 4 binary · 5 fixed ·
 * 6 character (value = code) · 7 bool.
 */
export const FORMAT_PIECE = {
  size: 24,
  align: 8,
  value: 0, // u64: the value extended to 64 bits by its sign, or the text's address
  length: 8, // u64: the text's length in bytes, else 0
  kind: 16, // u8
  width: 17, // u8
  fill: 18, // u8
  digits: 19, // u8
} as const;

/** Memory layout of what a panic handler's parameter refers to: the ambient class `PanicInfo`. */
export const PANIC_INFO = {
  size: 48,
  align: 8,
  message: 0, // format (fat)
  file: 16, // string (fat): the chapter's Markdown file
  line: 32, // u32
  column: 36, // u32
} as const;

export interface InlineAssembly {
  /** Intel syntax, one instruction a line. `{0}`, `{1}` … stand for operands. */
  readonly text: string;
  readonly operands: readonly AsmOperand[];
  /** Register names (64-bit), `memory`, `flags`. */
  readonly clobbers: readonly string[];
}
export interface AsmOperand {
  readonly mode: "in" | "out" | "inout";
  /** A 64-bit register's name where the operand is pinned, else null: the compiler chooses. */
  readonly register: string | null;
  /** The value going in, or null for `out`. Integer, bool, enum or pointer. */
  readonly value: Expression | null;
  /** The local that receives the result, or null for `in`. */
  readonly target: Local | null;
}

/**
 * What the hardware can do and TypeScript cannot say. Arguments and results as in kernel.d.ts.
 * `volatile*`: exactly one access, neither removed, merged nor reordered with another volatile access.
 */
export type IntrinsicName =
  | "volatileLoad" // (address of T): T
  | "volatileStore" // (address of T, T): void
  | "atomicLoad" // (address of T): T, acquire
  | "atomicStore" // (address of T, T): void, release
  | "atomicExchange" // (address of T, T): T, the old value
  | "atomicCompareExchange" // (address of T, expected, desired): bool, whether it was stored
  | "atomicAdd" // (address of T, T): T, the old value
  | "fence"
  | "spinHint" // pause
  | "portIn" // (port: u16): u8 | u16 | u32 by the result's type
  | "portOut" // (port: u16, value)
  | "halt"
  | "breakpoint"
  | "enableInterrupts"
  | "disableInterrupts"
  | "enableInterruptsAndHalt"
  | "readFlags" // (): u64
  | "readCr0"
  | "readCr2"
  | "readCr3"
  | "readCr4"
  | "writeCr0"
  | "writeCr3"
  | "writeCr4"
  | "invalidatePage" // (address: u64)
  | "readMsr" // (index: u32): u64
  | "writeMsr" // (index: u32, value: u64)
  | "loadIdt" // (address of the 10-byte descriptor: u64)
  | "loadGdt"
  | "loadTaskRegister" // (selector: u16)
  | "readTimestamp" // (): u64
  | "copyMemory" // (to: pointer, from: pointer, bytes: usize), may overlap
  | "fillMemory" // (to: pointer, byte: u8, bytes: usize)
  | "frameSize" // (the `start` of a coroutine: function): usize, bytes of its frame
  | "frameAlign"
  | "resume" // in SSA form only, see ssa/coroutine.ts
  | "unreachable";
