/** Removes block parameters that always get the same value, as lowering and other passes leave them behind. */
import { incomingEdges } from "./flow.ts";
import type { Block, IrFunction, Value } from "./ir.ts";
import { withEdges } from "./operands.ts";
import { Replacements } from "./replace.ts";

/** Replaces each parameter whose arguments are one value (or the parameter itself, around a loop). */
export function removeTrivialParameters(f: IrFunction): boolean {
  const candidates = f.blocks.slice(1).filter((block) => block.parameters.length > 0);
  if (candidates.length === 0) return false;
  const incoming = incomingEdges(f);
  const replacements = new Replacements();
  const removed = new Map<Block, Set<number>>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of candidates) {
      block.parameters.forEach((parameter, i) => {
        if (removed.get(block)?.has(i)) return;
        const only = onlyArgument(
          parameter,
          incoming.get(block)!.map(({ edge }) => replacements.resolve(edge.arguments[i]!)),
        );
        if (!only) return;
        replacements.set(parameter, only);
        removed.set(block, (removed.get(block) ?? new Set()).add(i));
        changed = true;
      });
    }
  }
  if (removed.size === 0) return false;
  removeParameters(f, removed);
  replacements.apply(f);
  return true;
}

function onlyArgument(parameter: Value, values: readonly Value[]): Value | null {
  let only: Value | null = null;
  for (const value of values) {
    if (value === parameter || value === only) continue;
    if (only) return null;
    only = value;
  }
  return only;
}

/** Drops parameters by their positions, and the arguments for them on all edges. */
export function removeParameters(f: IrFunction, removed: ReadonlyMap<Block, ReadonlySet<number>>): void {
  for (const block of f.blocks) {
    const gone = removed.get(block);
    if (gone) block.parameters = block.parameters.filter((_, i) => !gone.has(i));
    block.terminator = withEdges(block.terminator, (edge) => {
      const dropped = removed.get(edge.block);
      return dropped ? { block: edge.block, arguments: edge.arguments.filter((_, i) => !dropped.has(i)) } : edge;
    });
  }
}
