/** A quotient and a remainder of the same numbers need one division: the remainder is x - (x / y) × y. */
import type { Instruction, IrFunction, Value } from "./ir.ts";

type Division = Extract<Instruction, { kind: "binary" }>;

/** Rewrites remainders whose quotient is computed too; value numbering then makes the two quotients one. */
export function shareDivisions(f: IrFunction): void {
  const quotients = new Set<string>();
  for (const block of f.blocks) {
    for (const i of block.instructions) {
      if (i.kind === "binary" && (i.operation === "udiv" || i.operation === "sdiv")) quotients.add(keyOf(i));
    }
  }
  if (quotients.size === 0) return;
  for (const block of f.blocks) {
    block.instructions = block.instructions.flatMap((i) => {
      if (i.kind !== "binary" || (i.operation !== "urem" && i.operation !== "srem")) return [i];
      return quotients.has(keyOf(i)) ? byQuotient(f, i) : [i];
    });
  }
}

function keyOf({ operation, left, right }: Division): string {
  return `${operation[0]} ${left.id} ${right.id}`;
}

function byQuotient(f: IrFunction, i: Division): Instruction[] {
  const { left, right, place } = i;
  const [quotient, product]: [Value, Value] = [f.value(left.type), f.value(left.type)];
  const operation = i.operation === "urem" ? "udiv" : "sdiv";
  return [
    { kind: "binary", operation, left, right, results: [quotient], place },
    { kind: "binary", operation: "mul", left: quotient, right, results: [product], place },
    { kind: "binary", operation: "sub", left, right: product, results: i.results, place },
  ];
}
