/** `await`: what can be waited for, how it is polled, and what is cleaned up where the waiting is given up. */
import type { Place } from "../../place.ts";
import type { Coroutine, Expression, Local, Statement, Function as TreeFunction, Type } from "../tree.ts";
import type { Body } from "./body.ts";
import type { Async } from "./coroutines.ts";
import { disposeAbove } from "./disposal.ts";
import { dropPlace, dropValue } from "./drops.ts";
import { checkOwning } from "./expressions.ts";
import { borrowFrom, lenders } from "./frame.ts";
import { instantiateFunction } from "./functions.ts";
import { interfaceTypeOf, isImplemented, tableEntry } from "./interfaces.ts";
import { assign, integerOf, localTarget, readLocal, sequence } from "./nodes.ts";
import { borrow, move } from "./ownership.ts";
import { ASYNC_CHAPTER, POLL, promisedBy } from "./promises.ts";
import type { ExpressionNode } from "./syntax.ts";
import { functionType, isError, pointerTo, typeName, VOID } from "./types.ts";

type AwaitNode = ExpressionNode & { readonly kind: "await" };
type Await = Expression & { readonly kind: "await" };

const ANY_OBJECT = pointerTo(VOID);

export function checkAwait(body: Body, node: AwaitNode): Expression {
  const { place, operand } = node;
  const { waker, compilation } = body;
  if (compilation.chapter < ASYNC_CHAPTER) {
    return body.error("KT1015", place, `\`await\` comes in chapter ${ASYNC_CHAPTER}`);
  }
  if (waker === null) {
    return body.error("KT1075", place);
  }
  body.awaited = operand;
  const value = checkOwning(body, operand, null);
  const guard = body.disposables.find(({ local }) => body.guards.has(local));
  if (guard !== undefined) {
    body.report("KT1078", place, `\`${guard.local.name}\` is held while the function waits`);
  }
  if (isError(value.type)) {
    return value;
  }
  const called = value.kind === "call" ? compilation.coroutines.get(value.target) : undefined;
  if (called !== undefined && value.kind === "call") {
    return awaitCall(body, called, value.arguments, waker, place);
  }
  return (
    awaitPromise(body, value, waker, place) ??
    awaitFuture(body, value, waker, place) ??
    body.error("KT1077", operand.place, `\`${typeName(value.type)}\` is nothing to wait for`)
  );
}

/** What a frame drops that is given up at this point. */
function abandoned(body: Body): Statement[] {
  const drops = [...body.temporaries].reverse().map(
    (local): Statement => ({
      kind: "expression",
      expression: dropValue(body.compilation, readLocal(local, local.place)),
      place: local.place,
    }),
  );
  return [...drops, ...disposeAbove(body, 0)];
}

/**
 * Reports arguments of an async call that end before its promise may: what lies in the frame of this function, or is owned
 * by it. Where the call is awaited at once, this frame lives longer.
 */
export function checkLent(
  body: Body,
  target: TreeFunction,
  receiver: Expression | null,
  values: readonly Expression[],
  node: ExpressionNode,
): void {
  if (!body.compilation.coroutines.has(target) || body.awaited === node) {
    return;
  }
  for (const value of receiver === null ? values : [receiver, ...values]) {
    if (lenders(body, value).size > 0) {
      body.report("KT1080", value.place);
    }
  }
}

/** The value of an expression that stands alone; a promise that is made and forgotten so is reported. */
export function checkKept(body: Body, node: ExpressionNode, value: Expression): Expression {
  if (node.kind !== "await" && promisedBy(value.type) !== null) {
    body.report("KT1079", node.place, "this promise is never awaited");
  }
  return value;
}

/** Reports a variable that holds a promise which nothing ever asks for. */
export function checkUnused(body: Body, name: string, type: Type, place: Place): void {
  if (type.kind === "owned" && promisedBy(type) !== null && !body.mentions(name)) {
    body.report("KT1079", place, `the promise \`${name}\` is never awaited`);
  }
}

/** A call that is awaited at once: the frame of what is called lies in this one. */
function awaitCall(body: Body, called: Async, args: readonly Expression[], waker: Local, place: Place): Await {
  const { coroutine } = called;
  const { frame: type, start, poll, result, drop } = coroutine;
  const local = body.addLocal({ name: nameOf(start.symbol), type, storage: "frame", mutable: false, place });
  const frame: Expression = { kind: "addressOf", target: localTarget(local, place), type: ANY_OBJECT, place };
  const call = (target: typeof start, more: readonly Expression[]): Expression => ({
    kind: "call",
    target,
    arguments: [frame, ...more],
    type: target.result,
    place,
  });
  const expression: Await = {
    kind: "await",
    first: [call(start, args)],
    waker,
    poll: call(poll, [readLocal(waker, place)]),
    result: call(result, []),
    abandon: [{ kind: "expression", expression: call(drop, []), place }, ...abandoned(body)],
    type: result.result,
    place,
  };
  body.compilation.embeddings.push({ within: body.symbol, body, called, expression, args });
  return expression;
}

/** An awaited call whose frame lies in the caller's. */
export interface Embedding {
  /** Symbol of the coroutine's body that it stands in. */
  readonly within: string;
  readonly body: Body;
  readonly called: Async;
  readonly expression: Await;
  readonly args: readonly Expression[];
}

