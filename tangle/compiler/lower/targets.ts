/** Places that can be read and written: register locals, and addresses in memory. */
import { isAggregate, sizeOf } from "../layout.ts";
import type { Value } from "../ssa/ir.ts";
import type { Expression, Target, Type } from "../tree.ts";
import type { Variable } from "./builder.ts";
import { constantOf } from "./constants.ts";
import type { FunctionContext } from "./context.ts";
import { lowerExpression, lowerScalar } from "./expressions.ts";
import { componentTypes } from "./types.ts";

/** Bytes at an address known at run time, plus a constant. */
export interface Address {
  readonly base: Value;
  readonly offset: number;
}

export type Location =
  | { readonly kind: "variables"; readonly variables: readonly Variable[] }
  | { readonly kind: "memory"; readonly address: Address; readonly type: Type };

/** Offsets beyond this are added, so that back ends can put them into an instruction. */
const LARGEST_OFFSET = 0x7fff_0000;

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
  return componentTypes(type).map((component, i) => f.builder.load(component, address.base, address.offset + 8 * i));
}

export function writeLocation(f: FunctionContext, location: Location, values: readonly Value[]): void {
  values.forEach((value, i) => {
    if (location.kind === "variables") f.builder.write(location.variables[i]!, value);
    else f.builder.store(location.address.base, location.address.offset + 8 * i, value);
  });
}

/** The value in a target: a constant where the target is an immutable global that was folded. */
export function readTarget(f: FunctionContext, target: Target): Value[] {
  return constantOf(f, target) ?? readLocation(f, locate(f, target));
}

/** An address as one value. */
export function materialize(f: FunctionContext, { base, offset }: Address): Value {
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
      if (target.local.storage === "frame") return { base: f.builder.slot(f.frame.slotOf(target.local)), offset: 0 };
      if (isAggregate(target.type)) return { base: f.builder.read(f.frame.variablesOf(target.local)[0]!), offset: 0 };
      throw new Error(`local ${target.local.name} has no address`);
    case "global":
      return { base: f.builder.symbol(target.global.symbol), offset: 0 };
    case "field":
      return plus(f, referenceOf(f, target.object), target.field.offset);
    case "element":
      return elementAddress(f, target);
    case "pointee":
      return { base: lowerScalar(f, target.pointer), offset: 0 };
  }
}

/** The address that an expression of aggregate type denotes, with constant offsets kept apart. */
function referenceOf(f: FunctionContext, expression: Expression): Address {
  if (expression.kind === "read" && isAggregate(expression.type)) return addressOf(f, expression.target);
  return { base: lowerScalar(f, expression), offset: 0 };
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
    base = { base: address, offset: 0 };
    length = () => count;
  }
  const size = sizeOf(target.type);
  if (!target.checked && index.kind === "integer") return plus(f, base, Number(index.value) * size);
  const position = builder.convert(lowerScalar(f, index), "i64", false);
  if (target.checked) checkBounds(f, position, length(), target);
  return { base: scaled(f, base.base, position, size), offset: base.offset };
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
  if (offset <= LARGEST_OFFSET) return { base: address.base, offset };
  return { base: materialize(f, { base: address.base, offset }), offset: 0 };
}
