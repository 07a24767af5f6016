/** Which functions and variables a program needs: what the entry point, the panic handler and the initial values reach. */
import type { ConstantValue, Global, Function as TreeFunction } from "../tree.ts";
import { targetOf, walkStatements } from "./walk.ts";

export interface Reached {
  readonly functions: ReadonlySet<TreeFunction>;
  readonly globals: ReadonlySet<Global>;
}

/** In the order of first use, so that the image does not depend on anything else. */
export function reach(roots: readonly TreeFunction[]): Reached {
  const functions = new Set<TreeFunction>();
  const globals = new Set<Global>();
  const waiting = [...roots];
  const constant = (value: ConstantValue): void => {
    if (value.kind === "function") {
      waiting.push(value.target);
    } else if (value.kind === "address") {
      global(value.target);
    } else if (value.kind === "aggregate") {
      value.elements.forEach(constant);
    }
  };
  const global = (one: Global): void => {
    if (!globals.has(one)) {
      globals.add(one);
      if (one.initial !== null) {
        constant(one.initial);
      }
    }
  };
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (functions.has(next)) {
      continue;
    }
    functions.add(next);
    if (next.part !== undefined) {
      const { body, start, poll, result, drop } = next.part;
      waiting.push(body, start, poll, result, drop);
    }
    walkStatements(next.body, (expression) => {
      if (expression.kind === "call" || expression.kind === "function") {
        waiting.push(expression.target);
      } else if (expression.kind === "construct") {
        waiting.push(expression.constructor_);
      }
      const target = targetOf(expression);
      if (target?.kind === "global") {
        global(target.global);
      }
    });
  }
  return { functions, globals };
}
