/** What instructions and terminators use, where they lead, and copies of them with other operands. */
import type { Edge, Instruction, Terminator, Value } from "./ir.ts";

/** The values an instruction reads, in order; the same value may come twice. */
export function operands(instruction: Instruction): readonly Value[] {
  switch (instruction.kind) {
    case "constant":
    case "symbol":
    case "slot":
      return [];
    case "binary":
    case "compare":
      return [instruction.left, instruction.right];
    case "negate":
    case "complement":
    case "zeroExtend":
    case "signExtend":
    case "truncate":
      return [instruction.operand];
    case "select":
      return [instruction.condition, instruction.then, instruction.otherwise];
    case "load":
      return [instruction.address];
    case "store":
      return [instruction.address, instruction.value];
    case "call":
    case "intrinsic":
      return instruction.arguments;
    case "callIndirect":
      return [instruction.callee, ...instruction.arguments];
    case "asm":
      return instruction.inputs.filter((input) => input !== null);
  }
}

/** The same instruction with every operand replaced; the instruction itself where nothing changes. */
export function withOperands(instruction: Instruction, replace: (value: Value) => Value): Instruction {
  if (operands(instruction).every((value) => replace(value) === value)) return instruction;
  switch (instruction.kind) {
    case "constant":
    case "symbol":
    case "slot":
      return instruction;
    case "binary":
    case "compare":
      return { ...instruction, left: replace(instruction.left), right: replace(instruction.right) };
    case "negate":
    case "complement":
    case "zeroExtend":
    case "signExtend":
    case "truncate":
      return { ...instruction, operand: replace(instruction.operand) };
    case "select":
      return {
        ...instruction,
        condition: replace(instruction.condition),
        then: replace(instruction.then),
        otherwise: replace(instruction.otherwise),
      };
    case "load":
      return { ...instruction, address: replace(instruction.address) };
    case "store":
      return { ...instruction, address: replace(instruction.address), value: replace(instruction.value) };
    case "call":
    case "intrinsic":
      return { ...instruction, arguments: instruction.arguments.map(replace) };
    case "callIndirect":
      return {
        ...instruction,
        callee: replace(instruction.callee),
        arguments: instruction.arguments.map(replace),
      };
    case "asm":
      return { ...instruction, inputs: instruction.inputs.map((input) => (input === null ? null : replace(input))) };
  }
}

/** The ways out of a block, in order. */
export function edges(terminator: Terminator): readonly Edge[] {
  switch (terminator.kind) {
    case "jump":
      return [terminator.to];
    case "branch":
      return [terminator.then, terminator.otherwise];
    case "switch":
      return [...terminator.cases.map((c) => c.to), terminator.otherwise];
    case "return":
    case "unreachable":
      return [];
  }
}

/** The values a terminator decides by or returns; not those its edges pass on. */
export function terminatorOperands(terminator: Terminator): readonly Value[] {
  switch (terminator.kind) {
    case "branch":
      return [terminator.condition];
    case "switch":
      return [terminator.subject];
    case "return":
      return terminator.values;
    case "jump":
    case "unreachable":
      return [];
  }
}

/** The same terminator with edges replaced. */
export function withEdges(terminator: Terminator, replace: (edge: Edge) => Edge): Terminator {
  switch (terminator.kind) {
    case "jump":
      return { ...terminator, to: replace(terminator.to) };
    case "branch":
      return { ...terminator, then: replace(terminator.then), otherwise: replace(terminator.otherwise) };
    case "switch":
      return {
        ...terminator,
        cases: terminator.cases.map((c) => ({ value: c.value, to: replace(c.to) })),
        otherwise: replace(terminator.otherwise),
      };
    case "return":
    case "unreachable":
      return terminator;
  }
}

/** The same terminator with all values replaced, those on its edges too. */
export function withTerminatorOperands(terminator: Terminator, replace: (value: Value) => Value): Terminator {
  const moved = withEdges(terminator, (edge) =>
    edge.arguments.every((value) => replace(value) === value)
      ? edge
      : { block: edge.block, arguments: edge.arguments.map(replace) },
  );
  switch (moved.kind) {
    case "branch":
      return { ...moved, condition: replace(moved.condition) };
    case "switch":
      return { ...moved, subject: replace(moved.subject) };
    case "return":
      return { ...moved, values: moved.values.map(replace) };
    default:
      return moved;
  }
}
