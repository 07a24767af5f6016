/**
 * The end of an object: the `[Symbol.dispose]` method of its class, then its fields, the last declared first; then, on the
 * heap, its memory is freed. Each class has one function for the first two, and one for all.
 */
import type { Place } from "../../place.ts";
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
import { freeCall, room } from "./allocation.ts";
import { completeClass, completeEmbedded } from "./classes.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { DISPOSE } from "./disposal.ts";
import type { ClassInfo } from "./entities.ts";
import { instantiateFunction } from "./functions.ts";
import { isImplemented, releaseThroughTable } from "./interfaces.ts";
import {
  arithmetic,
  assign,
  compare,
  fieldTarget,
  integerOf,
  localTarget,
  pointerToObject,
  read,
  readLocal,
  reinterpret,
} from "./nodes.ts";
import { BUILT_IN_PLACE, isOwning, SHARED, typeName, U64, USIZE, VOID } from "./types.ts";

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
      return info.methods.has(DISPOSE) || fieldsNeedDrop(compilation, info);
    }
    default:
      return false;
  }
}

/** Found once for each class; one that contains itself, which is reported elsewhere, counts as having nothing more in there. */
function fieldsNeedDrop(compilation: Compilation, info: ClassInfo): boolean {
  if (info.state === "done" && info.fieldsNeedDrop === null) {
    info.fieldsNeedDrop = false;
    info.fieldsNeedDrop = info.type.fields.some((field) => needsDrop(compilation, field.type));
  }
  return info.fieldsNeedDrop ?? false;
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
    of.kind === "interface" ? { kind: "sliceAddress", operand: value, type: U64, place } : reinterpret(value, U64);
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

/**
 * The function that drops an object of the class and frees its memory. An object that several own is asked first whether
 * this was the last of them.
 */
export function releaseFunction(compilation: Compilation, info: ClassInfo): TreeFunction {
  if (info.release === null) {
    const { type } = info;
    const symbol = partSymbol(info, "release");
    info.release = openFunction(compilation, symbol, type, (object) => {
      const { bytes, alignment } = room(type, type.place);
      const free = freeCall(compilation, reinterpret(object, U64), bytes, alignment, type.place);
      const end = [...dropObject(compilation, info, object), expressionStatement(free)];
      const last = lastOwner(compilation, info, object);
      return last === null ? end : [{ kind: "if", condition: last, then: end, otherwise: [], place: type.place }];
    });
  }
  return info.release;
}

/** The call that asks a class which implements `Shared` whether nobody owns the object any more; null for other classes. */
function lastOwner(compilation: Compilation, info: ClassInfo, object: Expression): Expression | null {
  const method = isImplemented(compilation, info.type, SHARED) ? info.methods.get("release") : undefined;
  if (method === undefined) {
    return null;
  }
  const target = instantiateFunction(compilation, method, []).function;
  return { kind: "call", target, arguments: [object], type: target.result, place: object.place };
}

/** Drops an object in place. */
function dropObject(compilation: Compilation, info: ClassInfo, object: Expression): Statement[] {
  if (!needsDrop(compilation, info.type)) {
    return [];
  }
  const target = dropFunction(compilation, info.type);
  return [expressionStatement({ kind: "call", target, arguments: [object], type: VOID, place: object.place })];
}

/** The function that drops an object or array in place. */
export function dropFunction(compilation: Compilation, type: Type): TreeFunction {
  const info = type.kind === "class" ? compilation.classes.get(type) : undefined;
  if (info === undefined) {
    return openFunction(compilation, `drop:${typeName(type)}`, type, (whole, locals) =>
      dropPlace(
        compilation,
        { kind: "pointee", pointer: pointerToObject(whole, type), type, place: whole.place },
        locals,
      ),
    );
  }
  info.drop ??= openFunction(compilation, partSymbol(info, "drop"), info.type, (object, locals) =>
    dropParts(compilation, info, object, locals),
  );
  return info.drop;
}

function partSymbol({ type, entity }: ClassInfo, part: string): string {
  return `${entity.symbol}${type.name.slice(entity.node.name.length)}.${part}`;
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
  symbol: string,
  type: Type,
  body: (object: Expression, locals: Local[]) => Statement[],
): TreeFunction {
  const place = type.kind === "class" ? type.place : BUILT_IN_PLACE;
  const parameter: Local = { name: "object", type, storage: "register", mutable: false, place };
  const open: OpenFunction = {
    symbol: compilation.uniqueSymbol(symbol),
    parameters: [parameter],
    result: VOID,
    convention: "plain",
    inline: "auto",
    body: [],
    locals: [],
    place,
  };
  compilation.pending.push(() => {
    completeEmbedded(compilation, type, place);
    const locals: Local[] = [];
    open.body = body(readLocal(parameter, place), locals);
    open.locals = locals;
  });
  return open;
}

function expressionStatement(expression: Expression): Statement {
  return { kind: "expression", expression, place: expression.place };
}
