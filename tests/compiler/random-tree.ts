/**
 * Random typed trees for tests of lowering and passes: every program ends, and may panic. They are made of what trips
 * optimisers: narrow widths, signs, nested loops with jumps, arrays with checked indexes, objects in the frame, calls.
 */
import { sizeOf } from "../../tangle/compiler/layout.ts";
import type {
  Expression,
  Field,
  Function as FunctionTree,
  Global,
  IntegerType,
  Local,
  LoopLabel,
  Program,
  Statement,
  Target,
  Type,
} from "../../tangle/compiler/tree.ts";
import {
  again,
  arithmetic,
  assign,
  BOOL,
  call,
  compare,
  convert,
  declare,
  element,
  functionOf,
  giveBack,
  global,
  HERE,
  I8,
  I32,
  I64,
  int,
  leave,
  local,
  logical,
  loop,
  programOf,
  read,
  run,
  U8,
  U16,
  U32,
  U64,
  USIZE,
  update,
  VOID,
  when,
} from "./build-tree.ts";

const INTEGERS: readonly IntegerType[] = [U8, U16, U32, U64, USIZE, I8, I32, I64];
const INTERESTING = [0n, 1n, 2n, 3n, 5n, 7n, 8n, 10n, 16n, 25n, 80n, 100n, 127n, 128n, 255n, 256n, 1000n, 65535n];

/** Numbers that look random but are the same for the same seed (mulberry32). */
export class Random {
  constructor(private state: number) {}

  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

export interface RandomProgram {
  readonly program: Program;
  /** The function to call, with its arguments as bit patterns. */
  readonly main: FunctionTree;
  readonly arguments: readonly bigint[];
}

export function randomProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const generator = new Generator(random);
  return generator.program();
}

interface Scope {
  readonly locals: Local[];
  /** Never assigned by generated statements: loop counters. */
  readonly counters: Local[];
  readonly loops: LoopLabel[];
  readonly result: Type;
}

class Generator {
  private readonly globals: Global[];
  private readonly functions: FunctionTree[] = [];
  private readonly point: Type;
  private readonly fields: readonly Field[];
  private names = 0;
  /** Pairs of locals that conditions have compared. */
  private readonly compared: { readonly a: Local; readonly b: Local; readonly type: Type }[] = [];
  /** What is left to spend on statements and expressions of the current function. */
  private budget = 0;

  constructor(private readonly random: Random) {
    this.fields = [
      { name: "a", type: U8, offset: 0 },
      { name: "b", type: I32, offset: 4 },
      { name: "c", type: U64, offset: 8 },
      { name: "d", type: BOOL, offset: 16 },
      { name: "e", type: { kind: "array", of: U16, length: 5 }, offset: 18 },
    ];
    this.point = {
      kind: "class",
      name: "Point",
      packed: false,
      fields: this.fields,
      size: 32,
      align: 8,
      place: HERE,
    };
    this.globals = [
      global("count", U32),
      global("total", I64, { initial: { kind: "integer", value: -5n } }),
      global("bytes", { kind: "array", of: U8, length: 25 }),
      global("words", { kind: "array", of: I32, length: 8 }),
      global("point", this.point),
      global("limit", U8, { mutable: false, initial: { kind: "integer", value: 25n } }),
    ];
  }

  program(): RandomProgram {
    const helpers = this.random.below(4);
    for (let i = 0; i < helpers; i++) this.functions.push(this.function(`helper${i}`, 25));
    const main = this.function("main", 80);
    this.functions.push(main);
    const args = main.parameters.map((parameter) =>
      BigInt.asUintN(bitsOf(parameter.type), this.value(parameter.type as IntegerType)),
    );
    return { program: programOf(this.functions, this.globals), main, arguments: args };
  }

  private function(name: string, budget: number): FunctionTree {
    this.budget = budget;
    const parameters = Array.from({ length: this.random.below(4) }, () => this.fresh(this.random.pick(INTEGERS)));
    const result = this.random.pick(INTEGERS);
    const scope: Scope = { locals: [...parameters], counters: [], loops: [], result };
    const body = [...this.statements(scope, 3), giveBack(this.integer(scope, result, 3))];
    return functionOf(name, parameters, result, body, {
      inline: this.random.pick(["auto", "auto", "always", "never"] as const),
    });
  }

  private fresh(type: Type, storage: Local["storage"] = "register"): Local {
    return local(`v${this.names++}`, type, storage);
  }

