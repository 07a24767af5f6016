/** Inline assembly: operands in, results into locals. */
import type { InlineAssembly } from "../tree.ts";
import type { FunctionContext } from "./context.ts";
import { lowerScalar } from "./expressions.ts";
import { locate, targetOf, writeLocation } from "./targets.ts";
import { scalarType } from "./types.ts";

export function lowerAssembly(f: FunctionContext, asm: InlineAssembly): void {
  const { builder } = f;
  const inputs = asm.operands.map((operand) => (operand.value ? lowerScalar(f, operand.value) : null));
  const operands = asm.operands.map(({ mode, register, value, target }) => ({
    mode,
    register,
    type: scalarType((target ?? value!).type),
  }));
  const outputs = asm.operands.filter((operand) => operand.target !== null);
  const results = outputs.map((operand) => builder.function.value(scalarType(operand.target!.type)));
  builder.emit({
    kind: "asm",
    text: asm.text,
    operands,
    inputs,
    clobbers: asm.clobbers,
    results,
    place: builder.place,
  });
  outputs.forEach((operand, i) => {
    writeLocation(f, locate(f, targetOf(operand.target!)), [results[i]!]);
  });
}
