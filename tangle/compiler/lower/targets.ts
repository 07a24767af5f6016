/** Places that can be read and written: register locals, and addresses in memory. */
import { isAggregate, sizeOf } from "../layout.ts";
import type { Path, Value } from "../ssa/ir.ts";
import type { Expression, Local, Target, Type } from "../tree.ts";
import type { Variable } from "./builder.ts";
import { constantOf } from "./constants.ts";
import type { FunctionContext } from "./context.ts";
import { lowerExpression, lowerScalar } from "./expressions.ts";
import { componentTypes } from "./types.ts";

/** Bytes at an address known at run time, plus a constant. */
export interface Address {
  readonly base: Value;
  readonly offset: number;
  /** The fields on the way there. */
  readonly path: Path;
}

export type Location =
  | { readonly kind: "variables"; readonly variables: readonly Variable[] }
  | { readonly kind: "memory"; readonly address: Address; readonly type: Type };

/** Offsets beyond this are added, so that back ends can put them into an instruction. */
const LARGEST_OFFSET = 0x7fff_0000;

/** The local itself as a target. */
export function targetOf(local: Local): Target {
  return { kind: "local", local, type: local.type, place: local.place };
}

/** Evaluates what a target is made of (object, index, bounds check), once. */
export function locate(f: FunctionContext, target: Target): Location {
  if (target.kind === "local" && target.local.storage === "register") {
    return { kind: "variables", variables: f.frame.variablesOf(target.local) };
  }
  return { kind: "memory", address: addressOf(f, target), type: target.type };
}

/** The value in a location; for an aggregate in memory, its address. */
export function readLocation(f: FunctionContext, location: Location): Value[] {
  if (location.kind === "variables") return location.variables.map((variable) => f.builder.read(variable));
  const { address, type } = location;
  if (isAggregate(type)) return [materialize(f, address)];
  const { base, offset, path } = address;
  return componentTypes(type).map((component, i) => f.builder.load(component, base, offset + 8 * i, path));
}

export function writeLocation(f: FunctionContext, location: Location, values: readonly Value[]): void {
  values.forEach((value, i) => {
    if (location.kind === "variables") {
      f.builder.write(location.variables[i]!, value);
    } else {
      const { base, offset, path } = location.address;
      f.builder.store(base, offset + 8 * i, value, path);
    }
  });
}

/** The value in a target: a constant where the target is an immutable global that was folded. */
export function readTarget(f: FunctionContext, target: Target): Value[] {
  return constantOf(f, target) ?? readLocation(f, locate(f, target));
}

/** An address as one value. */
export function materialize(f: FunctionContext, { base, offset }: Pick<Address, "base" | "offset">): Value {
  return offset === 0 ? base : f.builder.binary("add", base, f.builder.constant("i64", BigInt(offset)));
}

/** Where a target that lives in memory is. */
export function addressOf(f: FunctionContext, target: Target): Address {
  const outer = f.builder.place;
  f.builder.place = target.place;
  const address = addressHere(f, target);
  f.builder.place = outer;
  return address;
}

function addressHere(f: FunctionContext, target: Target): Address {
  switch (target.kind) {
    case "local":
      if (target.local.storage === "frame") return at(f.builder.slot(f.frame.slotOf(target.local)));
      if (isAggregate(target.type)) return at(f.builder.read(f.frame.variablesOf(target.local)[0]!));
      throw new Error(`local ${target.local.name} has no address`);
    case "global":
      return at(f.builder.symbol(target.global.symbol));
    case "field":
      return fieldAddress(f, target);
    case "element":
      return elementAddress(f, target);
    case "pointee":
      return at(lowerScalar(f, target.pointer));
  }
}

/** What nothing is known of but its address. */
function at(base: Value): Address {
  return { base, offset: 0, path: [] };
}

function fieldAddress(f: FunctionContext, { object, field }: Extract<Target, { kind: "field" }>): Address {
  const address = plus(f, referenceOf(f, object), field.offset);
  return { ...address, path: [...address.path, { whole: object.type, part: field.name }] };
}

/** The address that an expression of aggregate type denotes, with constant offsets kept apart. */
function referenceOf(f: FunctionContext, expression: Expression): Address {
  if (expression.kind === "read" && isAggregate(expression.type)) return addressOf(f, expression.target);
  return at(lowerScalar(f, expression));
}

function elementAddress(f: FunctionContext, target: Extract<Target, { kind: "element" }>): Address {
  const { array, index } = target;
  const { builder } = f;
  let base: Address;
  let length: () => Value;
  if (array.type.kind === "array") {
    const elements = BigInt(array.type.length);
    base = referenceOf(f, array);
    length = () => builder.constant("i64", elements);
  } else {
    const [address, count] = lowerFat(f, array);
    base = at(address);
    length = () => count;
  }
  const size = sizeOf(target.type);
  if (!target.checked && index.kind === "integer") return plus(f, base, Number(index.value) * size);
  const position = builder.convert(lowerScalar(f, index), "i64", false);
  if (target.checked) checkBounds(f, position, length(), target);
  return { ...base, base: scaled(f, base.base, position, size) };
}

function lowerFat(f: FunctionContext, expression: Expression): [Value, Value] {
  const [address, length] = lowerExpression(f, expression);
  return [address!, length!];
}

/** base + position × size */
export function scaled(f: FunctionContext, base: Value, position: Value, size: number): Value {
  const { builder } = f;
  const bytes = size === 1 ? position : builder.binary("mul", position, builder.constant("i64", BigInt(size)));
  return builder.binary("add", base, bytes);
}

function checkBounds(f: FunctionContext, index: Value, length: Value, target: Target): void {
  const { builder } = f;
  const inside = builder.newBlock();
  const outside = builder.newBlock();
  builder.branch(builder.compare("ult", index, length), inside, outside);
  builder.beginSealed(outside);
  f.panics.outOfBounds(builder, index, length, target.place);
  builder.beginSealed(inside);
}

function plus(f: FunctionContext, address: Address, bytes: number): Address {
  const offset = address.offset + bytes;
  if (offset <= LARGEST_OFFSET) return { ...address, offset };
  return { ...address, base: materialize(f, { base: address.base, offset }), offset: 0 };
}
