/** The passes over a program in SSA form, in their order. */
import { simplifyArithmetic } from "./algebra.ts";
import { removeDecidedChecks } from "./bounds.ts";
import { calleesFirst, removeUnreferenced } from "./call-graph.ts";
import { simplifyComparisons } from "./comparisons.ts";
import { foldConstantLoads } from "./constant-loads.ts";
import { coroutinesBySymbol, partsOf, resolveFrameSizes, splitCoroutine } from "./coroutine.ts";
import { removeDeadCode } from "./dead-code.ts";
import { removeDeadStores } from "./dead-stores.ts";
import { divideByMultiplying } from "./division.ts";
import { expandCopies } from "./expand-copies.ts";
import { foldConstants } from "./fold.ts";
import { forwardMemory } from "./forwarding.ts";
import { hoistInvariants } from "./hoist.ts";
import { inlineCalls, inlineItself } from "./inline.ts";
import { InlinePolicy } from "./inline-policy.ts";
import type { Block, IrFunction, IrProgram } from "./ir.ts";
import { splitAddressSums } from "./loop-sums.ts";
import { replaceMemoryLoops } from "./memory-loops.ts";
import { promoteSlots } from "./promote-slots.ts";
import { protectConstantData } from "./read-only.ts";
import { shareDivisions } from "./remainders.ts";
import { type Rule, simplify } from "./simplify.ts";
import { simplifyFlow } from "./simplify-flow.ts";

const RULES: readonly Rule[] = [foldConstants, simplifyComparisons, simplifyArithmetic];
const LATE_RULES: readonly Rule[] = [...RULES, divideByMultiplying];

export interface OptimizeOptions {
  /** Functions to be kept though nothing in the program calls them. */
  readonly keep?: (symbol: string) => boolean;
  /** Told the name of each pass that has run on a function, so that tests can look at every step. */
  readonly observe?: Observer;
}

type Observer = (pass: string, f: IrFunction) => void;

/** Makes the program faster and smaller without changing what it does. Works in place. */
export function optimize(program: IrProgram, options: OptimizeOptions = {}): IrProgram {
  const observe = options.observe ?? (() => {});
  const policy = new InlinePolicy(program);
  const data = new Map(program.data.map((object) => [object.symbol, object]));
  const coroutines = coroutinesBySymbol(program);
  const improve = (f: IrFunction): void => {
    // The parts of a coroutine are put into other functions, but not into bodies that are still to be split.
    const choose = (symbol: string, block: Block, again: boolean): IrFunction | null =>
      f.convention === "coroutine" && coroutines.has(symbol) ? null : policy.choose(symbol, f, block, again);
    resolveFrameSizes(f, coroutines);
    cleanUp(f, observe, 1);
    if (foldConstantLoads(f, data)) cleanUp(f, observe, 1);
    // Inlining shows which function a pointer holds, and so more calls; what they call must be small to go on.
    for (let round = 0; round < INLINE_ROUNDS; round++) {
      if (!inlineCalls(f, (call, block) => choose(call.symbol, block, round > 0))) break;
      observe("inline", f);
      cleanUp(f, observe, 2);
      if (!foldConstantLoads(f, data)) continue;
      observe("constant loads", f);
      cleanUp(f, observe, 1);
    }
    reduceMemory(f, observe);
    if (policy.chooseItself(f) && inlineItself(f)) {
      observe("inline itself", f);
      cleanUp(f, observe, 2);
    }
    policy.finish(f);
  };
  for (const f of calleesFirst(program)) {
    const coroutine = coroutines.get(f.symbol);
    if (f.convention === "naked" || (coroutine && f.convention !== "coroutine")) continue;
    improve(f);
    if (!coroutine) continue;
    const parts = partsOf(program, coroutine);
    splitCoroutine(f, coroutine, parts);
    observe("split", f);
    for (const part of [parts.start, parts.result, parts.drop, parts.poll]) improve(part);
  }
  removeUnreferenced(program, options.keep ?? (() => false));
  for (const f of program.functions) {
    if (f.convention === "naked") continue;
    if (resolveFrameSizes(f, coroutines)) cleanUp(f, observe, 1);
    finish(f, observe);
  }
  removeUnreferenced(program, options.keep ?? (() => false));
  protectConstantData(program);
  return program;
}

function reduceMemory(f: IrFunction, observe: Observer): void {
  let changed = expandCopies(f);
  observe("expand copies", f);
  if (promoteSlots(f)) changed = true;
  observe("promote slots", f);
  if (forwardMemory(f)) changed = true;
  observe("forwarding", f);
  if (removeDeadStores(f)) changed = true;
  observe("dead stores", f);
  if (changed) cleanUp(f, observe, 2);
}

/** What makes a function larger or harder to understand for other passes comes after inlining. */
function finish(f: IrFunction, observe: Observer): void {
  if (removeDecidedChecks(f)) {
    observe("checks", f);
    cleanUp(f, observe, 1);
  }
  hoistInvariants(f);
  observe("hoist", f);
  if (replaceMemoryLoops(f)) observe("memory loops", f);
  if (splitAddressSums(f)) {
    observe("address sums", f);
    hoistInvariants(f);
    observe("hoist", f);
  }
  forwardMemory(f);
  observe("forwarding", f);
  removeDeadStores(f);
  observe("dead stores", f);
  shareDivisions(f);
  observe("remainders", f);
  cleanUp(f, observe, MOST_ROUNDS, LATE_RULES);
}

const INLINE_ROUNDS = 3;

/** Rounds of cleaning rarely find anything after the second. */
const MOST_ROUNDS = 4;

function cleanUp(f: IrFunction, observe: Observer, rounds: number, rules: readonly Rule[] = RULES): void {
  for (let round = 0, changed = true; changed && round < rounds; round++) {
    simplify(f, rules);
    observe("simplify", f);
    changed = simplifyFlow(f);
    observe("simplify flow", f);
    removeDeadCode(f);
    observe("dead code", f);
  }
}
