/**
 * The ambient types of kernel TypeScript, for editors and `tsc --noEmit` (with `noLib`). The compiler has its own checker,
 * which is the authority: what this file lets pass it may still reject, with a numbered diagnostic.
 */

// ── Integers ───────────────────────────────────────────────────────────────────────────────────────────────────────

declare namespace k {
  enum u8 {
    A,
    B,
  }
  enum u16 {
    A,
    B,
  }
  enum u32 {
    A,
    B,
  }
  enum u64 {
    A,
    B,
  }
  enum usize {
    A,
    B,
  }
  enum i8 {
    A,
    B,
  }
  enum i16 {
    A,
    B,
  }
  enum i32 {
    A,
    B,
  }
  enum i64 {
    A,
    B,
  }
}
declare type u8 = k.u8;
declare type u16 = k.u16;
declare type u32 = k.u32;
declare type u64 = k.u64;
declare type usize = k.usize;
declare type i8 = k.i8;
declare type i16 = k.i16;
declare type i32 = k.i32;
declare type i64 = k.i64;
declare type bool = boolean;

/** Anything a conversion accepts: another integer, a bool or an enum member. Wider values are cut, narrower ones extended by their own sign. */
declare type Convertible = number | boolean;
declare function u8(value: Convertible): u8;
declare function u16(value: Convertible): u16;
declare function u32(value: Convertible): u32;
declare function u64(value: Convertible): u64;
declare function usize(value: Convertible): usize;
declare function i8(value: Convertible): i8;
declare function i16(value: Convertible): i16;
declare function i32(value: Convertible): i32;
declare function i64(value: Convertible): i64;

// ── What noLib asks for ────────────────────────────────────────────────────────────────────────────────────────────

type Object = {};
type Function = {};
interface CallableFunction extends Function {}
interface NewableFunction extends Function {}
type IArguments = {};
type Number = {};
type Boolean = {};
type RegExp = {};
interface Array<T> {
  readonly length: usize;
  [index: number]: T;
  [Symbol.iterator](): Iterator<T>;
}
interface ReadonlyArray<T> {
  readonly length: usize;
  readonly [index: number]: T;
  [Symbol.iterator](): Iterator<T>;
}
interface TemplateStringsArray {
  readonly raw: ReadonlyArray<string>;
}
interface SymbolConstructor {
  readonly iterator: unique symbol;
  readonly dispose: unique symbol;
}
declare var Symbol: SymbolConstructor;
interface IteratorResult<T> {
  done: boolean;
  value: T;
}
interface Iterator<T> {
  next(): IteratorResult<T>;
}
interface Disposable {
  [Symbol.dispose](): void;
}

// ── Text and memory ────────────────────────────────────────────────────────────────────────────────────────────────

/** UTF-8 bytes in read-only memory. */
interface String {
  /** In bytes. */
  readonly length: usize;
  /** Panics past the end. */
  byteAt(index: number): u8;
  readonly bytes: Slice<u8>;
}

/** An address and a number of elements; indexing panics out of bounds. */
interface Slice<T> {
  readonly length: usize;
  readonly pointer: Pointer<T>;
  [index: number]: T;
  slice(from: number, to: number): Slice<T>;
  [Symbol.iterator](): Iterator<T>;
}

/** `N` elements in place; indexing panics out of bounds. As a field or module-level variable it holds the bytes themselves. */
interface FixedArray<T, N extends number> {
  readonly length: usize;
  [index: number]: T;
  /** All elements, or those from `from` up to but not including `to`. */
  slice(from?: number, to?: number): Slice<T>;
  [Symbol.iterator](): Iterator<T>;
}
/** An array of `N` equal elements, the count from the type: `const cells: FixedArray<u16, 80> = filled(0)`. */
declare function filled<T, N extends number>(value: T): FixedArray<T, N>;

/** An object in the function's frame, for as long as the call runs: `const digits = onStack(new Digits())`. */
declare function onStack<T>(object: T): T;

/** A raw address. Nothing checks what is there. */
interface Pointer<T> {
  readonly address: u64;
  /** What it points at: read or assigned for scalars; for classes and arrays a reference. */
  value: T;
  /** The pointer `count` elements further on. */
  offset(count: number): Pointer<T>;
  cast<U>(): Pointer<U>;
  /** Exactly one access, never removed or merged. */
  readVolatile(): T;
  writeVolatile(value: T): void;
}
declare function pointer<T>(address: u64): Pointer<T>;
/** The address of a module-level variable, field, array element, or of the object that a reference denotes. */
declare function addressOf<T>(place: T): Pointer<T>;
declare function sizeOf<T>(): usize;
declare function offsetOf<T>(field: string): usize;
/** Copies the bytes of one class or array value over another. */
declare function copy<T>(to: T, from: T): void;
declare function copyMemory(to: Pointer<u8>, from: Pointer<u8>, bytes: usize): void;
declare function fillMemory(to: Pointer<u8>, byte: u8, bytes: usize): void;

