/** Random expressions of a wanted type. What the front end can prove wrong (constant division by zero …) is never grown. */
import { BITS, INTEGERS, type Integer, isSigned, MOST_WORK, type Scope, type ValueType } from "./scope.ts";
import type { Tape } from "./tape.ts";

export const COLORS = ["Red", "Green", "Blue", "Violet"] as const;
export const VALUE_TYPES: readonly ValueType[] = [...INTEGERS, "bool", "Color"];

/** Adds to the work of the function that is being grown. */
export interface Meter {
  work: number;
}

export class ExpressionMaker {
  constructor(
    readonly tape: Tape,
    readonly meter: Meter,
  ) {}

  make(scope: Scope, type: ValueType, depth: number): string {
    this.meter.work += scope.repeats;
    if (type === "bool") {
      return this.bool(scope, depth);
    }
    return type === "Color" ? this.color(scope, depth) : this.integer(scope, type, depth);
  }

  /** A literal with its type said. */
  literal(type: Integer): string {
    return `${type}(${this.digits(type)})`;
  }

  /** A literal's text alone. */
  digits(type: Integer): string {
    const bits = BigInt(BITS[type]);
    const most = isSigned(type) ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
    const raw = BigInt(this.tape.next());
    const shape = this.tape.below(5);
    const values = [raw % 16n, raw, most - (raw % 4n), 1n << (raw % bits), raw * 0x1_0001_0001_0001n + raw];
    const value = values[shape]! & most;
    const text = this.tape.rarely(3) ? `0x${value.toString(16)}` : value.toString();
    if (!isSigned(type)) {
      return text;
    }
    return this.tape.rarely(3) ? `-${value === most ? value + 1n : value}` : text;
  }

  /** A variable of the type, or null; never known to be constant. */
  variable(scope: Scope, type: ValueType): string | null {
    const candidates = scope.variables.filter((variable) => variable.type === type);
    return candidates.length === 0 ? null : this.tape.pick(candidates).text;
  }

  /** A variable of any unsigned type, converted: a number that is not known while compiling. */
  private unknown(scope: Scope, type: Integer): string {
    const candidates = scope.variables.filter((variable) => variable.text !== "");
    return candidates.length === 0 ? `${type}(unknown)` : `${type}(${this.tape.pick(candidates).text})`;
  }

  private integer(scope: Scope, type: Integer, depth: number): string {
    const { tape } = this;
    if (depth <= 0 || tape.isOver) {
      return this.variable(scope, type) ?? this.literal(type);
    }
    switch (tape.below(13)) {
      case 0:
        return this.literal(type);
      case 1:
      case 2:
        return this.variable(scope, type) ?? this.literal(type);
      case 3:
      case 4: {
        const operator = tape.pick(["+", "-", "*", "&", "|", "^"]);
        const left = this.make(scope, type, depth - 1);
        const right = tape.rarely(4) ? this.digits(type) : this.make(scope, type, depth - 1);
        return `(${left} ${operator} ${right})`;
      }
      case 5:
        return `(${this.make(scope, type, depth - 1)} ${tape.pick(["/", "%"])} ${this.divisor(scope, type, depth - 1)})`;
      case 6:
        return `(${this.make(scope, type, depth - 1)} ${tape.pick(["<<", ">>"])} ${this.count(scope, type, depth - 1)})`;
      case 7:
        return `(${tape.pick(["-", "~"])}${this.make(scope, type, depth - 1)})`;
      case 8:
        return `${type}(${this.make(scope, tape.pick(VALUE_TYPES), depth - 1)})`;
      case 9:
        return `(${this.make(scope, "bool", depth - 1)} ? ${this.make(scope, type, depth - 1)} : ${this.make(scope, type, depth - 1)})`;
      case 10:
        return this.element(scope, type, depth - 1) ?? this.literal(type);
      case 11:
        return this.call(scope, type, depth - 1) ?? this.literal(type);
      default:
        return this.builtIn(scope, type, depth - 1);
    }
  }

  private builtIn(scope: Scope, type: Integer, depth: number): string {
    const a = (): string => this.make(scope, type, depth);
    switch (this.tape.below(9)) {
      case 0:
        return `max(${a()}, ${a()})`;
      case 1:
        return `pick<${type}>(${this.make(scope, "bool", depth)}, ${a()}, ${a()})`;
      case 2:
        return `${type}(TEXT.byteAt(${this.index(scope, 11)}))`;
      case 3:
        return `${type}(OPERATIONS[${this.index(scope, 3)}](${this.make(scope, "u32", depth)}, ${this.make(scope, "u32", depth)}))`;
      case 4:
        return `${type}(plain.mixed(${this.make(scope, "i32", depth)}))`;
      case 5:
        return `${type}(SHAPES[${this.index(scope, 3)}].area(${this.make(scope, "u32", depth)}))`;
      case 6:
        return `${type}(measure(${this.tape.pick(["square", "round", "SHAPES[2]"])}, ${this.make(scope, "u32", depth)}))`;
      case 7: {
        const name = `c${depth}`;
        const inner = scope.inner(2);
        inner.variables.push({ text: name, type, mutable: false });
        return `twice((${name}: ${type}): ${type} => ${this.make(inner, type, depth)}, ${a()})`;
      }
      default:
        return `${type}(boxes[${this.index(scope, 2)}].swap(${this.make(scope, "i16", depth)}))`;
    }
  }

