/**
 * The end of an object: the `[Symbol.dispose]` method of its class, then its fields, the last declared first; then, on the
 * heap, its memory is freed. Each class has one function for the first two, and one for all.
 */
import type { Place } from "../../place.ts";
import { alignOf, sizeOf } from "../layout.ts";
import type {
  ClassType,
  Expression,
  InterfaceType,
  Local,
  LoopLabel,
  Statement,
  Target,
  Function as TreeFunction,
  Type,
} from "../tree.ts";
import { freeCall } from "./allocation.ts";
import { completeClass } from "./classes.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { DISPOSE } from "./disposal.ts";
import type { ClassInfo } from "./entities.ts";
import { instantiateFunction } from "./functions.ts";
import { releaseThroughTable } from "./interfaces.ts";
import { arithmetic, assign, compare, fieldTarget, integerOf, localTarget, read, readLocal, reinterpret } from "./nodes.ts";
import { isOwning, U64, USIZE, VOID } from "./types.ts";

/** Whether something happens at the end of a value of this type. */
export function needsDrop(compilation: Compilation, type: Type): boolean {
  switch (type.kind) {
    case "owned":
      return true;
    case "nullable":
      return isOwning(type);
    case "array":
      return needsDrop(compilation, type.of);
    case "class": {
      const info = compilation.classes.get(type);
      if (info === undefined) {
        return false;
      }
      completeClass(compilation, info, type.place);
      return info.methods.has(DISPOSE) || type.fields.some((field) => needsDrop(compilation, field.type));
    }
    default:
      return false;
  }
}

/** Drops the object that an owning local holds, if it holds one. `value` reads that local. */
export function dropValue(compilation: Compilation, value: Expression): Expression {
  const { place } = value;
  const owned = value.type.kind === "nullable" ? value.type.of : value.type;
  if (owned.kind !== "owned") {
    throw new Error(`a value of type ${owned.kind} is not owned`);
  }
  const { of } = owned;
  const address: Expression =
    of.kind === "interface"
      ? { kind: "sliceAddress", operand: value, type: U64, place }
      : reinterpret(value, U64);
  return {
    kind: "logical",
    operator: "&&",
    left: compare("!=", address, integerOf(0n, U64, place)),
    right: releaseCall(compilation, value, of, place),
    type: VOID,
    place,
  };
}

function releaseCall(
  compilation: Compilation,
  value: Expression,
  of: ClassType | InterfaceType,
  place: Place,
): Expression {
  if (of.kind === "interface") {
    return releaseThroughTable(value, of, place);
  }
  const info = compilation.classes.get(of)!;
  return {
    kind: "call",
    target: releaseFunction(compilation, info),
    arguments: [reinterpret(value, of)],
    type: VOID,
    place,
  };
}

/** The function that drops an object of the class and frees its memory. */
export function releaseFunction(compilation: Compilation, info: ClassInfo): TreeFunction {
  if (info.release === null) {
    const { type } = info;
    info.release = openFunction(compilation, info, "release", (object) => [
      ...dropObject(compilation, info, object),
      expressionStatement(
        freeCall(compilation, reinterpret(object, U64), Math.max(1, sizeOf(type)), alignOf(type), type.place),
      ),
    ]);
  }
  return info.release;
}

/** Drops an object in place. */
export function dropObject(compilation: Compilation, info: ClassInfo, object: Expression): Statement[] {
  if (!needsDrop(compilation, info.type)) {
    return [];
  }
  if (info.drop === null) {
    info.drop = openFunction(compilation, info, "drop", (own, locals) => dropParts(compilation, info, own, locals));
  }
  return [
    expressionStatement({
      kind: "call",
      target: info.drop,
      arguments: [object],
      type: VOID,
      place: object.place,
    }),
  ];
}

function dropParts(compilation: Compilation, info: ClassInfo, object: Expression, locals: Local[]): Statement[] {
  const method = info.methods.get(DISPOSE);
  const { place } = info.type;
  const first: Statement[] =
    method === undefined
      ? []
      : [
          expressionStatement({
            kind: "call",
            target: instantiateFunction(compilation, method, []).function,
            arguments: [object],
            type: VOID,
            place,
          }),
        ];
  const fields = [...info.type.fields].reverse();
  return [...first, ...fields.flatMap((field) => dropPlace(compilation, fieldTarget(object, field, place), locals))];
}

/** Drops what lies in a place; its parts are evaluated more than once. Locals that it needs are added to `locals`. */
export function dropPlace(compilation: Compilation, target: Target, locals: Local[]): Statement[] {
  const { type } = target;
  if (!needsDrop(compilation, type)) {
    return [];
  }
  if (isOwning(type)) {
    return [expressionStatement(dropValue(compilation, read(target)))];
  }
  if (type.kind === "class") {
    return dropObject(compilation, compilation.classes.get(type)!, read(target));
  }
  return type.kind === "array" ? dropElements(compilation, target, type.of, type.length, locals) : [];
}

/** From the last element to the first. */
function dropElements(
  compilation: Compilation,
  target: Target,
  of: Type,
  length: number,
  locals: Local[],
): Statement[] {
  const { place } = target;
  const counter: Local = { name: `$left${locals.length}`, type: USIZE, storage: "register", mutable: true, place };
  locals.push(counter);
  const left = readLocal(counter, place);
  const one = integerOf(1n, USIZE, place);
  const label: LoopLabel = { name: "drop" };
  const element: Target = { kind: "element", array: read(target), index: left, checked: false, type: of, place };
  return [
    { kind: "let", local: counter, initial: integerOf(BigInt(length), USIZE, place), place },
    {
      kind: "loop",
      label,
      test: compare("!=", left, integerOf(0n, USIZE, place)),
      testAtEnd: false,
      update: null,
      body: [
        expressionStatement(assign(localTarget(counter, place), arithmetic("-", left, one))),
        ...dropPlace(compilation, element, locals),
      ],
      place,
    },
  ];
}

function openFunction(
  compilation: Compilation,
  info: ClassInfo,
  name: string,
  body: (object: Expression, locals: Local[]) => Statement[],
): TreeFunction {
  const { type, entity } = info;
  const { place } = type;
  const suffix = type.name.slice(entity.node.name.length);
  const parameter: Local = { name: "object", type, storage: "register", mutable: false, place };
  const open: OpenFunction = {
    symbol: compilation.uniqueSymbol(`${entity.symbol}${suffix}.${name}`),
    parameters: [parameter],
    result: VOID,
    convention: "plain",
    inline: "auto",
    body: [],
    locals: [],
    place,
  };
  compilation.pending.push(() => {
    completeClass(compilation, info, place);
    const locals: Local[] = [];
    open.body = body(readLocal(parameter, place), locals);
    open.locals = locals;
  });
  return open;
}

function expressionStatement(expression: Expression): Statement {
  return { kind: "expression", expression, place: expression.place };
}
