/** `await`: the point where a coroutine can stop. What becomes of it is told in ssa/coroutine.ts. */
import type { Value } from "../ssa/ir.ts";
import type { Expression } from "../tree.ts";
import { Variable } from "./builder.ts";
import type { FunctionContext } from "./context.ts";
import { lowerExpression, lowerScalar } from "./expressions.ts";
import { lowerStatements } from "./statements.ts";
import { componentTypes } from "./types.ts";

/** Polls until what is waited for is ready; between the polls the coroutine stops. */
export function lowerAwait(f: FunctionContext, e: Extract<Expression, { kind: "await" }>): Value[] {
  const { builder } = f;
  for (const first of e.first) lowerExpression(f, first);
  const gate = builder.newBlock();
  const giveUp = builder.newBlock();
  const goOn = builder.newBlock();
  const wait = new Variable("i1");
  builder.write(wait, builder.constant("i1", 0n));
  builder.jump(gate);
  builder.begin(gate);
  const [waker, dropped] = builder.intrinsic("resume", [builder.read(wait)], ["i64", "i1"]);
  builder.write(f.frame.variablesOf(e.waker)[0]!, waker!);
  builder.branch(dropped!, giveUp, goOn);
  builder.beginSealed(giveUp);
  lowerStatements(f, e.abandon);
  builder.return(builder.function.results.map((type) => builder.constant(type, 0n)));
  builder.beginSealed(goOn);
  const ready = builder.newBlock();
  const notYet = builder.newBlock();
  const poll = lowerScalar(f, e.poll);
  builder.branch(builder.compare("ne", poll, builder.constant(poll.type, 0n)), ready, notYet);
  builder.beginSealed(notYet);
  builder.write(wait, builder.constant("i1", 1n));
  builder.jump(gate);
  builder.seal(gate);
  builder.beginSealed(ready);
  const values = lowerExpression(f, e.result);
  return componentTypes(e.type).length > 0 ? values : [];
}
