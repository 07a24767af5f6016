/** Built-in functions that a signature cannot describe: they take types, places or conditions. */
import { alignOf, isAggregate, sizeOf } from "../layout.ts";
import type { EnumType, Expression, Type } from "../tree.ts";
import { checkAccess } from "./access.ts";
import { type Body, errorExpression } from "./body.ts";
import type { Builtin } from "./builtins.ts";
import type { CallNode } from "./calls.ts";
import { completeEmbedded } from "./classes.ts";
import { checkCondition } from "./conditions.ts";
import { needsDrop } from "./drops.ts";
import { checkAs, checkExpression, isUntyped } from "./expressions.ts";
import { checkFunctionValue } from "./functions.ts";
import {
  arithmetic,
  assign,
  compare,
  convert,
  integerOf,
  lengthOf,
  localTarget,
  panicText,
  panicWith,
  pointerToObject,
  readLocal,
  reinterpret,
  sequence,
} from "./nodes.ts";
import {
  allocateMemory,
  disown,
  freeMemory,
  isCopied,
  own,
  replace,
  sliceFrom,
  stringFrom,
  take,
} from "./raw-memory.ts";
import { resolveType } from "./resolve.ts";
import { collectTests } from "./tests.ts";
import { BOOL, FORMAT, isError, isOwning, pointerTo, rangeOf, typeName, U8, U64, USIZE, VOID } from "./types.ts";
import { wrappedFunction } from "./wrappers.ts";

type Arity = readonly [typeArguments: number, least: number, most: number];

/** Checks the numbers of arguments before the function's own rule runs. */
function builtin(
  name: string,
  [types, least, most]: Arity,
  call: (body: Body, node: CallNode, expected: Type | null) => Expression,
): Builtin {
  return {
    call(body, node, expected) {
      if (node.arguments.length < least || node.arguments.length > most) {
        const wanted = least === most ? String(least) : `${least} to ${most}`;
        return body.error("KT1041", node.place, `\`${name}\` takes ${wanted} arguments`);
      }
      if (node.typeArguments.length > types) {
        return body.error("KT1045", node.place, `\`${name}\` takes ${types} type arguments`);
      }
      return call(body, node, expected);
    },
  };
}

function typeArgument(body: Body, node: CallNode, example: string): Type | null {
  const [typeNode] = node.typeArguments;
  if (typeNode === undefined) {
    body.report("KT1045", node.place, "the type is missing", `write it out: \`${example}\``);
    return null;
  }
  const type = resolveType(body.compilation, body.scope, typeNode);
  if (isError(type)) {
    return null;
  }
  completeEmbedded(body.compilation, type, node.place);
  return type;
}

function pointer(body: Body, node: CallNode, expected: Type | null): Expression {
  const { place } = node;
  const [addressNode] = node.arguments;
  const wanted = expected?.kind === "nullable" ? expected.of : expected;
  const type: Type | null =
    node.typeArguments.length === 0 && wanted?.kind === "pointer"
      ? wanted.of
      : typeArgument(body, node, "pointer<u16>(…)");
  const address = checkAs(body, addressNode!, U64);
  return type === null ? errorExpression(place) : { ...reinterpret(address, pointerTo(type)), place };
}

function addressOf(body: Body, node: CallNode): Expression {
  const { place } = node;
  const [of] = node.arguments as [CallNode["arguments"][number]];
  if (of.kind === "name" || of.kind === "member" || of.kind === "index") {
    const access = checkAccess(body, of);
    if (
      access.target !== null &&
      !isAggregate(access.target.type) &&
      !isOwning(access.target.type) &&
      access.narrowed === null
    ) {
      const { target } = access;
      return target.kind === "local"
        ? body.error("KT1051", place, "a local variable lives in a register")
        : { kind: "addressOf", target, type: pointerTo(target.type), place };
    }
    if (access.target === null && isError(access.value.type)) {
      return errorExpression(place);
    }
  }
  const value = checkExpression(body, of, null);
  if (!isAggregate(value.type)) {
    return isError(value.type)
      ? value
      : body.error("KT1051", place, `a value of type \`${typeName(value.type)}\` has no address`);
  }
  return { ...pointerToObject(value, value.type), place };
}

function sizeOfType(body: Body, node: CallNode): Expression {
  const type = typeArgument(body, node, "sizeOf<Header>()");
  return type === null ? errorExpression(node.place) : integerOf(BigInt(sizeOf(type)), USIZE, node.place);
}

function alignOfType(body: Body, node: CallNode): Expression {
  const type = typeArgument(body, node, "alignOf<Header>()");
  return type === null ? errorExpression(node.place) : integerOf(BigInt(alignOf(type)), USIZE, node.place);
}

