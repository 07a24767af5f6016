/** Decides comparisons by the ranges of their operands: most of all, removes bounds checks that cannot fail. */
import type { Block, Instruction, IrFunction, Value } from "./ir.ts";
import { Ranges } from "./ranges.ts";
import { Replacements } from "./replace.ts";

/** Makes constants of the comparisons that always or never hold; says whether there were any. */
export function removeDecidedChecks(f: IrFunction): boolean {
  const ranges = new Ranges(f);
  const replacements = new Replacements();
  const constants: Instruction[] = [];
  const truth = (holds: boolean): Value => {
    const result = f.value("i1");
    constants.push({ kind: "constant", value: holds ? 1n : 0n, results: [result], place: null });
    return result;
  };
  const decidedBranches = new Map<Block, Value>();
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if (i.kind !== "compare") continue;
      const holds = ranges.decide(i, block);
      if (holds !== null) replacements.set(i.results[0]!, truth(holds));
    }
    // A comparison made further up may be decided by what happened in between.
    const { terminator } = block;
    const compare = terminator.kind === "branch" ? ranges.comparison(terminator.condition) : null;
    const holds = compare && !block.instructions.includes(compare) ? ranges.decide(compare, block) : null;
    if (holds !== null) decidedBranches.set(block, truth(holds));
  }
  if (constants.length === 0) return false;
  for (const [block, condition] of decidedBranches) {
    if (block.terminator.kind === "branch") block.terminator = { ...block.terminator, condition };
  }
  replacements.apply(f);
  const entry = f.blocks[0]!;
  entry.instructions = [...constants, ...entry.instructions];
  return true;
}
