/** Statements to blocks. */
import { isAggregate, sizeOf } from "../layout.ts";
import { BITS, type FrameSlot, type Value } from "../ssa/ir.ts";
import type { Expression, Local, Statement } from "../tree.ts";
import type { FunctionContext } from "./context.ts";
import { lowerCondition, lowerExpression, lowerScalar } from "./expressions.ts";
import { isShort } from "./size.ts";
import { locate, targetOf, writeLocation } from "./targets.ts";
import { componentTypes } from "./types.ts";

export function lowerStatements(f: FunctionContext, statements: readonly Statement[]): void {
  for (const statement of statements) {
    if (f.builder.dead) return;
    f.builder.place = statement.place;
    f.frame.duringStatement(() => lowerStatement(f, statement));
  }
}

type Kind<K extends Statement["kind"]> = Extract<Statement, { kind: K }>;

function lowerStatement(f: FunctionContext, statement: Statement): void {
  const { builder } = f;
  switch (statement.kind) {
    case "expression":
      lowerExpression(f, statement.expression);
      return;
    case "let":
      lowerLet(f, statement.local, statement.initial);
      return;
    case "if":
      lowerIf(f, statement);
      return;
    case "loop":
      lowerLoop(f, statement);
      return;
    case "block":
      lowerBlock(f, statement);
      return;
    case "break":
      builder.jump(f.jumps.get(statement.label)!.leave);
      return;
    case "continue":
      builder.jump(f.jumps.get(statement.label)!.next!);
      return;
    case "switch":
      lowerSwitch(f, statement);
      return;
    case "return":
      lowerReturn(f, statement.value ? lowerExpression(f, statement.value) : []);
      return;
  }
}

/** The end of the function with these values. */
export function lowerReturn(f: FunctionContext, values: readonly Value[]): void {
  const { builder, isCoroutine } = f;
  builder.return(isCoroutine ? [builder.constant("i1", 1n), ...values] : values);
}

function lowerLet(f: FunctionContext, local: Local, initial: Expression | null): void {
  const { builder } = f;
  if (local.storage === "frame" && !isAggregate(local.type)) {
    writeLocation(f, locate(f, targetOf(local)), initial ? lowerExpression(f, initial) : zeros(f, local));
    return;
  }
  if (local.storage === "frame") {
    const slot = f.frame.slotOf(local);
    zeroSlot(f, slot);
    if (!initial) return;
    const source = lowerScalar(f, initial);
    if (initial.kind === "construct") return;
    const size = builder.constant("i64", BigInt(sizeOf(local.type)));
    builder.intrinsic("copyMemory", [builder.slot(slot), source, size], []);
    return;
  }
  const values = initial ? lowerExpression(f, initial) : zeros(f, local);
  f.frame.variablesOf(local).forEach((variable, i) => {
    // An initial value of type never has no values; what follows is not reached.
    if (values[i]) builder.write(variable, values[i]);
  });
}

function zeros(f: FunctionContext, local: Local): Value[] {
  return componentTypes(local.type).map((type) => f.builder.constant(type, 0n));
}

/** Slots up to this size are zeroed by stores. */
const FEW_BYTES = 64;

function zeroSlot(f: FunctionContext, slot: FrameSlot): void {
  const { builder } = f;
  const address = builder.slot(slot);
  if (slot.size > FEW_BYTES) {
    const size = builder.constant("i64", BigInt(slot.size));
    builder.intrinsic("fillMemory", [address, builder.constant("i8", 0n), size], []);
    return;
  }
  let at = 0;
  for (const [type, size] of [
    ["i64", 8],
    ["i32", 4],
    ["i16", 2],
    ["i8", 1],
  ] as const) {
    for (; at + size <= slot.size; at += size) builder.store(address, at, builder.constant(type, 0n));
  }
}

function lowerIf(f: FunctionContext, statement: Kind<"if">): void {
  const { builder } = f;
  const then = builder.newBlock();
  const after = builder.newBlock();
  const otherwise = statement.otherwise.length > 0 ? builder.newBlock() : after;
  lowerCondition(f, statement.condition, then, otherwise);
  builder.beginSealed(then);
  lowerStatements(f, statement.then);
  builder.jump(after);
  if (otherwise !== after) {
    builder.beginSealed(otherwise);
    lowerStatements(f, statement.otherwise);
    builder.jump(after);
  }
  builder.beginSealed(after);
}

/**
 * A loop whose test comes first is entered through one copy of the test and goes on through another at its end, so that
 * a round takes one jump, and what runs in every round also runs whenever the loop is entered at all.
 */
function lowerLoop(f: FunctionContext, statement: Kind<"loop">): void {
  const { builder } = f;
  const { label, test, testAtEnd, update, body, place } = statement;
  const round = builder.newBlock();
  const next = builder.newBlock();
  const leave = builder.newBlock();
  f.jumps.set(label, { leave, next });
  const isTurned = test !== null && !testAtEnd && isShort(test);
  if (isTurned) lowerCondition(f, test, round, leave);
  else builder.jump(round);
  builder.begin(round);
  if (test && !testAtEnd && !isTurned) {
    const inside = builder.newBlock();
    lowerCondition(f, test, inside, leave);
    builder.beginSealed(inside);
  }
  lowerStatements(f, body);
  builder.place = place;
  builder.jump(next);
  builder.beginSealed(next);
  if (update) lowerExpression(f, update);
  if (test && (testAtEnd || isTurned)) lowerCondition(f, test, round, leave);
  else builder.jump(round);
  builder.seal(round);
  builder.beginSealed(leave);
}

function lowerBlock(f: FunctionContext, statement: Kind<"block">): void {
  const { builder } = f;
  if (!statement.label) {
    lowerStatements(f, statement.body);
    return;
  }
  const leave = builder.newBlock();
  f.jumps.set(statement.label, { leave, next: null });
  lowerStatements(f, statement.body);
  builder.jump(leave);
  builder.beginSealed(leave);
}

function lowerSwitch(f: FunctionContext, statement: Kind<"switch">): void {
  const { builder } = f;
  const subject: Value = lowerScalar(f, statement.subject);
  const leave = builder.newBlock();
  f.jumps.set(statement.label, { leave, next: null });
  const bodies = statement.cases.map((c) => ({ ...c, block: builder.newBlock() }));
  const cases = bodies.flatMap(({ value, block }) =>
    value === null ? [] : [{ value: BigInt.asUintN(BITS[subject.type], value), to: block }],
  );
  builder.switch(subject, cases, bodies.find(({ value }) => value === null)?.block ?? leave);
  bodies.forEach(({ block, body }) => {
    // The body before falls through to this one.
    builder.jump(block);
    builder.beginSealed(block);
    lowerStatements(f, body);
  });
  builder.jump(leave);
  builder.beginSealed(leave);
}
