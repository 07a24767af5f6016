/** Moves tables that nothing writes to into read-only memory. */
import type { DataObject, Instruction, IrFunction, IrProgram, Value } from "./ir.ts";
import { edges, operands, terminatorOperands } from "./operands.ts";

/** An object stays writable if code does anything with its address but load from it, or if other data holds its address. */
export function protectConstantData(program: IrProgram): void {
  const writable = new Set<string>();
  for (const object of program.data) for (const { symbol } of object.relocations) writable.add(symbol);
  for (const f of program.functions) findWrites(f, writable);
  program.data.forEach((object, i) => {
    if (object.section === "data" && !writable.has(object.symbol)) {
      const readOnly: DataObject = { ...object, section: "rodata" };
      program.data[i] = readOnly;
    }
  });
}

function findWrites(f: IrFunction, writable: Set<string>): void {
  const definitions = new Map<Value, Instruction>();
  for (const block of f.blocks) {
    for (const i of block.instructions) for (const result of i.results) definitions.set(result, i);
  }
  const letGo = (value: Value): void => {
    const i = definitions.get(value);
    if (i?.kind === "symbol") writable.add(i.symbol);
    else if (i?.kind === "binary" && i.operation === "add") operands(i).forEach(letGo);
  };
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if (i.kind === "load" || (i.kind === "binary" && i.operation === "add")) continue;
      if (i.kind === "intrinsic" && i.name === "copyMemory") letGo(i.arguments[0]!);
      else operands(i).forEach(letGo);
    }
    terminatorOperands(block.terminator).forEach(letGo);
    for (const edge of edges(block.terminator)) edge.arguments.forEach(letGo);
  }
}