  /** Never a constant zero; a variable that is zero panics. */
  divisor(scope: Scope, type: Integer, depth: number): string {
    switch (this.tape.below(3)) {
      case 0: {
        const text = this.digits(type);
        return BigInt(text.replace("-", "")) === 0n ? `${type}(3)` : `${type}(${text})`;
      }
      case 1:
        return `(${this.make(scope, type, depth)} | 1)`;
      default:
        return this.unknown(scope, type);
    }
  }

  /** A constant one is below the width. */
  count(scope: Scope, type: Integer, depth: number): string {
    switch (this.tape.below(3)) {
      case 0:
        return String(this.tape.below(BITS[type]));
      case 1:
        return `(${this.make(scope, "u8", depth)} & ${BITS[type] - 1})`;
      default:
        return this.unknown(scope, this.tape.pick(["u8", "u16", "u64"] as const));
    }
  }

  /** Mostly inside of the array, sometimes wherever it goes. */
  index(scope: Scope, length: number): string {
    switch (this.tape.below(3)) {
      case 0:
        return String(this.tape.below(length));
      case 1:
        return `${this.unknown(scope, this.tape.pick(["u8", "u32", "usize"] as const))} % ${length}`;
      default:
        return this.tape.rarely(4)
          ? this.unknown(scope, "u8")
          : `(${this.unknown(scope, "u64")} & ${length > 3 ? 3 : 1}) % ${length}`;
    }
  }

  /** An element of some array or slice. */
  element(scope: Scope, type: ValueType, _depth: number): string | null {
    const candidates = scope.elements.filter((elements) => elements.of === type);
    if (candidates.length === 0) {
      return null;
    }
    const { text, length } = this.tape.pick(candidates);
    return length === null
      ? `${text}[${this.unknown(scope, "usize")} % ${text}.length]`
      : `${text}[${this.index(scope, length)}]`;
  }

  call(scope: Scope, type: ValueType, depth: number): string | null {
    const candidates = scope.functions.filter(
      (one) => one.result === type && this.meter.work + scope.repeats * one.cost < MOST_WORK,
    );
    if (candidates.length === 0) {
      return null;
    }
    const target = this.tape.pick(candidates);
    this.meter.work += scope.repeats * target.cost;
    const args = target.parameters.map((parameter) => this.make(scope, parameter, depth));
    return `${target.name}(${args.join(", ")})`;
  }

  private bool(scope: Scope, depth: number): string {
    const { tape } = this;
    if (depth <= 0 || tape.isOver) {
      return this.variable(scope, "bool") ?? tape.pick(["true", "false"]);
    }
    switch (tape.below(7)) {
      case 0:
        return this.variable(scope, "bool") ?? "true";
      case 1:
      case 2: {
        const type = tape.pick(INTEGERS);
        const operator = tape.pick(["===", "!==", "<", "<=", ">", ">="]);
        return `(${this.make(scope, type, depth - 1)} ${operator} ${this.make(scope, type, depth - 1)})`;
      }
      case 3:
        return `(${this.make(scope, "bool", depth - 1)} ${tape.pick(["&&", "||"])} ${this.make(scope, "bool", depth - 1)})`;
      case 4:
        return `!${this.make(scope, "bool", depth - 1)}`;
      case 5:
        return `(${this.make(scope, "Color", depth - 1)} ${tape.pick(["===", "!=="])} ${this.make(scope, "Color", depth - 1)})`;
      default:
        return this.element(scope, "bool", depth - 1) ?? this.call(scope, "bool", depth - 1) ?? "false";
    }
  }

  private color(scope: Scope, depth: number): string {
    const { tape } = this;
    const member = (): string => `Color.${tape.pick(COLORS)}`;
    if (depth <= 0 || tape.isOver) {
      return this.variable(scope, "Color") ?? member();
    }
    switch (tape.below(5)) {
      case 0:
        return member();
      case 1:
        return this.variable(scope, "Color") ?? member();
      case 2:
        return this.element(scope, "Color", depth - 1) ?? this.call(scope, "Color", depth - 1) ?? member();
      case 3:
        return `(${this.make(scope, "bool", depth - 1)} ? ${member()} : ${this.make(scope, "Color", depth - 1)})`;
      default:
        return tape.rarely(3)
          ? `enumFrom<Color>(${this.unknown(scope, "u8")})`
          : `enumFrom<Color>(${this.unknown(scope, "u32")} & 4)`;
    }
  }
}
