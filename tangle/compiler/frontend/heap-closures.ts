/**
 * Closures that outlive the call they were made in: `Owned<() => void>`. What they use of the function around them lies in
 * an object on the heap: copies of what never changes, and owners that move there. Like the owner of an interface, the
 * value is the object's address and that of a table: the closure's code, and the function that drops and frees the object.
 */
import type { Place } from "../../place.ts";
import { alignOf, isAggregate, sizeOf } from "../layout.ts";
import type {
  ClassType,
  Expression,
  Field,
  FunctionType,
  Global,
  InterfaceType,
  Local,
  Target,
  Type,
} from "../tree.ts";
import { type Access, readAccess, targetAccess } from "./access.ts";
import { allocateOrPanic, HEAP_CHAPTER, room } from "./allocation.ts";
import { Body, errorExpression } from "./body.ts";
import { type CallNode, checkArguments } from "./calls.ts";
import { type Captures, isFixed } from "./captures.ts";
import type { OpenFunction } from "./compilation.ts";
import { releaseFunction } from "./drops.ts";
import { type ClassInfo, Scope } from "./entities.ts";
import { checkEscape } from "./frame.ts";
import { checkFunctionBody, localFunction, makeParameters, PLAIN } from "./functions.ts";
import { tableEntry } from "./interfaces.ts";
import {
  assign,
  fieldTarget,
  globalTarget,
  localTarget,
  pointerToObject,
  read,
  readLocal,
  reinterpret,
  sequence,
} from "./nodes.ts";
import { checkUsable, move } from "./ownership.ts";
import type { ExpressionNode } from "./syntax.ts";
import { arrayOf, callableOf, functionType, isOwning, ownedOf, pointerTo, typeName, VOID } from "./types.ts";

const ANY_OBJECT = pointerTo(VOID);

/** What a closure keeps, as fields of its object. */
class KeptCaptures implements Captures {
  readonly escapes = true;
  readonly fields: Field[] = [];
  readonly values: Expression[] = [];
  private readonly known = new Map<Local, Field>();

  constructor(
    readonly outer: Body,
    /** The closure's object, from inside. */
    private readonly object: Local,
  ) {}

  access(inner: Body, local: Local, owner: Body, place: Place): Access | null {
    let field = this.known.get(local);
    if (field === undefined) {
      const outside = this.outside(inner, local, owner, place);
      if (outside === null) {
        return null;
      }
      field = this.add(local, isOwning(outside.type) ? move(this.outer, outside) : outside);
    }
    return targetAccess(this.target(field, place), `\`${local.name}\` is a constant in the closure that keeps it`);
  }

  value(_inner: Body, local: Local, outside: Expression, place: Place): Expression {
    return read(this.target(this.known.get(local) ?? this.add(local, outside), place));
  }

  private target(field: Field, place: Place): Target {
    const { type } = field;
    const target = fieldTarget(readLocal(this.object, place), field, place);
    if (!isReference(type)) {
      return target;
    }
    // The field holds the reference to an object, not the object.
    const object = reinterpret(read(target), type.of);
    return { kind: "pointee", pointer: pointerToObject(object, type.of), type: type.of, place };
  }

  private outside(inner: Body, local: Local, owner: Body, place: Place): Expression | null {
    if (!isFixed(local, owner)) {
      inner.report(
        "KT1013",
        place,
        `\`${local.name}\` changes, and a closure on the heap keeps a copy of its own`,
        "copy it into a `const` first, or keep it in an object that the closure owns",
      );
      return errorExpression(place);
    }
    const { outer } = this;
    if (owner === outer && !checkUsable(outer, local, place)) {
      return errorExpression(place);
    }
    const access =
      owner === outer ? targetAccess(localTarget(local, place)) : outer.captures?.access(outer, local, owner, place);
    return access === undefined || access === null ? null : readAccess(access);
  }

  private add(local: Local, given: Expression): Field {
    checkEscape(this.outer, given, "stored");
    // References are kept as pointers: a field of class type would hold the object itself.
    const value = isAggregate(given.type) ? pointerToObject(given, given.type) : given;
    const end = this.fields.reduce((most, one) => Math.max(most, one.offset + sizeOf(one.type)), 0);
    const align = alignOf(value.type);
    const type = isAggregate(given.type) ? referenceTo(given.type) : value.type;
    const field: Field = { name: local.name, type, offset: Math.ceil(end / align) * align };
    this.fields.push(field);
    this.values.push(value);
    this.known.set(local, field);
    return field;
  }
}

/** Pointers that stand for references, told apart from those that the closure captures as such. */
const references = new WeakSet<Type>();
function referenceTo(of: Type): Type & { readonly kind: "pointer" } {
  const type = { kind: "pointer", of } as const;
  references.add(type);
  return type;
}
function isReference(type: Type): type is Type & { readonly kind: "pointer" } {
  return references.has(type);
}

