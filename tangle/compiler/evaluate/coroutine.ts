/**
 * What async functions mean: the body of a coroutine is walked by a generator, which stops at each `await` that is not
 * ready. Only statements and expressions in which an `await` stands are walked here, all else by the plain evaluator.
 */
import { walkExpression, walkStatements } from "../frontend/walk.ts";
import type { Coroutine, Expression, Local, Statement, Target, Type } from "../tree.ts";
import { type Completion, type Evaluator, type Frame, Stopped, type Value } from "./evaluator.ts";

/** Goes on with true where the frame is given up. */
type Steps<T> = Generator<void, T, boolean>;

/** The way out of a body that is given up where it waits. */
class GivenUp {}

/** One call of an async function. */
export class Run {
  result: Value = 0n;
  isDone = false;
  /** The number that the poll under way got. */
  waker = 0n;
  private started = false;
  private readonly steps: Steps<void>;

  constructor(
    private readonly evaluator: Evaluator,
    readonly coroutine: Coroutine,
    private readonly frame: Frame,
  ) {
    this.steps = this.body(coroutine);
  }

  /** Whether the body has come to its end. */
  poll(waker: bigint): boolean {
    this.waker = waker;
    if (!this.isDone) this.go(false);
    return this.isDone;
  }

  drop(): void {
    if (!this.isDone) this.go(true);
  }

  private go(givenUp: boolean): void {
    if (!this.started) this.steps.next();
    this.started = true;
    this.isDone = this.steps.next(givenUp).done === true;
  }

  private *body({ body }: Coroutine): Steps<void> {
    // The first statement says what happens to a frame that is never polled: its `await` stops at once.
    try {
      const completion = yield* this.statements(body.body, true);
      this.result = completion?.kind === "return" ? completion.value : 0n;
    } catch (end) {
      if (!(end instanceof GivenUp)) throw end;
    } finally {
      this.evaluator.leave(this.frame);
    }
  }

  private *statements(statements: readonly Statement[], isStart = false): Steps<Completion | null> {
    for (const statement of statements) {
      const completion = yield* this.statement(statement, isStart && statement === statements[0]);
      if (completion !== null) return completion;
    }
    return null;
  }

  private *statement(statement: Statement, isStart: boolean): Steps<Completion | null> {
    const { evaluator, frame } = this;
    if (!holdsAwait(statement)) return evaluator.statement(statement, frame);
    evaluator.step();
    switch (statement.kind) {
      case "expression":
        if (isStart) yield* this.stop(statement.expression as Await);
        else yield* this.evaluate(statement.expression);
        return null;
      case "let":
        evaluator.declare(statement.local, null, frame);
        evaluator.fill(statement.local, yield* this.evaluate(statement.initial!), frame);
        return null;
      case "if":
        return yield* this.statements(
          (yield* this.evaluate(statement.condition)) === 1n ? statement.then : statement.otherwise,
        );
      case "loop":
        return yield* this.loop(statement);
      case "block": {
        const completion = yield* this.statements(statement.body);
        return completion?.kind === "break" && completion.label === statement.label ? null : completion;
      }
      case "switch": {
        const subject = yield* this.evaluate(statement.subject);
        let first = statement.cases.findIndex((one) => one.value === subject);
        if (first < 0) first = statement.cases.findIndex((one) => one.value === null);
        const bodies = first < 0 ? [] : statement.cases.slice(first).flatMap((one) => one.body);
        const completion = yield* this.statements(bodies);
        return completion?.kind === "break" && completion.label === statement.label ? null : completion;
      }
      case "return":
        return { kind: "return", value: statement.value === null ? 0n : yield* this.evaluate(statement.value) };
      case "break":
      case "continue":
        return { kind: statement.kind, label: statement.label };
    }
  }

  private *loop(statement: Statement & { readonly kind: "loop" }): Steps<Completion | null> {
    const { label, test, update, body } = statement;
    for (let tested = !statement.testAtEnd; ; tested = true) {
      this.evaluator.step();
      if (tested && test !== null && (yield* this.evaluate(test)) !== 1n) return null;
      const completion = yield* this.statements(body);
      if (completion !== null && !(completion.kind === "continue" && completion.label === label)) {
        return completion.kind === "break" && completion.label === label ? null : completion;
      }
      if (update !== null) yield* this.evaluate(update);
    }
  }

