/** Random statements. Every loop counts to a small constant, so every program ends. */
import { COLORS, ExpressionMaker, type Meter, VALUE_TYPES } from "./expressions.ts";
import { heapStatement } from "./heap.ts";
import { INTEGERS, type Integer, isInteger, type Scope, type ValueType, type Variable } from "./scope.ts";
import { Tape } from "./tape.ts";

const DEEPEST_STATEMENT = 3;
const DEEPEST_EXPRESSION = 3;

export class StatementMaker {
  private names = 0;
  readonly meter: Meter = { work: 1 };

  constructor(
    /** Whether statements speak of objects on the heap. */
    private readonly heap: boolean,
  ) {}

  /** One statement from each tape, in one scope. */
  makeAll(scope: Scope, tapes: readonly (readonly number[])[]): string[] {
    return tapes.flatMap((numbers) => this.make(scope, new ExpressionMaker(new Tape(numbers), this.meter), 0));
  }

  fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  private make(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const { tape } = maker;
    const value = (type: ValueType): string => maker.make(scope, type, DEEPEST_EXPRESSION);
    this.meter.work += scope.repeats;
    if (tape.isOver) {
      return [];
    }
    const choice = depth >= DEEPEST_STATEMENT ? tape.below(7) : tape.below(this.heap ? 26 : 21);
    switch (choice) {
      case 0: {
        const type = tape.pick(VALUE_TYPES);
        return [`record(u64(${value(type)}));`];
      }
      case 1:
      case 2: {
        const type = tape.pick(VALUE_TYPES);
        const name = this.fresh("x");
        const mutable = !tape.rarely(3);
        const text = `${mutable ? "let" : "const"} ${name}: ${type} = ${value(type)};`;
        scope.variables.push({ text: name, type, mutable });
        return [text];
      }
      case 3:
      case 4:
        return this.assignment(scope, maker);
      case 5:
        return this.compound(scope, maker);
      case 6:
        return this.elementAssignment(scope, maker);
      case 7:
      case 8: {
        const condition = value("bool");
        const then = this.block(scope.inner(), maker, depth);
        return tape.rarely(2)
          ? [`if (${condition}) {`, ...then, "} else {", ...this.block(scope.inner(), maker, depth), "}"]
          : [`if (${condition}) {`, ...then, "}"];
      }
      case 9:
        return this.forLoop(scope, maker, depth);
      case 10:
        return this.whileLoop(scope, maker, depth);
      case 11:
        return this.forOf(scope, maker, depth);
      case 12:
        return this.switch(scope, maker, depth);
      case 13:
        return this.jump(scope, maker);
      case 14:
        return this.array(scope, maker);
      case 15:
        return this.slice(scope, maker);
      case 16:
        return this.reference(scope, maker, depth);
      case 17: {
        // No jump leaves a closure.
        const inner = scope.closure();
        return ["within(() => {", ...this.block(inner, maker, depth), "});"];
      }
      case 21:
      case 22:
      case 23:
      case 24:
      case 25:
        return heapStatement(scope, maker, (prefix) => this.fresh(prefix));
      case 18:
        return [
          "{",
          `  using ${this.fresh("guard")} = onStack(new Guard(${value("u64")}));`,
          ...this.block(scope.inner(), maker, depth),
          "}",
        ];
      case 19: {
        const name = this.fresh("o");
        const text = `const ${name} = onStack(new Plain(${value("i32")}));`;
        scope.variables.push(
          { text: `${name}.x`, type: "i32", mutable: true },
          { text: `${name}.inner.d`, type: "u64", mutable: true },
        );
        scope.elements.push({ text: `${name}.items`, of: "u16", length: 5 });
        return [text];
      }
      default:
        return tape.rarely(4)
          ? [`assert(${value("bool")}, "assertion ${this.fresh("")}");`]
          : ["{", ...this.block(scope.inner(), maker, depth), "}"];
    }
  }

  private block(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const count = 1 + maker.tape.below(3);
    return Array.from({ length: count }, () => this.make(scope, maker, depth + 1))
      .flat()
      .map((line) => `  ${line}`);
  }