  // ── Statements ───────────────────────────────────────────────────────────────────────────────────────────────────

  private statements(outer: Scope, depth: number): Statement[] {
    const scope = { ...outer, locals: [...outer.locals], counters: [...outer.counters] };
    const list: Statement[] = [];
    const count = 1 + this.random.below(5);
    for (let i = 0; i < count && this.budget-- > 0; i++) list.push(...this.statement(scope, depth));
    return list;
  }

  private statement(scope: Scope, depth: number): Statement[] {
    const { random } = this;
    const kind = random.below(depth > 0 ? 14 : 8);
    if (kind < 2) {
      const l = this.fresh(random.pick(INTEGERS));
      const statement = declare(l, random.chance(80) ? this.integer(scope, l.type as IntegerType, 3) : null);
      scope.locals.push(l);
      return [statement];
    }
    if (kind === 2) {
      const l = this.fresh(
        random.chance(50) ? this.point : { kind: "array", of: random.pick(INTEGERS), length: 6 },
        "frame",
      );
      scope.locals.push(l);
      return [declare(l, null)];
    }
    if (kind < 6) {
      const target = this.target(scope, 2);
      if (!target) return [];
      if (target.type.kind === "bool") return [run(assign(target, this.condition(scope, 2)))];
      const type = target.type as IntegerType;
      if (random.chance(50)) return [run(assign(target, this.integer(scope, type, 3)))];
      return [run(this.update(scope, target, type, 2))];
    }
    if (kind === 6) return [run(this.integer(scope, random.pick(INTEGERS), 3))];
    if (kind === 7) {
      if (scope.loops.length === 0 || random.chance(50)) return [];
      const label = random.pick(scope.loops);
      const jump = random.chance(50) ? leave(label) : again(label);
      return [when(this.condition(scope, 2), [jump])];
    }
    if (kind < 11) {
      return [
        when(
          this.condition(scope, 3),
          this.statements(scope, depth - 1),
          random.chance(60) ? this.statements(scope, depth - 1) : [],
        ),
      ];
    }
    if (kind === 11) return this.switchStatement(scope, depth);
    return this.loopStatement(scope, depth);
  }

  private switchStatement(scope: Scope, depth: number): Statement[] {
    const label: LoopLabel = { name: "" };
    const type = this.random.pick(INTEGERS);
    const values = new Set(Array.from({ length: 1 + this.random.below(4) }, () => this.value(type)));
    const cases = [...values].map((value) => ({
      value: value as bigint | null,
      body: [...this.statements(scope, depth - 1), ...(this.random.chance(70) ? [leave(label)] : [])],
    }));
    if (this.random.chance(60)) {
      cases.splice(this.random.below(cases.length + 1), 0, { value: null, body: this.statements(scope, depth - 1) });
    }
    return [{ kind: "switch", label, subject: this.integer(scope, type, 2), cases, place: HERE }];
  }

  /** A loop whose counter only its own update changes, so that it ends. */
  private loopStatement(scope: Scope, depth: number): Statement[] {
    const { random } = this;
    const label: LoopLabel = { name: "" };
    const type = random.pick(INTEGERS);
    const counter = this.fresh(type);
    const rounds = 1 + random.below(random.chance(20) ? 30 : 8);
    const inner: Scope = { ...scope, counters: [...scope.counters, counter], loops: [...scope.loops, label] };
    const body = this.statements(inner, depth - 1);
    const [start, test, step] = random.chance(70)
      ? [0, compare("<", read(counter), int(type, rounds)), update(counter, "+", int(type, 1 + random.below(2)))]
      : [rounds, compare(">", read(counter), int(type, 0)), update(counter, "-", int(type, 1))];
    const atEnd = random.chance(20);
    const full = random.chance(80) || atEnd ? test : logical("&&", test, this.condition(inner, 2));
    return [declare(counter, int(type, start)), loop(label, full, step, body, atEnd)];
  }

  // ── Expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

  private value(type: IntegerType): bigint {
    const n = this.random.chance(20)
      ? (1n << BigInt(this.random.below(type.bits))) - 1n
      : this.random.pick(INTERESTING);
    const signed = this.random.chance(30) && type.signed ? -n : n;
    return type.signed ? BigInt.asIntN(type.bits, signed) : BigInt.asUintN(type.bits, signed);
  }

