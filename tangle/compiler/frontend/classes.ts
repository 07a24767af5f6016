/** Classes: layout in memory, and the constructor that fills an object in place. */
import type { Place } from "../../place.ts";
import { alignOf, sizeOf } from "../layout.ts";
import type { ClassType, Field, Local, Statement, Function as TreeFunction, Type } from "../tree.ts";
import { Body } from "./body.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { constantOf } from "./constants.ts";
import { DISPOSE } from "./disposal.ts";
import { boundScope, type ClassEntity, type ClassInfo, Scope, type TypeArgument } from "./entities.ts";
import { checkAs } from "./expressions.ts";
import { checkFunctionBody, MOST_INSTANCES, makeParameters } from "./functions.ts";
import { initialize, zeroFill } from "./initialize.ts";
import { checkContracts } from "./interfaces.ts";
import { fieldTarget, readLocal } from "./nodes.ts";
import { resolveType, typeArgumentName, typeArgumentsKey } from "./resolve.ts";
import type { ExpressionNode, FieldNode, StatementNode } from "./syntax.ts";
import { isError, typeName, USIZE, VOID } from "./types.ts";

/** The class with these type arguments: one type however often it is asked for. Its fields are laid out later. */
export function instantiateClass(
  compilation: Compilation,
  entity: ClassEntity,
  args: readonly TypeArgument[],
  place: Place,
): ClassInfo {
  const key = typeArgumentsKey(args);
  const known = entity.instances.get(key);
  if (known !== undefined) {
    return known;
  }
  const { node } = entity;
  if (entity.instances.size >= MOST_INSTANCES) {
    compilation.reporter.report("KT1045", place, `the type arguments of \`${node.name}\` grow without end`);
    return entity.instances.values().next().value!;
  }
  const scope = boundScope(entity.scope, node.typeParameters, args);
  const suffix = args.length === 0 ? "" : `<${args.map(typeArgumentName).join(", ")}>`;
  const type: ClassType = {
    kind: "class",
    name: node.name + suffix,
    packed: node.packed,
    fields: [],
    size: 0,
    align: 1,
    place: node.place,
  };
  const info: ClassInfo = {
    entity,
    type,
    arguments: args,
    scope,
    members: new Map(node.fields.filter((field) => !field.static).map((field) => [field.name, field])),
    methods: new Map(),
    state: "new",
    constructor_: null,
    fieldsNeedDrop: null,
    drop: null,
    release: null,
    tables: new Map(),
    owningTables: new Map(),
  };
  entity.instances.set(key, info);
  compilation.classes.set(type, info);
  const symbol = entity.symbol + suffix;
  for (const method of node.methods.filter((one) => !one.static)) {
    info.methods.set(method.name, {
      kind: "function",
      node: method.function,
      symbol: `${symbol}.${method.name === DISPOSE ? "dispose" : method.name}`,
      scope,
      owner: entity,
      receiver: type,
      convention: "plain",
      inline: "auto",
      instances: new Map(),
      context: null,
      private: method.private,
    });
  }
  compilation.pending.push(() => completeClass(compilation, info, place));
  return info;
}

/** Lays out the fields, once. `place` asks for the size; a class within itself is reported there. */
export function completeClass(compilation: Compilation, info: ClassInfo, place: Place): void {
  if (info.state === "done") {
    return;
  }
  if (info.state === "busy") {
    compilation.reporter.report("KT1057", place, `\`${info.type.name}\` contains itself`);
    return;
  }
  info.state = "busy";
  const { type, entity } = info;
  const fields: Field[] = [];
  let end = 0;
  for (const node of entity.node.fields.filter((field) => !field.static)) {
    const fieldType = fieldTypeOf(compilation, info, node);
    if (isError(fieldType)) {
      continue;
    }
    const align = type.packed ? 1 : alignOf(fieldType);
    const offset = Math.ceil(end / align) * align;
    checkOffset(compilation, info, node, offset);
    fields.push({ name: node.name, type: fieldType, offset });
    end = offset + sizeOf(fieldType);
    type.align = Math.max(type.align, align);
  }
  type.fields = fields;
  type.size = Math.ceil(end / type.align) * type.align;
  info.state = "done";
  compilation.pending.push(() => checkContracts(compilation, info));
  if (entity.node.size !== null) {
    const wanted = constantNumber(compilation, info, entity.node.size);
    if (wanted !== null && wanted !== BigInt(type.size)) {
      compilation.reporter.report(
        "KT1047",
        entity.node.size.place,
        `\`${type.name}\` has ${type.size} bytes, not ${wanted}`,
      );
    }
  }
}

function fieldTypeOf(compilation: Compilation, info: ClassInfo, node: FieldNode): Type {
  const { reporter } = compilation;
  let type: Type;
  if (node.type !== null) {
    type = resolveType(compilation, info.scope, node.type);
  } else {
    type = typeOfInitial(compilation, info, node);
  }
  if (type.kind === "void" || (type.kind === "never" && !isError(type)) || type.kind === "format") {
    reporter.report("KT1008", node.place, `a field of type \`${typeName(type)}\` cannot be kept in memory`);
    return { kind: "never" };
  }
  completeEmbedded(compilation, type, node.place);
  return type;
}

