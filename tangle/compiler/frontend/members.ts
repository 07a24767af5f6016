/** Members of built-in types: properties, and the methods of strings, slices, arrays, pointers and cells. */
import { sizeOf } from "../layout.ts";
import type { Expression, IntrinsicName, Local, Type } from "../tree.ts";
import { type Access, targetAccess, unknownMember, valueAccess } from "./access.ts";
import { type Body, errorExpression } from "./body.ts";
import { completeEmbedded } from "./classes.ts";
import { constantOf } from "./constants.ts";
import { checkAs, checkExpression, isUntyped } from "./expressions.ts";
import { borrowFrom, lenders } from "./frame.ts";
import {
  arithmetic,
  assign,
  compare,
  convert,
  integerOf,
  lengthOf,
  localTarget,
  panicText,
  pointerToObject,
  read,
  readLocal,
  reinterpret,
  sequence,
} from "./nodes.ts";
import { dropThere, putValue, takeValue } from "./raw-memory.ts";
import { resolveType } from "./resolve.ts";
import type { ExpressionNode } from "./syntax.ts";
import {
  BOOL,
  FORMAT_PIECE_CLASS,
  I64,
  isError,
  pointerTo,
  STRING,
  sliceOf,
  typeName,
  U8,
  U64,
  USIZE,
  VOID,
} from "./types.ts";

type MemberNode = ExpressionNode & { readonly kind: "member" };
type CallNode = ExpressionNode & { readonly kind: "call" };

const METHODS: Readonly<Partial<Record<Type["kind"], readonly string[]>>> = {
  string: ["byteAt", "slice"],
  slice: ["slice"],
  array: ["slice"],
  pointer: ["offset", "cast", "readVolatile", "writeVolatile", "put", "take", "drop"],
  volatile: ["read", "write"],
  atomic: ["load", "store", "exchange", "compareExchange", "add"],
};
const PROPERTIES: Readonly<Partial<Record<Type["kind"], readonly string[]>>> = {
  string: ["length", "bytes"],
  slice: ["length", "pointer"],
  array: ["length"],
  pointer: ["address", "value"],
  function: ["address"],
  format: ["pieces"],
};

/** A property of a built-in type; null where the type has none at all (classes, numbers). */
export function builtInMember(body: Body, object: Expression, node: MemberNode): Access | null {
  const { type } = object;
  const { name, place } = node;
  if (METHODS[type.kind]?.includes(name)) {
    return valueAccess(body.error("KT1059", node.namePlace, `\`${name}\` is a method: call it`));
  }
  switch (`${type.kind}.${name}`) {
    case "string.length":
      return valueAccess(
        object.kind === "string" ? integerOf(BigInt(object.bytes.length), USIZE, place) : lengthOf(object),
      );
    case "slice.length":
      return valueAccess(lengthOf(object));
    case "array.length":
      // The object is evaluated for its effects, if it has any; reading one has none.
      return type.kind === "array"
        ? valueAccess(sequence(object.kind === "read" ? [] : [object], integerOf(BigInt(type.length), USIZE, place)))
        : null;
    case "string.bytes":
      return valueAccess(reinterpret(object, sliceOf(U8)));
    case "slice.pointer":
      return type.kind === "slice"
        ? valueAccess({ kind: "sliceAddress", operand: object, type: pointerTo(type.of), place })
        : null;
    case "pointer.address":
    case "function.address":
      return valueAccess(reinterpret(object, U64));
    case "pointer.value":
      if (type.kind === "pointer" && type.of.kind === "void") {
        return valueAccess(
          body.error("KT1042", place, "nothing is known of what this points at", "`p.cast<T>()` first"),
        );
      }
      return type.kind === "pointer" ? targetAccess({ kind: "pointee", pointer: object, type: type.of, place }) : null;
    case "format.pieces":
      return valueAccess(reinterpret(object, sliceOf(FORMAT_PIECE_CLASS)));
  }
  const names = [...(METHODS[type.kind] ?? []), ...(PROPERTIES[type.kind] ?? [])];
  return names.length === 0 ? null : valueAccess(unknownMember(body, type, node, names));
}

