/** Names, members and elements: what they denote, as a place in memory or as a value. */
import type { Place } from "../../place.ts";
import type { Expression, Target, Type } from "../tree.ts";
import { type Body, errorExpression } from "./body.ts";
import { completeClass } from "./classes.ts";
import { constantOf } from "./constants.ts";
import type { Entity, GlobalEntity } from "./entities.ts";
import { enumTypeOf } from "./enums.ts";
import { checkExpression, isUntyped } from "./expressions.ts";
import { functionAsValue } from "./functions.ts";
import { checkGlobal } from "./globals.ts";
import { builtInMember } from "./members.ts";
import { exportedEntity } from "./modules.ts";
import { fieldTarget, globalTarget, integerOf, localTarget, read, reinterpret } from "./nodes.ts";
import { pathOf } from "./paths.ts";
import { closest, lookUp } from "./resolve.ts";
import type { ExpressionNode } from "./syntax.ts";
import { INTERRUPT_FRAME_CLASS, isError, typeName, USIZE } from "./types.ts";

/** A place in memory or a register, or a value that has none. `readonly` says why the place cannot be assigned. */
export type Access =
  | { readonly target: Target; readonly readonly: string | null; readonly narrowed: Type | null }
  | { readonly target: null; readonly value: Expression };

type AccessNode = ExpressionNode & { readonly kind: "name" | "member" | "index" };

export function valueAccess(value: Expression): Access {
  return { target: null, value };
}
export function targetAccess(target: Target, readonly: string | null = null): Access {
  return { target, readonly, narrowed: null };
}

export function readAccess(access: Access): Expression {
  if (access.target === null) {
    return access.value;
  }
  const value = read(access.target);
  return access.narrowed === null ? value : reinterpret(value, access.narrowed);
}

export function checkAccess(body: Body, node: AccessNode): Access {
  switch (node.kind) {
    case "name": {
      const entity = lookUp(body.compilation, body.scope, node.name, node.place);
      return entity === null
        ? valueAccess(errorExpression(node.place))
        : narrowed(body, accessEntity(body, entity, node.name, node.place), node);
    }
    case "member":
      return narrowed(body, checkMember(body, node), node);
    case "index":
      return checkElement(body, node);
  }
}

/** A field or module-level variable that has been found not to be null. */
function narrowed(body: Body, access: Access, node: AccessNode): Access {
  const type = access.target?.type;
  if (access.target === null || access.narrowed !== null || type?.kind !== "nullable" || body.flow.paths.size === 0) {
    return access;
  }
  const path = pathOf(body, node);
  return path !== null && body.flow.paths.has(path) ? { ...access, narrowed: type.of } : access;
}

function accessEntity(body: Body, entity: Entity, name: string, place: Place): Access {
  switch (entity.kind) {
    case "local": {
      if (entity.owner !== body) {
        return (
          body.captures?.access(body, entity.local, entity.owner, place) ??
          valueAccess(body.error("KT1013", place, `\`${name}\` belongs to the function around this one`))
        );
      }
      const { local } = entity;
      const narrowed = local.type.kind === "nullable" && body.flow.nonNull.has(local) ? local.type.of : null;
      return {
        target: localTarget(local, place),
        readonly: local.mutable ? null : `\`${name}\` is a constant`,
        narrowed,
      };
    }
    case "global":
      return accessGlobal(body, entity, name, place);
    case "function":
      return valueAccess(functionAsValue(body, entity, place));
    case "missing":
      return valueAccess(errorExpression(place));
    case "closure":
      return valueAccess(
        body.error(
          "KT1013",
          place,
          `\`${name}\` may be a closure: it can be called, and passed to inlined functions`,
          "do not keep it, and do not return it",
        ),
      );
    case "builtin":
      return valueAccess(body.error("KT1044", place, `\`${name}\` is built in and can only be called`));
    case "namespace":
      return valueAccess(body.error("KT1044", place, `\`${name}\` is a module`, `name a member: \`${name}.…\``));
    case "enum":
      return valueAccess(body.error("KT1044", place, `\`${name}\` is an enum`, `name a member: \`${name}.…\``));
    default:
      return valueAccess(body.error("KT1044", place, `\`${name}\` is a type`, "a type is not a value"));
  }
}

