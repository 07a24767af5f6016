/**
 * Random programs in kernel TypeScript: typed, terminating, deterministic. What they compute ends in a checksum; a panic
 * (division by zero, index out of bounds, failed assertion) is an outcome like any other.
 */
import fc from "../properties.ts";
import { ExpressionMaker, VALUE_TYPES } from "./generate/expressions.ts";
import { HEAP_ENDING, HEAP_PRELUDE } from "./generate/heap.ts";
import { type Callable, type Elements, INTEGERS, Scope, type ValueType, type Variable } from "./generate/scope.ts";
import { StatementMaker } from "./generate/statements.ts";
import { Tape } from "./generate/tape.ts";

export interface RandomProgram {
  /** The text of `kernel/main.ts`. */
  readonly source: string;
}

/** The function that computes the checksum, `(): u64`; `_start` stores its result in `kernel/main:result`. */
export const RUN_SYMBOL = "kernel/main:run";

/** One tape a statement, so that shrinking drops statements and then simplifies what is left. */
interface FunctionTape {
  readonly shape: readonly number[];
  readonly statements: readonly (readonly number[])[];
}

const tape = (longest: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat({ max: 0xffff }), { maxLength: longest, size: "max" });
const functionTape: fc.Arbitrary<FunctionTape> = fc.record({
  shape: tape(12),
  statements: fc.array(tape(60), { maxLength: 8, size: "max" }),
});

/** `size` is the greatest number of functions beside the one that runs; with `heap` there is an allocator, and objects. */
export function arbitraryProgram(size = 4, heap = false): fc.Arbitrary<RandomProgram> {
  return fc
    .record({
      globals: tape(24),
      functions: fc.array(functionTape, { maxLength: size, size: "max" }),
      run: functionTape,
    })
    .map(({ globals, functions, run }) => ({ source: programText(globals, functions, run, heap) }));
}

/** Classes, generics and tables that every program has. */
const PRELUDE = `enum Color { Red, Green = 3, Blue, Violet = 200 }
@packed class Packed {
  a: u8 = 1; b: u32 = 0x1234_5678; c: i16 = -3; flag: bool = true; d: u64 = 0xffff_0000_ffff_0000; tint: Color = Color.Blue;
  sum(): u64 { return u64(this.a) + u64(this.b) + u64(this.c) + u64(this.flag) + this.d + u64(this.tint); }
}
class Plain {
  x: i32; inner: Packed = new Packed(); items: FixedArray<u16, 5> = filled(7); level: u64 = 9;
  constructor(x: i32) { this.x = x * 3; this.items[1] = 500; }
  mixed(by: i32): i32 { this.x = this.x * 31 + by; this.inner.a += 3; this.inner.d ^= u64(by); return this.x >> 3; }
}
class Box<T> {
  value: T; count: u8 = 0;
  constructor(value: T) { this.value = value; }
  swap(value: T): T { const old = this.value; this.value = value; this.count++; return old; }
}
interface Shape { area(by: u32): u64; grow(by: u8): void; }
class Square implements Shape { side: u64 = 3; area(by: u32): u64 { return this.side * u64(by); } grow(by: u8): void { this.side += u64(by); } }
class Round implements Shape { radius: i16 = -2; inner: Square = new Square(); area(by: u32): u64 { return this.inner.area(by) ^ u64(this.radius); } grow(by: u8): void { this.radius -= i16(by); } }
class Guard { id: u64; constructor(id: u64) { this.id = id; record(id); } [Symbol.dispose](): void { record(~this.id); } }
let unknown: u64 = 11;
let checksum: u64 = 0xcbf2_9ce4_8422_2325;
export let result: u64 = 0;
const TEXT = "hello world";
const plain = new Plain(-5);
const boxes: FixedArray<Box<i16>, 2> = [new Box<i16>(4), new Box<i16>(-1)];
const square = new Square();
const round = new Round();
const SHAPES: FixedArray<Shape, 3> = [square, round, round.inner];
const OPERATIONS: FixedArray<(a: u32, b: u32) => u32, 3> = [(a, b) => a + b, (a, b) => a * b, (a, b) => a ^ (b >> 3)];
function record(value: u64): void { checksum = (checksum ^ value) * 0x100_0000_01b3; }
const within = inline((body: () => void): void => { unknown += 3; body(); unknown ^= 5; });
const twice = inline(<T>(f: (x: T) => T, x: T): T => f(f(x)));
function measure<S extends Shape>(shape: S, by: u32): u64 { shape.grow(1); return shape.area(by); }
function max<T extends number>(a: T, b: T): T { return a > b ? a : b; }
function pick<T>(first: bool, a: T, b: T): T { if (first) { return a; } return b; }
`;