  private target(scope: Scope, maker: ExpressionMaker, types: readonly ValueType[]): Variable | null {
    const candidates = scope.variables.filter((one) => one.mutable && types.includes(one.type));
    return candidates.length === 0 ? null : maker.tape.pick(candidates);
  }

  private assignment(scope: Scope, maker: ExpressionMaker): string[] {
    const target = this.target(scope, maker, VALUE_TYPES);
    if (target === null) {
      return [];
    }
    return [`${target.text} = ${maker.make(scope, target.type, DEEPEST_EXPRESSION)};`];
  }

  private compound(scope: Scope, maker: ExpressionMaker): string[] {
    const { tape } = maker;
    const target = this.target(scope, maker, INTEGERS);
    if (target === null) {
      return [];
    }
    const type = target.type as Integer;
    switch (tape.below(5)) {
      case 0:
        return [`${target.text}${tape.pick(["++", "--"])};`];
      case 1:
        return [`${target.text} ${tape.pick(["/=", "%="])} ${maker.divisor(scope, type, 2)};`];
      case 2:
        return [`${target.text} ${tape.pick(["<<=", ">>="])} ${maker.count(scope, type, 2)};`];
      case 3:
        return [
          `record(u64(${tape.pick(["++", "--"])}${target.text}) ^ u64(${target.text}${tape.pick(["++", "--"])}));`,
        ];
      default:
        return [`${target.text} ${tape.pick(["+=", "-=", "*=", "&=", "|=", "^="])} ${maker.make(scope, type, 2)};`];
    }
  }

  private elementAssignment(scope: Scope, maker: ExpressionMaker): string[] {
    const type = maker.tape.pick(VALUE_TYPES);
    const element = maker.element(scope, type, 1);
    if (element === null) {
      return [];
    }
    const value = maker.make(scope, type, DEEPEST_EXPRESSION);
    return isInteger(type) && maker.tape.rarely(3) ? [`${element} += ${value};`] : [`${element} = ${value};`];
  }

  private forLoop(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const { tape } = maker;
    const rounds = 1 + tape.below(5);
    const type = tape.pick(INTEGERS);
    const name = this.fresh("k");
    const label = tape.rarely(3) ? this.fresh("loop") : null;
    const inner = scope.inner(rounds, label);
    inner.variables.push({ text: name, type, mutable: false });
    const body = this.block(inner, maker, depth);
    const head = tape.rarely(2)
      ? `for (let ${name}: ${type} = ${rounds}; ${name} > 0; ${name}--) {`
      : tape.rarely(2)
        ? `for (const ${name} of range(${type}(0), ${type}(${rounds}))) {`
        : `for (let ${name}: ${type} = 0; ${name} < ${rounds}; ${name} += 1) {`;
    return [`${label === null ? "" : `${label}: `}${head}`, ...body, "}"];
  }

  private whileLoop(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const { tape } = maker;
    const rounds = 1 + tape.below(4);
    const name = this.fresh("n");
    const label = tape.rarely(3) ? this.fresh("loop") : null;
    const prefix = label === null ? "" : `${label}: `;
    const inner = scope.inner(rounds, label);
    inner.variables.push({ text: name, type: "u8", mutable: false });
    const condition = tape.rarely(2) ? ` && ${maker.make(inner, "bool", 2)}` : "";
    const body = this.block(inner, maker, depth);
    return tape.rarely(2)
      ? [`let ${name}: u8 = ${rounds};`, `${prefix}do {`, `  ${name}--;`, ...body, `} while (${name} > 0${condition});`]
      : [`let ${name}: u8 = ${rounds};`, `${prefix}while (${name} > 0${condition}) {`, `  ${name}--;`, ...body, "}"];
  }

  private forOf(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    if (scope.elements.length === 0) {
      return [];
    }
    const elements = maker.tape.pick(scope.elements);
    const name = this.fresh("e");
    const inner = scope.inner(elements.length ?? 8, null);
    inner.variables.push({ text: name, type: elements.of, mutable: false });
    return [`for (const ${name} of ${elements.text}) {`, ...this.block(inner, maker, depth), "}"];
  }

