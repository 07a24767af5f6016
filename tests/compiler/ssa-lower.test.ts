/** Lowering: hand-made typed trees to SSA form, checked by what the SSA form does. */
import { describe, expect, it } from "vitest";
import { lower } from "../../tangle/compiler/lower/lower.ts";
import { optimize } from "../../tangle/compiler/ssa/optimize.ts";
import { printFunction } from "../../tangle/compiler/ssa/print.ts";
import { verifyProgram } from "../../tangle/compiler/ssa/verify.ts";
import {
  type Expression,
  type Function as FunctionTree,
  type Global,
  PANIC_MESSAGE,
  type Program,
  type Statement,
  type Type,
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
  FORMAT,
  functionOf,
  giveBack,
  global,
  HERE,
  I8,
  I32,
  int,
  leave,
  local,
  localTarget,
  logical,
  loop,
  NEVER,
  PANIC_HANDLER,
  programOf,
  read,
  run,
  STRING,
  U8,
  U16,
  U32,
  U64,
  USIZE,
  update,
  VOID,
  when,
} from "./build-tree.ts";
import { IrInterpreter, IrPanic } from "./interpret-ir.ts";

function interpreterOf(functions: FunctionTree[], globals: Global[] = [], more: Partial<Program> = {}): IrInterpreter {
  const program = lower(programOf(functions, globals, more));
  verifyProgram(program);
  return new IrInterpreter(program, PANIC_HANDLER);
}

/** Calls the first function. */
function runFirst(functions: FunctionTree[], args: bigint[], globals: Global[] = []): bigint[] {
  return interpreterOf(functions, globals).call(functions[0]!.symbol, args);
}

function panicOf(action: () => unknown): IrPanic {
  try {
    action();
  } catch (error) {
    if (error instanceof IrPanic) return error;
    throw error;
  }
  throw new Error("no panic");
}

const a = local("a", U32);
const b = local("b", U32);

describe("control flow", () => {
  const i = local("i", U32);
  const sum = local("sum", U32);
  const below: Expression = compare("<", read(i), read(a));
  const next = update(i, "+", int(U32, 1));

  it("adds up in a loop", () => {
    const label = { name: "" };
    const f = functionOf("sum", [a], U32, [
      declare(sum, null),
      declare(i, int(U32, 0)),
      loop(label, below, next, [run(update(sum, "+", read(i)))]),
      giveBack(read(sum)),
    ]);
    expect(runFirst([f], [10n])).toEqual([45n]);
  });

  it("leaves and continues the loop that a label names", () => {
    const outer = { name: "outer" };
    const inner = { name: "" };
    const j = local("j", U32);
    const f = functionOf("labels", [a], U32, [
      declare(sum, null),
      declare(i, int(U32, 0)),
      loop(outer, below, next, [
        declare(j, int(U32, 0)),
        loop(inner, null, update(j, "+", int(U32, 1)), [
          when(compare("==", read(j), int(U32, 3)), [again(outer)]),
          when(compare("==", read(i), int(U32, 4)), [leave(outer)]),
          run(update(sum, "+", int(U32, 1))),
        ]),
      ]),
      giveBack(read(sum)),
    ]);
    expect(runFirst([f], [100n])).toEqual([12n]);
    expect(runFirst([f], [2n])).toEqual([6n]);
  });

  it("runs the first round of do-while untested", () => {
    const f = functionOf("once", [a], U32, [
      declare(i, int(U32, 7)),
      loop({ name: "" }, below, null, [run(update(i, "+", int(U32, 1)))], true),
      giveBack(read(i)),
    ]);
    expect(runFirst([f], [0n])).toEqual([8n]);
    expect(runFirst([f], [20n])).toEqual([20n]);
  });

  it("falls through the cases of a switch, with the default in the middle", () => {
    const label = { name: "" };
    const add = (n: number): Statement => run(update(sum, "+", int(U32, n)));
    const f = functionOf("choose", [a], U32, [
      declare(sum, null),
      {
        kind: "switch",
        label,
        subject: read(a),
        cases: [
          { value: 1n, body: [add(1)] },
          { value: null, body: [add(10), leave(label)] },
          { value: 3n, body: [add(100)] },
        ],
        place: HERE,
      },
      giveBack(read(sum)),
    ]);
    expect([1n, 2n, 3n].map((x) => runFirst([f], [x])[0])).toEqual([11n, 10n, 100n]);
  });

  it("drops what follows a return, and joins what both ways leave behind", () => {
    const f = functionOf("both", [a], U32, [
      declare(b, null),
      when(
        compare(">", read(a), int(U32, 5)),
        [run(assign(b, int(U32, 1)))],
        [giveBack(int(U32, 99)), run(assign(b, int(U32, 2)))],
      ),
      giveBack(read(b)),
    ]);
    expect(runFirst([f], [6n])).toEqual([1n]);
    expect(runFirst([f], [5n])).toEqual([99n]);
  });

  it("takes functions with thousands of blocks", () => {
    const steps = Array.from({ length: 6000 }, (_, n) =>
      when(compare("==", read(i), int(U32, n)), [giveBack(read(a))]),
    );
    const f = functionOf("long", [a], U32, [declare(i, int(U32, 6000)), ...steps, giveBack(read(i))]);
    const program = lower(programOf([f]));
    verifyProgram(program);
    optimize(program, { keep: (symbol) => symbol === f.symbol });
    expect(new IrInterpreter(program, PANIC_HANDLER).call(f.symbol, [1n])).toEqual([6000n]);
  });

  it("makes no block parameter for a variable that a loop leaves alone", () => {
    const f = functionOf("quiet", [a], U32, [
      declare(i, int(U32, 0)),
      loop({ name: "" }, below, next, []),
      giveBack(read(a)),
    ]);
    const program = lower(programOf([f]));
    const text = printFunction(program.functions.find((g) => g.symbol === f.symbol)!);
    expect(text).toMatch(/b1\(v\d+: i32\):/);
  });
});

