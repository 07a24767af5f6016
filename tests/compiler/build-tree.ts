/** Typed trees made by hand, for tests of lowering that should not depend on the front end. */
import type {
  ArithmeticOperator,
  ComparisonOperator,
  Expression,
  Function as FunctionTree,
  Global,
  IntegerName,
  IntegerType,
  Local,
  LoopLabel,
  Program,
  Statement,
  Target,
  Type,
} from "../../tangle/compiler/tree.ts";

export const HERE = { file: "kernel/main.ts", line: 7, column: 3 };

function integer(name: IntegerName): IntegerType {
  const bits = (name === "usize" ? 64 : Number(name.slice(1))) as IntegerType["bits"];
  return { kind: "integer", name, bits, signed: name.startsWith("i") };
}
export const U8 = integer("u8");
export const U16 = integer("u16");
export const U32 = integer("u32");
export const U64 = integer("u64");
export const USIZE = integer("usize");
export const I8 = integer("i8");
export const I32 = integer("i32");
export const I64 = integer("i64");
export const BOOL: Type = { kind: "bool" };
export const VOID: Type = { kind: "void" };
export const NEVER: Type = { kind: "never" };
export const STRING: Type = { kind: "string" };
export const FORMAT: Type = { kind: "format" };

export const local = (name: string, type: Type, storage: Local["storage"] = "register"): Local => ({
  name,
  type,
  storage,
  mutable: true,
  place: HERE,
});
export const int = (type: Type, value: number | bigint): Expression => ({
  kind: "integer",
  type,
  place: HERE,
  value: BigInt(value),
});
export const localTarget = (l: Local): Target => ({ kind: "local", local: l, type: l.type, place: HERE });
export const read = (target: Local | Target): Expression => {
  const t = "storage" in target ? localTarget(target) : target;
  return { kind: "read", target: t, type: t.type, place: HERE };
};
export const assign = (target: Local | Target, value: Expression): Expression => {
  const t = "storage" in target ? localTarget(target) : target;
  return { kind: "assign", target: t, value, type: t.type, place: HERE };
};
export const update = (
  target: Local | Target,
  operator: ArithmeticOperator,
  value: Expression,
  result: "before" | "after" = "after",
): Expression => {
  const t = "storage" in target ? localTarget(target) : target;
  return { kind: "update", target: t, operator, value, result, type: t.type, place: HERE };
};
export const element = (array: Expression, index: Expression, checked = true): Target => {
  if (array.type.kind !== "array" && array.type.kind !== "slice") throw new Error("not indexable");
  return { kind: "element", array, index, checked, type: array.type.of, place: HERE };
};
export const arithmetic = (operator: ArithmeticOperator, left: Expression, right: Expression): Expression => ({
  kind: "arithmetic",
  operator,
  left,
  right,
  type: left.type,
  place: HERE,
});
export const compare = (operator: ComparisonOperator, left: Expression, right: Expression): Expression => ({
  kind: "compare",
  operator,
  left,
  right,
  type: BOOL,
  place: HERE,
});
export const logical = (operator: "&&" | "||", left: Expression, right: Expression): Expression => ({
  kind: "logical",
  operator,
  left,
  right,
  type: BOOL,
  place: HERE,
});
export const convert = (operand: Expression, type: Type): Expression => ({
  kind: "convert",
  operand,
  type,
  place: HERE,
});
export const call = (target: FunctionTree, ...args: Expression[]): Expression => ({
  kind: "call",
  target,
  arguments: args,
  type: target.result,
  place: HERE,
});

export const declare = (l: Local, initial: Expression | null): Statement => ({
  kind: "let",
  local: l,
  initial,
  place: HERE,
});
export const run = (expression: Expression): Statement => ({ kind: "expression", expression, place: HERE });
export const giveBack = (value: Expression | null): Statement => ({ kind: "return", value, place: HERE });
export const when = (condition: Expression, then: Statement[], otherwise: Statement[] = []): Statement => ({
  kind: "if",
  condition,
  then,
  otherwise,
  place: HERE,
});
export const loop = (
  label: LoopLabel,
  test: Expression | null,
  update: Expression | null,
  body: Statement[],
  testAtEnd = false,
): Statement => ({ kind: "loop", label, test, testAtEnd, update, body, place: HERE });
export const leave = (label: LoopLabel): Statement => ({ kind: "break", label, place: HERE });
export const again = (label: LoopLabel): Statement => ({ kind: "continue", label, place: HERE });

export const functionOf = (
  name: string,
  parameters: Local[],
  result: Type,
  body: Statement[],
  more: Partial<FunctionTree> = {},
): FunctionTree => ({
  symbol: `kernel/main:${name}`,
  parameters,
  result,
  convention: "plain",
  inline: "auto",
  body,
  locals: [],
  place: HERE,
  ...more,
});

export const global = (name: string, type: Type, more: Partial<Global> = {}): Global => ({
  symbol: `kernel/main:${name}`,
  type,
  mutable: true,
  initial: null,
  place: HERE,
  ...more,
});

export const PANIC_HANDLER = "kernel/main:onPanic";

/** A program around functions under test: an entry that loops, and a panic handler. */
export function programOf(functions: FunctionTree[], globals: Global[] = [], more: Partial<Program> = {}): Program {
  const forever: Statement = loop({ name: "" }, null, null, []);
  const entry = functionOf("_start", [], NEVER, [forever]);
  const info = local("info", { kind: "pointer", of: VOID });
  const handler = functionOf("onPanic", [info], NEVER, [forever]);
  return {
    globals,
    functions: [entry, handler, ...functions],
    classes: [],
    entry,
    initializers: [],
    panicHandler: handler,
    placeOf: () => ({ file: "book/01-first.md", line: 70, column: 5 }),
    ...more,
  };
}
