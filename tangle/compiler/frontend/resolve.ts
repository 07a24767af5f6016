/** Names and written types to what they stand for. */
import type { Place } from "../../place.ts";
import type { Type } from "../tree.ts";
import { instantiateClass } from "./classes.ts";
import type { Compilation } from "./compilation.ts";
import type { AliasEntity, Entity, Scope, TypeArgument, TypeConstructorName } from "./entities.ts";
import { enumTypeOf } from "./enums.ts";
import { globalConstant } from "./globals.ts";
import { checkConstraints, interfaceTypeOf } from "./interfaces.ts";
import { promiseOf } from "./promises.ts";
import type { TypeNode } from "./syntax.ts";
import {
  arrayOf,
  atomicOf,
  borrowed,
  callableOf,
  ERROR,
  functionType,
  INTEGERS,
  isError,
  isPlain,
  nullableOf,
  ownedOf,
  pointerTo,
  sliceOf,
  typeName,
  volatileOf,
} from "./types.ts";

/** What a name stands for, or null after a report (KT1002). */
export function lookUp(compilation: Compilation, scope: Scope, name: string, place: Place): Entity | null {
  const entity = scope.find(name);
  if (entity === null) {
    const near = closest(name, scope.visible());
    compilation.reporter.report(
      "KT1002",
      place,
      `\`${name}\` is not declared`,
      near === null ? {} : { hint: `did you mean \`${near}\`?` },
    );
  }
  return entity;
}

/** The name nearest in spelling, if it is near enough to be a slip. */
export function closest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.min(3, Math.ceil(name.length / 3) + 1);
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A written type; `ERROR` after a report. */
export function resolveType(compilation: Compilation, scope: Scope, node: TypeNode): Type {
  const { reporter } = compilation;
  switch (node.kind) {
    case "error":
      return ERROR;
    case "number":
    case "typeof":
      reporter.report("KT1044", node.place, "a number stands where a type is wanted");
      return ERROR;
    case "nullable": {
      const of = resolveType(compilation, scope, node.of);
      if (of.kind === "pointer" || of.kind === "class" || of.kind === "function") {
        return nullableOf(of);
      }
      if (of.kind === "owned" && of.of.kind === "class") {
        return nullableOf(of);
      }
      if (!isError(of)) {
        reporter.report("KT1011", node.place, `\`${typeName(of)}\` cannot be null: it is no address`, {
          hint: "only pointers, classes and functions have `| null`; keep a `bool` beside other values",
        });
      }
      return ERROR;
    }
    case "function":
      return functionType(
        node.parameters.map((parameter) => resolveType(compilation, scope, parameter)),
        resolveType(compilation, scope, node.result),
      );
    case "name": {
      const entity = lookUp(compilation, scope, node.name, node.place);
      return entity === null ? ERROR : resolveNamed(compilation, scope, entity, node);
    }
  }
}

function resolveNamed(
  compilation: Compilation,
  scope: Scope,
  entity: Entity,
  node: TypeNode & { readonly kind: "name" },
): Type {
  if (entity.kind === "missing") {
    return ERROR;
  }
  const count =
    entity.kind === "class" || entity.kind === "interface"
      ? entity.node.typeParameters.length
      : entity.kind === "typeConstructor"
        ? null
        : 0;
  if (count !== null && node.arguments.length !== count) {
    compilation.reporter.report("KT1045", node.place, `\`${node.name}\` takes ${count} type arguments`);
    return ERROR;
  }
  switch (entity.kind) {
    case "builtin": {
      const type = INTEGERS.find((one) => one.name === node.name);
      if (type !== undefined) {
        return type;
      }
      break;
    }
    case "builtinType":
      return entity.type;
    case "typeConstructor":
      return construct(compilation, scope, entity.name, node);
    case "class": {
      const args = node.arguments.map((argument) => resolveTypeArgument(compilation, scope, argument));
      if (args.some(isErrorArgument)) {
        return ERROR;
      }
      checkConstraints(compilation, entity.scope, entity.node.typeParameters, args, node.place);
      return instantiateClass(compilation, entity, args, node.place).type;
    }
    case "interface": {
      const args = node.arguments.map((argument) => resolveTypeArgument(compilation, scope, argument));
      return args.some(isErrorArgument) ? ERROR : interfaceTypeOf(compilation, entity, args);
    }
    case "enum":
      return enumTypeOf(compilation, entity) ?? ERROR;
    case "alias":
      return resolveAlias(compilation, entity);
    case "typeArgument":
      if (entity.argument.kind !== "length") {
        return entity.argument;
      }
  }
  compilation.reporter.report("KT1044", node.place, `\`${node.name}\` is not a type`);
  return ERROR;
}