function accessGlobal(body: Body, entity: GlobalEntity, name: string, place: Place): Access {
  const checked = checkGlobal(body.compilation, entity);
  if (checked === null) {
    return valueAccess(errorExpression(place));
  }
  let readonly = entity.mutable ? null : `\`${name}\` is a constant`;
  if (entity.mutable && entity.owner === null && entity.scope.module !== body.scope.module) {
    readonly = `\`${name}\` is a variable of another module: it is assigned there, in a function that does it`;
  }
  return targetAccess(globalTarget(checked.global, place), readonly);
}

/** The entity that `A.b` names where A is a module, class or enum; null where A is a value. */
export function staticMember(
  body: Body,
  node: ExpressionNode & { readonly kind: "member" },
): { readonly entity: Entity } | { readonly value: Expression } | null {
  const holder = staticHolder(body, node.object);
  if (holder === null) {
    return null;
  }
  const { name, namePlace: place } = node;
  const missing = (what: string, names: Iterable<string>): { readonly value: Expression } => {
    const near = closest(name, [...names]);
    const hint = near === null ? undefined : `did you mean \`${near}\`?`;
    return { value: body.error("KT1042", place, `${what} has no \`${name}\``, hint) };
  };
  switch (holder.kind) {
    case "namespace": {
      const entity = exportedEntity(body.compilation, holder.module, name);
      return entity ? { entity } : missing(`module \`${holder.module.path}\``, holder.module.exports.keys());
    }
    case "class": {
      const entity = holder.statics.get(name);
      if (entity === undefined) {
        return missing(`class \`${holder.node.name}\``, holder.statics.keys());
      }
      if (entity.private && body.owner !== holder) {
        return { value: body.error("KT1043", place, `\`${name}\` is private to \`${holder.node.name}\``) };
      }
      return { entity };
    }
    case "enum": {
      const type = enumTypeOf(body.compilation, holder);
      const member = type?.members.find((one) => one.name === name);
      if (type === null) {
        return { value: errorExpression(place) };
      }
      return member === undefined
        ? missing(
            `enum \`${type.name}\``,
            type.members.map((one) => one.name),
          )
        : { value: integerOf(member.value, type, node.place) };
    }
    case "builtinType": {
      const { type } = holder;
      const member = type.kind === "enum" ? type.members.find((one) => one.name === name) : undefined;
      return member === undefined
        ? missing(`\`${typeName(type)}\``, [])
        : { value: integerOf(member.value, type, node.place) };
    }
  }
}

function staticHolder(
  body: Body,
  node: ExpressionNode,
): (Entity & { kind: "namespace" | "class" | "enum" | "builtinType" }) | null {
  if (node.kind === "member") {
    // `vga.Color.Red`
    const outer = staticHolder(body, node.object);
    const entity = outer?.kind === "namespace" ? exportedEntity(body.compilation, outer.module, node.name) : null;
    return entity?.kind === "class" || entity?.kind === "enum" ? entity : null;
  }
  const entity = node.kind === "name" ? body.scope.find(node.name) : null;
  switch (entity?.kind) {
    case "namespace":
    case "class":
    case "enum":
    case "builtinType":
      return entity;
    default:
      return null;
  }
}

function checkMember(body: Body, node: ExpressionNode & { readonly kind: "member" }): Access {
  const fixed = staticMember(body, node);
  if (fixed !== null) {
    return "value" in fixed ? valueAccess(fixed.value) : accessEntity(body, fixed.entity, node.name, node.place);
  }
  const object = checkExpression(body, node.object, null);
  const { type } = object;
  if (isError(type)) {
    return valueAccess(errorExpression(node.place));
  }
  if (type.kind === "nullable") {
    return valueAccess(body.error("KT1038", node.place, `\`${typeName(type)}\` may be null here`));
  }
  const builtIn = builtInMember(body, object, node);
  if (builtIn !== null) {
    return builtIn;
  }
  if (type.kind === "class") {
    return accessField(body, object, type, node);
  }
  return valueAccess(unknownMember(body, type, node, []));
}