/** A function that awaits itself, perhaps through others, cannot have that frame within its own: it goes on the heap. */
export function breakCycles(embeddings: readonly Embedding[]): void {
  const calls = new Map<string, Set<string>>();
  for (const { within, called } of embeddings) {
    calls.set(within, (calls.get(within) ?? new Set()).add(called.coroutine.body.symbol));
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    [...(calls.get(from) ?? [])].some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  for (const embedding of embeddings) {
    const { within, called } = embedding;
    const callee = called.coroutine.body.symbol;
    if (callee === within || reaches(callee, within, new Set())) {
      Object.assign(embedding.expression, onHeap(embedding));
    }
  }
}

function onHeap({ body, called, expression, args }: Embedding): Pick<Await, "first" | "poll" | "result" | "abandon"> {
  const { place, waker, abandon } = expression;
  const { coroutine, allocate, release } = called;
  const call = (target: Coroutine["start"], values: readonly Expression[]): Expression => ({
    kind: "call",
    target,
    arguments: values,
    type: target.result,
    place,
  });
  const local = body.temporary("frame", ANY_OBJECT, place);
  const frame = readLocal(local, place);
  const ended = call(release, [frame]);
  const result = call(coroutine.result, [frame]);
  const isVoid = result.type.kind === "void" || result.type.kind === "never";
  const kept = isVoid ? null : body.temporary("result", result.type, place);
  return {
    first: [assign(localTarget(local, place), call(allocate, [])), call(coroutine.start, [frame, ...args])],
    poll: call(coroutine.poll, [frame, readLocal(waker, place)]),
    result:
      kept === null
        ? sequence([result], ended)
        : sequence([assign(localTarget(kept, place), result), ended], readLocal(kept, place)),
    abandon: [{ kind: "expression", expression: ended, place }, ...abandon.slice(1)],
  };
}

/** `kernel/task:Executor.run.start` is shown as `run`. */
function nameOf(symbol: string): string {
  return symbol.replace(/\.start$/, "").replace(/^.*[:.]/, "");
}

/** A promise that somebody made before: it is this function's from now on, and is dropped when it has given its result. */
function awaitPromise(body: Body, value: Expression, waker: Local, place: Place): Expression | null {
  const promised = promisedBy(value.type);
  if (promised === null || value.type.kind !== "owned") {
    return null;
  }
  const owned = move(body, value);
  if (isError(owned.type)) {
    return owned;
  }
  const kept = body.temporary("promise", value.type, place);
  body.owners.add(kept);
  body.temporaries.push(kept);
  const promise = readLocal(kept, place);
  const address: Expression = { kind: "sliceAddress", operand: promise, type: ANY_OBJECT, place };
  const poll = functionType([ANY_OBJECT, waker.type], POLL);
  const result = functionType([ANY_OBJECT], promised);
  return {
    kind: "await",
    first: [assign(localTarget(kept, place), owned)],
    waker,
    poll: {
      kind: "callIndirect",
      callee: tableEntry(promise, 0, poll),
      arguments: [address, readLocal(waker, place)],
      type: POLL,
      place,
    },
    result: {
      kind: "callIndirect",
      callee: tableEntry(promise, 1, result),
      arguments: [address],
      type: promised,
      place,
    },
    abandon: abandoned(body),
    type: promised,
    place,
  };
}

/** An object whose class implements `Future`, or any value of that interface: `await` gives the object itself. */
function awaitFuture(body: Body, given: Expression, waker: Local, place: Place): Expression | null {
  const { compilation } = body;
  const entity = compilation.language.own("Future");
  if (entity?.kind !== "interface") {
    throw new Error("the language has no `Future`");
  }
  const future = interfaceTypeOf(compilation, entity, []);
  const value = borrow(body, given);
  const { type } = value;
  if (type !== future && !isImplemented(compilation, type, future)) {
    return null;
  }
  const kept = body.temporary("future", type, place);
  borrowFrom(body, kept, lenders(body, value));
  const object = readLocal(kept, place);
  const number = readLocal(waker, place);
  const method = type.kind === "class" ? compilation.classes.get(type)?.methods.get("poll") : undefined;
  const poll: Expression =
    method === undefined
      ? {
          kind: "callIndirect",
          callee: tableEntry(object, 0, functionType([ANY_OBJECT, waker.type], POLL)),
          arguments: [{ kind: "sliceAddress", operand: object, type: ANY_OBJECT, place }, number],
          type: POLL,
          place,
        }
      : {
          kind: "call",
          target: instantiateFunction(compilation, method, []).function,
          arguments: [object, number],
          type: POLL,
          place,
        };
  return {
    kind: "await",
    first: [assign(localTarget(kept, place), value)],
    waker,
    poll,
    result: object,
    abandon: abandoned(body),
    type,
    place,
  };
}

/** Where a coroutine stands before its first poll: a frame that is given up there drops the arguments. */
export function startOf(body: Body, parameters: readonly Local[], waker: Local): Statement {
  const { place } = waker;
  const expression: Await = {
    kind: "await",
    first: [],
    waker,
    poll: integerOf(1n, POLL, place),
    result: integerOf(0n, POLL, place),
    abandon: [...parameters]
      .reverse()
      .flatMap((parameter) => dropPlace(body.compilation, localTarget(parameter, place), body.locals)),
    type: VOID,
    place,
  };
  return { kind: "expression", expression, place };
}
