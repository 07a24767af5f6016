/** Short ways to check and run pieces of kernel TypeScript in tests. */

import { evaluateProgram, type Outcome } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import type { Global, Program } from "../../tangle/compiler/tree.ts";
import type { Diagnostic } from "../../tangle/place.ts";

/** What every program needs and no test is about. */
export const FRAME = `
export function _start(): never { for (;;) { halt(); } }
panicHandler((info) => { for (;;) { halt(); } });
`;

/** Checks `kernel/main.ts`, with `_start` and a panic handler behind it, beside other modules. */
export function checkSource(
  text: string,
  modules: Readonly<Record<string, string>> = {},
): { readonly program: Program | null; readonly diagnostics: Diagnostic[] } {
  const others = Object.entries(modules).map(([path, other]) => ({ path, text: other }));
  return check([{ path: "kernel/main.ts", text: text + FRAME }, ...others], {
    entryFile: "kernel/main.ts",
    chapter: 3,
  });
}

/** The diagnostics as `KT1032 2:7`, in their order. */
export function mistakes(text: string, modules: Readonly<Record<string, string>> = {}): string[] {
  return checkSource(text, modules).diagnostics.map(({ code, place }) => `${code} ${place.line}:${place.column}`);
}

/** The program; fails with its diagnostics where it has any. */
export function programOf(text: string, modules: Readonly<Record<string, string>> = {}): Program {
  const { program, diagnostics } = checkSource(text, modules);
  if (program === null) {
    throw new Error(
      diagnostics.map(({ code, place, message }) => `${place.line}:${place.column} ${code} ${message}`).join("\n"),
    );
  }
  return program;
}

/** Runs `run(): T` of a module whose entry point calls it. */
export function outcomeOf(text: string, modules: Readonly<Record<string, string>> = {}): Outcome {
  const started = `${text}\nexport function _start(): never { run(); for (;;) { halt(); } }\npanicHandler((info) => { for (;;) { halt(); } });`;
  const others = Object.entries(modules).map(([path, other]) => ({ path, text: other }));
  const files = [{ path: "kernel/main.ts", text: started }, ...others];
  const { program, diagnostics } = check(files, { entryFile: "kernel/main.ts", chapter: 3 });
  if (program === null) {
    throw new Error(
      diagnostics.map(({ code, place, message }) => `${place.line}:${place.column} ${code} ${message}`).join("\n"),
    );
  }
  return evaluateProgram(program, "kernel/main:run");
}

/** The number that `run` gives. */
export function resultOf(text: string, modules: Readonly<Record<string, string>> = {}): bigint {
  const outcome = outcomeOf(text, modules);
  if (outcome.kind !== "value") {
    throw new Error(`${outcome.kind}: ${outcome.kind === "panic" ? outcome.message : outcome.reason}`);
  }
  return outcome.value;
}

/** The value of an expression of type `type`, computed by the evaluator. */
export function valueOfExpression(type: string, expression: string, before = ""): bigint {
  return resultOf(`${before}\nexport function run(): ${type} { return ${expression}; }`);
}

export function globalOf(program: Program, name: string): Global {
  const found = program.globals.find((global) => global.symbol === `kernel/main:${name}`);
  if (found === undefined) {
    throw new Error(`no variable ${name}`);
  }
  return found;
}