/** A call of a method of a built-in type; null where it is none. */
export function builtInMethod(body: Body, object: Expression, member: MemberNode, node: CallNode): Expression | null {
  const { type } = object;
  if (!METHODS[type.kind]?.includes(member.name)) {
    return null;
  }
  if (node.typeArguments.length > 0 && member.name !== "cast") {
    body.report("KT1045", node.place, `\`${member.name}\` takes no type arguments`);
  }
  switch (type.kind) {
    case "string":
      return member.name === "byteAt" ? byteAt(body, object, node) : subslice(body, object, node);
    case "slice":
    case "array":
      return subslice(body, object, node);
    case "pointer":
      return pointerMethod(body, object, type.of, member.name, node);
    case "volatile":
    case "atomic":
      return cellMethod(body, object, type, member.name, node);
    default:
      return null;
  }
}

/** The arguments of a built-in method; null after a report on their number. */
function args(body: Body, node: CallNode, least: number, most = least): readonly ExpressionNode[] | null {
  const count = node.arguments.length;
  if (count < least || count > most) {
    const wanted = least === most ? String(least) : `${least} to ${most}`;
    body.report("KT1041", node.place, `${count} argument${count === 1 ? "" : "s"} where ${wanted} are wanted`);
    return null;
  }
  return node.arguments;
}

/** An argument that counts: any unsigned integer, widened to `usize`. */
function checkCount(body: Body, node: ExpressionNode): Expression {
  const count = checkExpression(body, node, isUntyped(node) ? USIZE : null);
  if (count.type.kind === "integer" && !count.type.signed) {
    return convert(count, USIZE);
  }
  return isError(count.type)
    ? count
    : body.error("KT1008", node.place, `a count is unsigned, not \`${typeName(count.type)}\``, "convert: `usize(n)`");
}

function byteAt(body: Body, object: Expression, node: CallNode): Expression {
  const { place } = node;
  const [indexNode] = args(body, node, 1) ?? [];
  if (indexNode === undefined) {
    return errorExpression(place);
  }
  const index = checkCount(body, indexNode);
  if (object.kind === "string") {
    const at = constantOf(index);
    const byte = at === null ? undefined : object.bytes[Number(at)];
    if (byte !== undefined) {
      return integerOf(BigInt(byte), U8, place);
    }
  }
  return read({ kind: "element", array: reinterpret(object, sliceOf(U8)), index, checked: true, type: U8, place });
}

/** `a.slice(from, to)`: everything is evaluated once, then the bounds are checked against the whole. */
function subslice(body: Body, object: Expression, node: CallNode): Expression {
  const { place } = node;
  const given = args(body, node, 0, 2);
  const { type } = object;
  if (given === null || isError(type)) {
    return errorExpression(place);
  }
  const isString = type.kind === "string";
  const element = isString ? U8 : (type as Type & { kind: "slice" | "array" }).of;
  const result = isString ? STRING : sliceOf(element);
  const whole = type.kind === "array" ? wholeArray(object, type) : isString ? reinterpret(object, sliceOf(U8)) : object;
  if (given.length === 0) {
    return isString ? object : whole;
  }
  const keep = (name: string, value: Expression): { readonly local: Local; readonly set: Expression } => {
    const local = body.temporary(name, value.type, place);
    return { local, set: assign(localTarget(local, place), value) };
  };
  const base = keep("whole", whole);
  borrowFrom(body, base.local, lenders(body, whole));
  const wholeValue = readLocal(base.local, place);
  const from = keep("from", checkCount(body, given[0]!));
  const to = keep("to", given[1] === undefined ? lengthOf(wholeValue) : checkCount(body, given[1]));
  if (isError(from.local.type) || isError(to.local.type)) {
    return errorExpression(place);
  }
  const start = readLocal(from.local, place);
  const end = readLocal(to.local, place);
  const part: Expression = {
    kind: "makeSlice",
    address: advance(
      body,
      { kind: "sliceAddress", operand: wholeValue, type: pointerTo(element), place },
      start,
      element,
    ),
    length: arithmetic("-", end, start),
    type: sliceOf(element),
    place,
  };
  const checked: Expression = {
    kind: "conditional",
    condition: {
      kind: "logical",
      operator: "&&",
      left: compare("<=", start, end),
      right: compare("<=", end, lengthOf(wholeValue)),
      type: BOOL,
      place,
    },
    then: isString ? reinterpret(part, STRING) : part,
    otherwise: panicText("slice", place),
    type: result,
    place,
  };
  return sequence([base.set, from.set, to.set], checked);
}

