/**
 * The ambient types of kernel TypeScript, for editors and `tsc --noEmit` (with `noLib`). The compiler has its own checker,
 * which is the authority: what this file lets pass it may still reject, with a numbered diagnostic.
 */

// ── Integers ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** An enum without known members takes any number, and no other enum: so widths are not mixed by mistake. */
declare namespace k {
  enum u8 {}
  enum u16 {}
  enum u32 {}
  enum u64 {}
  enum usize {}
  enum i8 {}
  enum i16 {}
  enum i32 {}
  enum i64 {}
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

interface Object {}
declare const isFunction: unique symbol;
interface Function {
  /** Not there when the kernel runs: it keeps functions apart from all else that has an address. */
  readonly [isFunction]: true;
  /** Of the function's first instruction. */
  readonly address: u64;
}
interface CallableFunction extends Function {}
interface NewableFunction extends Function {}
interface IArguments {}
interface Number {}
interface Boolean {}
interface RegExp {}
/** The type of an array literal, which can only be the initial value of a `FixedArray`. */
interface Array<T> {
  readonly length: usize;
  [index: number]: T;
  slice(from?: number, to?: number): Slice<T>;
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
interface ClassDecoratorContext<C> {}
interface ClassFieldDecoratorContext<C, V> {}
interface TypedPropertyDescriptor<T> {}

// ── Text and memory ────────────────────────────────────────────────────────────────────────────────────────────────

/** UTF-8 bytes in read-only memory. */
interface String {
  /** In bytes. */
  readonly length: usize;
  /** Panics past the end. */
  byteAt(index: number): u8;
  readonly bytes: Slice<u8>;
  /** The bytes from `from` up to but not including `to`; panics out of bounds. */
  slice(from: number, to?: number): string;
  /** Text goes where a `Format` is wanted, so editors see this here too; the compiler does not. */
  readonly pieces: Slice<FormatPiece>;
}

/** An address and a number of elements; indexing panics out of bounds. */
interface Slice<T> {
  readonly length: usize;
  readonly pointer: Pointer<T>;
  [index: number]: T;
  /** The elements from `from` up to but not including `to`; panics out of bounds. */
  slice(from: number, to?: number): Slice<T>;
  [Symbol.iterator](): Iterator<T>;
}

declare const arrayLength: unique symbol;
/** `N` elements in place; indexing panics out of bounds. As a field or module-level variable it holds the bytes themselves. */
interface FixedArray<T, N extends number> {
  /** Not there when the kernel runs: it keeps arrays of different lengths apart. */
  readonly [arrayLength]?: N;
  readonly length: usize;
  [index: number]: T;
  /** All elements, or those from `from` up to but not including `to`. */
  slice(from?: number, to?: number): Slice<T>;
  [Symbol.iterator](): Iterator<T>;
}
/** An array of `N` equal elements, the count from the type: `const cells: FixedArray<u16, 80> = filled(0)`. */
declare function filled<T, N extends number>(value: T): FixedArray<T, N>;
/** In `for (const i of range(from, to))` alone: counts from `from` to one below `to`. */
declare function range(from: u8, to: u8): Slice<u8>;
declare function range(from: u16, to: u16): Slice<u16>;
declare function range(from: u32, to: u32): Slice<u32>;
declare function range(from: u64, to: u64): Slice<u64>;
declare function range(from: usize, to: usize): Slice<usize>;
declare function range(from: i8, to: i8): Slice<i8>;
declare function range(from: i16, to: i16): Slice<i16>;
declare function range(from: i32, to: i32): Slice<i32>;
declare function range(from: i64, to: i64): Slice<i64>;
/** The member of the enum with this number; panics if there is none: `enumFrom<Color>(x)`. */
declare function enumFrom<E extends number>(value: number): E;

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
  /** Puts a value into memory that holds none: what was there is not dropped. Owners move, objects are copied. */
  put(value: T): void;
  /** Takes the value out, with its ownership; the memory holds none afterwards. */
  take(): T;
  /** Drops what the memory holds; it holds nothing afterwards. */
  drop(): void;
}
declare function pointer<T>(address: u64): Pointer<T>;
/** The address of a module-level variable, field, array element, or of the object that a reference denotes. */
declare function addressOf<T>(place: T): Pointer<T>;
declare function sizeOf<T>(): usize;
declare function offsetOf<T>(field: string): usize;
/** Copies the bytes of an object or array over another one, or the elements of a slice over one of the same length. */
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
/** Asks for inlining at every call: `const low = inline((x: u64): u8 => u8(x));` */
declare function inline<F extends Function>(f: F): F;
/** Never inlined, so that it is found in the image under its name. */
declare function noInline<F extends Function>(f: F): F;

// ── The heap ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An object on the heap, made by `new C(…)` in a function, together with the duty to drop it. Whoever holds it owns it: the
 * local, parameter, field or element of this type. It is dropped where its owner ends: a local at the end of its block (the
 * last declared first), a field with its object, what a place held before when something else is stored there. Dropping
 * calls the `[Symbol.dispose]` method of the class, then drops its fields (the last declared first), then frees the memory.
 *
 * Where `Owned<C>` is wanted, a local or parameter gives its object away, and cannot be used afterwards. Where plain `C` is
 * wanted, or no type is said, it is borrowed: `const same = node`. A panic drops nothing.
 */
declare type Owned<T> = T;
/** What a place of type T is seen as without giving anything away: C for `Owned<C>`, T for all else. */
declare type Borrowed<T> = T;
/**
 * Stands at the top of one module of the program: `new` takes memory from `allocate`, which gives an address or 0 (then `new`
 * panics), and gives it back to `free` with the same size and alignment.
 */
declare function globalAllocator(
  allocate: (size: usize, alignment: usize) => u64,
  free: (address: u64, size: usize, alignment: usize) => void,
): void;
/** What the place owns, or null where it owns nothing; null stays behind. */
declare function take<T>(place: T): T;
/** Puts the value there and gives what was there before, which the caller owns. */
declare function replace<T>(place: T, value: T): T;
/**
 * A class whose objects may have several owners. Where one of them ends, `release` is called first, and only if it says true,
 * this was the last one, the object is dropped and freed. `own(addressOf(this))` makes another owner.
 */
interface Shared {
  release(): bool;
}

// For those who write containers: nothing checks that what they do by hand is right.
/** Memory from the kernel's allocator, or 0. */
declare function allocateMemory(bytes: usize, alignment: usize): u64;
declare function freeMemory(address: u64, bytes: usize, alignment: usize): void;
/** The owner of an object on the heap that has none, and back. */
declare function own<T>(pointer: Pointer<T>): Owned<T>;
declare function disown<T>(object: Owned<T>): Pointer<T>;
declare function alignOf<T>(): usize;
/** Whether `Pointer<T>.drop()` does anything; a constant. */
declare function needsDrop<T>(): bool;
/** The elements at an address; nothing checks that they are there. */
declare function sliceFrom<T>(pointer: Pointer<T>, length: usize): Slice<T>;
/** Bytes seen as text, in place. */
declare function stringFrom(bytes: Slice<u8>): string;

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
/**
 * The type of a parameter that takes a string or a template literal. The pieces lie in the caller's frame, without
 * allocation, while the call runs: a format can be passed on and read, and not kept.
 */
interface Format {
  readonly pieces: Slice<FormatPiece>;
}
declare type FormatArgument = Format;
// Only inside `${…}`: how a value is shown. Else integers and enums are decimal, pointers have 16 hexadecimal digits.
/** Hexadecimal, without 0x; negative numbers as the 64 bits that extend them. */
declare function hex(value: number | Pointer<any>): string;
declare function binary(value: number): string;
/** `fixed(1234, 2)` is shown as 12.34; the value counts as a signed number of 64 bits. */
declare function fixed(value: number, digits: number): string;
/** The character with this code. */
declare function character(value: u8): string;
/** At least `width` characters, filled on the left with spaces or with `fill`: `${pad(hex(x), 16, "0")}`. */
declare function pad(value: number | boolean | string | Pointer<any>, width: number, fill?: string): string;

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
declare function panic(message: Format): never;
/** Panics with `message` where `condition` is false. */
declare function assert(condition: bool, message?: Format): asserts condition;

// ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a poll says. */
declare enum Poll {
  /** Not yet. Whoever polled is woken when it is worth another try. */
  Pending,
  Ready,
}
/**
 * Says who waits: a number that the executor gives to each task. It is kept by what the task waits for. A number fits into
 * an atomic cell, an interrupt handler can pass it on, and nothing dangles where it outlives its task.
 */
declare type Waker = u64;
/** What can be awaited: `await object` polls until the object is ready, and gives the object back. */
interface Future {
  poll(waker: Waker): Poll;
}
/**
 * What a call of an async function gives: its owner can `await` it, or poll it by hand. Nothing of the function runs
 * before the first poll. Dropped before its end, it drops what it holds. Awaited directly, `await f()`, it needs no memory
 * of its own: it is part of the frame of the function around it.
 */
interface Promise<T> extends Future {
  /** Not there when the kernel runs: it tells editors what `await` gives. */
  readonly then: (resolve: (value: T) => void) => void;
  /** What the function returned; to be asked for once, when `poll` has said that it is ready. */
  result(): T;
}

// ── Tests ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Stands at the top of a module. It is always checked, and compiled into images that call `collectTests()`. */
declare function test(name: string, body: () => void): void;
declare class TestCase {
  private constructor();
  readonly name: string;
  readonly run: () => void;
}
/** The tests of all modules that the image imports, in the order of the modules and of their lines. */
declare function collectTests(): Slice<TestCase>;

// ── Interrupts ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the processor has pushed, in place: what a handler writes here takes effect when it returns. */
declare class InterruptFrame {
  private constructor();
  rip: u64;
  cs: u64;
  rflags: u64;
  rsp: u64;
  ss: u64;
}
/** The address of a handler for vectors without an error code. */
interface InterruptHandler {
  readonly address: u64;
  readonly takesErrorCode?: false;
}
/** The address of a handler for vectors with an error code (8, 10 to 14, 17, 21). */
interface InterruptHandlerWithError {
  readonly address: u64;
  readonly takesErrorCode?: true;
}
/** A function that the processor enters and `iretq` leaves; all registers are as they were. */
declare function interruptHandler(handler: (frame: InterruptFrame) => void): InterruptHandler;
declare function interruptHandler(handler: (frame: InterruptFrame, error: u64) => void): InterruptHandlerWithError;

// ── The processor ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What goes through a register. */
declare type AsmValue = number | boolean | Pointer<any>;
interface AsmOperand {}
/**
 * Intel syntax, one instruction a line. `${x}` stands for a register that holds x, `${out(y)}` and `${inout(y)}` for one whose
 * value y gets. `${input("rax", x)}`, `${output("rax", y)}` and `${clobber("rcx", "memory", "flags")}` leave no text behind:
 * they say what is in a register that the instructions name themselves.
 */
declare function asm(text: TemplateStringsArray, ...operands: (AsmValue | AsmOperand)[]): void;
declare function input(register: string, value: AsmValue): AsmOperand;
declare function output(register: string, variable: AsmValue): AsmOperand;
declare function out(variable: AsmValue): AsmOperand;
declare function inout(variable: AsmValue): AsmOperand;
declare function clobber(...names: string[]): AsmOperand;
/** A function whose body is asm only: no prologue, no return but its own. */
declare function naked<F extends Function>(f: F): F;

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
