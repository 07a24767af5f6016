/**
 * Async functions to state machines. Lowering leaves the body of one as a function of its own kind, in which `resume`
 * marks each point where it can stop and go on later. Here it becomes four plain functions over a frame in memory: one
 * that fills the frame, one that goes on from where the frame says, one that reads the result, and one that cleans up
 * after a frame that is given up. The frame holds a state, and what lives across the point that the state stands for.
 *
 * `resume(wait): (waker, dropped)` saves what lives on. Where `wait` is true the function then returns, and goes on from
 * here when it is polled again; else it goes on at once. `dropped` is true where the frame is given up instead.
 * The body's first result says whether it ran to its end; the others are the values that `await` gives.
 */

import { calleesFirst } from "./call-graph.ts";
import { frameItems } from "./coroutine-frame.ts";
import { findGates, type Gate, localize } from "./coroutine-gates.ts";
import { Liveness } from "./coroutine-liveness.ts";
import { Rewriting } from "./coroutine-rewrite.ts";
import { removeUnreachable } from "./flow.ts";
import { copyInto } from "./inline.ts";
import type { Coroutine, Instruction, IrFunction, IrProgram } from "./ir.ts";
import { promoteSlots } from "./promote-slots.ts";

/** The functions of a program by their symbols, as far as a split needs them. */
export interface CoroutineParts {
  readonly start: IrFunction;
  readonly poll: IrFunction;
  readonly result: IrFunction;
  readonly drop: IrFunction;
}

/** Fills in the four parts of a coroutine and the layout of its frame. The body is used up. */
export function splitCoroutine(body: IrFunction, coroutine: Coroutine, parts: CoroutineParts): void {
  const gates = findGates(body);
  const liveness = settle(body, gates);
  const frame = frameItems(body, gates, liveness);
  Object.assign(coroutine.layout, { size: frame.size, align: frame.align, states: frame.states });
  const rewriting = new Rewriting(body, gates, liveness, frame);
  rewriting.run();
  rewriting.asStart(() => replace(parts.start, body, []));
  rewriting.asStep();
  replace(parts.poll, body, [0n]);
  replace(parts.drop, body, [0n, 1n]);
  for (const block of parts.drop.blocks) {
    if (block.terminator.kind === "return") block.terminator = { ...block.terminator, values: [] };
  }
  rewriting.fillResult(parts.result);
}

/** Liveness, after what is cheap to compute again has been taken out of it. */
function settle(body: IrFunction, gates: readonly Gate[]): Liveness {
  for (;;) {
    const liveness = new Liveness(body, gates);
    if (!localize(body, liveness)) return liveness;
  }
}

/** Gives `part` a copy of the body; parameters that it lacks are the constants given, from the last one on. */
function replace(part: IrFunction, body: IrFunction, constants: readonly bigint[]): void {
  const entry = part.blocks[0]!;
  entry.instructions = [];
  const missing = body.blocks[0]!.parameters.slice(entry.parameters.length).map((parameter, i): Instruction => {
    const value = part.value(parameter.type);
    return { kind: "constant", value: constants[i]!, results: [value], place: null };
  });
  entry.instructions.push(...missing);
  const args = [...entry.parameters, ...missing.map((instruction) => instruction.results[0]!)];
  part.blocks = [entry, ...copyInto(part, body, entry, args)];
  removeUnreachable(part);
  promoteSlots(part);
}

/** Replaces questions after the size and alignment of frames that have been laid out. Says whether it found any. */
export function resolveFrameSizes(f: IrFunction, coroutines: ReadonlyMap<string, Coroutine>): boolean {
  let found = false;
  const symbols = new Map(
    f.blocks.flatMap((block) =>
      block.instructions.flatMap((i) => (i.kind === "symbol" ? [[i.results[0]!, i.symbol] as const] : [])),
    ),
  );
  for (const block of f.blocks) {
    block.instructions = block.instructions.map((i) => {
      if (i.kind !== "intrinsic" || (i.name !== "frameSize" && i.name !== "frameAlign")) return i;
      const layout = coroutines.get(symbols.get(i.arguments[0]!) ?? "")?.layout;
      if (!layout || layout.size === 0) return i;
      found = true;
      const value = BigInt(i.name === "frameSize" ? layout.size : layout.align);
      return { kind: "constant", value, results: i.results, place: i.place };
    });
  }
  return found;
}

/** Coroutines of a program by the symbols of their bodies and of all their parts. */
export function coroutinesBySymbol(program: IrProgram): Map<string, Coroutine> {
  return new Map(
    program.coroutines.flatMap((one) =>
      [one.body, one.start, one.poll, one.result, one.drop].map((symbol) => [symbol, one] as const),
    ),
  );
}

/** The parts of a coroutine as they stand in the program. */
export function partsOf(program: IrProgram, coroutine: Coroutine): CoroutineParts {
  const find = (symbol: string): IrFunction => program.functions.find((f) => f.symbol === symbol)!;
  return {
    start: find(coroutine.start),
    poll: find(coroutine.poll),
    result: find(coroutine.result),
    drop: find(coroutine.drop),
  };
}

/** Splits all coroutines of a program as they are, callees first. */
export function splitCoroutines(program: IrProgram): IrProgram {
  const coroutines = coroutinesBySymbol(program);
  for (const f of calleesFirst(program)) {
    const coroutine = f.convention === "coroutine" ? coroutines.get(f.symbol) : undefined;
    if (coroutine) splitCoroutine(f, coroutine, partsOf(program, coroutine));
  }
  const bodies = new Set(program.coroutines.map(({ body }) => body));
  program.functions.splice(0, program.functions.length, ...program.functions.filter((f) => !bodies.has(f.symbol)));
  for (const f of program.functions) resolveFrameSizes(f, coroutines);
  return program;
}
