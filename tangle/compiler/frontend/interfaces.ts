/**
 * Interfaces: contracts that classes say they keep. Where the class is known, as behind a type parameter, calls are
 * bound to its methods; a value of interface type carries the address of its object and that of the class's method table.
 */
import type { Place } from "../../place.ts";
import type { ConstantValue, Expression, FunctionType, Global, InterfaceType, Type } from "../tree.ts";
import { unknownMember } from "./access.ts";
import type { Body } from "./body.ts";
import { type CallNode, checkArguments, failedCall } from "./calls.ts";
import type { Compilation } from "./compilation.ts";
import { releaseFunction } from "./drops.ts";
import {
  boundScope,
  type ClassInfo,
  type FunctionEntity,
  type InterfaceEntity,
  type Scope,
  type TypeArgument,
} from "./entities.ts";
import { instantiateFunction } from "./functions.ts";
import { assign, globalTarget, localTarget, pointerToObject, read, readLocal, reinterpret, sequence } from "./nodes.ts";
import { resolveType, typeArgumentName, typeArgumentsKey } from "./resolve.ts";
import type { ExpressionNode, TypeParameterNode } from "./syntax.ts";
import { arrayOf, ERROR, functionType, isError, ownedOf, pointerTo, typeName, U64, VOID } from "./types.ts";

const ANY_OBJECT = pointerTo(VOID);

/** The interface with these type arguments: one type however often it is asked for. */
export function interfaceTypeOf(
  compilation: Compilation,
  entity: InterfaceEntity,
  args: readonly TypeArgument[],
): InterfaceType {
  const key = typeArgumentsKey(args);
  const known = entity.instances.get(key);
  if (known !== undefined) {
    return known;
  }
  const { node } = entity;
  const scope = boundScope(entity.scope, node.typeParameters, args);
  const suffix = args.length === 0 ? "" : `<${args.map(typeArgumentName).join(", ")}>`;
  const type: InterfaceType = { kind: "interface", name: node.name + suffix, methods: [] };
  entity.instances.set(key, type);
  type.methods = node.methods.map(({ name, parameters, result }) => ({
    name,
    type: functionType(
      [ANY_OBJECT, ...parameters.map((parameter) => resolveType(compilation, scope, parameter))],
      resolveType(compilation, scope, result),
    ),
  }));
  return type;
}

/** The interfaces that a class says it implements; what is no interface is reported. */
function contractsOf(compilation: Compilation, info: ClassInfo): InterfaceType[] {
  return info.entity.node.contracts.flatMap((node) => {
    const type = resolveType(compilation, info.scope, node);
    if (type.kind === "interface") {
      return [type];
    }
    if (!isError(type)) {
      compilation.reporter.report("KT1026", node.place, `\`${typeName(type)}\` is not an interface`);
    }
    return [];
  });
}

/** Whether a class, or the interface itself, keeps the contract. */
export function isImplemented(compilation: Compilation, type: Type, contract: InterfaceType): boolean {
  const info = type.kind === "class" ? compilation.classes.get(type) : undefined;
  return type === contract || (info !== undefined && contractsOf(compilation, info).includes(contract));
}

/** Reports methods that the class promises and lacks, or has with other types. */
export function checkContracts(compilation: Compilation, info: ClassInfo): void {
  for (const contract of contractsOf(compilation, info)) {
    for (const { name, type } of contract.methods) {
      const method = info.methods.get(name);
      const wanted = `${contract.name}.${name}`;
      if (method === undefined || method.private) {
        const how = method === undefined ? "has no" : "keeps private the";
        compilation.reporter.report(
          "KT1064",
          info.type.place,
          `\`${info.type.name}\` ${how} method \`${name}\` of \`${contract.name}\``,
        );
      } else if (method.node.typeParameters.length > 0 || !sameSignature(compilation, method, type)) {
        compilation.reporter.report(
          "KT1064",
          method.node.place,
          `\`${name}\` differs from \`${wanted}: ${methodType(type)}\``,
        );
      }
    }
  }
}

function sameSignature(compilation: Compilation, method: FunctionEntity, wanted: FunctionType): boolean {
  const { parameters, result } = instantiateFunction(compilation, method, []).function;
  const types = parameters.slice(1).map((parameter) => parameter.type);
  return functionType([ANY_OBJECT, ...types], result) === wanted;
}

function methodType(type: FunctionType): string {
  return typeName(functionType(type.parameters.slice(1), type.result));
}

/** A reference to an object as a value of an interface that its class implements; null where it does not. */
export function asInterface(compilation: Compilation, value: Expression, type: InterfaceType): Expression | null {
  const info = value.type.kind === "class" ? compilation.classes.get(value.type) : undefined;
  if (info === undefined || !isImplemented(compilation, info.type, type)) {
    return null;
  }
  const { place } = value;
  const table = methodTable(compilation, info, type);
  return {
    kind: "makeSlice",
    address: reinterpret(value, ANY_OBJECT),
    length: pointerToObject(read(globalTarget(table, place)), VOID),
    type,
    place,
  };
}

