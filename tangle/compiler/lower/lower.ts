/** The typed tree of a program to SSA form: functions, module-level data, and the generated code around the entry point. */
import type { Place } from "../../place.ts";
import type { IrFunction, IrProgram } from "../ssa/ir.ts";
import type * as tree from "../tree.ts";
import { FunctionBuilder } from "./builder.ts";
import type { FunctionContext } from "./context.ts";
import { DataPool } from "./data.ts";
import { Frame } from "./frame.ts";
import { Panics } from "./panics.ts";
import { lowerStatements } from "./statements.ts";
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
  const functions = program.functions.map((tree) => lowerFunction(tree, kept.has(tree), data, panics));
  functions.push(...panics.functions);
  if (program.initializers.length > 0) functions.push(startFunction(program));
  const entry = program.initializers.length > 0 ? START : program.entry.symbol;
  return { functions, data: data.objects, entry };
}

function lowerFunction(source: tree.Function, isKept: boolean, data: DataPool, panics: Panics): IrFunction {
  const builder = new FunctionBuilder(
    source.symbol,
    source.parameters.flatMap((parameter) => componentTypes(parameter.type)),
    componentTypes(source.result),
    source.convention,
    // The entry and the panic handler keep their symbols, though generated code may be their only caller.
    isKept ? "never" : source.inline,
    source.place,
  );
  const context: FunctionContext = { data, panics, builder, frame: new Frame(), jumps: new Map() };
  let next = 0;
  for (const parameter of source.parameters) {
    const values = componentTypes(parameter.type).map(() => builder.entry.parameters[next++]!);
    writeLocation(context, locate(context, targetOf(parameter)), values);
  }
  lowerStatements(context, source.body);
  builder.place = source.place;
  if (source.result.kind === "void" && source.convention !== "naked") builder.return([]);
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
