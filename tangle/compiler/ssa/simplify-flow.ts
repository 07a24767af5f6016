/** Makes control flow simpler: fewer blocks, fewer jumps, selects for branches that only choose a value. */
import { removeUnreachable, reversePostorder } from "./flow.ts";
import type { Block, Edge, IrFunction, Terminator, Value } from "./ir.ts";
import { edges, operands, terminatorOperands, withEdges } from "./operands.ts";
import { removeTrivialParameters } from "./parameters.ts";
import { Replacements } from "./replace.ts";

/** Simplifies in place until nothing changes; says whether anything did. Blocks end up in reverse postorder, cold ones last. */
export function simplifyFlow(f: IrFunction): boolean {
  let any = false;
  for (let changed = true; changed; any ||= changed) {
    changed = foldTerminators(f);
    if (threadJumps(f)) changed = true;
    if (changed) removeUnreachable(f);
    if (mergeChains(f)) changed = true;
    if (removeTrivialParameters(f)) changed = true;
  }
  const order = reversePostorder(f);
  markCold(f, order);
  f.blocks = [...order.filter((block) => !block.cold), ...order.filter((block) => block.cold)];
  return any;
}

/** Branches whose ways are one, and branches that only choose arguments. */
function foldTerminators(f: IrFunction): boolean {
  let changed = false;
  for (const block of f.blocks) {
    const folded = foldTerminator(f, block);
    if (folded !== block.terminator) changed = true;
    block.terminator = folded;
  }
  return changed;
}

/** More selects than this for one branch cost more than the branch. */
const MOST_SELECTS = 2;

function foldTerminator(f: IrFunction, block: Block): Terminator {
  const t = block.terminator;
  if (t.kind === "switch") {
    const cases = t.cases.filter((c) => !sameEdge(c.to, t.otherwise));
    if (cases.length === 0) return { kind: "jump", to: t.otherwise, place: t.place };
    return cases.length < t.cases.length ? { ...t, cases } : t;
  }
  if (t.kind !== "branch" || t.then.block !== t.otherwise.block) return t;
  const differing = t.then.arguments.filter((argument, i) => argument !== t.otherwise.arguments[i]).length;
  if (differing > MOST_SELECTS) return t;
  const args = t.then.arguments.map((then, i) => {
    const otherwise = t.otherwise.arguments[i]!;
    if (then === otherwise) return then;
    const result = f.value(then.type);
    block.instructions.push({
      kind: "select",
      condition: t.condition,
      then,
      otherwise,
      results: [result],
      place: t.place,
    });
    return result;
  });
  return { kind: "jump", to: { block: t.then.block, arguments: args }, place: t.place };
}

function sameEdge(a: Edge, b: Edge): boolean {
  return a.block === b.block && a.arguments.every((argument, i) => argument === b.arguments[i]);
}

/** Edges to blocks that do nothing but go on are led to where those go. */
function threadJumps(f: IrFunction): boolean {
  const isEmpty = (block: Block): boolean => block.instructions.length === 0 && edges(block.terminator).length > 0;
  const empty = new Set(f.blocks.slice(1).filter(isEmpty));
  if (empty.size === 0) return false;
  const shared = valuesUsedElsewhere(f, empty);
  const constants = new Map<Value, bigint>();
  for (const block of f.blocks) {
    for (const i of block.instructions) if (i.kind === "constant") constants.set(i.results[0]!, i.value);
  }
  const headers = loopHeaders(f);
  let changed = false;
  const onward = (edge: Edge): Edge => {
    const { block } = edge;
    if (!empty.has(block) || block.parameters.some((parameter) => shared.has(parameter))) return edge;
    const pass = (value: Value): Value => {
      const at = block.parameters.indexOf(value);
      return at < 0 ? value : edge.arguments[at]!;
    };
    const next = wayThrough(block.terminator, pass, constants, headers.has(block));
    if (!next || next.block === block) return edge;
    changed = true;
    return { block: next.block, arguments: next.arguments.map(pass) };
  };
  for (const block of f.blocks) block.terminator = withEdges(block.terminator, onward);
  return changed;
}

/** Which edge an empty block takes when it is entered with certain arguments, if that is known. */
function wayThrough(
  t: Terminator,
  pass: (value: Value) => Value,
  constants: ReadonlyMap<Value, bigint>,
  isHeader: boolean,
): Edge | null {
  if (t.kind === "jump") return t.to;
  // Entering a loop beside its header would give it two entries.
  if (isHeader) return null;
  if (t.kind === "branch") {
    const condition = constants.get(pass(t.condition));
    if (condition === undefined) return null;
    return condition !== 0n ? t.then : t.otherwise;
  }
  if (t.kind === "switch") {
    const subject = constants.get(pass(t.subject));
    if (subject === undefined) return null;
    return t.cases.find((c) => c.value === subject)?.to ?? t.otherwise;
  }
  return null;
}

/** Parameters of these blocks that are used outside the terminator of their own block. */
function valuesUsedElsewhere(f: IrFunction, blocks: ReadonlySet<Block>): Set<Value> {
  const owners = new Map<Value, Block>();
  for (const block of blocks) for (const parameter of block.parameters) owners.set(parameter, block);
  const shared = new Set<Value>();
  if (owners.size === 0) return shared;
  for (const block of f.blocks) {
    for (const i of block.instructions) for (const value of operands(i)) if (owners.has(value)) shared.add(value);
    const use = (value: Value): void => {
      const owner = owners.get(value);
      if (owner && owner !== block) shared.add(value);
    };
    terminatorOperands(block.terminator).forEach(use);
    for (const edge of edges(block.terminator)) edge.arguments.forEach(use);
  }
  return shared;
}

/** Blocks that are entered from behind. */
function loopHeaders(f: IrFunction): Set<Block> {
  const order = new Map(reversePostorder(f).map((block, i) => [block, i]));
  const headers = new Set<Block>();
  for (const [from, at] of order) {
    for (const { block } of edges(from.terminator)) if (order.get(block)! <= at) headers.add(block);
  }
  return headers;
}

/** A block that is entered from one place only, by a jump, becomes part of it. */
function mergeChains(f: IrFunction): boolean {
  const ways = new Map<Block, number>();
  for (const block of f.blocks) {
    for (const edge of edges(block.terminator)) ways.set(edge.block, (ways.get(edge.block) ?? 0) + 1);
  }
  const replacements = new Replacements();
  const merged = new Set<Block>();
  for (const block of f.blocks) {
    if (merged.has(block)) continue;
    for (let t = block.terminator; t.kind === "jump"; t = block.terminator) {
      const next = t.to.block;
      if (next === block || next === f.blocks[0] || ways.get(next) !== 1) break;
      const args = t.to.arguments;
      next.parameters.forEach((parameter, i) => {
        replacements.set(parameter, args[i]!);
      });
      block.instructions.push(...next.instructions);
      block.terminator = next.terminator;
      if (next.cold && block !== f.blocks[0]) block.cold = true;
      merged.add(next);
    }
  }
  if (merged.size === 0) return false;
  f.blocks = f.blocks.filter((block) => !merged.has(block));
  replacements.apply(f);
  return true;
}

/** A block that leads only to cold blocks is cold itself. */
function markCold(f: IrFunction, order: readonly Block[]): void {
  for (const block of [...order].reverse()) {
    const next = edges(block.terminator);
    if (block !== f.blocks[0] && next.length > 0 && next.every((edge) => edge.block.cold)) block.cold = true;
  }
}
