/** The numbered rules of kernel TypeScript: what each diagnostic means and what to write instead. The book prints this table. */
import type { Diagnostic, Place } from "../../place.ts";

export interface Rule {
  /** A few words, also the message where the check has nothing more exact to say. */
  readonly title: string;
  /** Why the language has this rule. */
  readonly explanation: string;
  /** What to write instead. */
  readonly hint: string;
}

export const RULES = {
  KT1001: {
    title: "syntax error",
    explanation: "The text is not TypeScript. The parser stops at the first mistake of this kind in each file.",
    hint: "look at the place and just before it",
  },
  KT1002: {
    title: "unknown name",
    explanation: "Nothing of this name is declared here or built in. There is no JavaScript library beneath a kernel.",
    hint: "declare it, or import it from the module that exports it",
  },
  KT1003: {
    title: "declared twice",
    explanation: "A name stands for one thing in its scope, and a symbol for one thing in the image.",
    hint: "rename one of the two",
  },
  KT1004: {
    title: "unknown module",
    explanation: "Modules are the book's own files, named relative to the importing file and without an extension.",
    hint: 'write the path like "./vga"; a chapter must define that file',
  },
  KT1005: {
    title: "not exported",
    explanation: "A module's names are its own unless it exports them.",
    hint: "put `export` before the declaration in that module",
  },
  KT1006: {
    title: "form of import or export that the language lacks",
    explanation: "Modules export named declarations; there are no default exports and no import at run time.",
    hint: 'write `export function f…` and `import { f } from "./module"`',
  },
  KT1007: {
    title: "type assertion",
    explanation: "An assertion tells the checker to believe something that no instruction makes true.",
    hint: "convert with a call: `u8(x)`, `enumFrom<Color>(x)`, `pointer.cast<T>()`; test for null with `=== null`",
  },
  KT1008: {
    title: "wrong type",
    explanation: "A value goes only where its own type is wanted: nothing converts by itself.",
    hint: "convert explicitly, for instance `u64(x)`, or change the declared type",
  },
  KT1009: {
    title: "operands of different types",
    explanation: "Widths and signs are never mixed silently: the result would depend on rules that nobody sees.",
    hint: "convert one operand: `u64(a) + b`",
  },
  KT1010: {
    title: "type without a size",
    explanation: "Every value has a known width in memory; `any`, `unknown`, `number` and `object` have none.",
    hint: "name the exact type: `u8` … `u64`, `i8` … `i64`, `usize`, `bool`, a class, `Pointer<T>`",
  },
  KT1011: {
    title: "form of type that the language lacks",
    explanation: "Types describe bytes in memory. Unions, tuples and types computed from types do not.",
    hint: "use a class, an enum, `FixedArray<T, N>`, `Slice<T>`, or `Pointer<T> | null`",
  },
  KT1012: {
    title: "object literal, spread or destructuring",
    explanation: "Objects do not appear out of nothing: each has a class and a place in memory.",
    hint: "declare a class and pass its fields one by one",
  },
  KT1013: {
    title: "closure that captures a variable",
    explanation:
      "A captured variable would have to outlive its function, and so to be allocated. The heap comes with chapter 10. Closures passed to a function that is wrapped in `inline(…)` need no memory of their own.",
    hint: "pass the value as a parameter, or let the function that takes the closure be `inline(…)`",
  },
  KT1014: {
    title: "exceptions",
    explanation: "There is no runtime beneath a kernel that could unwind its stack.",
    hint: "return a value that says what happened, or call `panic`",
  },
  KT1015: {
    title: "async and await",
    explanation:
      "Async functions become state machines, which the kernel's own executor polls; chapter 12 builds both. `for await` and `await using` are not part of the language.",
    hint: "until chapter 12, wait in a loop",
  },
  KT1016: {
    title: "generator",
    explanation: "A generator needs a place to keep its frame between calls.",
    hint: "write a class with a `next` method",
  },
  KT1017: {
    title: "var",
    explanation: "`var` is visible before its declaration and outside its block.",
    hint: "use `let`, or `const` where the value stays",
  },
  KT1018: {
    title: "loose equality",
    explanation: "`==` converts its operands before it compares them. Nothing converts silently here.",
    hint: "use `===` or `!==`",
  },
  KT1019: {
    title: "operator on JavaScript objects",
    explanation:
      "`typeof`, `delete`, `in`, `instanceof` and `void` ask a runtime about objects; types are gone when the kernel runs.",
    hint: "keep an enum field that says which kind of thing it is",
  },
  KT1020: {
    title: "member that the language lacks",
    explanation:
      "A class is a struct with fields and methods. Reading a field is a load and nothing else, so there are no accessors.",
    hint: "write a method: `size(): usize`",
  },
  KT1021: {
    title: "inheritance",
    explanation: "Objects have no hidden table of methods; which function a call reaches is known when it is compiled.",
    hint: "embed the other class as a field, or use a function type",
  },
  KT1022: {
    title: "unknown decorator",
    explanation: "Decorators describe layout. They are not functions that run.",
    hint: "`@packed` and `@size(n)` stand on classes, `@offset(n)` on fields",
  },
  KT1023: {
    title: "optional value",
    explanation: "There is no `undefined`: every parameter and field has a value.",
    hint: "use `T | null` and test it with `=== null`, or give a parameter a default value",
  },
  KT1024: {
    title: "literal that the language lacks",
    explanation:
      "Kernels compute with integers. There are no floating-point numbers, no BigInts and no regular expressions.",
    hint: "write an integer; for fractions count in a smaller unit and show it with `fixed(x, digits)`",
  },
  KT1025: {
    title: "declaration that the language lacks",
    explanation: "Modules replace namespaces, and what is declared must also be defined.",
    hint: "move the declarations into a module of their own",
  },
  KT1026: {
    title: "interface",
    explanation:
      "An interface is a list of methods that classes implement. Classes implement interfaces, and type parameters extend them.",
    hint: "declare methods in the interface, as `write(byte: u8): void`, and fields in the classes",
  },
  KT1027: {
    title: "computed or private name",
    explanation: "Members are known by name when the program is compiled.",
    hint: "write the plain name, with `private` before it if it is nobody else's business",
  },
  KT1028: {
    title: "statement that the language lacks",
    explanation: "The statement belongs to JavaScript's runtime or its history.",
    hint: "use if, while, do, for, for-of, switch, break, continue and return",
  },
  KT1029: {
    title: "what only a JavaScript engine can do",
    explanation:
      "Code is compiled before the machine starts; there is no engine that could make more of it, or look into a call.",
    hint: "write the code out, or pass a function",
  },
  KT1030: {
    title: "new allocates",
    explanation:
      "An object needs memory. The kernel's heap is built in chapter 10; until then every object has a place of its own.",
    hint: "put it into this function's frame, `const x = onStack(new C(…))`, or make it a module-level constant or an embedded field",
  },
  KT1031: {
    title: "template literal without a reader",
    explanation:
      "A template literal is a list of pieces in the caller's frame. It lives only while the function that it is passed to runs.",
    hint: "pass it directly to a parameter of type `FormatArgument`, such as that of `println` or `panic`",
  },
  KT1032: {
    title: "literal out of range",
    explanation: "A literal is exact. It takes the type that its context asks for, and must fit.",
    hint: "choose a wider type, or write the value that you mean: `~0` has all bits set",
  },
  KT1033: {
    title: "literal without a type",
    explanation: "A number alone has no width; it takes the type of its context, and here there is none.",
    hint: "say the type: `const x: u32 = 5`, or `u32(5)`",
  },
  KT1034: {
    title: "condition is not a bool",
    explanation: "Nothing is true or false but `true` and `false`.",
    hint: "compare: `x !== 0`, `p !== null`",
  },
  KT1035: {
    title: "assignment to what cannot change",
    explanation: "Constants, readonly fields and values that have no place in memory cannot be assigned.",
    hint: "declare it with `let`, or drop `readonly`",
  },
  KT1036: {
    title: "assignment of a whole object or array",
    explanation:
      "In JavaScript this would share the object; here the object lies in place, and copying it should be seen.",
    hint: "call `copy(to, from)`, or keep a `Pointer<T>` to share it",
  },
  KT1037: {
    title: "memory of the frame escapes",
    explanation:
      "An array in a function's frame ends with the call. A reference that outlives it would point at other calls' data.",
    hint: "let the caller pass a slice to fill, or use a module-level array",
  },
  KT1038: {
    title: "may be null",
    explanation: "A null pointer must be ruled out before it is followed.",
    hint: "test it first: `if (p === null) { return; }`. Copy a field into a local `const` before you test it",
  },
  KT1039: {
    title: "end of the function is reached",
    explanation: "A function with a result returns one on every path; one of type `never` does not return at all.",
    hint: "add a `return`, a `panic` or an endless loop",
  },
  KT1040: {
    title: "break or continue without its target",
    explanation:
      "`break` leaves a loop, a switch or a labelled block around it; `continue` starts the next round of a loop.",
    hint: "check the label",
  },
  KT1041: {
    title: "wrong call",
    explanation: "A call gives each parameter one argument, and only functions can be called.",
    hint: "compare the call with the function's declaration",
  },
  KT1042: {
    title: "unknown member",
    explanation: "The type has no field or method of this name.",
    hint: "check the name against the declaration",
  },
  KT1043: {
    title: "private member",
    explanation: "Private fields and methods are seen only inside their class.",
    hint: "add a method that does what you need",
  },
  KT1044: {
    title: "type and value confused",
    explanation: "Types describe values and are gone when the kernel runs; values cannot stand where a type is wanted.",
    hint: "check which of the two is meant here",
  },
  KT1045: {
    title: "type arguments",
    explanation:
      "Generic functions and classes are compiled once for each list of type arguments, so all must be known.",
    hint: "write them out: `filled<u8, 4>(0)`",
  },
  KT1046: {
    title: "missing type",
    explanation: "What other code relies on says its type: parameters, results, fields.",
    hint: "write the type after a colon",
  },
  KT1047: {
    title: "layout differs",
    explanation: "`@offset` and `@size` state what the hardware expects; the fields do not add up to it.",
    hint: "check the order and widths of the fields, or mark the class `@packed`",
  },
  KT1048: {
    title: "enum member",
    explanation: "Members of an enum are distinct integers known when the program is compiled.",
    hint: "give each member an integer that no other has",
  },
  KT1049: {
    title: "case label",
    explanation: "Case labels are constants of the subject's type, each at most once.",
    hint: "use an if statement for what is not constant",
  },
  KT1050: {
    title: "constant out of bounds",
    explanation: "This index, shift or divisor is wrong on every run.",
    hint: "correct the constant",
  },
  KT1051: {
    title: "no address",
    explanation:
      "Locals and results live in registers. Only module-level variables, fields, elements and objects have addresses.",
    hint: "make it a module-level variable or a `FixedArray` of one element",
  },
  KT1052: {
    title: "assembly",
    explanation: "asm`…` holds Intel syntax; `${…}` may be a value, `input`, `output`, `out`, `inout` or `clobber`.",
    hint: 'write `${input("rax", x)}`, `${output("rax", y)}`, `${x}`, `${out(y)}`',
  },
  KT1053: {
    title: "the kernel's fixed points",
    explanation:
      "The entry module exports `_start(): never`, and exactly one function is wrapped in `panicHandler(…)`.",
    hint: "export function _start(): never { … } · panicHandler((info) => { … })",
  },
  KT1054: {
    title: "statement at module level",
    explanation: "Modules hold declarations. Code runs in functions, from `_start` on.",
    hint: "move it into a function and call that from `_start`",
  },
  KT1055: {
    title: "initial value",
    explanation: "The initial value of a module-level variable was computed while compiling, and that failed.",
    hint: "look at the place in the message",
  },
  KT1056: {
    title: "declaration inside a function",
    explanation: "Classes, enums and types are declared at the top of a module.",
    hint: "move the declaration out of the function",
  },
  KT1057: {
    title: "type that contains itself",
    explanation:
      "Fields hold the bytes themselves, so a class within itself would be endless; so would a chain of constants.",
    hint: "use `Pointer<T> | null` or `T | null`",
  },
  KT1058: {
    title: "operator that the language lacks",
    explanation: "The operator has no meaning on integers of fixed width, or a plainer way to write it.",
    hint: "`>>` on unsigned types shifts in zeros; write powers of two as shifts",
  },
  KT1059: {
    title: "value of a function that captures its object",
    explanation: "A method as a value would have to remember its object.",
    hint: "call it, or pass a function that takes the object as a parameter",
  },
  KT1060: {
    title: "local without an initial value",
    explanation: "References and pointers have no default: zero is not an object.",
    hint: "give it a value, or declare it `T | null` and start with null",
  },
  KT1061: {
    title: "interrupt handler",
    explanation:
      "The processor calls a handler with a frame on the stack and, for some vectors, an error code. Nothing else can.",
    hint: "write `interruptHandler((frame: InterruptFrame): void => { … })`, and move what others call into a function",
  },
  KT1062: {
    title: "test",
    explanation: "Tests stand at the top of a module; a test image runs all of them through `collectTests()`.",
    hint: 'write `test("what holds", () => { assert(…); });`',
  },
  KT1063: {
    title: "using",
    explanation:
      "`using` gives a block an object that it cleans up on every way out, by the method `[Symbol.dispose](): void` of its class.",
    hint: "declare it inside a block: `using guard = onStack(new Guard());` or `using guard = lock.lock();`",
  },
  KT1064: {
    title: "contract not kept",
    explanation:
      "A class that implements an interface has all its methods, with the same types. Only such classes stand where the interface is wanted.",
    hint: "write `class C implements I`, and each method as the interface declares it",
  },
  KT1065: {
    title: "no allocator is installed",
    explanation:
      "`new` takes its memory from the kernel's own allocator. One module of the program says which functions that are, by `globalAllocator(allocate, free)`.",
    hint: "write `globalAllocator(allocate, free);` at the top of the module that has the heap, and import it",
  },
  KT1066: {
    title: "use after a move",
    explanation:
      "An object on the heap has one owner. A local that gave its object away, or that borrowed from it, refers to nothing that it may rely on.",
    hint: "use it before it is moved, ask the new owner, or share it with a reference count",
  },
  KT1067: {
    title: "cannot be moved from here",
    explanation:
      "Only local variables and parameters give away what they own. Fields, elements and module-level variables would be left empty, and nobody would know.",
    hint: "write `replace(place, value)`, which puts another object there, or let the place be `Owned<C> | null` and `take(place)`",
  },
  KT1068: {
    title: "borrow outlives its owner",
    explanation: "A reference to an object of the heap is good as long as its owner keeps it.",
    hint: "give the ownership away instead: let the type be `Owned<C>`",
  },
  KT1070: {
    title: "type that nobody can own",
    explanation:
      "`Owned<T>` is an object on the heap: T is a class or an interface. Numbers are copied, and need no owner.",
    hint: "put the value into a class",
  },
  KT1071: {
    title: "copy of what can only be there once",
    explanation:
      "An object that owns another, or that has a `[Symbol.dispose]` method, comes to its end once. Two copies of its bytes would end twice.",
    hint: "keep `Owned<T>` there instead, or let the object be made in place: `p.put(new C(…))`",
  },
  KT1075: {
    title: "await outside of an async function",
    explanation:
      "At an `await` a function stops and lets others run. Only an async function has a frame of its own in which what it needs later can wait with it.",
    hint: "mark the function with `async` and let it return `Promise<T>`, or give the promise to the executor",
  },
  KT1076: {
    title: "async function without a promise",
    explanation: "A call of an async function comes back at once, with a promise of what the function will return.",
    hint: "write the type of the result: `async function f(): Promise<u32> { … }`",
  },
  KT1077: {
    title: "nothing to wait for",
    explanation: "Only promises and objects whose class implements `Future` can be asked whether they are ready.",
    hint: "drop the `await`, or let the class implement `Future`: `poll(waker: Waker): Poll`",
  },
  KT1078: {
    title: "held across an await",
    explanation:
      "While the function waits, other tasks run. One that wants the same lock would wait for ever, and with interrupts off nothing could wake anybody.",
    hint: "end the block of the `using` before the `await`",
  },
  KT1079: {
    title: "promise that nobody waits for",
    explanation:
      "A promise does nothing before it is polled for the first time. Dropped without that, it was for nothing.",
    hint: "write `await` before the call, or give the promise to the executor",
  },
  KT1080: {
    title: "promise that borrows what may end before it",
    explanation:
      "A promise may be polled long after the block that made it has ended. What lies in the frame of that block, or is owned by it, is gone by then.",
    hint: "await the call at once, or let the function take what it needs as `Owned<T>`",
  },
  KT1081: {
    title: "await while a moved object has no owner yet",
    explanation:
      "The arguments before an `await` have been moved away already, and the call that takes them has not begun. If the function were given up here, nobody would drop them.",
    hint: "await first: `const value = await f();`, then make the call",
  },
} as const satisfies Record<string, Rule>;

export type RuleCode = keyof typeof RULES;

/** Gathers the diagnostics of one run; the same rule at the same place is said once. */
export class Reporter {
  readonly diagnostics: Diagnostic[] = [];
  private readonly seen = new Set<string>();

  /** `message` defaults to the rule's title, `hint` to the rule's hint. */
  report(
    code: RuleCode,
    place: Place,
    message?: string,
    more: { readonly hint?: string; readonly related?: Diagnostic["related"] } = {},
  ): void {
    const key = `${code} ${place.file} ${place.line} ${place.column}`;
    if (this.seen.has(key)) {
      return;
    }
    this.seen.add(key);
    const { title, hint } = RULES[code];
    this.diagnostics.push({
      code,
      message: message ?? title,
      place,
      hint: more.hint ?? hint,
      ...(more.related ? { related: more.related } : {}),
    });
  }

  /** In order of file, line and column. */
  sorted(): Diagnostic[] {
    return [...this.diagnostics].sort(
      (a, b) =>
        (a.place.file < b.place.file ? -1 : a.place.file > b.place.file ? 1 : 0) ||
        a.place.line - b.place.line ||
        a.place.column - b.place.column,
    );
  }
}
