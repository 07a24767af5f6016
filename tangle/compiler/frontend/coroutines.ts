/**
 * Async functions. A call of one makes a promise: a frame on the heap, which its owner drops; where the call is awaited
 * at once, the frame is part of the caller's own instead. Each is taken apart into the functions of a `Coroutine`.
 */
import type { Place } from "../../place.ts";
import type {
  Coroutine,
  Expression,
  FormatPiece,
  Global,
  Local,
  Statement,
  Function as TreeFunction,
  Type,
} from "../tree.ts";
import { heapOf } from "./allocation.ts";
import { startOf } from "./await.ts";
import { Body } from "./body.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { type FunctionInstance, Scope } from "./entities.ts";
import { checkFunctionBody } from "./functions.ts";
import { compare, globalTarget, integerOf, pointerToObject, read, readLocal, reinterpret } from "./nodes.ts";
import { ASYNC_CHAPTER, frameType, POLL, promisedBy, promiseOf, WAKER } from "./promises.ts";
import {
  arrayOf,
  ERROR,
  FORMAT,
  functionType,
  isError,
  isOwning,
  NEVER,
  pointerTo,
  typeName,
  U64,
  USIZE,
  VOID,
} from "./types.ts";
import { walkExpression, walkStatements } from "./walk.ts";

const FRAME = pointerTo(VOID);

/** A coroutine, and what makes and ends a frame of it on the heap. */
export interface Async {
  readonly coroutine: Coroutine;
  /** (): pointer. Memory for a frame; panics where there is none. */
  readonly allocate: TreeFunction;
  /** (frame: pointer): void. Drops what the frame holds, and frees its memory. */
  readonly release: TreeFunction;
}

/**
 * Makes of `open`, the function that an async function's name stands for, the one that gives a promise. `declared` is the
 * type of its result as written, null where none is.
 */
export function declareAsync(
  compilation: Compilation,
  instance: FunctionInstance,
  open: OpenFunction,
  receiver: Local | null,
  parameters: readonly Local[],
  declared: Type | null,
): void {
  const { entity, scope } = instance;
  const { node } = entity;
  const promised = promisedType(compilation, node.place, node.result === null, declared);
  if (entity.inline === "always" || entity.convention !== "plain") {
    compilation.reporter.report("KT1076", node.place, "an async function is compiled in a way of its own", {
      hint: "drop the wrapper",
    });
  }
  open.result = isError(promised) ? ERROR : promiseOf(promised);
  const { symbol, place } = open;
  const own = receiver === null ? parameters : [receiver, ...parameters];
  open.parameters = own.map((parameter) => ({ ...parameter }));
  const body: OpenFunction = {
    symbol: `${symbol}.body`,
    parameters: own,
    result: promised,
    convention: "coroutine",
    inline: "never",
    body: [],
    locals: [],
    place,
  };
  const made = makeParts(compilation, open, body, promised);
  compilation.coroutines.set(open, made);
  open.body = promiseBody(open, made);
  compilation.pending.push(() => {
    const waker: Local = { name: "$waker", type: WAKER, storage: "register", mutable: true, place };
    const inner = new Body(compilation, {
      symbol: body.symbol,
      scope: new Scope(scope, scope.module),
      owner: entity.owner,
      receiver,
      result: promised,
      source: node,
      waker,
    });
    const statements = checkFunctionBody(inner, node, parameters);
    body.body = [startOf(inner, parameters, waker), ...statements];
    body.locals = [...inner.locals, waker];
    checkOwners(inner, body.body);
  });
}

/** Reports an `await` among the arguments of a call, behind one that has been moved: nobody owns that while it waits. */
function checkOwners(body: Body, statements: readonly Statement[]): void {
  walkStatements(statements, (expression) => {
    if (!("arguments" in expression)) {
      return;
    }
    let moved = false;
    for (const argument of expression.arguments) {
      if (moved) {
        walkExpression(argument, (part) => {
          if (part.kind === "await") {
            body.report("KT1081", part.place);
          }
        });
      }
      moved ||= isOwning(argument.type);
    }
  });
}

/** What the function promises. */
function promisedType(compilation: Compilation, place: Place, unsaid: boolean, declared: Type | null): Type {
  const { reporter, chapter } = compilation;
  if (chapter < ASYNC_CHAPTER) {
    reporter.report("KT1015", place, `\`async\` comes in chapter ${ASYNC_CHAPTER}`);
    return ERROR;
  }
  const promised = declared === null ? null : promisedBy(declared);
  if (promised !== null) {
    return promised;
  }
  if (declared === null) {
    reporter.report("KT1046", place, "the async function does not say what it promises", {
      hint: "write the type of the result: `async (): Promise<u32> => …`",
    });
    return ERROR;
  }
  if (unsaid && declared.kind === "void") {
    return VOID;
  }
  if (!isError(declared)) {
    const hint = { hint: `write \`Promise<${typeName(declared)}>\`` };
    reporter.report("KT1076", place, "a call of an async function gives a promise", hint);
  }
  return ERROR;
}