/** The owner of an object as the owner of an interface that its class implements; null where it does not. */
export function asOwnedInterface(compilation: Compilation, value: Expression, type: InterfaceType): Expression | null {
  const { type: owned, place } = value;
  const info = owned.kind === "owned" && owned.of.kind === "class" ? compilation.classes.get(owned.of) : undefined;
  if (info === undefined || !isImplemented(compilation, info.type, type)) {
    return null;
  }
  const table = owningTable(compilation, info, type);
  return {
    kind: "makeSlice",
    address: reinterpret(value, ANY_OBJECT),
    length: pointerToObject(read(globalTarget(table, place)), VOID),
    type: ownedOf(type),
    place,
  };
}

/** The addresses of the class's methods in the order of the interface's. */
function methodTable(compilation: Compilation, info: ClassInfo, type: InterfaceType): Global {
  const known = info.tables.get(type) ?? makeTable(compilation, info, type, []);
  info.tables.set(type, known);
  return known;
}

/** The same, and behind them the function that drops the object and frees its memory. */
function owningTable(compilation: Compilation, info: ClassInfo, type: InterfaceType): Global {
  const release: ConstantValue = { kind: "function", target: releaseFunction(compilation, info) };
  const known = info.owningTables.get(type) ?? makeTable(compilation, info, type, [release]);
  info.owningTables.set(type, known);
  return known;
}

function makeTable(
  compilation: Compilation,
  info: ClassInfo,
  type: InterfaceType,
  more: readonly ConstantValue[],
): Global {
  const suffix = info.type.name.slice(info.entity.node.name.length);
  const methods = type.methods.flatMap(({ name }): ConstantValue[] => {
    const method = info.methods.get(name);
    return method === undefined
      ? []
      : [{ kind: "function", target: instantiateFunction(compilation, method, []).function }];
  });
  return {
    symbol: compilation.uniqueSymbol(`${info.entity.symbol}${suffix}.as.${type.name}`),
    type: arrayOf(ANY_OBJECT, methods.length + more.length),
    mutable: false,
    sealed: true,
    initial: { kind: "aggregate", elements: [...methods, ...more] },
    place: info.type.place,
  };
}

/** Drops and frees the object behind an owning value of interface type. */
export function releaseThroughTable(value: Expression, type: InterfaceType, place: Place): Expression {
  const release = functionType([ANY_OBJECT], VOID);
  return {
    kind: "callIndirect",
    callee: tableEntry(value, type.methods.length, release),
    arguments: [{ kind: "sliceAddress", operand: value, type: ANY_OBJECT, place }],
    type: VOID,
    place,
  };
}

/** The function at a place of the method table; `value` is read from a local. */
export function tableEntry(value: Expression, index: number, type: FunctionType): Expression {
  const { place } = value;
  const table: Expression = { kind: "sliceLength", operand: value, type: U64, place };
  const entry: Expression = {
    kind: "arithmetic",
    operator: "+",
    left: table,
    right: { kind: "integer", value: BigInt(8 * index), type: U64, place },
    type: U64,
    place,
  };
  return read({ kind: "pointee", pointer: reinterpret(entry, pointerTo(type)), type, place });
}

/** `value.method(…)`: the method's address is read from the table. */
export function callThroughTable(
  body: Body,
  object: Expression,
  type: InterfaceType,
  member: ExpressionNode & { readonly kind: "member" },
  node: CallNode,
): Expression {
  const { place } = node;
  const index = type.methods.findIndex((method) => method.name === member.name);
  const method = type.methods[index];
  if (method === undefined) {
    unknownMember(
      body,
      type,
      member,
      type.methods.map((one) => one.name),
    );
    return failedCall(body, node);
  }
  const kept = body.temporary("object", type, place);
  const value = readLocal(kept, place);
  const args = checkArguments(body, node, method.type.parameters.slice(1), [], body.scope, `\`${member.name}\``);
  const callee = tableEntry(value, index, method.type);
  const receiver: Expression = { kind: "sliceAddress", operand: value, type: ANY_OBJECT, place };
  return sequence([assign(localTarget(kept, place), object)], {
    kind: "callIndirect",
    callee,
    arguments: [receiver, ...args],
    type: method.type.result,
    place,
  });
}

/** Checks the constraints of a declaration by themselves, used or not. */
export function checkConstraintTypes(
  compilation: Compilation,
  scope: Scope,
  parameters: readonly TypeParameterNode[],
): void {
  for (const { place } of parameters.slice(0, 1)) {
    checkConstraints(
      compilation,
      scope,
      parameters,
      parameters.map(() => ERROR),
      place,
    );
  }
}

/** Reports type arguments that do not implement the interface that their parameter asks for. */
export function checkConstraints(
  compilation: Compilation,
  scope: Scope,
  parameters: readonly TypeParameterNode[],
  args: readonly TypeArgument[],
  place: Place,
): void {
  const bound = boundScope(scope, parameters, args);
  parameters.forEach(({ constraint }, index) => {
    const argument = args[index];
    if (constraint === null || argument === undefined || argument.kind === "length") {
      return;
    }
    const wanted = resolveType(compilation, bound, constraint);
    if (wanted.kind !== "interface") {
      if (!isError(wanted)) {
        compilation.reporter.report("KT1026", constraint.place, `\`${typeName(wanted)}\` is not an interface`);
      }
    } else if (!isError(argument) && !isImplemented(compilation, argument, wanted)) {
      compilation.reporter.report("KT1064", place, `\`${typeName(argument)}\` does not implement \`${wanted.name}\``);
    }
  });
}