/** A cell that hardware also reads or writes: each `read()` and `write()` is exactly one access, in program order. */
interface Volatile<T> {
  read(): T;
  write(value: T): void;
}
/** A cell that several cores or an interrupt handler share. Loads acquire, stores release, the others do both. */
declare class Atomic<T> {
  constructor(initial: T);
  load(): T;
  store(value: T): void;
  /** Stores and gives the old value. */
  exchange(value: T): T;
  /** Stores `desired` if the cell holds `expected`; says whether it did. */
  compareExchange(expected: T, desired: T): bool;
  /** Adds, wrapping, and gives the old value. */
  add(value: T): T;
}
declare function fence(): void;
/** `pause`: tells the processor that this is a waiting loop. */
declare function spinHint(): void;

/** Lays the fields out without padding. */
declare function packed(target: any, context?: any): void;
/** Checks at compile time that a field stands at this offset: `@offset(8) rip: u64`. */
declare function offset(bytes: number): (target: any, context?: any) => void;
/** Checks at compile time that a class has this size: `@size(16) class Gate`. */
declare function size(bytes: number): (target: any, context?: any) => void;
/** Asks for inlining at every call. */
declare function inline<F>(f: F): F;
declare function noInline<F>(f: F): F;

// ── Formatting and panics ──────────────────────────────────────────────────────────────────────────────────────────

declare enum FormatKind {
  Text,
  Unsigned,
  Signed,
  Hex,
  Binary,
  Fixed,
  Character,
  Bool,
}
/** One part of a template literal, in memory. */
declare class FormatPiece {
  private constructor();
  /** The value extended to 64 bits by its sign, or the character's code. */
  readonly value: u64;
  readonly kind: FormatKind;
  /** Least number of characters, 0 for none, and what fills them up on the left. */
  readonly width: u8;
  readonly fill: u8;
  /** Digits after the point. */
  readonly digits: u8;
  /** For `FormatKind.Text`. */
  readonly text: string;
}
/** The type of a parameter that takes a string or a template literal, built in the caller's frame without allocation. */
interface Format {
  readonly pieces: Slice<FormatPiece>;
}
declare type FormatArgument = string | Format;
/** Only inside `${…}`: how a value is shown. */
declare function hex(value: number): string;
declare function binary(value: number): string;
/** `fixed(1234, 2)` is shown as 12.34. */
declare function fixed(value: number, digits: number): string;
declare function character(value: u8): string;
/** At least `width` characters, filled on the left with spaces or with `fill`: `${pad(hex(x), 16, "0")}`. */
declare function pad(value: number | string, width: number, fill?: string): string;

/** What the panic handler gets. */
declare class PanicInfo {
  private constructor();
  readonly message: Format;
  /** The chapter's Markdown file, and the place in it. */
  readonly file: string;
  readonly line: u32;
  readonly column: u32;
}
/** Marks the one function that panics, failed bounds checks and divisions by zero end in. */
declare function panicHandler(handler: (info: PanicInfo) => never): (info: PanicInfo) => never;
declare function panic(message: string): never;
/** Panics with `message` where `condition` is false. */
declare function assert(condition: bool, message?: string): void;

// ── The processor ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Intel syntax, one instruction a line. `${x}` is any register holding x; see `input`, `output`, `inout`, `clobber`. */
declare function asm(text: TemplateStringsArray, ...operands: any[]): void;
declare function input(register: string, value: number): string;
declare function output(register: string, variable: number): string;
declare function out(variable: number): string;
declare function inout(variable: number): string;
declare function clobber(...names: string[]): string;
/** A function whose body is asm only: no prologue, no return but its own. */
declare function naked<F>(f: F): F;

declare function inb(port: u16): u8;
declare function inw(port: u16): u16;
declare function inl(port: u16): u32;
declare function outb(port: u16, value: u8): void;
declare function outw(port: u16, value: u16): void;
declare function outl(port: u16, value: u32): void;
/** Stops the processor until the next interrupt. */
declare function halt(): void;
declare function breakpoint(): void;
declare function enableInterrupts(): void;
declare function disableInterrupts(): void;
/** `sti; hlt`: no interrupt can come between the two. */
declare function enableInterruptsAndHalt(): void;
declare function readFlags(): u64;
declare function readCr0(): u64;
declare function readCr2(): u64;
declare function readCr3(): u64;
declare function readCr4(): u64;
declare function writeCr0(value: u64): void;
declare function writeCr3(value: u64): void;
declare function writeCr4(value: u64): void;
declare function invalidatePage(address: u64): void;
declare function readMsr(index: u32): u64;
declare function writeMsr(index: u32, value: u64): void;
declare function loadIdt(descriptor: u64): void;
declare function loadGdt(descriptor: u64): void;
declare function loadTaskRegister(selector: u16): void;
declare function readTimestamp(): u64;