/** Reports a member that the type lacks. */
export function unknownMember(
  body: Body,
  type: Type,
  node: ExpressionNode & { readonly kind: "member" },
  names: readonly string[],
): Expression {
  const near = closest(node.name, names);
  let hint = near === null ? undefined : `did you mean \`${near}\`?`;
  if (type.kind === "pointer" && type.of.kind === "class") {
    hint = `follow the pointer: \`.value.${node.name}\``;
  }
  return body.error("KT1042", node.namePlace, `\`${typeName(type)}\` has no member \`${node.name}\``, hint);
}

function accessField(
  body: Body,
  object: Expression,
  type: Type & { readonly kind: "class" },
  node: ExpressionNode & { readonly kind: "member" },
): Access {
  const info = body.compilation.classes.get(type);
  if (info !== undefined) {
    completeClass(body.compilation, info, node.place);
  }
  const field = type.fields.find((one) => one.name === node.name);
  const declared = info?.members.get(node.name);
  const method = info?.methods.get(node.name);
  if ((declared?.private || method?.private) && body.owner !== info?.entity) {
    return valueAccess(body.error("KT1043", node.namePlace, `\`${node.name}\` is private to \`${type.name}\``));
  }
  if (field === undefined) {
    if (method !== undefined) {
      return valueAccess(body.error("KT1059", node.namePlace, `\`${node.name}\` is a method: call it`));
    }
    if (declared !== undefined) {
      // Its type was in error.
      return valueAccess(errorExpression(node.place));
    }
    const names = [...type.fields.map((one) => one.name), ...(info?.methods.keys() ?? [])];
    return valueAccess(unknownMember(body, type, node, names));
  }
  const ownConstructor = body.inConstructor && node.object.kind === "this";
  const builtIn = info === undefined && type !== INTERRUPT_FRAME_CLASS;
  const fixed = builtIn || (declared?.readonly === true && !ownConstructor);
  return targetAccess(fieldTarget(object, field, node.place), fixed ? `\`${node.name}\` is readonly` : null);
}

function checkElement(body: Body, node: ExpressionNode & { readonly kind: "index" }): Access {
  const array = checkExpression(body, node.object, null);
  const index = checkExpression(body, node.index, isUntyped(node.index) ? USIZE : null);
  const { type } = array;
  if (isError(type)) {
    return valueAccess(errorExpression(node.place));
  }
  if (type.kind !== "array" && type.kind !== "slice") {
    const hints: Partial<Record<Type["kind"], string>> = {
      string: "read a byte of a string with `text.byteAt(i)`",
      pointer: "read past a pointer with `p.offset(i).value`",
      class: "name the field: `object.field`",
    };
    return valueAccess(
      body.error(
        "KT1042",
        node.place,
        `\`${typeName(type)}\` has no elements`,
        hints[type.kind] ?? "index an array or slice",
      ),
    );
  }
  if (index.type.kind !== "integer" || index.type.signed) {
    if (!isError(index.type)) {
      const hint = index.type.kind === "string" ? "name the field: `object.field`" : "convert: `usize(i)`";
      body.report("KT1008", node.index.place, `an index is unsigned, not \`${typeName(index.type)}\``, hint);
    }
    return valueAccess(errorExpression(node.place));
  }
  const constant = constantOf(index);
  const known = type.kind === "array" && constant !== null;
  if (known && constant >= BigInt(type.length)) {
    body.report("KT1050", node.index.place, `index ${constant} is outside of \`${typeName(type)}\``);
  }
  return targetAccess({ kind: "element", array, index, checked: !known, type: type.of, place: node.place });
}