/** `cell = new Atomic<bool>(false)` says its type on the right. */
function typeOfInitial(compilation: Compilation, info: ClassInfo, node: FieldNode): Type {
  if (node.initial?.kind === "new") {
    const { class: name, typeArguments: args, place } = node.initial;
    return resolveType(compilation, info.scope, { kind: "name", name, arguments: args, place });
  }
  compilation.reporter.report("KT1046", node.place, `field \`${node.name}\` says no type`);
  return resolveType(compilation, info.scope, { kind: "error", place: node.place });
}

/** Makes sure that the size of a type is known, whose bytes lie in place. */
export function completeEmbedded(compilation: Compilation, type: Type, place: Place): void {
  if (type.kind === "array") {
    completeEmbedded(compilation, type.of, place);
  } else if (type.kind === "class") {
    const info = compilation.classes.get(type);
    if (info !== undefined) {
      completeClass(compilation, info, place);
    }
  }
}

function checkOffset(compilation: Compilation, info: ClassInfo, node: FieldNode, offset: number): void {
  if (node.offset === null) {
    return;
  }
  const wanted = constantNumber(compilation, info, node.offset);
  if (wanted !== null && wanted !== BigInt(offset)) {
    compilation.reporter.report(
      "KT1047",
      node.offset.place,
      `\`${node.name}\` stands at offset ${offset}, not ${wanted}`,
    );
  }
}

function constantNumber(compilation: Compilation, info: ClassInfo, node: ExpressionNode): bigint | null {
  const body = new Body(compilation, { symbol: "", scope: info.scope, owner: info.entity });
  const expression = checkAs(body, node, USIZE);
  const value = constantOf(expression);
  if (value === null && !isError(expression.type)) {
    compilation.reporter.report("KT1047", node.place, "the argument is a constant");
  }
  return value;
}

/** The function that fills an object of the class in place: initial values of fields first, then the constructor's body. */
export function constructorOf(compilation: Compilation, info: ClassInfo): TreeFunction {
  if (info.constructor_ !== null) {
    return info.constructor_;
  }
  const node = info.entity.node.constructor_;
  const place = node?.place ?? info.type.place;
  const receiver: Local = { name: "this", type: info.type, storage: "register", mutable: false, place };
  const parameters = node === null ? [] : makeParameters(compilation, info.scope, node.parameters, null);
  const suffix = info.type.name.slice(info.entity.node.name.length);
  const open: OpenFunction = {
    symbol: compilation.uniqueSymbol(`${info.entity.symbol}${suffix}.constructor`),
    parameters: [receiver, ...parameters],
    result: VOID,
    convention: "plain",
    inline: "auto",
    body: [],
    locals: [],
    place,
  };
  info.constructor_ = open;
  compilation.pending.push(() => {
    completeClass(compilation, info, place);
    const body = new Body(compilation, {
      symbol: open.symbol,
      scope: new Scope(info.scope, info.scope.module),
      owner: info.entity,
      receiver,
      inConstructor: true,
      source: node,
    });
    checkOwnedFields(compilation, info);
    const statements = fieldInitializers(body, info, receiver);
    if (node !== null) {
      statements.push(...checkFunctionBody(body, node, parameters));
    }
    open.body = statements;
    open.locals = body.locals;
  });
  return open;
}

/** Zeros are no object: a field that owns one gets it where it is declared, or by a statement of the constructor itself. */
function checkOwnedFields(compilation: Compilation, info: ClassInfo): void {
  const { constructor_ } = info.entity.node;
  const statements = constructor_ !== null && Array.isArray(constructor_.body) ? constructor_.body : [];
  for (const { name, type } of info.type.fields) {
    const node = info.members.get(name);
    const of = type.kind === "array" ? type.of : type;
    if (of.kind === "owned" && node?.initial === null && !statements.some((one) => isAssignmentTo(one, name))) {
      compilation.reporter.report("KT1060", node.place, `\`${name}\` of type \`${typeName(type)}\` needs an object`, {
        hint: "give it one where it is declared, or by `this.… = …` in the constructor; or let it be `Owned<C> | null`",
      });
    }
  }
}

function isAssignmentTo(node: StatementNode, field: string): boolean {
  const { target } =
    node.kind === "expression" && node.expression.kind === "assign" ? node.expression : { target: null };
  return target?.kind === "member" && target.object.kind === "this" && target.name === field;
}

function fieldInitializers(body: Body, info: ClassInfo, receiver: Local): Statement[] {
  const statements: Statement[] = [];
  const { fields } = info.entity.node;
  if (fields.some((field) => !field.static && field.initial === null)) {
    statements.push(zeroFill(readLocal(receiver, info.type.place), info.type));
  }
  for (const field of info.type.fields) {
    const node = info.members.get(field.name);
    if (node !== undefined && node.initial !== null) {
      const target = fieldTarget(readLocal(receiver, node.place), field, node.place);
      statements.push(...initialize(body, target, node.initial, false));
    }
  }
  return statements;
}