function resolveAlias(compilation: Compilation, entity: AliasEntity): Type {
  if (entity.state === "busy") {
    compilation.reporter.report("KT1057", entity.node.place, `\`${entity.node.name}\` stands for itself`);
    return ERROR;
  }
  if (entity.state === "new") {
    entity.state = "busy";
    entity.type = resolveType(compilation, entity.scope, entity.node.type);
    entity.state = "done";
  }
  return entity.type ?? ERROR;
}

function construct(
  compilation: Compilation,
  scope: Scope,
  name: TypeConstructorName,
  node: TypeNode & { readonly kind: "name" },
): Type {
  const wanted = name === "FixedArray" ? 2 : 1;
  const [elementNode, lengthNode] = node.arguments;
  if (elementNode === undefined || node.arguments.length !== wanted) {
    compilation.reporter.report(
      "KT1045",
      node.place,
      `\`${name}\` takes ${wanted} type argument${wanted > 1 ? "s" : ""}`,
    );
    return ERROR;
  }
  const element = resolveType(compilation, scope, elementNode);
  if (isError(element)) {
    return ERROR;
  }
  const isNothing = element.kind === "void" || element.kind === "never";
  const takesNothing = name === "Promise" || (name === "Pointer" && element.kind === "void");
  if ((isNothing && !takesNothing) || element.kind === "format") {
    compilation.reporter.report("KT1008", elementNode.place, `\`${typeName(element)}\` cannot be kept in memory`);
    return ERROR;
  }
  switch (name) {
    case "Owned":
      if (element.kind === "class" || element.kind === "interface") {
        return ownedOf(element);
      }
      if (element.kind === "function") {
        return ownedOf(callableOf(element));
      }
      compilation.reporter.report(
        "KT1070",
        elementNode.place,
        `\`${typeName(element)}\` is no object that one could own`,
      );
      return ERROR;
    case "Borrowed":
      return borrowed(element);
    case "Promise":
      return promiseOf(element);
    case "Slice":
      return sliceOf(element);
    case "Pointer":
      return pointerTo(element);
    case "FixedArray": {
      const length = lengthNode && resolveTypeArgument(compilation, scope, lengthNode);
      if (length?.kind !== "length") {
        if (length !== undefined && !isErrorArgument(length)) {
          compilation.reporter.report("KT1044", node.place, "the length of a fixed array is a number", {
            hint: "write `FixedArray<u8, 16>`, or `FixedArray<u8, typeof LENGTH>` for a constant",
          });
        }
        return ERROR;
      }
      return arrayOf(element, length.value);
    }
    case "Volatile":
    case "Atomic":
      if (!isPlain(element)) {
        compilation.reporter.report(
          "KT1008",
          elementNode.place,
          `\`${name}<${typeName(element)}>\`: a cell holds an integer, a bool or an enum`,
          { hint: "make the fields or elements cells" },
        );
        return ERROR;
      }
      return name === "Volatile" ? volatileOf(element) : atomicOf(element);
  }
}

/** The largest array that the language allows, in elements: far more than a kernel image can hold. */
const LONGEST_ARRAY = 1n << 31n;

export function resolveTypeArgument(compilation: Compilation, scope: Scope, node: TypeNode): TypeArgument {
  const { reporter } = compilation;
  const length = (value: bigint): TypeArgument => {
    if (value < 0n || value >= LONGEST_ARRAY) {
      reporter.report("KT1032", node.place, `${value} is no length of an array`);
      return ERROR;
    }
    return { kind: "length", value: Number(value) };
  };
  if (node.kind === "number") {
    return length(node.value);
  }
  if (node.kind === "typeof") {
    const entity = lookUp(compilation, scope, node.name, node.place);
    const value = entity?.kind === "global" ? globalConstant(compilation, entity) : null;
    if (value === null) {
      if (entity !== null) {
        reporter.report("KT1044", node.place, `\`${node.name}\` is not a constant integer`);
      }
      return ERROR;
    }
    return length(value);
  }
  if (node.kind === "name") {
    const entity = scope.find(node.name);
    if (entity?.kind === "typeArgument") {
      return entity.argument;
    }
  }
  return resolveType(compilation, scope, node);
}

function isErrorArgument(argument: TypeArgument): boolean {
  return argument.kind !== "length" && isError(argument);
}

const typeNumbers = new WeakMap<Type, number>();
let lastTypeNumber = 0;

/** Two lists of type arguments are equal when their keys are; classes of one name in two modules differ. */
export function typeArgumentsKey(args: readonly TypeArgument[]): string {
  return args
    .map((argument) => {
      if (argument.kind === "length") {
        return `#${argument.value}`;
      }
      const number = typeNumbers.get(argument) ?? ++lastTypeNumber;
      typeNumbers.set(argument, number);
      return String(number);
    })
    .join(" ");
}

export function typeArgumentName(argument: TypeArgument): string {
  return argument.kind === "length" ? String(argument.value) : typeName(argument);
}
