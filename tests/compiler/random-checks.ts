/** One random program through lowering and all passes. */
import { evaluateProgram } from "../../tangle/compiler/evaluate.ts";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { checkPasses, type Subject } from "./check-passes.ts";
import { HEAP_VARIABLES } from "./generate/heap.ts";
import { RUN_SYMBOL } from "./generate.ts";
import { randomProgram } from "./random-tree.ts";

const TREE_FUEL = 20_000;
const SOURCE_FUEL = 300_000;

/** A random typed tree; says how the run ended. */
export function checkTree(seed: number, thorough = true): string {
  const { program, main, arguments: args } = randomProgram(seed);
  const subject: Subject = { program, calls: [{ symbol: main.symbol, arguments: args }] };
  return checkPasses(subject, TREE_FUEL, thorough).end;
}

/** A random source text, whose outcome must also be the evaluator's; says how the run ended. */
export function checkGenerated(source: string, thorough = false, except: readonly string[] = HEAP_VARIABLES): string {
  const place = { file: "kernel/main.ts", line: 1, column: 1 };
  const text = { path: "kernel/main.ts", text: source };
  const { program, diagnostics } = check([text], { entryFile: text.path, chapter: 12 });
  if (!program) throw new Error(`not compiled: ${diagnostics.map((d) => `${d.place.line}: ${d.message}`).join("; ")}`);
  const calls = [...program.initializers.map((f) => f.symbol), RUN_SYMBOL];
  const subject: Subject = { program, calls: calls.map((symbol) => ({ symbol, arguments: [] })), except };
  const { end } = checkPasses(subject, SOURCE_FUEL, thorough);
  if (end === "out of fuel") return end;
  const outcome = evaluateProgram(program, RUN_SYMBOL);
  const wanted =
    outcome.kind === "value"
      ? String(outcome.value)
      : outcome.kind === "panic"
        ? `panic: ${outcome.message} (${place.file}:${outcome.place.line}:${outcome.place.column})`
        : outcome.reason;
  if (wanted !== end) throw new Error(`the evaluator says ${wanted}, the SSA form ${end}`);
  return end;
}
