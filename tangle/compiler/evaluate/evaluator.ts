/**
 * A plain evaluator of the typed tree. It is meant to be obviously right, not fast: what compiled code does is judged by
 * it. Memory is bytes, integers are exact numbers wrapped at their width, panics are values with a place.
 */
import type { Place } from "../../place.ts";
import { isAggregate, isFat, sizeOf } from "../layout.ts";
import {
  type Coroutine,
  type Expression,
  type Global,
  type Local,
  type LoopLabel,
  PANIC_MESSAGE,
  type Statement,
  type Target,
  type Function as TreeFunction,
  type Type,
} from "../tree.ts";
import { arithmetic, wrapTo } from "./arithmetic.ts";
import { writeConstant } from "./constants.ts";
import { Run } from "./coroutine.ts";
import { intrinsic } from "./intrinsics.ts";
import { isMadeUp, Memory } from "./memory.ts";
import { writePieces } from "./pieces.ts";
import { renderFormat } from "./render.ts";

/** Address and length of a string, slice or format. */
export interface Fat {
  readonly address: bigint;
  readonly length: bigint;
}
/** Scalars are exact numbers (addresses unsigned, bools 0 and 1), aggregates their addresses; void is 0. */
export type Value = bigint | Fat;

/** A panic: the kernel's own end. */
export class Panicked extends Error {
  constructor(
    readonly place: Place,
    readonly text: string,
  ) {
    super(text);
  }
}
/** What the evaluator does not know or has no more patience for. */
export class Stopped extends Error {}

export interface Frame {
  readonly values: Map<Local, Value>;
  /** Memory that ends with the call. */
  readonly regions: bigint[];
}

export type Completion =
  | { readonly kind: "break" | "continue"; readonly label: LoopLabel }
  | { readonly kind: "return"; readonly value: Value };

const DEEPEST_CALL = 400;

export class Evaluator {
  readonly memory = new Memory();
  private readonly globals = new Map<Global, bigint>();
  private readonly code = new Map<TreeFunction, bigint>();
  private readonly texts = new WeakMap<Uint8Array, bigint>();
  /** Calls of async functions by the addresses of their frames. */
  private readonly runs = new Map<bigint, Run>();
  private depth = 0;

  constructor(
    /** Statements and calls left before the evaluator gives up. */
    private steps: number,
    /** Whether addresses may become numbers and hardware may be touched; not while values go into the image. */
    readonly constant: boolean,
  ) {}

  /** Where a module-level variable lies. Its initial value is written when it is first asked for. */
  addressOfGlobal(global: Global): bigint {
    let address = this.globals.get(global);
    if (address === undefined) {
      address = this.memory.allocate({ kind: "global", global }, sizeOf(global.type));
      this.globals.set(global, address);
      if (global.initial !== null) {
        writeConstant(this, address, global.type, global.initial);
      }
    }
    return address;
  }

  addressOfFunction(target: TreeFunction): bigint {
    let address = this.code.get(target);
    if (address === undefined) {
      address = this.memory.allocate({ kind: "code", target }, 0);
      this.code.set(target, address);
    }
    return address;
  }

  /** Text in read-only memory; the same bytes object always lies in the same place. */
  text(bytes: Uint8Array): Fat {
    let address = this.texts.get(bytes);
    if (address === undefined) {
      address = this.memory.allocate({ kind: "text" }, bytes);
      this.texts.set(bytes, address);
    }
    return { address, length: BigInt(bytes.length) };
  }

  /** The value of a type at an address; aggregates are their address. */
  load(address: bigint, type: Type): Value {
    if (isAggregate(type)) {
      return address;
    }
    if (isFat(type)) {
      return { address: this.memory.read(address, 8), length: this.memory.read(address + 8n, 8) };
    }
    const value = wrapTo(this.memory.read(address, sizeOf(type)), type);
    this.checkNumber(value, type);
    return value;
  }

  store(address: bigint, type: Type, value: Value): void {
    if (typeof value === "bigint") {
      this.memory.write(address, sizeOf(isAggregate(type) ? (type as Type & { of: Type }).of : type), value);
    } else {
      this.memory.write(address, 8, value.address);
      this.memory.write(address + 8n, 8, value.length);
    }
  }

  // ── Functions and statements ─────────────────────────────────────────────────────────────────────────────────────