function makeParts(compilation: Compilation, open: OpenFunction, body: OpenFunction, promised: Type): Async {
  const { symbol, place, parameters } = open;
  const local = (name: string, type: Type): Local => ({ name, type, storage: "register", mutable: false, place });
  const make = (name: string, own: readonly Local[], result: Type): OpenFunction => ({
    symbol: `${symbol}.${name}`,
    parameters: own,
    result,
    convention: "plain",
    inline: "auto",
    body: [],
    locals: [],
    place,
  });
  const frame = (): Local => local("frame", FRAME);
  const start = make("start", [frame(), ...parameters.map((one) => ({ ...one, storage: "register" as const }))], VOID);
  const poll = make("poll", [frame(), local("waker", WAKER)], POLL);
  const result = make("result", [frame()], promised);
  const drop = make("drop", [frame()], VOID);
  const coroutine: Coroutine = { body, start, poll, result, drop, frame: frameType(symbol) };
  for (const part of [start, poll, result, drop]) {
    part.part = coroutine;
  }
  const allocate = make("allocate", [], FRAME);
  allocate.body = allocateBody(compilation, coroutine, allocate);
  const release = make("release", [frame()], VOID);
  release.body = releaseBody(compilation, coroutine, release);
  return { coroutine, allocate, release };
}

function call(target: TreeFunction, args: readonly Expression[], place: Place): Expression {
  return { kind: "call", target, arguments: args, type: target.result, place };
}

function statement(expression: Expression): Statement {
  return { kind: "expression", expression, place: expression.place };
}

/** Bytes or alignment of a coroutine's frame. */
function frameQuestion({ start }: Coroutine, name: "frameSize" | "frameAlign", place: Place): Expression {
  const type = functionType(
    start.parameters.map((parameter) => parameter.type),
    VOID,
  );
  const which: Expression = { kind: "function", target: start, type, place };
  return { kind: "intrinsic", name, arguments: [which], type: USIZE, place };
}

function allocateBody(compilation: Compilation, coroutine: Coroutine, open: OpenFunction): Statement[] {
  const { place } = open;
  const address: Local = { name: "address", type: U64, storage: "register", mutable: false, place };
  open.locals = [address];
  const size = frameQuestion(coroutine, "frameSize", place);
  const args = [size, frameQuestion(coroutine, "frameAlign", place)];
  const text = (of: string): FormatPiece => ({ kind: "text", bytes: new TextEncoder().encode(of) });
  const pieces: FormatPiece[] = [
    text("out of memory: "),
    { kind: "value", value: size, style: "decimal", width: 0, fill: 32, digits: 0 },
    text(" bytes"),
  ];
  const enough: Expression = {
    kind: "logical",
    operator: "||",
    left: compare("!=", readLocal(address, place), integerOf(0n, U64, place)),
    right: { kind: "panic", message: { kind: "format", pieces, type: FORMAT, place }, type: NEVER, place },
    type: VOID,
    place,
  };
  return [
    { kind: "let", local: address, initial: call(heapOf(compilation).allocate, args, place), place },
    statement(enough),
    { kind: "return", value: reinterpret(readLocal(address, place), FRAME), place },
  ];
}

function releaseBody(compilation: Compilation, coroutine: Coroutine, open: OpenFunction): Statement[] {
  const { place } = open;
  const frame = readLocal(open.parameters[0]!, place);
  return [
    statement(call(coroutine.drop, [frame], place)),
    statement(
      call(
        heapOf(compilation).free,
        [
          reinterpret(frame, U64),
          frameQuestion(coroutine, "frameSize", place),
          frameQuestion(coroutine, "frameAlign", place),
        ],
        place,
      ),
    ),
  ];
}

/** Allocates a frame, fills it with the arguments, and gives it as a promise. */
function promiseBody(open: OpenFunction, { coroutine, allocate, release }: Async): Statement[] {
  const { place } = open;
  const frame: Local = { name: "frame", type: FRAME, storage: "register", mutable: false, place };
  open.locals = [frame];
  const args = open.parameters.map((parameter) => readLocal(parameter, place));
  const functions = [coroutine.poll, coroutine.result, release];
  const table: Global = {
    symbol: `${open.symbol}.promise`,
    type: arrayOf(FRAME, functions.length),
    mutable: false,
    sealed: true,
    initial: { kind: "aggregate", elements: functions.map((target) => ({ kind: "function", target })) },
    place,
  };
  const promise: Expression = {
    kind: "makeSlice",
    address: readLocal(frame, place),
    length: pointerToObject(read(globalTarget(table, place)), VOID),
    type: open.result,
    place,
  };
  return [
    { kind: "let", local: frame, initial: call(allocate, [], place), place },
    statement(call(coroutine.start, [readLocal(frame, place), ...args], place)),
    { kind: "return", value: promise, place },
  ];
}
