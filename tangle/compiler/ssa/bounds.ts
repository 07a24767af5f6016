/** Decides branches by the ranges of what they compare: most of all, removes bounds checks that cannot fail. */
import type { Block, Instruction, IrFunction, Value } from "./ir.ts";
import { Ranges } from "./ranges.ts";

/** Makes constants of the conditions that always or never hold; says whether there were any. */
export function removeDecidedChecks(f: IrFunction): boolean {
  const ranges = new Ranges(f);
  const constants: Instruction[] = [];
  const truth = (holds: boolean): Value => {
    const result = f.value("i1");
    constants.push({ kind: "constant", value: holds ? 1n : 0n, results: [result], place: null });
    return result;
  };
  const decided = new Map<Block, Value>();
  for (const block of f.blocks) {
    const { terminator } = block;
    const compare = terminator.kind === "branch" ? ranges.comparison(terminator.condition) : null;
    // Asked where the branch is: since the comparison was made, other branches may have said more.
    const holds = compare && ranges.decide(compare, block);
    if (holds !== null) decided.set(block, truth(holds));
  }
  if (constants.length === 0) return false;
  for (const [block, condition] of decided) {
    if (block.terminator.kind === "branch") block.terminator = { ...block.terminator, condition };
  }
  const entry = f.blocks[0]!;
  entry.instructions = [...constants, ...entry.instructions];
  return true;
}