  call(target: TreeFunction, args: readonly Value[]): Value {
    if (target.convention !== "plain") {
      throw new Stopped(`${target.symbol} is ${target.convention}`);
    }
    this.step();
    if (++this.depth > DEEPEST_CALL) {
      throw new Stopped("calls are nested too deep");
    }
    try {
      if (target.part !== undefined) {
        return this.callPart(target, target.part, args);
      }
      const frame = this.enter(target, args);
      try {
        const completion = this.statements(target.body, frame);
        return completion?.kind === "return" ? completion.value : 0n;
      } finally {
        this.leave(frame);
      }
    } finally {
      this.depth--;
    }
  }

  private enter(target: TreeFunction, args: readonly Value[]): Frame {
    const frame: Frame = { values: new Map(), regions: [] };
    target.parameters.forEach((parameter, index) => {
      if (parameter.storage === "register") {
        frame.values.set(parameter, args[index]!);
      } else {
        this.store(this.frameAddress(parameter, frame), parameter.type, args[index]!);
      }
    });
    return frame;
  }

  leave(frame: Frame): void {
    for (const region of frame.regions) {
      this.memory.release(region);
    }
  }

  /** What the parts of a coroutine do with a frame; its bytes are never looked at. */
  private callPart(target: TreeFunction, part: Coroutine, args: readonly Value[]): Value {
    const address = args[0] as bigint;
    if (target === part.start) {
      this.runs.set(address, new Run(this, part, this.enter(part.body, args.slice(1))));
      return 0n;
    }
    const run = this.runs.get(address);
    if (run?.coroutine !== part) {
      throw new Stopped("a poll of what is no frame");
    }
    switch (target) {
      case part.poll:
        return run.poll(args[1] as bigint) ? 1n : 0n;
      case part.result:
        return run.result;
      default:
        run.drop();
        return 0n;
    }
  }

  step(): void {
    if (this.steps-- <= 0) {
      throw new Stopped("too many steps");
    }
  }

  private statements(statements: readonly Statement[], frame: Frame): Completion | null {
    for (const statement of statements) {
      const completion = this.statement(statement, frame);
      if (completion !== null) {
        return completion;
      }
    }
    return null;
  }

  statement(statement: Statement, frame: Frame): Completion | null {
    this.step();
    switch (statement.kind) {
      case "expression":
        this.evaluate(statement.expression, frame);
        return null;
      case "let":
        this.declare(statement.local, statement.initial, frame);
        return null;
      case "if":
        return this.statements(
          this.evaluate(statement.condition, frame) === 1n ? statement.then : statement.otherwise,
          frame,
        );
      case "loop":
        return this.loop(statement, frame);
      case "block": {
        const completion = this.statements(statement.body, frame);
        return completion?.kind === "break" && completion.label === statement.label ? null : completion;
      }
      case "break":
      case "continue":
        return { kind: statement.kind, label: statement.label };
      case "switch": {
        const subject = this.evaluate(statement.subject, frame);
        let first = statement.cases.findIndex((one) => one.value === subject);
        if (first < 0) {
          first = statement.cases.findIndex((one) => one.value === null);
        }
        const bodies = first < 0 ? [] : statement.cases.slice(first).flatMap((one) => one.body);
        const completion = this.statements(bodies, frame);
        return completion?.kind === "break" && completion.label === statement.label ? null : completion;
      }
      case "return":
        return { kind: "return", value: statement.value === null ? 0n : this.evaluate(statement.value, frame) };
    }
  }

  declare(local: Local, initial: Expression | null, frame: Frame): void {
    if (local.storage === "register") {
      const zero: Value = isFat(local.type) ? { address: 0n, length: 0n } : 0n;
      frame.values.set(local, initial === null ? zero : this.evaluate(initial, frame));
      return;
    }
    const size = sizeOf(local.type);
    const address = this.frameAddress(local, frame);
    this.memory.writeBytes(address, new Uint8Array(size));
    if (initial !== null) {
      this.fill(local, this.evaluate(initial, frame), frame);
    }
  }

  /** Gives a local that has been declared its initial value. */
  fill(local: Local, value: Value, frame: Frame): void {
    if (local.storage === "register") {
      frame.values.set(local, value);
      return;
    }
    const address = this.frameAddress(local, frame);
    if (!isAggregate(local.type)) {
      this.store(address, local.type, value);
    } else if (value !== address) {
      this.memory.writeBytes(address, this.memory.readBytes(value as bigint, sizeOf(local.type)));
    }
  }

