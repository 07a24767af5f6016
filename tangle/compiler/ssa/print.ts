/** SSA form as text, for tests, for the book, and for whoever looks for a mistake. */
import type { Block, Edge, Instruction, IrFunction, IrProgram, Terminator, Value } from "./ir.ts";

export function printProgram(program: IrProgram): string {
  return program.functions.map(printFunction).join("\n");
}

/**
 * One function, for instance
 * ```
 * function kernel/sum:sum(v0: i64, v1: i64): i64
 * b0(v0: i64, v1: i64):
 *   v2: i64 = add v0, v1
 *   return v2
 * ```
 */
export function printFunction(f: IrFunction): string {
  const results = f.results.length > 0 ? `: ${f.results.join(", ")}` : "";
  const head = `function ${f.symbol}(${typed(f.blocks[0]!.parameters)})${results}`;
  return `${head}\n${f.blocks.map(printBlock).join("")}`;
}

function printBlock(block: Block): string {
  const parameters = block.parameters.length > 0 ? `(${typed(block.parameters)})` : "";
  const lines = [
    `b${block.id}${parameters}:${block.cold ? " cold" : ""}`,
    ...block.instructions.map((instruction) => `  ${printInstruction(instruction)}`),
    `  ${printTerminator(block.terminator)}`,
  ];
  return `${lines.join("\n")}\n`;
}

export function printInstruction(instruction: Instruction): string {
  const { results } = instruction;
  return `${results.length > 0 ? `${typed(results)} = ` : ""}${printOperation(instruction)}`;
}

function printOperation(i: Instruction): string {
  switch (i.kind) {
    case "constant":
      return `constant ${i.value < 1024n ? i.value : `0x${i.value.toString(16)}`}`;
    case "symbol":
      return `symbol ${i.symbol}${plus(i.offset)}`;
    case "slot":
      return `slot ${i.slot.name}`;
    case "binary":
      return `${i.operation} ${name(i.left)}, ${name(i.right)}`;
    case "compare":
      return `${i.predicate} ${name(i.left)}, ${name(i.right)}`;
    case "negate":
    case "complement":
    case "zeroExtend":
    case "signExtend":
    case "truncate":
      return `${i.kind} ${name(i.operand)}`;
    case "select":
      return `select ${name(i.condition)}, ${name(i.then)}, ${name(i.otherwise)}`;
    case "load":
      return `load${i.volatile ? " volatile" : ""} [${name(i.address)}${plus(i.offset)}]`;
    case "store":
      return `store${i.volatile ? " volatile" : ""} [${name(i.address)}${plus(i.offset)}], ${name(i.value)}`;
    case "call":
      return `call ${i.symbol}(${names(i.arguments)})`;
    case "callIndirect":
      return `call [${name(i.callee)}](${names(i.arguments)})`;
    case "intrinsic":
      return `${i.name}(${names(i.arguments)})`;
    case "asm":
      return `asm ${JSON.stringify(i.text)}(${i.inputs.map((input) => (input ? name(input) : "_")).join(", ")})`;
  }
}

function printTerminator(t: Terminator): string {
  switch (t.kind) {
    case "jump":
      return `jump ${to(t.to)}`;
    case "branch":
      return `branch ${name(t.condition)}, ${to(t.then)}, ${to(t.otherwise)}`;
    case "switch": {
      const cases = t.cases.map((c) => `${c.value}: ${to(c.to)}`).join(", ");
      return `switch ${name(t.subject)}, ${cases}, default: ${to(t.otherwise)}`;
    }
    case "return":
      return t.values.length > 0 ? `return ${names(t.values)}` : "return";
    case "unreachable":
      return "unreachable";
  }
}

function name(value: Value): string {
  return `v${value.id}`;
}

function names(values: readonly Value[]): string {
  return values.map(name).join(", ");
}

function typed(values: readonly Value[]): string {
  return values.map((value) => `${name(value)}: ${value.type}`).join(", ");
}

function to(edge: Edge): string {
  return `b${edge.block.id}${edge.arguments.length > 0 ? `(${names(edge.arguments)})` : ""}`;
}

function plus(offset: number): string {
  return offset === 0 ? "" : offset > 0 ? ` + ${offset}` : ` - ${-offset}`;
}