/** Whether the end of a value of the type does something: a constant, so that what depends on it costs nothing. */
function needsDropOf(body: Body, node: CallNode): Expression {
  const type = typeArgument(body, node, "needsDrop<T>()");
  return type === null
    ? errorExpression(node.place)
    : integerOf(needsDrop(body.compilation, type) ? 1n : 0n, BOOL, node.place);
}

function offsetOf(body: Body, node: CallNode): Expression {
  const { place } = node;
  const type = typeArgument(body, node, 'offsetOf<Header>("field")');
  const [name] = node.arguments;
  if (type === null) {
    return errorExpression(place);
  }
  const field =
    type.kind === "class" && name?.kind === "string" ? type.fields.find((one) => one.name === name.value) : undefined;
  return field === undefined
    ? body.error("KT1042", name?.place ?? place, `\`${typeName(type)}\` has no field of this name`)
    : integerOf(BigInt(field.offset), USIZE, place);
}

/** Whole objects and arrays by their size; slices by their length, which must be the same. */
function copy(body: Body, node: CallNode): Expression {
  const { place } = node;
  const [toNode, fromNode] = node.arguments;
  const to = checkExpression(body, toNode!, null);
  const from = checkAs(body, fromNode!, to.type);
  const { type } = to;
  if (isError(type) || isError(from.type)) {
    return errorExpression(place);
  }
  const move = (target: Expression, source: Expression, bytes: Expression): Expression => ({
    kind: "intrinsic",
    name: "copyMemory",
    arguments: [reinterpret(target, pointerTo(U8)), reinterpret(source, pointerTo(U8)), bytes],
    type: VOID,
    place,
  });
  if (type.kind === "class" || type.kind === "array") {
    if (!isCopied(body, type, place)) {
      return errorExpression(place);
    }
    return move(to, from, integerOf(BigInt(sizeOf(type)), USIZE, place));
  }
  if (type.kind !== "slice") {
    return body.error(
      "KT1008",
      place,
      `\`copy\` copies objects, arrays and slices, not \`${typeName(type)}\``,
      "assign it: `a = b`",
    );
  }
  if (!isCopied(body, type.of, place)) {
    return errorExpression(place);
  }
  const target = body.temporary("to", type, place);
  const source = body.temporary("from", type, place);
  const address = (slice: typeof target): Expression => ({
    kind: "sliceAddress",
    operand: readLocal(slice, place),
    type: pointerTo(type.of),
    place,
  });
  const length = lengthOf(readLocal(target, place));
  const same: Expression = {
    kind: "logical",
    operator: "||",
    left: compare("==", length, lengthOf(readLocal(source, place))),
    right: panicText("slice", place),
    type: VOID,
    place,
  };
  const bytes = arithmetic("*", length, integerOf(BigInt(sizeOf(type.of)), USIZE, place));
  return sequence(
    [assign(localTarget(target, place), to), assign(localTarget(source, place), from), same],
    move(address(target), address(source), bytes),
  );
}

function panic(body: Body, node: CallNode): Expression {
  return panicWith(checkAs(body, node.arguments[0]!, FORMAT), node.place);
}

function assert(body: Body, node: CallNode): Expression {
  const { place } = node;
  const [conditionNode, messageNode] = node.arguments;
  const condition = checkCondition(body, conditionNode!);
  body.flow = condition.whenFalse;
  const failure =
    messageNode === undefined ? panicText("assertion", place) : panicWith(checkAs(body, messageNode, FORMAT), place);
  body.flow = condition.whenTrue;
  return { kind: "logical", operator: "||", left: condition.expression, right: failure, type: VOID, place };
}

/** The member with this number; panics where there is none. */
function enumFrom(body: Body, node: CallNode, expected: Type | null): Expression {
  const { place } = node;
  const type =
    node.typeArguments.length === 0 && expected?.kind === "enum"
      ? expected
      : typeArgument(body, node, "enumFrom<Color>(…)");
  const [valueNode] = node.arguments;
  const context = type?.kind === "enum" && isUntyped(valueNode!) ? type.repr : null;
  const value = checkExpression(body, valueNode!, context);
  if (type === null || isError(value.type)) {
    return errorExpression(place);
  }
  if (type.kind !== "enum") {
    return body.error("KT1008", place, `\`${typeName(type)}\` is not an enum`);
  }
  if (value.type.kind !== "integer") {
    return body.error("KT1008", valueNode!.place, `\`${typeName(value.type)}\` is not an integer`);
  }
  const kept = body.temporary("member", value.type, place);
  const number = readLocal(kept, place);
  const member: Expression = {
    kind: "conditional",
    condition: isMember(number, type),
    then: reinterpret(convert(number, type.repr), type),
    otherwise: panicText("member", place),
    type,
    place,
  };
  return sequence([assign(localTarget(kept, place), value)], member);
}

