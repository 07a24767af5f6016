/** The typed tree of a program to SSA form: functions, module-level data, and the generated code around the entry point. */
import type { Place } from "../../place.ts";
import type { Coroutine, IrFunction, IrProgram } from "../ssa/ir.ts";
import type * as tree from "../tree.ts";
import { FunctionBuilder } from "./builder.ts";
import type { FunctionContext } from "./context.ts";
import { DataPool } from "./data.ts";
import { Frame } from "./frame.ts";
import { Panics } from "./panics.ts";
import { lowerReturn, lowerStatements } from "./statements.ts";
import { locate, targetOf, writeLocation } from "./targets.ts";
import { componentTypes } from "./types.ts";

/** The generated function that runs the initializers and then the entry point. */
const START = "start";

/**
 * Lowers a checked program. `placeText` says which place a panic shows for a place in the sources, by default the line
 * of the Markdown chapter it was tangled from. The result depends on nothing but the arguments.
 */
export function lower(program: tree.Program, placeText: (place: Place) => Place = program.placeOf): IrProgram {
  const data = new DataPool();
  const panics = new Panics(data, program.panicHandler.symbol, placeText);
  for (const global of program.globals) data.global(global);
  const kept = new Set([program.entry, program.panicHandler]);
  const coroutines = coroutinesOf(program);
  const shared: Shared = { data, panics, coroutines: new Map([...coroutines].map(([tree, ir]) => [tree.frame, ir])) };
  const functions = program.functions.map((tree) =>
    tree.part ? partFunction(tree, tree.part) : lowerFunction(tree, kept.has(tree), shared),
  );
  functions.push(...panics.functions);
  if (program.initializers.length > 0) functions.push(startFunction(program));
  const entry = program.initializers.length > 0 ? START : program.entry.symbol;
  return { functions, data: data.objects, coroutines: [...coroutines.values()], entry };
}

/** What the functions of a program share. */
interface Shared {
  readonly data: DataPool;
  readonly panics: Panics;
  readonly coroutines: ReadonlyMap<tree.Type, Coroutine>;
}

function coroutinesOf(program: tree.Program): Map<tree.Coroutine, Coroutine> {
  const found = new Map<tree.Coroutine, Coroutine>();
  for (const { part } of program.functions) {
    if (!part || found.has(part)) continue;
    const { body, start, poll, result, drop } = part;
    const layout = { size: 0, align: 1, states: [] };
    found.set(part, {
      body: body.symbol,
      start: start.symbol,
      poll: poll.symbol,
      result: result.symbol,
      drop: drop.symbol,
      layout,
    });
  }
  return found;
}

/** A part of a coroutine, to be filled in when the body is split; that it names the body says that it needs it. */
function partFunction(source: tree.Function, coroutine: tree.Coroutine): IrFunction {
  const parameters = source.parameters.flatMap((parameter) => componentTypes(parameter.type));
  const results = componentTypes(source.result);
  const builder = new FunctionBuilder(source.symbol, parameters, results, "plain", source.inline, source.place);
  builder.symbol(coroutine.body.symbol);
  builder.unreachable();
  return builder.finish();
}

function lowerFunction(source: tree.Function, isKept: boolean, shared: Shared): IrFunction {
  const isCoroutine = source.convention === "coroutine";
  const results = componentTypes(source.result);
  const builder = new FunctionBuilder(
    source.symbol,
    source.parameters.flatMap((parameter) => componentTypes(parameter.type)),
    isCoroutine ? ["i1", ...results] : results,
    source.convention,
    // The entry and the panic handler keep their symbols, though generated code may be their only caller.
    isKept ? "never" : source.inline,
    source.place,
  );
  const context: FunctionContext = {
    data: shared.data,
    panics: shared.panics,
    builder,
    frame: new Frame(isCoroutine, shared.coroutines),
    isCoroutine,
    jumps: new Map(),
  };
  let next = 0;
  for (const parameter of source.parameters) {
    const values = componentTypes(parameter.type).map(() => builder.entry.parameters[next++]!);
    writeLocation(context, locate(context, targetOf(parameter)), values);
  }
  lowerStatements(context, source.body);
  builder.place = source.place;
  if (source.result.kind === "void" && source.convention !== "naked") lowerReturn(context, []);
  else builder.unreachable();
  return builder.finish();
}

function startFunction(program: tree.Program): IrFunction {
  const { entry } = program;
  const parameters = entry.parameters.flatMap((parameter) => componentTypes(parameter.type));
  const builder = new FunctionBuilder(START, parameters, [], "plain", "never", entry.place);
  for (const initializer of program.initializers) builder.call(initializer.symbol, [], []);
  builder.call(entry.symbol, builder.entry.parameters, []);
  builder.unreachable();
  return builder.finish();
}
