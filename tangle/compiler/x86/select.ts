/** Instruction selection: SSA to machine instructions over virtual registers, by tree patterns, backwards. */
import type { Block, Edge, Instruction, IrFunction, Terminator, Value } from "../ssa/ir.ts";
import { lowerArithmetic } from "./arithmetic.ts";
import { lowerAssembly } from "./assembly.ts";
import { lowerCall, lowerParameters, lowerReturn } from "./calls.ts";
import { lowerCompare, lowerCondition, lowerSelect } from "./conditions.ts";
import { isPure, widthOf } from "./facts.ts";
import { lowerIntrinsic } from "./intrinsics.ts";
import { lowerLoad, lowerStore } from "./loads.ts";
import type { MachineBlock, MachineFunction } from "./machine.ts";
import { type Move, parallelMove } from "./parallel.ts";
import { Selection } from "./selection.ts";
import { type JumpTables, lowerSwitch } from "./switches.ts";

/** Machine code of a function, with virtual registers. */
export function select(fn: IrFunction, tables: JumpTables): MachineFunction {
  const s = new Selection(fn);
  const { order } = s.facts;
  for (let i = order.length - 1; i >= 0; i--) {
    const block = order[i]!;
    s.begin(block);
    lowerBlock(s, block, tables, i === 0);
    s.finish();
  }
  return s.machine;
}

function lowerBlock(s: Selection, block: Block, tables: JumpTables, isEntry: boolean): void {
  s.position = block.instructions.length;
  s.place = block.terminator.place;
  lowerTerminator(s, block.terminator, tables);
  s.flush();
  for (let i = block.instructions.length - 1; i >= 0; i--) {
    const instruction = block.instructions[i]!;
    if (isPure(instruction) && !s.isNeeded(instruction)) continue;
    s.position = i;
    s.place = instruction.place;
    lower(s, instruction);
    s.flush();
  }
  if (isEntry && s.fn.convention !== "naked") {
    s.place = s.fn.place;
    lowerParameters(s, block.parameters);
    s.flush();
  }
}

function lower(s: Selection, instruction: Instruction): void {
  switch (instruction.kind) {
    case "constant":
    case "symbol":
    case "slot":
      throw new Error(`${instruction.kind} is made at its uses`);
    case "binary":
    case "negate":
    case "complement":
    case "zeroExtend":
    case "signExtend":
    case "truncate":
      lowerArithmetic(s, instruction);
      break;
    case "compare":
      lowerCompare(s, instruction);
      break;
    case "select":
      lowerSelect(s, instruction);
      break;
    case "load":
      lowerLoad(s, instruction);
      break;
    case "store":
      lowerStore(s, instruction);
      break;
    case "call":
    case "callIndirect":
      lowerCall(s, instruction);
      break;
    case "intrinsic":
      lowerIntrinsic(s, instruction);
      break;
    case "asm":
      lowerAssembly(s, instruction);
      break;
  }
}

function lowerTerminator(s: Selection, terminator: Terminator, tables: JumpTables): void {
  const { place } = terminator;
  switch (terminator.kind) {
    case "jump":
      moveArguments(s, terminator.to);
      s.current.terminator = { kind: "jump", to: s.head(terminator.to.block), place };
      break;
    case "branch": {
      const then = edgeBlock(s, terminator.then);
      const otherwise = edgeBlock(s, terminator.otherwise);
      const condition = lowerCondition(s, terminator.condition);
      s.current.terminator = { kind: "branch", condition, then, otherwise, place };
      break;
    }
    case "switch":
      lowerSwitch(s, terminator, (edge) => edgeBlock(s, edge), tables);
      break;
    case "return":
      lowerReturn(s, terminator.values, place);
      break;
    case "unreachable":
      s.current.terminator = { kind: "none", trap: s.fn.convention !== "naked", place };
      break;
  }
}

/** The block that an edge out of a branch leads to: the target itself, or a block that moves the arguments first. */
function edgeBlock(s: Selection, edge: Edge): MachineBlock {
  const target = s.head(edge.block);
  const moves = s.capture(() => moveArguments(s, edge));
  if (moves.length === 0) return target;
  const made = s.newBlock(s.current.cold || target.cold);
  made.instructions = moves;
  made.terminator = { kind: "jump", to: target, place: s.place };
  return made;
}

/** Sets the parameters of the edge's target, all at once; constants last, since they need no register before. */
function moveArguments(s: Selection, edge: Edge): void {
  const moves: Move[] = [];
  const later: { parameter: Value; argument: Value }[] = [];
  edge.arguments.forEach((argument, i) => {
    const parameter = edge.block.parameters[i]!;
    if (s.facts.useCount(parameter) === 0) return;
    if (s.isMadeAnew(argument)) later.push({ parameter, argument });
    else moves.push({ to: s.result(parameter), from: s.register(argument), width: widthOf(parameter.type) });
  });
  parallelMove(
    moves,
    () => s.machine.register(),
    (move) => s.copy(move.to, move.from, move.width),
  );
  for (const { parameter, argument } of later) s.moveTo(s.result(parameter), argument);
}
