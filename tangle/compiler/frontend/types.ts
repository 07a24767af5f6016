/** The types of kernel TypeScript as values: built-in ones, constructors that give equal types the same object, and names. */

import type {
  ArrayType,
  AtomicType,
  BoolType,
  ClassType,
  EnumType,
  FormatType,
  FunctionType,
  IntegerName,
  IntegerType,
  InterfaceType,
  NeverType,
  NullableType,
  OwnedType,
  PointerType,
  SliceType,
  StringType,
  Type,
  VoidType,
  VolatileType,
} from "../tree.ts";
import { FORMAT_PIECE, PANIC_INFO } from "../tree.ts";

function integer(name: IntegerName, bits: 8 | 16 | 32 | 64): IntegerType {
  return { kind: "integer", name, bits, signed: name.startsWith("i") };
}
export const U8 = integer("u8", 8);
export const U16 = integer("u16", 16);
export const U32 = integer("u32", 32);
export const U64 = integer("u64", 64);
export const USIZE = integer("usize", 64);
export const I8 = integer("i8", 8);
export const I16 = integer("i16", 16);
export const I32 = integer("i32", 32);
export const I64 = integer("i64", 64);
export const INTEGERS: readonly IntegerType[] = [U8, U16, U32, U64, USIZE, I8, I16, I32, I64];

export const BOOL: BoolType = { kind: "bool" };
export const VOID: VoidType = { kind: "void" };
export const NEVER: NeverType = { kind: "never" };
export const STRING: StringType = { kind: "string" };
export const FORMAT: FormatType = { kind: "format" };
/** The type of what has been reported already: fits everywhere, so that one mistake is said once. Never in a finished program. */
export const ERROR: NeverType = { kind: "never" };

export function isError(type: Type): boolean {
  return type === ERROR;
}

function memoized<T extends Type, R>(make: (of: T) => R): (of: T) => R {
  const known = new WeakMap<Type, R>();
  return (of) => {
    const found = known.get(of) ?? make(of);
    known.set(of, found);
    return found;
  };
}
export const sliceOf = memoized((of: Type): SliceType => ({ kind: "slice", of }));
export const pointerTo = memoized((of: Type): PointerType => ({ kind: "pointer", of }));
export const volatileOf = memoized((of: Type): VolatileType => ({ kind: "volatile", of }));
export const atomicOf = memoized((of: Type): AtomicType => ({ kind: "atomic", of }));
export const ownedOf = memoized((of: OwnedType["of"]): OwnedType => ({ kind: "owned", of }));
export const nullableOf = memoized((of: NullableType["of"]): NullableType => ({ kind: "nullable", of }));

const arraysByElement = memoized((_of: Type) => new Map<number, ArrayType>());
export function arrayOf(of: Type, length: number): ArrayType {
  const byLength = arraysByElement(of);
  const found: ArrayType = byLength.get(length) ?? { kind: "array", of, length };
  byLength.set(length, found);
  return found;
}

/** Function types are found by walking a trie: the result, then each parameter. */
interface FunctionTypeNode {
  type: FunctionType | null;
  readonly next: WeakMap<Type, FunctionTypeNode>;
}
const functionTypeRoot: FunctionTypeNode = { type: null, next: new WeakMap() };
export function functionType(parameters: readonly Type[], result: Type): FunctionType {
  let node = functionTypeRoot;
  for (const part of [result, ...parameters]) {
    let next = node.next.get(part);
    if (next === undefined) {
      next = { type: null, next: new WeakMap() };
      node.next.set(part, next);
    }
    node = next;
  }
  node.type ??= { kind: "function", parameters, result };
  return node.type;
}

export const BUILT_IN_PLACE = { file: "kernel.d.ts", line: 1, column: 1 };

/** How a piece of a template literal is shown: the numbers of `FORMAT_PIECE`. */
export const FORMAT_KIND: EnumType = {
  kind: "enum",
  name: "FormatKind",
  repr: U8,
  members: ["Text", "Unsigned", "Signed", "Hex", "Binary", "Fixed", "Character", "Bool"].map((name, index) => ({
    name,
    value: BigInt(index),
  })),
};
export const FORMAT_PIECE_CLASS: ClassType = {
  kind: "class",
  name: "FormatPiece",
  packed: false,
  fields: [
    { name: "value", type: U64, offset: FORMAT_PIECE.value },
    { name: "text", type: STRING, offset: FORMAT_PIECE.value },
    { name: "kind", type: FORMAT_KIND, offset: FORMAT_PIECE.kind },
    { name: "width", type: U8, offset: FORMAT_PIECE.width },
    { name: "fill", type: U8, offset: FORMAT_PIECE.fill },
    { name: "digits", type: U8, offset: FORMAT_PIECE.digits },
  ],
  size: FORMAT_PIECE.size,
  align: FORMAT_PIECE.align,
  place: BUILT_IN_PLACE,
};
export const PANIC_INFO_CLASS: ClassType = {
  kind: "class",
  name: "PanicInfo",
  packed: false,
  fields: [
    { name: "message", type: FORMAT, offset: PANIC_INFO.message },
    { name: "file", type: STRING, offset: PANIC_INFO.file },
    { name: "line", type: U32, offset: PANIC_INFO.line },
    { name: "column", type: U32, offset: PANIC_INFO.column },
  ],
  size: PANIC_INFO.size,
  align: PANIC_INFO.align,
  place: BUILT_IN_PLACE,
};

