/** Short ways to make nodes of the typed tree. */
import type { Place } from "../../place.ts";
import type {
  ArithmeticOperator,
  ComparisonOperator,
  Expression,
  Field,
  FormatPiece,
  Global,
  Local,
  Target,
  Type,
} from "../tree.ts";
import { PANIC_MESSAGE } from "../tree.ts";
import { BOOL, FORMAT, NEVER, pointerTo, U8, USIZE } from "./types.ts";

export function integerOf(value: bigint, type: Type, place: Place): Expression {
  return { kind: "integer", value, type, place };
}
export function localTarget(local: Local, place: Place): Target {
  return { kind: "local", local, type: local.type, place };
}
export function globalTarget(global: Global, place: Place): Target {
  return { kind: "global", global, type: global.type, place };
}
export function fieldTarget(object: Expression, field: Field, place: Place): Target {
  return { kind: "field", object, field, type: field.type, place };
}
export function read(target: Target): Expression {
  return { kind: "read", target, type: target.type, place: target.place };
}
export function readLocal(local: Local, place: Place): Expression {
  return read(localTarget(local, place));
}
export function assign(target: Target, value: Expression): Expression {
  return { kind: "assign", target, value, type: target.type, place: value.place };
}
export function reinterpret(operand: Expression, type: Type): Expression {
  return { kind: "reinterpret", operand, type, place: operand.place };
}
export function convert(operand: Expression, type: Type): Expression {
  return operand.type === type ? operand : { kind: "convert", operand, type, place: operand.place };
}
export function arithmetic(operator: ArithmeticOperator, left: Expression, right: Expression): Expression {
  return { kind: "arithmetic", operator, left, right, type: left.type, place: left.place };
}
export function compare(operator: ComparisonOperator, left: Expression, right: Expression): Expression {
  return { kind: "compare", operator, left, right, type: BOOL, place: left.place };
}
export function sequence(first: readonly Expression[], last: Expression): Expression {
  return first.length === 0 ? last : { kind: "sequence", first, last, type: last.type, place: last.place };
}
/** The address of the object, array or cell that a reference denotes, as a pointer. */
export function pointerToObject(reference: Expression, of: Type): Expression {
  return reinterpret(reference, pointerTo(of));
}
export function lengthOf(operand: Expression): Expression {
  return { kind: "sliceLength", operand, type: USIZE, place: operand.place };
}
function textFormat(text: string, place: Place): Expression {
  return { kind: "format", pieces: [{ kind: "text", bytes: encode(text) }], type: FORMAT, place };
}
export function panicWith(message: Expression, place: Place): Expression {
  return { kind: "panic", message, type: NEVER, place };
}
export function panicText(check: "slice" | "member" | "assertion", place: Place): Expression {
  return panicWith(textFormat(PANIC_MESSAGE[check], place), place);
}
/** The panic of an allocation that gets no memory. */
export function outOfMemory(bytes: Expression, place: Place): Expression {
  const [before, after] = PANIC_MESSAGE.memory;
  if (bytes.kind === "integer") {
    return panicWith(textFormat(`${before}${bytes.value}${after}`, place), place);
  }
  const pieces: FormatPiece[] = [
    { kind: "text", bytes: encode(before) },
    { kind: "value", value: bytes, style: "decimal", width: 0, fill: 0x20, digits: 0 },
    { kind: "text", bytes: encode(after) },
  ];
  return panicWith({ kind: "format", pieces, type: FORMAT, place }, place);
}
/** A string is already text; a format shows it as one piece. */
export function stringAsFormat(value: Expression): Expression {
  if (value.kind === "string") {
    return { kind: "format", pieces: [{ kind: "text", bytes: value.bytes }], type: FORMAT, place: value.place };
  }
  return {
    kind: "format",
    pieces: [{ kind: "value", value, style: "text", width: 0, fill: 0x20, digits: 0 }],
    type: FORMAT,
    place: value.place,
  };
}
export function byteOf(value: number, place: Place): Expression {
  return integerOf(BigInt(value), U8, place);
}

const encoder = new TextEncoder();
export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
