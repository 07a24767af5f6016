/** Laws of comparisons and operations. */
import type { BinaryOperation, Predicate } from "./ir.ts";

export function commutes(operation: BinaryOperation): boolean {
  return ["add", "mul", "and", "or", "xor", "umulh", "smulh"].includes(operation);
}

const SWAPPED: Readonly<Record<Predicate, Predicate>> = {
  eq: "eq",
  ne: "ne",
  ult: "ugt",
  ule: "uge",
  ugt: "ult",
  uge: "ule",
  slt: "sgt",
  sle: "sge",
  sgt: "slt",
  sge: "sle",
};

/** `a p b` is `b swapped(p) a`. */
export function swapped(predicate: Predicate): Predicate {
  return SWAPPED[predicate];
}

const INVERSE: Readonly<Record<Predicate, Predicate>> = {
  eq: "ne",
  ne: "eq",
  ult: "uge",
  ule: "ugt",
  ugt: "ule",
  uge: "ult",
  slt: "sge",
  sle: "sgt",
  sgt: "sle",
  sge: "slt",
};

/** `a p b` is not `a inverse(p) b`. */
export function inverse(predicate: Predicate): Predicate {
  return INVERSE[predicate];
}

/** Whether `a p b` holds, for the bit patterns of two integers of this many bits. */
export function holds(predicate: Predicate, bits: number, a: bigint, b: bigint): boolean {
  const [x, y] = predicate.startsWith("s") ? [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)] : [a, b];
  switch (predicate) {
    case "eq":
      return x === y;
    case "ne":
      return x !== y;
    case "ult":
    case "slt":
      return x < y;
    case "ule":
    case "sle":
      return x <= y;
    case "ugt":
    case "sgt":
      return x > y;
    case "uge":
    case "sge":
      return x >= y;
  }
}

/** For each predicate, which of less, equal and greater it allows, in its own order (eq and ne have none of their own). */
const ALLOWS: Readonly<Record<string, readonly [boolean, boolean, boolean]>> = {
  eq: [false, true, false],
  ne: [true, false, true],
  lt: [true, false, false],
  le: [true, true, false],
  gt: [false, false, true],
  ge: [false, true, true],
};

export interface Implication {
  readonly predicate: Predicate;
  readonly holds: boolean;
}

/** What is known of other predicates on the same operands where this one holds, or does not. */
export function implied(predicate: Predicate, holds: boolean): readonly Implication[] {
  return (holds ? WHERE_TRUE : WHERE_FALSE)[predicate];
}

function implications(predicate: Predicate, holds: boolean): Implication[] {
  const facts: Implication[] = [];
  const possible = allowed(predicate).map((allows) => allows === holds);
  for (const other of Object.keys(INVERSE) as Predicate[]) {
    // Signed and unsigned order say nothing of each other; equality is the same in both.
    if (!isEquality(other) && !isEquality(predicate) && other[0] !== predicate[0]) continue;
    const allows = allowed(other);
    if (possible.every((is, i) => !is || allows[i])) facts.push({ predicate: other, holds: true });
    else if (possible.every((is, i) => !is || !allows[i])) facts.push({ predicate: other, holds: false });
  }
  return facts;
}

function isEquality(predicate: Predicate): boolean {
  return predicate === "eq" || predicate === "ne";
}

function allowed(predicate: Predicate): readonly [boolean, boolean, boolean] {
  return ALLOWS[isEquality(predicate) ? predicate : predicate.slice(1)]!;
}

function table(holds: boolean): Readonly<Record<Predicate, readonly Implication[]>> {
  const rows = (Object.keys(INVERSE) as Predicate[]).map((predicate) => [predicate, implications(predicate, holds)]);
  return Object.fromEntries(rows) as Record<Predicate, Implication[]>;
}

const WHERE_TRUE = table(true);
const WHERE_FALSE = table(false);
