/** The scope of the language itself: types, conversions, and the functions that the compiler knows. */
import type { Expression, IntegerType, IntrinsicName, Type } from "../tree.ts";
import { ASM_OPERANDS } from "./assembly.ts";
import type { Body } from "./body.ts";
import { SPECIAL } from "./built-in-functions.ts";
import { type CallNode, checkArguments } from "./calls.ts";
import { type Entity, Scope, type TypeConstructorName } from "./entities.ts";
import { checkExpression, isUntyped } from "./expressions.ts";
import { convert } from "./nodes.ts";
import { futureInterface, POLL, WAKER } from "./promises.ts";
import { STYLES } from "./templates.ts";
import {
  BOOL,
  FORMAT,
  FORMAT_KIND,
  FORMAT_PIECE_CLASS,
  INTEGERS,
  INTERRUPT_FRAME_CLASS,
  INTERRUPT_HANDLER,
  INTERRUPT_HANDLER_WITH_ERROR,
  isError,
  NEVER,
  PANIC_INFO_CLASS,
  pointerTo,
  SHARED,
  STRING,
  TEST_CASE_CLASS,
  typeName,
  U8,
  U16,
  U32,
  U64,
  USIZE,
  VOID,
} from "./types.ts";

/** A function that the compiler knows: it can be called, and nothing else. */
export interface Builtin {
  call(body: Body, node: CallNode, expected: Type | null): Expression;
}

const TYPES: Readonly<Record<string, Type>> = {
  bool: BOOL,
  string: STRING,
  void: VOID,
  never: NEVER,
  Format: FORMAT,
  FormatArgument: FORMAT,
  FormatKind: FORMAT_KIND,
  FormatPiece: FORMAT_PIECE_CLASS,
  PanicInfo: PANIC_INFO_CLASS,
  TestCase: TEST_CASE_CLASS,
  Shared: SHARED,
  InterruptFrame: INTERRUPT_FRAME_CLASS,
  InterruptHandler: INTERRUPT_HANDLER,
  InterruptHandlerWithError: INTERRUPT_HANDLER_WITH_ERROR,
  Poll: POLL,
  Waker: WAKER,
};
const TYPE_CONSTRUCTORS: readonly TypeConstructorName[] = [
  "FixedArray",
  "Slice",
  "Pointer",
  "Volatile",
  "Atomic",
  "Owned",
  "Borrowed",
  "Promise",
];

/** Name → intrinsic, types of the arguments, type of the result. */
const INTRINSICS: Readonly<Record<string, readonly [IntrinsicName, readonly Type[], Type]>> = {
  inb: ["portIn", [U16], U8],
  inw: ["portIn", [U16], U16],
  inl: ["portIn", [U16], U32],
  outb: ["portOut", [U16, U8], VOID],
  outw: ["portOut", [U16, U16], VOID],
  outl: ["portOut", [U16, U32], VOID],
  fence: ["fence", [], VOID],
  spinHint: ["spinHint", [], VOID],
  halt: ["halt", [], VOID],
  breakpoint: ["breakpoint", [], VOID],
  enableInterrupts: ["enableInterrupts", [], VOID],
  disableInterrupts: ["disableInterrupts", [], VOID],
  enableInterruptsAndHalt: ["enableInterruptsAndHalt", [], VOID],
  readFlags: ["readFlags", [], U64],
  readCr0: ["readCr0", [], U64],
  readCr2: ["readCr2", [], U64],
  readCr3: ["readCr3", [], U64],
  readCr4: ["readCr4", [], U64],
  writeCr0: ["writeCr0", [U64], VOID],
  writeCr3: ["writeCr3", [U64], VOID],
  writeCr4: ["writeCr4", [U64], VOID],
  invalidatePage: ["invalidatePage", [U64], VOID],
  readMsr: ["readMsr", [U32], U64],
  writeMsr: ["writeMsr", [U32, U64], VOID],
  loadIdt: ["loadIdt", [U64], VOID],
  loadGdt: ["loadGdt", [U64], VOID],
  loadTaskRegister: ["loadTaskRegister", [U16], VOID],
  readTimestamp: ["readTimestamp", [], U64],
  copyMemory: ["copyMemory", [pointerTo(U8), pointerTo(U8), USIZE], VOID],
  fillMemory: ["fillMemory", [pointerTo(U8), U8, USIZE], VOID],
};

/** A new scope with everything that needs no declaration. */
export function languageScope(): Scope {
  const scope = new Scope(null, null);
  const declare = (name: string, entity: Entity): void => {
    scope.declare(name, entity, null);
  };
  for (const [name, type] of Object.entries(TYPES)) {
    declare(name, { kind: "builtinType", type });
  }
  for (const name of TYPE_CONSTRUCTORS) {
    declare(name, { kind: "typeConstructor", name });
  }
  declare("Future", futureInterface(scope));
  for (const type of INTEGERS) {
    declare(type.name, { kind: "builtin", builtin: conversion(type) });
  }
  for (const [name, [intrinsic, parameters, result]] of Object.entries(INTRINSICS)) {
    const builtin: Builtin = {
      call(body, node) {
        const values = checkArguments(body, node, parameters, [], scope, `\`${name}\``);
        return { kind: "intrinsic", name: intrinsic, arguments: values, type: result, place: node.place };
      },
    };
    declare(name, { kind: "builtin", builtin });
  }
  for (const [name, builtin] of Object.entries(SPECIAL)) {
    declare(name, { kind: "builtin", builtin });
  }
  for (const name of STYLES) {
    declare(name, onlyInside(name, "KT1031", "stands inside `${…}` of a template literal only"));
  }
  for (const name of ASM_OPERANDS) {
    declare(name, onlyInside(name, "KT1052", "stands inside `${…}` of asm`…` only"));
  }
  for (const name of ["packed", "offset", "size"]) {
    declare(name, onlyInside(name, "KT1022", `is a decorator: \`@${name}\``));
  }
  return scope;
}

function onlyInside(name: string, code: "KT1022" | "KT1031" | "KT1052", where: string): Entity {
  return {
    kind: "builtin",
    builtin: { call: (body, node) => body.error(code, node.place, `\`${name}\` ${where}`) },
  };
}

/** `u8(x)`: cuts wider values, extends narrower ones by their own sign; literals are taken exactly. */
function conversion(type: IntegerType): Builtin {
  return {
    call(body, node) {
      const { place } = node;
      const [argument, more] = node.arguments;
      if (argument === undefined || more !== undefined || node.typeArguments.length > 0) {
        return body.error("KT1041", place, `\`${type.name}(…)\` takes the one value to convert`);
      }
      const operand = checkExpression(body, argument, isUntyped(argument) ? type : null);
      switch (operand.type.kind) {
        case "integer":
        case "bool":
        case "enum":
          return { ...convert(operand, type), place };
        case "never":
          return operand;
        default: {
          const hints: Partial<Record<Type["kind"], string>> = {
            pointer: "the address of a pointer is `p.address`",
            volatile: "read the cell: `cell.read()`",
            atomic: "load the cell: `cell.load()`",
            string: "read a byte: `text.byteAt(0)`",
          };
          return body.error(
            "KT1008",
            argument.place,
            `\`${typeName(operand.type)}\` does not convert to \`${type.name}\``,
            isError(operand.type) ? undefined : (hints[operand.type.kind] ?? "integers, bools and enums do"),
          );
        }
      }
    },
  };
}