  private target(scope: Scope, depth: number): Target | null {
    const { random } = this;
    const choice = random.below(7);
    if (choice === 6) return this.throughPointer(scope);
    if (choice < 3) {
      const l = random.pick(scope.locals.length > 0 ? scope.locals : [null]);
      if (l?.storage === "frame") return this.inside(scope, read(l), depth);
      return l ? { kind: "local", local: l, type: l.type, place: HERE } : null;
    }
    const g = random.pick(this.globals.filter((candidate) => candidate.mutable));
    const target: Target = { kind: "global", global: g, type: g.type, place: HERE };
    return g.type.kind === "integer" ? target : this.inside(scope, read(target), depth);
  }

  /** Some bytes of an object, under whatever type: what the fields there hold changes too. */
  private throughPointer(scope: Scope): Target {
    const { random } = this;
    const frames = scope.locals.filter((l) => l.storage === "frame").map((l) => read(l));
    const globals = this.globals
      .filter((g) => g.mutable && g.type.kind !== "integer")
      .map((g) => read({ kind: "global", global: g, type: g.type, place: HERE }));
    const object = random.pick([...frames, ...globals]);
    // A bool among the bytes must stay 0 or 1: only the first 16 of a Point are free.
    const size = object.type === this.point ? 16 : sizeOf(object.type);
    const type = random.pick(INTEGERS.filter(({ bits }) => bits / 8 <= size));
    const offset = random.below(size - type.bits / 8 + 1);
    const address: Expression = { kind: "reinterpret", operand: object, type: U64, place: HERE };
    const moved = arithmetic("+", address, int(U64, offset));
    const pointer: Expression = {
      kind: "reinterpret",
      operand: moved,
      type: { kind: "pointer", of: type },
      place: HERE,
    };
    return { kind: "pointee", pointer, type, place: HERE };
  }

  /** An element of an array, or a field of an object. */
  private inside(scope: Scope, aggregate: Expression, depth: number): Target {
    if (aggregate.type.kind === "class") {
      const field = this.random.pick(this.fields);
      const target: Target = { kind: "field", object: aggregate, field, type: field.type, place: HERE };
      return field.type.kind === "array" ? this.inside(scope, read(target), depth) : target;
    }
    const { length } = aggregate.type as { length: number };
    if (this.random.chance(30)) return element(aggregate, int(USIZE, this.random.below(length)), false);
    const type = this.random.pick([U8, U32, USIZE]);
    if (this.random.chance(30)) return element(aggregate, this.integer(scope, type, depth));
    const counters = scope.counters.filter((c) => c.type.kind === "integer" && !c.type.signed);
    if (counters.length > 0 && this.random.chance(60)) {
      const counter = read(this.random.pick(counters));
      const index = this.random.chance(50) ? counter : arithmetic("+", counter, int(counter.type, 1));
      return element(aggregate, index);
    }
    return element(aggregate, arithmetic("%", this.integer(scope, type, depth), int(type, length)));
  }

  private update(scope: Scope, target: Target, type: IntegerType, depth: number): Expression {
    const { random } = this;
    const operator = random.pick(["+", "-", "*", "&", "|", "^", "<<", ">>", "/", "%"] as const);
    const result = random.chance(50) ? "before" : "after";
    if (operator === "/" || operator === "%") return update(target, operator, this.divisor(scope, type, depth), result);
    const right = operator === "<<" || operator === ">>" ? random.pick([U8, U32]) : type;
    return update(target, operator, this.integer(scope, right, depth), result);
  }

  private isInScope(scope: Scope, { a, b }: { a: Local; b: Local }): boolean {
    const visible = [...scope.locals, ...scope.counters];
    return visible.includes(a) && visible.includes(b);
  }

  /** `x != 0 ? left / x : other`, which must not be computed before the test. */
  private guardedDivision(scope: Scope, type: IntegerType, depth: number): Expression {
    const candidates = scope.locals.filter((l) => l.type === type);
    if (candidates.length === 0) return int(type, 0);
    const divisor = read(this.random.pick(candidates));
    const operator = this.random.pick(["/", "%"] as const);
    return {
      kind: "conditional",
      condition: compare("!=", divisor, int(type, 0)),
      then: arithmetic(operator, this.integer(scope, type, depth - 1), divisor),
      otherwise: this.integer(scope, type, depth - 1),
      type,
      place: HERE,
    };
  }

  private divisor(scope: Scope, type: IntegerType, depth: number): Expression {
    if (this.random.chance(15)) return this.integer(scope, type, depth);
    const value = this.value(type);
    return int(type, value === 0n ? 3n : value);
  }

