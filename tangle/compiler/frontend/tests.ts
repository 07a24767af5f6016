/** `test("name", () => { … })` at the top of a module, and `collectTests()`, which has them all. */
import type { ConstantValue, Expression, Global } from "../tree.ts";
import type { Body } from "./body.ts";
import type { CallNode } from "./calls.ts";
import type { Compilation } from "./compilation.ts";
import type { FunctionEntity, ModuleScope } from "./entities.ts";
import { instantiateFunction } from "./functions.ts";
import { encode, globalTarget, integerOf, pointerToObject, read } from "./nodes.ts";
import type { ExpressionNode } from "./syntax.ts";
import { arrayOf, pointerTo, sliceOf, TEST_CASE_CLASS, USIZE, VOID } from "./types.ts";

/** A test of the kernel's own. */
export interface KernelTest {
  readonly name: string;
  readonly entity: FunctionEntity;
}

/** Takes the test out of a module-level statement; false where the expression is something else. */
export function declareTest(compilation: Compilation, module: ModuleScope, node: ExpressionNode): boolean {
  if (
    node.kind !== "call" ||
    node.callee.kind !== "name" ||
    node.callee.name !== "test" ||
    module.scope.find("test")?.kind !== "builtin"
  ) {
    return false;
  }
  const [name, body, more] = node.arguments;
  if (name?.kind !== "string" || body?.kind !== "function" || more !== undefined) {
    compilation.reporter.report("KT1062", node.place, "`test` takes its name, as a string, and a function");
    return true;
  }
  if (module.tests.some((test) => test.name === name.value)) {
    compilation.reporter.report("KT1003", name.place, `a test \`${name.value}\` stands in this module already`);
  }
  if (body.function.parameters.length > 0) {
    compilation.reporter.report("KT1062", body.place, "the function of a test has no parameters");
  }
  const entity: FunctionEntity = {
    kind: "function",
    node: body.function,
    symbol: module.symbol(`test.${name.value.replaceAll(/[^A-Za-z0-9]+/g, "-")}`),
    scope: module.scope,
    owner: null,
    receiver: null,
    convention: "plain",
    inline: "never",
    instances: new Map(),
    context: { parameters: [], result: VOID },
    private: false,
  };
  module.tests.push({ name: name.value, entity });
  return true;
}

/** `collectTests()`: a slice of a table in the image, with the tests of all modules that start with this program. */
export function collectTests(body: Body, node: CallNode): Expression {
  const { place } = node;
  const table = testTable(body.compilation, node);
  const length = table.type.kind === "array" ? table.type.length : 0;
  return {
    kind: "makeSlice",
    address:
      length === 0
        ? integerOf(0n, pointerTo(TEST_CASE_CLASS), place)
        : pointerToObject(read(globalTarget(table, place)), TEST_CASE_CLASS),
    length: integerOf(BigInt(length), USIZE, place),
    type: sliceOf(TEST_CASE_CLASS),
    place,
  };
}

function testTable(compilation: Compilation, node: CallNode): Global {
  if (compilation.testTable === null) {
    const tests = compilation.started.flatMap((module) => module.tests);
    const elements = tests.map(
      ({ name, entity }): ConstantValue => ({
        kind: "aggregate",
        elements: [
          { kind: "string", bytes: encode(name) },
          { kind: "function", target: instantiateFunction(compilation, entity, []).function },
        ],
      }),
    );
    compilation.testTable = {
      symbol: "kernel:tests",
      type: arrayOf(TEST_CASE_CLASS, tests.length),
      mutable: false,
      sealed: true,
      initial: { kind: "aggregate", elements },
      place: node.place,
    };
  }
  return compilation.testTable;
}