/** A test of the kernel's own, as `collectTests()` gives it. */
export const TEST_CASE_CLASS: ClassType = {
  kind: "class",
  name: "TestCase",
  packed: false,
  fields: [
    { name: "name", type: STRING, offset: 0 },
    { name: "run", type: functionType([], VOID), offset: 16 },
  ],
  size: 24,
  align: 8,
  place: BUILT_IN_PLACE,
};
/** What a class implements whose objects several may own. */
export const SHARED: InterfaceType = {
  kind: "interface",
  name: "Shared",
  methods: [{ name: "release", type: functionType([pointerTo(VOID)], BOOL) }],
};
/** What the processor pushes for an interrupt, from the lowest address (Intel SDM vol. 3A, section 6.14.2). */
export const INTERRUPT_FRAME_CLASS: ClassType = {
  kind: "class",
  name: "InterruptFrame",
  packed: false,
  fields: ["rip", "cs", "rflags", "rsp", "ss"].map((name, index) => ({ name, type: U64, offset: 8 * index })),
  size: 40,
  align: 8,
  place: BUILT_IN_PLACE,
};
/**
 * The addresses of interrupt handlers. They are types of their own, not those of functions with the same parameters:
 * nothing but the processor can call them, and the two kinds leave the stack differently.
 */
export const INTERRUPT_HANDLER: FunctionType = { kind: "function", parameters: [INTERRUPT_FRAME_CLASS], result: VOID };
export const INTERRUPT_HANDLER_WITH_ERROR: FunctionType = {
  kind: "function",
  parameters: [INTERRUPT_FRAME_CLASS, U64],
  result: VOID,
};

/**
 * What `Owned<(a: A) => B>` owns: a closure on the heap. It is an interface with one method, the call itself, so that its
 * values look like those of interfaces, and are owned and borrowed as they are.
 */
export const callableOf = memoized(
  (signature: Type): InterfaceType => ({
    kind: "interface",
    name: typeName(signature),
    methods: [callMethod(signature)],
  }),
);
const signatures = new WeakMap<InterfaceType["methods"][number], FunctionType>();
function callMethod(signature: Type): InterfaceType["methods"][number] {
  if (signature.kind !== "function") {
    throw new Error(`${signature.kind} cannot be called`);
  }
  const method = { name: "call", type: functionType([pointerTo(VOID), ...signature.parameters], signature.result) };
  signatures.set(method, signature);
  return method;
}
/** The signature of a closure on the heap; null for other types. */
export function signatureOf(type: Type): FunctionType | null {
  const [method] = type.kind === "interface" ? type.methods : [];
  return (method && signatures.get(method)) ?? null;
}

/** Whether values of the type go into the registers of one machine word and can be kept in cells. */
export function isPlain(type: Type): type is IntegerType | BoolType | EnumType {
  return type.kind === "integer" || type.kind === "bool" || type.kind === "enum";
}

/** Whether a value of the type is owned by whoever holds it: `Owned<C>`, or that or null. */
export function isOwning(type: Type): type is OwnedType | NullableType {
  return type.kind === "owned" || (type.kind === "nullable" && type.of.kind === "owned");
}

/** What a name of the type is where nothing asks for the ownership: `C` for `Owned<C>`, all else as it is. */
export function borrowed(type: Type): Type {
  if (type.kind === "owned") {
    return type.of;
  }
  return type.kind === "nullable" && type.of.kind === "owned" && type.of.of.kind === "class"
    ? nullableOf(type.of.of)
    : type;
}

/** The smallest and largest value of an integer type. */
export function rangeOf(type: IntegerType): { readonly least: bigint; readonly most: bigint } {
  const bits = BigInt(type.bits);
  return type.signed
    ? { least: -(1n << (bits - 1n)), most: (1n << (bits - 1n)) - 1n }
    : { least: 0n, most: (1n << bits) - 1n };
}

/** Cut to the width of the type, as arithmetic does. */
export function wrap(value: bigint, type: IntegerType): bigint {
  return type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value);
}

/** The type as its author writes it. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case "integer":
    case "enum":
    case "interface":
    case "class":
      return type.name;
    case "format":
      return "FormatArgument";
    case "slice":
      return `Slice<${typeName(type.of)}>`;
    case "pointer":
      return `Pointer<${typeName(type.of)}>`;
    case "array":
      return `FixedArray<${typeName(type.of)}, ${type.length}>`;
    case "volatile":
      return `Volatile<${typeName(type.of)}>`;
    case "atomic":
      return `Atomic<${typeName(type.of)}>`;
    case "nullable":
      return `${type.of.kind === "function" ? `(${typeName(type.of)})` : typeName(type.of)} | null`;
    case "owned":
      // A promise is owned by whoever holds it, and its name says nothing of it.
      return type.of.name.startsWith("Promise<") ? type.of.name : `Owned<${typeName(type.of)}>`;
    case "function":
      if (type === INTERRUPT_HANDLER || type === INTERRUPT_HANDLER_WITH_ERROR) {
        return type === INTERRUPT_HANDLER ? "InterruptHandler" : "InterruptHandlerWithError";
      }
      return `(${type.parameters.map(typeName).join(", ")}) => ${typeName(type.result)}`;
    default:
      return type.kind;
  }
}