/** Compares with the ends of each run of consecutive members. */
function isMember(value: Expression, type: EnumType): Expression {
  const { place } = value;
  const range = value.type.kind === "integer" ? rangeOf(value.type) : { least: 0n, most: 0n };
  const values = type.members
    .map((member) => member.value)
    .filter((one) => range.least <= one && one <= range.most)
    .sort((a, b) => (a < b ? -1 : 1));
  const runs: { from: bigint; to: bigint }[] = [];
  for (const one of values) {
    const last = runs.at(-1);
    if (last !== undefined && last.to === one - 1n) {
      last.to = one;
    } else {
      runs.push({ from: one, to: one });
    }
  }
  const number = (one: bigint): Expression => integerOf(one, value.type, place);
  const inRun = ({ from, to }: { from: bigint; to: bigint }): Expression => {
    if (from === to) {
      return compare("==", value, number(from));
    }
    const below = compare("<=", value, number(to));
    return from === range.least
      ? below
      : { kind: "logical", operator: "&&", left: compare(">=", value, number(from)), right: below, type: BOOL, place };
  };
  return runs.reduce<Expression>(
    (left, run, index) =>
      index === 0 ? inRun(run) : { kind: "logical", operator: "||", left, right: inRun(run), type: BOOL, place },
    integerOf(0n, BOOL, place),
  );
}

function wrapper(body: Body, node: CallNode, expected: Type | null): Expression {
  const wrapped = wrappedFunction(body, node);
  return wrapped === null
    ? body.error(
        "KT1041",
        node.place,
        "this wraps a function where it is written",
        "write it out: `inline((x: u8): u8 => …)`",
      )
    : checkFunctionValue(body, wrapped.node, expected, wrapped.traits);
}

export const SPECIAL: Readonly<Record<string, Builtin>> = {
  pointer: builtin("pointer", [1, 1, 1], pointer),
  addressOf: builtin("addressOf", [0, 1, 1], addressOf),
  sizeOf: builtin("sizeOf", [1, 0, 0], sizeOfType),
  alignOf: builtin("alignOf", [1, 0, 0], alignOfType),
  needsDrop: builtin("needsDrop", [1, 0, 0], needsDropOf),
  own: builtin("own", [0, 1, 1], own),
  disown: builtin("disown", [0, 1, 1], disown),
  take: builtin("take", [0, 1, 1], take),
  replace: builtin("replace", [0, 2, 2], replace),
  allocateMemory: builtin("allocateMemory", [0, 2, 2], allocateMemory),
  freeMemory: builtin("freeMemory", [0, 3, 3], freeMemory),
  sliceFrom: builtin("sliceFrom", [0, 2, 2], sliceFrom),
  stringFrom: builtin("stringFrom", [0, 1, 1], stringFrom),
  offsetOf: builtin("offsetOf", [1, 1, 1], offsetOf),
  copy: builtin("copy", [0, 2, 2], copy),
  panic: builtin("panic", [0, 1, 1], panic),
  assert: builtin("assert", [0, 1, 2], assert),
  enumFrom: builtin("enumFrom", [1, 1, 1], enumFrom),
  inline: builtin("inline", [0, 1, 1], wrapper),
  noInline: builtin("noInline", [0, 1, 1], wrapper),
  naked: builtin("naked", [0, 1, 1], wrapper),
  filled: builtin("filled", [2, 1, 1], (body, node) =>
    body.error("KT1036", node.place, "`filled` builds an array in place: it is an initial value and nothing else"),
  ),
  onStack: builtin("onStack", [0, 1, 1], (body, node) =>
    body.error(
      "KT1030",
      node.place,
      "`onStack` gives a local variable its object, and stands nowhere else",
      "write `const x = onStack(new C(…));` and use `x`",
    ),
  ),
  range: builtin("range", [0, 2, 2], (body, node) =>
    body.error("KT1041", node.place, "`range` stands in `for (const i of range(a, b))` only"),
  ),
  collectTests: builtin("collectTests", [0, 0, 0], collectTests),
  test: builtin("test", [0, 2, 2], (body, node) =>
    body.error("KT1062", node.place, "`test` stands at the top of a module"),
  ),
  interruptHandler: builtin("interruptHandler", [0, 1, 1], wrapper),
  globalAllocator: builtin("globalAllocator", [0, 2, 2], (body, node) =>
    body.error("KT1065", node.place, "`globalAllocator` stands at the top of a module"),
  ),
  panicHandler: builtin("panicHandler", [0, 1, 1], (body, node) =>
    body.error("KT1053", node.place, "`panicHandler` stands at the top of a module"),
  ),
};