describe("evaluation", () => {
  it("evaluates the right side of && and || only where it decides", () => {
    const counter = global("counter", U32);
    const target = { kind: "global", global: counter, type: U32, place: HERE } as const;
    const touch = functionOf("touch", [], BOOL, [run(update(target, "+", int(U32, 1))), giveBack(int(BOOL, 1))]);
    const f = functionOf("lazy", [a], BOOL, [
      giveBack(
        logical(
          "||",
          logical("&&", compare("==", read(a), int(U32, 1)), call(touch)),
          compare("==", read(a), int(U32, 2)),
        ),
      ),
    ]);
    const machine = interpreterOf([f, touch], [counter]);
    expect([1n, 2n, 3n].map((x) => machine.call(f.symbol, [x])[0])).toEqual([1n, 1n, 0n]);
    expect(machine.bytes(machine.address(counter.symbol), 4)).toEqual(Uint8Array.of(1, 0, 0, 0));
  });

  it("evaluates the operands of an update once, and can give the old value", () => {
    const table = global("table", { kind: "array", of: U8, length: 4 });
    const tableTarget = { kind: "global", global: table, type: table.type, place: HERE } as const;
    const f = functionOf("bump", [a], U8, [
      giveBack(update(element(read(tableTarget), update(a, "+", int(U32, 1), "before")), "-", int(U8, 1), "before")),
    ]);
    const machine = interpreterOf([f], [table]);
    expect(machine.call(f.symbol, [2n])).toEqual([0n]);
    expect(machine.call(f.symbol, [2n])).toEqual([255n]);
    expect(machine.bytes(machine.address(table.symbol), 4)).toEqual(Uint8Array.of(0, 0, 254, 0));
  });

  it("converts by the sign of the source", () => {
    const x = local("x", I8);
    const f = functionOf("widen", [x], U32, [giveBack(convert(read(x), U32))]);
    expect(runFirst([f], [0x80n])).toEqual([0xffff_ff80n]);
    const y = local("y", U8);
    const g = functionOf("widen", [y], U32, [giveBack(convert(read(y), U32))]);
    expect(runFirst([g], [0x80n])).toEqual([0x80n]);
  });

  it("takes shift counts modulo the width", () => {
    const x = local("x", U8);
    const f = functionOf("shift", [x, a], U8, [giveBack(arithmetic("<<", read(x), read(a)))]);
    expect(runFirst([f], [3n, 9n])).toEqual([6n]);
  });

  it("chooses with a conditional of fat values", () => {
    const text = (t: string): Expression => ({
      kind: "string",
      bytes: new TextEncoder().encode(t),
      type: STRING,
      place: HERE,
    });
    const f = functionOf("pick", [a], STRING, [
      giveBack({
        kind: "conditional",
        condition: compare("==", read(a), int(U32, 0)),
        then: text("zero"),
        otherwise: text("other"),
        type: STRING,
        place: HERE,
      }),
    ]);
    const machine = interpreterOf([f]);
    const [address, length] = machine.call(f.symbol, [1n]);
    expect(machine.text(address!, length!)).toBe("other");
  });
});

