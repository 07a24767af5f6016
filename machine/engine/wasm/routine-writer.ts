/** Functions of the runtime, written statement by statement: values that are named, conditions, loops. */
import { type FunctionBody, OP, type ValueType } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { FunctionWriter } from "./function-writer.ts";

/** A local that can be set again. */
export interface Variable {
  readonly value: Value;
  set(value: Value): void;
}

/** No scope of values is this one: each is computed where it is written. */
const NOWHERE = -1;

export class RoutineWriter {
  readonly #fn: FunctionWriter;
  readonly parameters: readonly Value[];
  /** Written before each way out that has done something. */
  atSuccess: () => void = () => {};
  /** What is given where the function gives up: 0, or what another function gives that tries harder. */
  otherwise: Value = x.constant(0n);

  constructor(parameters: readonly ValueType[]) {
    this.#fn = new FunctionWriter(parameters.length, []);
    this.parameters = parameters.map((type, index) => x.local(index, type));
  }

  #emit(value: Value): void {
    this.#fn.emit(value, NOWHERE);
  }

  variable(initial: Value): Variable {
    const index = this.#fn.keep(initial.type);
    const set = (value: Value) => {
      this.#emit(
        initial.type === x.as64(value).type ? x.as64(value) : value.type === initial.type ? value : x.as32(value),
      );
      this.#fn.out.set(index);
    };
    set(initial);
    return { value: x.local(index, initial.type), set };
  }

  /** Computes a value here, once. */
  let(value: Value): Value {
    const index = this.#fn.keep(value.type);
    this.#emit(value);
    this.#fn.out.set(index);
    return x.local(index, value.type, value.bits);
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#emit(x.as32(condition));
    this.#fn.open(OP.if);
    then();
    if (otherwise !== undefined) {
      this.#fn.otherwise();
      otherwise();
    }
    this.#fn.end();
  }

  /** `condition` is computed before each round. */
  while(condition: () => Value, body: () => void): void {
    const again = this.#fn.open(OP.loop);
    this.#emit(x.as32(condition()));
    this.#fn.open(OP.if);
    body();
    this.#fn.branch(again);
    this.#fn.end();
    this.#fn.end();
  }

  store(op: number, place: Value, offset: number, value: Value): void {
    this.#emit(x.as32(place));
    this.#emit(value);
    this.#fn.out.memory(op, offset);
  }

  storeState(offset: number, value: Value): void {
    const wide = x.as64(value) === value;
    this.store(wide ? OP.i64Store : OP.i32Store, x.constant(0n), offset, value);
  }

  give(value: Value): void {
    this.#emit(x.as32(value));
    this.#fn.out.byte(OP.return);
  }

  /** Of functions that give a number of 64 bits. */
  giveWide(value: Value): void {
    this.#emit(x.as64(value));
    this.#fn.out.byte(OP.return);
  }

  /** Does what is to be done in the end, and gives 1. */
  succeed(): void {
    this.atSuccess();
    this.give(x.constant(1n));
  }

  giveUpIf(condition: Value): void {
    this.if(condition, () => this.give(this.otherwise));
  }

  /** The function gives nothing, and comes to its end. */
  end(type: number, name: string): FunctionBody {
    const { out } = this.#fn;
    out.byte(OP.end);
    return { type, locals: this.#fn.locals, code: out.result(), name };
  }

  finish(type: number, name: string): FunctionBody {
    const { out } = this.#fn;
    out.byte(OP.unreachable);
    out.byte(OP.end);
    return { type, locals: this.#fn.locals, code: out.result(), name };
  }
}
