/** `inline(…)`, `noInline(…)`, `naked(…)`, `interruptHandler(…)`: what TypeScript has no decorators for. */
import type { Body } from "./body.ts";
import { type FunctionTraits, PLAIN } from "./functions.ts";
import type { ExpressionNode, FunctionNode } from "./syntax.ts";
import { INTERRUPT_HANDLER, INTERRUPT_HANDLER_WITH_ERROR } from "./types.ts";

const WRAPPERS: Readonly<Record<string, (node: FunctionNode) => FunctionTraits>> = {
  inline: () => ({ convention: "plain", inline: "always", context: null }),
  noInline: () => ({ convention: "plain", inline: "never", context: null }),
  naked: () => ({ convention: "naked", inline: "never", context: null }),
  interruptHandler: (node) => {
    const withError = node.parameters.length > 1;
    return {
      convention: withError ? "interruptWithError" : "interrupt",
      inline: "never",
      context: withError ? INTERRUPT_HANDLER_WITH_ERROR : INTERRUPT_HANDLER,
    };
  },
};

export interface WrappedFunction {
  readonly node: FunctionNode;
  readonly traits: FunctionTraits;
}

/** The function in an arrow, a function expression, or a wrapper around one of them; null for anything else. */
export function wrappedFunction(body: Pick<Body, "scope">, node: ExpressionNode): WrappedFunction | null {
  if (node.kind === "function") {
    return { node: node.function, traits: PLAIN };
  }
  if (node.kind !== "call" || node.callee.kind !== "name" || body.scope.find(node.callee.name)?.kind !== "builtin") {
    return null;
  }
  const traits = WRAPPERS[node.callee.name];
  const [argument, more] = node.arguments;
  return traits !== undefined && argument?.kind === "function" && more === undefined
    ? { node: argument.function, traits: traits(argument.function) }
    : null;
}