  /** Where a local of the frame lies in this call. */
  private frameAddress(local: Local, frame: Frame): bigint {
    let address = frame.values.get(local);
    if (address === undefined) {
      address = this.memory.allocate({ kind: "frame" }, sizeOf(local.type));
      frame.values.set(local, address);
      frame.regions.push(address);
    }
    return address as bigint;
  }

  private loop(statement: Statement & { readonly kind: "loop" }, frame: Frame): Completion | null {
    const { label, test, update, body } = statement;
    let tested = !statement.testAtEnd;
    for (;;) {
      this.step();
      if (tested && test !== null && this.evaluate(test, frame) !== 1n) {
        return null;
      }
      tested = true;
      const completion = this.statements(body, frame);
      if (completion !== null && !(completion.kind === "continue" && completion.label === label)) {
        return completion.kind === "break" && completion.label === label ? null : completion;
      }
      if (update !== null) {
        this.evaluate(update, frame);
      }
    }
  }

  // ── Targets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The address of a target in memory; its parts are evaluated and its bounds checked. Null for a register. */
  locate(target: Target, frame: Frame): bigint | null {
    switch (target.kind) {
      case "local":
        return target.local.storage === "frame" ? this.frameAddress(target.local, frame) : null;
      case "global":
        return this.addressOfGlobal(target.global);
      case "field":
        return this.number(target.object, frame) + BigInt(target.field.offset);
      case "pointee":
        return this.number(target.pointer, frame);
      case "element": {
        const array = this.evaluate(target.array, frame);
        const index = this.number(target.index, frame);
        const address = typeof array === "bigint" ? array : array.address;
        const length = target.array.type.kind === "array" ? BigInt(target.array.type.length) : (array as Fat).length;
        if (index >= length) {
          if (!target.checked) {
            throw new Error(`index ${index} was said to be below ${length}`);
          }
          throw new Panicked(target.place, PANIC_MESSAGE.bounds(index, length));
        }
        return BigInt.asUintN(64, address + index * BigInt(sizeOf(target.type)));
      }
    }
  }

  readTarget(target: Target, address: bigint | null, frame: Frame): Value {
    if (address !== null) {
      return this.load(address, target.type);
    }
    // A local that a switch jumped over is zero.
    const local = (target as Target & { kind: "local" }).local;
    return frame.values.get(local) ?? (isFat(local.type) ? { address: 0n, length: 0n } : 0n);
  }

  writeTarget(target: Target, address: bigint | null, value: Value, frame: Frame): void {
    if (address !== null) {
      this.store(address, target.type, value);
    } else {
      frame.values.set((target as Target & { kind: "local" }).local, value);
    }
  }

  // ── Expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

  private number(expression: Expression, frame: Frame): bigint {
    const value = this.evaluate(expression, frame);
    if (typeof value !== "bigint") {
      throw new Error(`${expression.kind} is not one word`);
    }
    return value;
  }

  private fat(expression: Expression, frame: Frame): Fat {
    const value = this.evaluate(expression, frame);
    if (typeof value === "bigint") {
      throw new Error(`${expression.kind} is not address and length`);
    }
    return value;
  }