describe("division", () => {
  const x = local("x", I8);
  const y = local("y", I8);
  const divide = (operator: "/" | "%"): FunctionTree =>
    functionOf("divide", [x, y], I8, [giveBack(arithmetic(operator, read(x), read(y)))]);
  const signed = (n: number): bigint => BigInt.asUintN(8, BigInt(n));

  it("truncates toward zero", () => {
    expect(runFirst([divide("/")], [signed(-7), 2n])).toEqual([signed(-3)]);
    expect(runFirst([divide("%")], [signed(-7), 2n])).toEqual([signed(-1)]);
  });

  it("wraps the most negative value by -1", () => {
    expect(runFirst([divide("/")], [signed(-128), signed(-1)])).toEqual([signed(-128)]);
    expect(runFirst([divide("%")], [signed(-128), signed(-1)])).toEqual([0n]);
  });

  it("panics on zero with the chapter's place", () => {
    const panic = panicOf(() => runFirst([divide("/")], [1n, 0n]));
    expect(panic).toMatchObject({ text: PANIC_MESSAGE.division, file: "book/01-first.md", line: 70, column: 5 });
  });

  it("checks nothing where the divisor is a constant", () => {
    const f = functionOf("half", [x], I8, [giveBack(arithmetic("/", read(x), int(I8, -2)))]);
    const program = lower(programOf([f]));
    expect(program.functions.find((g) => g.symbol === f.symbol)!.blocks).toHaveLength(1);
    expect(runFirst([f], [signed(-128)])).toEqual([64n]);
  });
});

describe("memory", () => {
  const index = local("index", USIZE);

  it("indexes arrays in the frame, zeroed where they are declared", () => {
    const array = local("array", { kind: "array", of: U16, length: 50 }, "frame");
    const f = functionOf("frame", [index], U16, [
      declare(array, null),
      run(assign(element(read(array), int(USIZE, 3), false), int(U16, 700))),
      run(update(element(read(array), read(index)), "+", int(U16, 1))),
      giveBack(read(element(read(array), int(USIZE, 3), false))),
    ]);
    expect(runFirst([f], [3n])).toEqual([701n]);
    expect(runFirst([f], [4n])).toEqual([700n]);
  });

  it("panics out of bounds, saying both numbers", () => {
    const array = local("array", { kind: "array", of: U16, length: 25 }, "frame");
    const f = functionOf("outside", [index], U16, [
      declare(array, null),
      giveBack(read(element(read(array), read(index)))),
    ]);
    const panic = panicOf(() => runFirst([f], [25n]));
    expect(panic.text).toBe(PANIC_MESSAGE.bounds(25n, 25n));
    expect(panic.line).toBe(70);
    expect(panicOf(() => runFirst([f], [2n ** 64n - 1n])).text).toContain("index 18446744073709551615");
  });

  it("reads and writes slices, which carry their length", () => {
    const bytes: Type = { kind: "slice", of: U8 };
    const s = local("s", bytes);
    const f = functionOf("last", [s], U8, [
      giveBack(
        read(
          element(
            read(s),
            arithmetic("-", { kind: "sliceLength", operand: read(s), type: USIZE, place: HERE }, int(USIZE, 1)),
          ),
        ),
      ),
    ]);
    const text = global("text", bytes, { mutable: false, initial: { kind: "string", bytes: Uint8Array.of(5, 6, 7) } });
    const main = functionOf("main", [], U8, [
      giveBack(call(f, read({ kind: "global", global: text, type: bytes, place: HERE }))),
    ]);
    expect(runFirst([main, f], [], [text])).toEqual([7n]);
    expect(panicOf(() => runFirst([f], [0n, 0n])).text).toBe(PANIC_MESSAGE.bounds(2n ** 64n - 1n, 0n));
  });

  it("keeps fields at their offsets, and calls constructors in place", () => {
    const flag = { name: "flag", type: BOOL, offset: 0 };
    const name = { name: "name", type: STRING, offset: 8 };
    const type: Type = {
      kind: "class",
      name: "Named",
      packed: false,
      fields: [flag, name],
      size: 24,
      align: 8,
      place: HERE,
    };
    const self = local("this", type);
    const text = local("text", STRING);
    const field = (f: typeof flag | typeof name) =>
      ({ kind: "field", object: read(self), field: f, type: f.type, place: HERE }) as const;
    const create = functionOf("Named.constructor", [self, text], VOID, [
      run(assign(field(flag), int(BOOL, 1))),
      run(assign(field(name), read(text))),
    ]);
    const object = local("object", type, "frame");
    const main = functionOf("main", [text], USIZE, [
      declare(object, {
        kind: "construct",
        address: read(object),
        constructor_: create,
        arguments: [read(text)],
        type,
        place: HERE,
      }),
      giveBack({
        kind: "sliceLength",
        operand: read({ kind: "field", object: read(object), field: name, type: STRING, place: HERE }),
        type: USIZE,
        place: HERE,
      }),
    ]);
    expect(runFirst([main, create], [0n, 42n])).toEqual([42n]);
  });
});