  private switch(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const { tape } = maker;
    const type: ValueType = tape.rarely(3) ? "Color" : tape.pick(INTEGERS);
    const subject = maker.make(scope, type, DEEPEST_EXPRESSION);
    const labels = type === "Color" ? COLORS.map((color) => `Color.${color}`) : ["0", "1", "2", "7", "100"];
    const count = 1 + tape.below(labels.length);
    const insideSwitch = (): Scope => {
      const inner = scope.inner();
      inner.plainBreak = false;
      return inner;
    };
    const lines = labels
      .slice(0, count)
      .flatMap((label) => [
        `  case ${label}: {`,
        ...this.block(insideSwitch(), maker, depth).map((line) => `  ${line}`),
        "  }",
        ...(tape.rarely(3) ? [] : ["  break;"]),
      ]);
    const otherwise = tape.rarely(2)
      ? ["  default: {", ...this.block(insideSwitch(), maker, depth).map((line) => `  ${line}`), "  }"]
      : [];
    const head = isInteger(type) ? `${subject} & 7` : subject;
    const body = tape.rarely(4)
      ? [...otherwise, ...(otherwise.length > 0 ? ["  break;"] : []), ...lines]
      : [...lines, ...otherwise];
    return [`switch (${head}) {`, ...body, "}"];
  }

  /** `break`, `continue` or an early `return`, behind a condition. */
  private jump(scope: Scope, maker: ExpressionMaker): string[] {
    const { tape } = maker;
    const condition = maker.make(scope, "bool", 2);
    const loop = scope.loops.length === 0 ? undefined : tape.pick(scope.loops);
    if (loop !== undefined && !tape.rarely(3)) {
      const word = tape.pick(["break", "continue"]);
      return loop === null
        ? [`if (${condition}) { ${scope.plainBreak ? word : "continue"}; }`]
        : [`if (${condition}) { ${word} ${loop}; }`];
    }
    return scope.result === null ? [] : [`if (${condition}) { return ${maker.make(scope, scope.result, 2)}; }`];
  }

  /** An array in the frame. */
  private array(scope: Scope, maker: ExpressionMaker): string[] {
    const { tape } = maker;
    const of = tape.pick(VALUE_TYPES);
    const length = 1 + tape.below(6);
    const name = this.fresh("a");
    const values = tape.rarely(2)
      ? `[${Array.from({ length }, () => maker.make(scope, of, 1)).join(", ")}]`
      : `filled(${maker.make(scope, of, 1)})`;
    scope.elements.push({ text: name, of, length });
    return [`const ${name}: FixedArray<${of}, ${length}> = ${values};`];
  }

  private slice(scope: Scope, maker: ExpressionMaker): string[] {
    const { tape } = maker;
    const arrays = scope.elements.filter((one) => one.length !== null && one.length > 1);
    if (arrays.length === 0) {
      return [];
    }
    const { text, of, length } = tape.pick(arrays);
    const name = this.fresh("s");
    const from = tape.below(length ?? 1);
    const to = from + 1 + tape.below((length ?? 1) - from);
    scope.elements.push({ text: name, of, length: null });
    const bounds = tape.rarely(3) ? `${maker.index(scope, length ?? 1)}, ${length}` : `${from}, ${to}`;
    return [
      `const ${name} = ${text}.slice(${bounds});`,
      `if (${name}.length === 0) { record(1); } else { record(u64(${name}[0])); }`,
    ].slice(0, 2);
  }

  /** A reference that may be null. */
  private reference(scope: Scope, maker: ExpressionMaker, depth: number): string[] {
    const name = this.fresh("q");
    const inner = scope.inner();
    for (const [field, type] of [
      ["x", "i32"],
      ["level", "u64"],
    ] as const) {
      inner.variables.push({ text: `${name}.${field}`, type, mutable: true });
    }
    return [
      `const ${name}: Plain | null = ${maker.make(scope, "bool", 2)} ? plain : null;`,
      `if (${name} !== null) {`,
      ...this.block(inner, maker, depth),
      "}",
    ];
  }
}