/** A function expression where an owner of a function is wanted. */
export function makeClosure(
  body: Body,
  argument: ExpressionNode & { readonly kind: "function" },
  callable: InterfaceType,
  signature: FunctionType,
): Expression {
  const { function: node, place } = argument;
  const { compilation } = body;
  if (compilation.chapter < HEAP_CHAPTER) {
    return body.error("KT1013", place, `closures on the heap come with chapter ${HEAP_CHAPTER}`);
  }
  if (body.atModuleLevel) {
    return body.error("KT1065", place, "module-level values are made before there is a heap", "make it in a function");
  }
  const entity = localFunction(body, node, node.name ?? "closure", signature, PLAIN);
  const symbol = compilation.uniqueSymbol(entity.symbol);
  const type: ClassType = { kind: "class", name: symbol, packed: false, fields: [], size: 0, align: 1, place };
  const object: Local = { name: "$closure", type, storage: "register", mutable: false, place };
  const parameters = makeParameters(compilation, body.scope, node.parameters, signature.parameters);
  const captures = new KeptCaptures(body, object);
  const inner = new Body(compilation, {
    symbol,
    scope: new Scope(body.scope, body.scope.module),
    owner: body.owner,
    result: signature.result,
    source: node,
    captures,
  });
  const code: OpenFunction = {
    symbol,
    parameters: [object, ...parameters],
    result: signature.result,
    convention: "plain",
    inline: "auto",
    body: checkFunctionBody(inner, node, parameters),
    locals: inner.locals,
    place,
  };
  const given = functionType(
    parameters.map((parameter) => parameter.type),
    signature.result,
  );
  if (given !== signature) {
    return body.error("KT1008", place, `\`${typeName(given)}\` stands where \`${callable.name}\` is wanted`);
  }
  type.fields = captures.fields;
  type.align = captures.fields.reduce((most, field) => Math.max(most, alignOf(field.type)), 1);
  const end = captures.fields.reduce((most, field) => Math.max(most, field.offset + sizeOf(field.type)), 0);
  type.size = Math.ceil(end / type.align) * type.align;
  const info = closureClass(body, type);
  return allocateClosure(body, info, code, captures.values, ownedOf(callable), place);
}

/** The closure's object as a class, so that it is dropped like any other. */
function closureClass(body: Body, type: ClassType): ClassInfo {
  const { scope, compilation } = body;
  const node = {
    name: type.name,
    typeParameters: [],
    packed: false,
    size: null,
    fields: [],
    methods: [],
    constructor_: null,
    contracts: [],
    place: type.place,
  };
  const info: ClassInfo = {
    entity: { kind: "class", node, symbol: type.name, scope, instances: new Map(), statics: new Map() },
    type,
    arguments: [],
    scope,
    members: new Map(),
    methods: new Map(),
    state: "done",
    constructor_: null,
    fieldsNeedDrop: null,
    drop: null,
    release: null,
    tables: new Map(),
    owningTables: new Map(),
  };
  compilation.classes.set(type, info);
  return info;
}

function allocateClosure(
  body: Body,
  info: ClassInfo,
  code: OpenFunction,
  values: readonly Expression[],
  owned: Type,
  place: Place,
): Expression {
  const { compilation } = body;
  const { type } = info;
  const table: Global = {
    symbol: compilation.uniqueSymbol(`${type.name}.table`),
    type: arrayOf(ANY_OBJECT, 2),
    mutable: false,
    sealed: true,
    initial: {
      kind: "aggregate",
      elements: [
        { kind: "function", target: code },
        { kind: "function", target: releaseFunction(compilation, info) },
      ],
    },
    place,
  };
  const { bytes, alignment } = room(type, place);
  const { address, first } = allocateOrPanic(body, bytes, alignment, place);
  const object = reinterpret(reinterpret(readLocal(address, place), pointerTo(type)), type);
  const stores = type.fields.map((field, index) => assign(fieldTarget(object, field, place), values[index]!));
  return sequence([...first, ...stores], {
    kind: "makeSlice",
    address: reinterpret(object, ANY_OBJECT),
    length: pointerToObject(read(globalTarget(table, place)), VOID),
    type: owned,
    place,
  });
}

/** A call of a closure on the heap. */
export function callKept(body: Body, callee: Expression, signature: FunctionType, node: CallNode): Expression {
  const { place } = node;
  const kept = body.temporary("closure", callee.type, place);
  const value = readLocal(kept, place);
  const args = checkArguments(body, node, signature.parameters, [], body.scope, "the function");
  const code = functionType([ANY_OBJECT, ...signature.parameters], signature.result);
  return sequence([assign(localTarget(kept, place), callee)], {
    kind: "callIndirect",
    callee: tableEntry(value, 0, code),
    arguments: [{ kind: "sliceAddress", operand: value, type: ANY_OBJECT, place }, ...args],
    type: signature.result,
    place,
  });
}

/** A function without captures as the owner of a function: an object that keeps its address. */
export function keepFunction(
  body: Body,
  value: Expression,
  callable: InterfaceType,
  signature: FunctionType,
): Expression {
  const { place } = value;
  const { compilation } = body;
  let adapter = compilation.adapters.get(callable);
  if (adapter === undefined) {
    const field: Field = { name: "function", type: signature, offset: 0 };
    const name = `kernel:${callable.name}`;
    const type: ClassType = { kind: "class", name, packed: false, fields: [field], size: 8, align: 8, place };
    const object: Local = { name: "$closure", type, storage: "register", mutable: false, place };
    const parameters = signature.parameters.map(
      (of, index): Local => ({ name: `p${index}`, type: of, storage: "register", mutable: false, place }),
    );
    const call: Expression = {
      kind: "callIndirect",
      callee: read(fieldTarget(readLocal(object, place), field, place)),
      arguments: parameters.map((parameter) => readLocal(parameter, place)),
      type: signature.result,
      place,
    };
    const nothing = signature.result.kind === "void" || signature.result.kind === "never";
    const code: OpenFunction = {
      symbol: compilation.uniqueSymbol(name),
      parameters: [object, ...parameters],
      result: signature.result,
      convention: "plain",
      inline: "auto",
      body: [nothing ? { kind: "expression", expression: call, place } : { kind: "return", value: call, place }],
      locals: [],
      place,
    };
    adapter = { info: closureClass(body, type), code };
    compilation.adapters.set(callable, adapter);
  }
  return allocateClosure(body, adapter.info, adapter.code, [value], ownedOf(callableOf(signature)), place);
}