const PRELUDE_VARIABLES: readonly Variable[] = [
  { text: "unknown", type: "u64", mutable: true },
  { text: "plain.x", type: "i32", mutable: true },
  { text: "plain.level", type: "u64", mutable: true },
  { text: "plain.inner.a", type: "u8", mutable: true },
  { text: "plain.inner.b", type: "u32", mutable: true },
  { text: "plain.inner.c", type: "i16", mutable: true },
  { text: "plain.inner.flag", type: "bool", mutable: true },
  { text: "plain.inner.tint", type: "Color", mutable: true },
  { text: "square.side", type: "u64", mutable: true },
  { text: "round.radius", type: "i16", mutable: true },
  { text: "boxes[1].value", type: "i16", mutable: true },
];
const PRELUDE_ELEMENTS: readonly Elements[] = [
  { text: "plain.items", of: "u16", length: 5 },
  { text: "TEXT.bytes", of: "u8", length: null },
];

function programText(
  globals: readonly number[],
  functions: readonly FunctionTape[],
  run: FunctionTape,
  heap: boolean,
): string {
  const top = { variables: [...PRELUDE_VARIABLES], elements: [...PRELUDE_ELEMENTS] };
  const lines = globalLines(new Tape(globals), top);
  // Text cannot be written to.
  const writable = { ...top, elements: top.elements.filter((one) => !one.text.startsWith("TEXT")) };
  const callables: Callable[] = [];
  for (const [index, one] of functions.entries()) {
    const shape = new Tape(one.shape);
    const result = shape.pick(VALUE_TYPES);
    const parameters = Array.from({ length: shape.below(4) }, () => shape.pick(VALUE_TYPES));
    const name = `f${index}`;
    const { text, work } = functionText(name, parameters, result, one, writable, callables, heap);
    lines.push(text);
    callables.push({ name, parameters, result, cost: work });
  }
  const main = functionText("run", [], "u64", run, writable, callables, heap);
  const records = writable.variables.map(({ text }) => `  record(u64(${text}));`);
  const ending = [...records, ...writable.elements.map(({ text }) => `  for (const e of ${text}) { record(u64(e)); }`)];
  return [
    PRELUDE + (heap ? HEAP_PRELUDE : "") + lines.join("\n"),
    main.text.replace("function run(): u64 {", "function body(): u64 {"),
    "export const run = noInline((): u64 => {",
    "  record(body());",
    ...ending,
    "  record(plain.inner.sum());",
    ...(heap ? HEAP_ENDING : []),
    "  return checksum;",
    "});",
    "export function _start(): never { result = run(); for (;;) { halt(); } }",
    "panicHandler((info) => { for (;;) { halt(); } });",
    "",
  ].join("\n");
}

function globalLines(shape: Tape, top: { variables: Variable[]; elements: Elements[] }): string[] {
  const maker = new ExpressionMaker(shape, { work: 0 });
  const value = (type: ValueType): string => {
    if (type === "bool") {
      return shape.pick(["true", "false"]);
    }
    return type === "Color" ? `Color.${shape.pick(["Red", "Blue", "Violet"])}` : maker.digits(type);
  };
  const lines = Array.from({ length: shape.below(5) }, (_, index) => {
    const type = shape.pick(VALUE_TYPES);
    const mutable = !shape.rarely(4);
    if (mutable) {
      top.variables.push({ text: `g${index}`, type, mutable });
    }
    return `${mutable ? "let" : "const"} g${index}: ${type} = ${value(type)};`;
  });
  const arrays = Array.from({ length: shape.below(3) }, (_, index) => {
    const of: ValueType = shape.rarely(4) ? "bool" : shape.pick(INTEGERS);
    const length = 1 + shape.below(6);
    top.elements.push({ text: `t${index}`, of, length });
    return `const t${index}: FixedArray<${of}, ${length}> = [${Array.from({ length }, () => value(of)).join(", ")}];`;
  });
  return [...lines, ...arrays];
}

function functionText(
  name: string,
  parameters: readonly ValueType[],
  result: ValueType,
  { shape, statements }: FunctionTape,
  top: { readonly variables: readonly Variable[]; readonly elements: readonly Elements[] },
  callables: readonly Callable[],
  heap: boolean,
): { readonly text: string; readonly work: number } {
  const scope = new Scope(top, callables, 1, [], result);
  parameters.forEach((type, index) => {
    scope.variables.push({ text: `p${index}`, type, mutable: true });
  });
  const maker = new StatementMaker(heap);
  const body = maker.makeAll(scope, statements);
  const last = new ExpressionMaker(new Tape(shape.slice(5)), maker.meter).make(scope, result, 3);
  const list = parameters.map((type, index) => `p${index}: ${type}`).join(", ");
  const lines = [
    `function ${name}(${list}): ${result} {`,
    ...body.map((line) => `  ${line}`),
    `  return ${last};`,
    "}",
  ];
  return { text: lines.join("\n"), work: maker.meter.work };
}