  /** The operands of an expression are known one after the other; then the plain evaluator does the rest. */
  private *evaluate(expression: Expression): Steps<Value> {
    const { evaluator, frame } = this;
    if (!holdsAwaitIn(expression)) return evaluator.evaluate(expression, frame);
    switch (expression.kind) {
      case "await":
        return yield* this.wait(expression);
      case "logical": {
        const left = yield* this.evaluate(expression.left);
        return (left === 1n) === (expression.operator === "||") ? left : yield* this.evaluate(expression.right);
      }
      case "conditional": {
        const { condition, then, otherwise } = expression;
        return yield* this.evaluate((yield* this.evaluate(condition)) === 1n ? then : otherwise);
      }
      case "sequence":
        for (const one of expression.first) yield* this.evaluate(one);
        return yield* this.evaluate(expression.last);
      case "assign": {
        const target = yield* this.target(expression.target);
        const address = evaluator.locate(target, frame);
        const value = yield* this.evaluate(expression.value);
        evaluator.writeTarget(target, address, value, frame);
        return value;
      }
      case "update": {
        const target = yield* this.target(expression.target);
        const address = evaluator.locate(target, frame);
        const before = evaluator.readTarget(target, address, frame);
        const operand = known(expression.value, yield* this.evaluate(expression.value));
        const old = known({ ...expression.value, type: target.type }, before);
        const after = evaluator.evaluate(
          { ...expression, kind: "arithmetic", left: old, right: operand, type: target.type } as Expression,
          frame,
        );
        evaluator.writeTarget(target, address, after, frame);
        return expression.result === "before" ? before : after;
      }
      case "read":
      case "addressOf":
        return evaluator.evaluate({ ...expression, target: yield* this.target(expression.target) }, frame);
      case "negate":
      case "complement":
      case "not":
      case "convert":
      case "reinterpret":
      case "sliceAddress":
      case "sliceLength":
        return evaluator.evaluate({ ...expression, operand: yield* this.operand(expression.operand) }, frame);
      case "arithmetic":
      case "compare": {
        const left = yield* this.operand(expression.left);
        return evaluator.evaluate({ ...expression, left, right: yield* this.operand(expression.right) }, frame);
      }
      case "call":
      case "intrinsic":
        return evaluator.evaluate({ ...expression, arguments: yield* this.operands(expression.arguments) }, frame);
      case "callIndirect": {
        const callee = yield* this.operand(expression.callee);
        return evaluator.evaluate(
          { ...expression, callee, arguments: yield* this.operands(expression.arguments) },
          frame,
        );
      }
      case "construct": {
        const address = yield* this.operand(expression.address);
        return evaluator.evaluate(
          { ...expression, address, arguments: yield* this.operands(expression.arguments) },
          frame,
        );
      }
      case "makeSlice": {
        const address = yield* this.operand(expression.address);
        return evaluator.evaluate({ ...expression, address, length: yield* this.operand(expression.length) }, frame);
      }
      case "format": {
        const pieces = [];
        for (const piece of expression.pieces) {
          pieces.push(piece.kind === "value" ? { ...piece, value: yield* this.operand(piece.value) } : piece);
        }
        return evaluator.evaluate({ ...expression, pieces }, frame);
      }
      case "panic":
        return evaluator.evaluate({ ...expression, message: yield* this.operand(expression.message) }, frame);
      default:
        throw new Stopped(`await in ${expression.kind}`);
    }
  }

  private *operand(expression: Expression): Steps<Expression> {
    return known(expression, yield* this.evaluate(expression));
  }

  private *operands(expressions: readonly Expression[]): Steps<Expression[]> {
    const values: Expression[] = [];
    for (const expression of expressions) values.push(yield* this.operand(expression));
    return values;
  }

  /** The target with its operands evaluated. */
  private *target(target: Target): Steps<Target> {
    switch (target.kind) {
      case "local":
      case "global":
        return target;
      case "field":
        return { ...target, object: yield* this.operand(target.object) };
      case "pointee":
        return { ...target, pointer: yield* this.operand(target.pointer) };
      case "element": {
        const array = yield* this.operand(target.array);
        return { ...target, array, index: yield* this.operand(target.index) };
      }
    }
  }

  private *wait(expression: Await): Steps<Value> {
    for (const first of expression.first) yield* this.evaluate(first);
    for (;;) {
      this.setWaker(expression.waker);
      if (this.evaluator.evaluate(expression.poll, this.frame) === 1n) break;
      yield* this.stop(expression);
    }
    return yield* this.evaluate(expression.result);
  }

  /** Leaves the poll under way; where the frame is given up meanwhile, cleans up and ends. */
  private *stop({ abandon, waker }: Await): Steps<void> {
    this.evaluator.step();
    if (yield) {
      for (const statement of abandon) this.evaluator.statement(statement, this.frame);
      throw new GivenUp();
    }
    this.setWaker(waker);
  }

  private setWaker(local: Local): void {
    this.frame.values.set(local, this.waker);
  }
}

type Await = Expression & { readonly kind: "await" };

/** An expression whose value has been found, as one that has this value. */
function known({ type, place }: Expression, value: Value): Expression {
  const word = (one: bigint): Expression => ({ kind: "integer", value: one, type: WORD, place });
  return typeof value === "bigint"
    ? { kind: "integer", value, type, place }
    : { kind: "makeSlice", address: word(value.address), length: word(value.length), type, place };
}

const WORD: Type = { kind: "integer", name: "u64", bits: 64, signed: false };

const statementsWithAwait = new WeakMap<Statement, boolean>();
const expressionsWithAwait = new WeakMap<Expression, boolean>();

function holdsAwait(statement: Statement): boolean {
  let found = statementsWithAwait.get(statement);
  if (found === undefined) {
    found = false;
    walkStatements([statement], (expression) => {
      found ||= expression.kind === "await";
    });
    statementsWithAwait.set(statement, found);
  }
  return found;
}

function holdsAwaitIn(expression: Expression): boolean {
  let found = expressionsWithAwait.get(expression);
  if (found === undefined) {
    found = false;
    walkExpression(expression, (one) => {
      found ||= one.kind === "await";
    });
    expressionsWithAwait.set(expression, found);
  }
  return found;
}