  private integer(scope: Scope, type: IntegerType, depth: number): Expression {
    const { random } = this;
    this.budget--;
    const kind = depth > 0 && this.budget > -40 ? random.below(15) : random.below(3);
    switch (kind) {
      case 0:
        return int(type, this.value(type));
      case 1:
      case 2:
      case 3: {
        const same = [...scope.locals, ...scope.counters].filter((l) => l.type === type);
        if (same.length > 0) return read(random.pick(same));
        const others = [...scope.locals, ...scope.counters].filter((l) => l.type.kind === "integer");
        return others.length > 0 ? convert(read(random.pick(others)), type) : int(type, this.value(type));
      }
      case 4: {
        const target = this.target(scope, depth - 1);
        return target ? convert(read(target), type) : int(type, this.value(type));
      }
      case 5: {
        const operand = this.integer(scope, type, depth - 1);
        return { kind: random.chance(50) ? "negate" : "complement", operand, type, place: HERE };
      }
      case 6:
        return convert(this.integer(scope, random.pick(INTEGERS), depth - 1), type);
      case 7:
        return convert(this.condition(scope, depth - 1), type);
      case 8:
        return {
          kind: "conditional",
          condition: this.condition(scope, depth - 1),
          then: this.integer(scope, type, depth - 1),
          otherwise: this.integer(scope, type, depth - 1),
          type,
          place: HERE,
        };
      case 9: {
        const target = this.target(scope, depth - 1);
        if (target?.type.kind !== "integer") return int(type, this.value(type));
        return convert(this.update(scope, target, target.type, depth - 1), type);
      }
      case 10: {
        if (this.functions.length === 0) return int(type, this.value(type));
        const target = random.pick(this.functions);
        const args = target.parameters.map((p) => this.integer(scope, p.type as IntegerType, depth - 1));
        return convert(call(target, ...args), type);
      }
      case 14:
        return this.guardedDivision(scope, type, depth);
      default:
        return this.arithmetic(scope, type, depth);
    }
  }

  private arithmetic(scope: Scope, type: IntegerType, depth: number): Expression {
    const { random } = this;
    const operator = random.pick(["+", "+", "-", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"] as const);
    const left = this.integer(scope, type, depth - 1);
    if (operator === "/" || operator === "%") return arithmetic(operator, left, this.divisor(scope, type, depth - 1));
    const right = operator === "<<" || operator === ">>" ? random.pick([U8, U32, type]) : type;
    return arithmetic(operator, left, this.integer(scope, right, depth - 1));
  }

  private condition(scope: Scope, depth: number): Expression {
    const { random } = this;
    const kind = depth > 0 ? random.below(9) : 0;
    const again = random.pick(this.compared.length > 0 ? this.compared : [null]);
    if (kind === 8 && again && this.isInScope(scope, again)) {
      // The same two numbers once more, perhaps in the other order of their signs.
      const type = random.pick(INTEGERS.filter((other) => other.bits === (again.type as IntegerType).bits));
      const operator = random.pick(["==", "!=", "<", "<=", ">", ">="] as const);
      const [a, b] = random.chance(50) ? [again.a, again.b] : [again.b, again.a];
      return compare(operator, convert(read(a), type), convert(read(b), type));
    }
    if (kind === 4) {
      const a = random.pick([...scope.locals, ...scope.counters, null]);
      const b = random.pick([...scope.locals, ...scope.counters].filter((l) => l.type === a?.type && l !== a));
      if (a?.type.kind === "integer" && b) {
        this.compared.push({ a, b, type: a.type });
        return compare(random.pick(["==", "<", "<=", ">", ">="] as const), read(a), read(b));
      }
    }
    if (kind < 5 || kind === 8) {
      const type = random.pick(INTEGERS);
      const operator = random.pick(["==", "!=", "<", "<=", ">", ">="] as const);
      return compare(operator, this.integer(scope, type, depth - 1), this.integer(scope, type, depth - 1));
    }
    if (kind === 5) return { kind: "not", operand: this.condition(scope, depth - 1), type: BOOL, place: HERE };
    if (kind === 6) {
      const operator = random.chance(50) ? "&&" : "||";
      return logical(operator, this.condition(scope, depth - 1), this.condition(scope, depth - 1));
    }
    const target = this.target(scope, depth - 1);
    if (target?.type.kind === "bool") return read(target);
    return int(BOOL, random.below(2));
  }
}

function bitsOf(type: Type): number {
  if (type === VOID || type.kind !== "integer") throw new Error("not an integer");
  return type.bits;
}