  evaluate(expression: Expression, frame: Frame): Value {
    switch (expression.kind) {
      case "integer":
        return expression.value;
      case "string":
        return this.text(expression.bytes);
      case "function":
        return this.addressOfFunction(expression.target);
      case "read": {
        const address = this.locate(expression.target, frame);
        return this.readTarget(expression.target, address, frame);
      }
      case "addressOf":
        return this.locate(expression.target, frame)!;
      case "assign": {
        const address = this.locate(expression.target, frame);
        const value = this.evaluate(expression.value, frame);
        this.writeTarget(expression.target, address, value, frame);
        return value;
      }
      case "update": {
        const address = this.locate(expression.target, frame);
        const before = this.readTarget(expression.target, address, frame) as bigint;
        const operand = this.number(expression.value, frame);
        const after = arithmetic(expression.operator, before, operand, expression.target.type, expression.place);
        this.writeTarget(expression.target, address, after, frame);
        return expression.result === "before" ? before : after;
      }
      case "negate":
        return wrapTo(-this.number(expression.operand, frame), expression.type);
      case "complement":
        return wrapTo(~this.number(expression.operand, frame), expression.type);
      case "not":
        return this.number(expression.operand, frame) === 0n ? 1n : 0n;
      case "arithmetic": {
        const left = this.number(expression.left, frame);
        const right = this.number(expression.right, frame);
        return arithmetic(expression.operator, left, right, expression.type, expression.place);
      }
      case "compare": {
        const left = this.number(expression.left, frame);
        const right = this.number(expression.right, frame);
        return compare(expression.operator, left, right) ? 1n : 0n;
      }
      case "logical": {
        const left = this.number(expression.left, frame);
        return (left === 1n) === (expression.operator === "||") ? left : this.evaluate(expression.right, frame);
      }
      case "conditional":
        return this.evaluate(
          this.number(expression.condition, frame) === 1n ? expression.then : expression.otherwise,
          frame,
        );
      case "convert":
        return wrapTo(this.number(expression.operand, frame), expression.type);
      case "reinterpret":
        return (
          this.movedPointer(expression, frame) ?? this.reinterpret(this.evaluate(expression.operand, frame), expression)
        );
      case "call":
        return this.call(
          expression.target,
          expression.arguments.map((argument) => this.evaluate(argument, frame)),
        );
      case "callIndirect": {
        const callee = this.number(expression.callee, frame);
        const args = expression.arguments.map((argument) => this.evaluate(argument, frame));
        const origin = this.memory.regionAt(callee)?.origin;
        if (origin?.kind !== "code") {
          throw new Stopped("a call of what is no function");
        }
        return this.call(origin.target, args);
      }
      case "intrinsic": {
        const args = expression.arguments.map((argument) => this.evaluate(argument, frame));
        return intrinsic(this, expression.name, args, expression);
      }
      case "makeSlice": {
        const address = this.number(expression.address, frame);
        return { address, length: this.number(expression.length, frame) };
      }
      case "sliceAddress":
        return this.fat(expression.operand, frame).address;
      case "sliceLength":
        return this.fat(expression.operand, frame).length;
      case "format": {
        const values = expression.pieces.map((piece) =>
          piece.kind === "value" ? this.evaluate(piece.value, frame) : this.text(piece.bytes),
        );
        const address = writePieces(this.memory, expression.pieces, values);
        frame.regions.push(address);
        return { address, length: BigInt(values.length) };
      }
      case "asm":
        throw new Stopped("asm");
      case "sequence":
        for (const one of expression.first) {
          this.evaluate(one, frame);
        }
        return this.evaluate(expression.last, frame);
      case "construct": {
        const address = this.number(expression.address, frame);
        const args = expression.arguments.map((argument) => this.evaluate(argument, frame));
        this.call(expression.constructor_, [address, ...args]);
        return address;
      }
      case "panic":
        throw new Panicked(expression.place, renderFormat(this.memory, this.fat(expression.message, frame)));
      case "await":
        throw new Error("an await in a plain function");
    }
  }

  /** While values go into the image, addresses are not known yet and must not become numbers. */
  private checkNumber(value: bigint, type: Type): void {
    if (this.constant && type.kind === "integer" && isMadeUp(value)) {
      throw new Stopped("the number of an address");
    }
  }

  /** A pointer plus bytes, which goes by way of a number, but stays an address. */
  private movedPointer(expression: Expression & { readonly kind: "reinterpret" }, frame: Frame): bigint | null {
    const sum = expression.operand;
    if (expression.type.kind !== "pointer" || sum.kind !== "arithmetic" || sum.operator !== "+") {
      return null;
    }
    if (sum.left.kind !== "reinterpret" || sum.left.operand.type.kind !== "pointer") {
      return null;
    }
    const address = this.number(sum.left.operand, frame);
    return wrapTo(address + this.number(sum.right, frame), expression.type);
  }

  /** The bits stay. */
  private reinterpret(value: Value, expression: Expression & { readonly kind: "reinterpret" }): Value {
    if (typeof value !== "bigint") {
      return value;
    }
    this.checkNumber(value, expression.type);
    return wrapTo(value, expression.type);
  }
}

function compare(operator: "==" | "!=" | "<" | "<=" | ">" | ">=", left: bigint, right: bigint): boolean {
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}