/** An array as the slice of all its elements. */
function wholeArray(object: Expression, type: Type & { readonly kind: "array" }): Expression {
  const { place } = object;
  return {
    kind: "makeSlice",
    address: pointerToObject(object, type.of),
    length: integerOf(BigInt(type.length), USIZE, place),
    type: sliceOf(type.of),
    place,
  };
}

/** The pointer `count` elements further on; `count` is a `usize` or `i64`. */
function advance(body: Body, pointer: Expression, count: Expression, element: Type): Expression {
  const { place } = pointer;
  completeEmbedded(body.compilation, element, place);
  const bytes = arithmetic("*", convert(count, U64), integerOf(BigInt(sizeOf(element)), U64, place));
  return reinterpret(arithmetic("+", reinterpret(pointer, U64), bytes), pointerTo(element));
}

function pointerMethod(body: Body, object: Expression, of: Type, name: string, node: CallNode): Expression {
  const { place } = node;
  if (name === "cast") {
    const [typeNode, more] = node.typeArguments;
    if (args(body, node, 0) === null) {
      return errorExpression(place);
    }
    if (typeNode === undefined || more !== undefined) {
      return body.error("KT1045", place, "`cast` says the type that it casts to", "write `p.cast<u8>()`");
    }
    return reinterpret(object, pointerTo(resolveType(body.compilation, body.scope, typeNode)));
  }
  if (of.kind === "void") {
    return body.error("KT1042", place, "nothing is known of what this points at", "`p.cast<T>()` first");
  }
  if (name === "offset") {
    const [countNode] = args(body, node, 1) ?? [];
    if (countNode === undefined) {
      return errorExpression(place);
    }
    const count = checkExpression(body, countNode, isUntyped(countNode) ? I64 : null);
    if (count.type.kind !== "integer") {
      return isError(count.type) ? count : body.error("KT1008", countNode.place, "an offset is an integer");
    }
    return advance(body, object, count, of);
  }
  switch (name) {
    case "put":
      return putValue(body, object, of, node);
    case "take":
    case "drop":
      if (args(body, node, 0) === null) {
        return errorExpression(place);
      }
      return name === "take" ? takeValue(body, object, of, node) : dropThere(body, object, of, node);
  }
  return accessMemory(body, object, of, name === "readVolatile" ? "volatileLoad" : "volatileStore", node);
}

/** One access of hardware's kind through a pointer. */
function accessMemory(body: Body, pointer: Expression, of: Type, name: IntrinsicName, node: CallNode): Expression {
  const { place } = node;
  if (of.kind !== "integer" && of.kind !== "bool" && of.kind !== "enum") {
    return body.error("KT1008", place, `\`${typeName(of)}\` is not accessed at once`, "access its fields one by one");
  }
  const counts: Partial<Record<IntrinsicName, number>> = { volatileLoad: 0, atomicLoad: 0, atomicCompareExchange: 2 };
  const given = args(body, node, counts[name] ?? 1);
  if (given === null) {
    return errorExpression(place);
  }
  if (name === "atomicAdd" && of.kind !== "integer") {
    return body.error("KT1008", place, "only integers can be added to");
  }
  const values = given.map((one) => checkAs(body, one, of));
  const results: Partial<Record<IntrinsicName, Type>> = {
    volatileStore: VOID,
    atomicStore: VOID,
    atomicCompareExchange: BOOL,
  };
  return { kind: "intrinsic", name, arguments: [pointer, ...values], type: results[name] ?? of, place };
}

const CELL_METHODS: Readonly<Record<string, IntrinsicName>> = {
  read: "volatileLoad",
  write: "volatileStore",
  load: "atomicLoad",
  store: "atomicStore",
  exchange: "atomicExchange",
  compareExchange: "atomicCompareExchange",
  add: "atomicAdd",
};

function cellMethod(
  body: Body,
  object: Expression,
  type: Type & { readonly kind: "volatile" | "atomic" },
  name: string,
  node: CallNode,
): Expression {
  return accessMemory(body, pointerToObject(object, type.of), type.of, CELL_METHODS[name]!, node);
}
