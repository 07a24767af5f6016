/** `panicHandler(…)`: the one function that panics end in. */
import type { Compilation } from "./compilation.ts";
import type { FunctionEntity, ModuleScope } from "./entities.ts";
import { instantiateFunction } from "./functions.ts";
import type { ExpressionNode } from "./syntax.ts";
import { NEVER, PANIC_INFO_CLASS } from "./types.ts";
import { wrappedFunction } from "./wrappers.ts";

/** Takes the handler out of a module-level `panicHandler(…)`; null where the expression is something else. */
export function declarePanicHandler(
  compilation: Compilation,
  module: ModuleScope,
  node: ExpressionNode,
  name: string,
): FunctionEntity | null {
  if (
    node.kind !== "call" ||
    node.callee.kind !== "name" ||
    node.callee.name !== "panicHandler" ||
    module.scope.find("panicHandler")?.kind !== "builtin"
  ) {
    return null;
  }
  const { place } = node;
  const [argument] = node.arguments;
  const wrapped = argument === undefined ? null : wrappedFunction(module, argument);
  if (wrapped === null || node.arguments.length !== 1 || wrapped.node.parameters.length !== 1) {
    compilation.reporter.report(
      "KT1053",
      place,
      "`panicHandler` wraps a function of one parameter where it is written",
    );
  }
  const entity: FunctionEntity = {
    kind: "function",
    node: wrapped?.node ?? emptyHandler(node),
    symbol: module.symbol(name),
    scope: module.scope,
    owner: null,
    receiver: null,
    convention: "plain",
    inline: "never",
    instances: new Map(),
    context: { parameters: [PANIC_INFO_CLASS], result: NEVER },
    private: false,
  };
  compilation.panicHandlers.push({ entity, module, place });
  return entity;
}

/** Stands for a handler that is in error. */
function emptyHandler(node: ExpressionNode): FunctionEntity["node"] {
  const { place } = node;
  const loop = {
    kind: "for",
    initial: null,
    condition: null,
    update: null,
    body: { kind: "empty", place },
    place,
  } as const;
  return {
    name: null,
    typeParameters: [],
    parameters: [],
    result: null,
    body: [loop],
    place,
    end: place,
    async: false,
  };
}

/** Compiles the handler of the modules that start; null after a report where there is none, or more than one. */
export function panicHandlerOf(
  compilation: Compilation,
  modules: readonly ModuleScope[],
  entry: ModuleScope,
): ReturnType<typeof instantiateFunction> | null {
  const handlers = compilation.panicHandlers.filter((handler) => modules.includes(handler.module));
  const [handler, other] = handlers;
  if (handler === undefined) {
    const elsewhere = compilation.panicHandlers[0];
    compilation.reporter.report(
      "KT1053",
      { file: entry.path, line: 1, column: 1 },
      "no module of this program has a `panicHandler(…)`",
      elsewhere === undefined ? {} : { hint: `\`${elsewhere.module.path}\` has one, but nothing imports it` },
    );
    return null;
  }
  if (other !== undefined) {
    compilation.reporter.report("KT1053", other.place, "a second `panicHandler(…)`", {
      related: [{ place: handler.place, message: "the first one" }],
    });
  }
  return instantiateFunction(compilation, handler.entity, []);
}