describe("scalars in the frame", () => {
  it("have an address that others may write through", () => {
    const pointer: Type = { kind: "pointer", of: U32 };
    const p = local("p", pointer);
    const pointee = { kind: "pointee", pointer: read(p), type: U32, place: HERE } as const;
    const double = functionOf("double", [p], VOID, [run(update(pointee, "*", int(U32, 2)))]);
    const x = local("x", U32, "frame");
    const y = local("y", U32, "frame");
    const addressOfX: Expression = { kind: "addressOf", target: localTarget(x), type: pointer, place: HERE };
    const f = functionOf("f", [y], U32, [
      declare(x, read(y)),
      run(call(double, addressOfX)),
      run(update(y, "+", int(U32, 1))),
      giveBack(arithmetic("+", read(x), read(y))),
    ]);
    expect(runFirst([f, double], [10n])).toEqual([31n]);
  });
});

describe("formats and panics", () => {
  it("builds the pieces of a template literal in the frame", () => {
    const pieces = local("pieces", FORMAT);
    const show = functionOf("show", [pieces], USIZE, [
      giveBack({ kind: "sliceAddress", operand: read(pieces), type: USIZE, place: HERE }),
    ]);
    const x = local("x", I32);
    const f = functionOf("main", [x], NEVER, [
      run({
        kind: "panic",
        type: NEVER,
        place: HERE,
        message: {
          kind: "format",
          type: FORMAT,
          place: HERE,
          pieces: [
            { kind: "text", bytes: new TextEncoder().encode("x is ") },
            { kind: "value", value: read(x), style: "decimal", width: 5, fill: 46, digits: 0 },
            { kind: "value", value: int(U32, 48879), style: "hex", width: 0, fill: 32, digits: 0 },
            { kind: "value", value: int(U64, 1234), style: "fixed", width: 0, fill: 32, digits: 2 },
            { kind: "value", value: int(BOOL, 1), style: "bool", width: 0, fill: 32, digits: 0 },
          ],
        },
      }),
    ]);
    expect(panicOf(() => runFirst([f, show], [0xffff_fff8n])).text).toBe("x is ...-8beef12.34true");
  });

  it("keeps constant messages whole in read-only memory, each text once", () => {
    const panic = (text: string): Statement =>
      run({
        kind: "panic",
        type: NEVER,
        place: HERE,
        message: {
          kind: "format",
          type: FORMAT,
          place: HERE,
          pieces: [{ kind: "text", bytes: new TextEncoder().encode(text) }],
        },
      });
    const f = functionOf("f", [a], VOID, [when(compare("==", read(a), int(U32, 0)), [panic("no")], [panic("no")])]);
    const program = lower(programOf([f]));
    expect(program.data.map((object) => object.symbol)).toEqual(["string:0", "format:0", "string:1", "panic:0"]);
    expect(panicOf(() => runFirst([f], [0n])).text).toBe("no");
  });
});

describe("module-level values", () => {
  it("sorts them into sections", () => {
    const table: Type = { kind: "array", of: U16, length: 2 };
    const elements = [1n, 2n].map((value) => ({ kind: "integer", value }) as const);
    const target = global("target", U32, { initial: { kind: "integer", value: 5n } });
    const globals = [
      target,
      global("zero", U32, { initial: { kind: "zero" } }),
      global("late", U64),
      global("limit", U8, { mutable: false, initial: { kind: "integer", value: 80n } }),
      global("table", table, { initial: { kind: "aggregate", elements } }),
      global("pointer", { kind: "pointer", of: U32 }, { initial: { kind: "address", target, offset: 2 } }),
    ];
    const program = lower(programOf([], globals));
    const rows = program.data.map(({ symbol, section, size, bytes, relocations }) => [
      symbol.split(":")[1],
      section,
      size,
      [...bytes].join(),
      relocations.map((r) => `${r.at} ${r.symbol}+${r.offset}`).join(),
    ]);
    expect(rows).toEqual([
      ["target", "data", 4, "5,0,0,0", ""],
      ["zero", "bss", 4, "", ""],
      ["late", "bss", 8, "", ""],
      ["limit", "rodata", 1, "80", ""],
      ["table", "data", 4, "1,0,2,0", ""],
      ["pointer", "data", 8, "0,0,0,0,0,0,0,0", "0 kernel/main:target+2"],
    ]);
  });

  it("runs the initializers before the entry", () => {
    const late = global("late", U32);
    const target = { kind: "global", global: late, type: U32, place: HERE } as const;
    const initialize = functionOf("late.initialize", [], VOID, [run(assign(target, int(U32, 12)))]);
    const program = lower(programOf([initialize], [late], { initializers: [initialize] }));
    verifyProgram(program);
    expect(program.entry).toBe("start");
    const machine = new IrInterpreter(program, PANIC_HANDLER, 1000);
    expect(() => machine.run()).toThrow();
    expect(machine.bytes(machine.address(late.symbol), 4)[0]).toBe(12);
  });
});
