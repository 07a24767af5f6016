/** Identities on comparisons. With a constant, orders are written as `<` and `>=` only. */
import { BITS, type Instruction, type Predicate, type Value } from "./ir.ts";
import type { Rewriter, Rule } from "./simplify.ts";

type Compare = Extract<Instruction, { kind: "compare" }>;

export const simplifyComparisons: Rule = (i, r) => {
  if (i.kind !== "compare") return null;
  if (i.left === i.right) {
    return r.constant("i1", ["eq", "ule", "uge", "sle", "sge"].includes(i.predicate) ? 1n : 0n);
  }
  return extended(i, r) ?? withConstant(i, r);
};

function withConstant(i: Compare, r: Rewriter): Value | null {
  const { predicate, left, right } = i;
  const c = r.constantOf(right);
  if (c === null) return null;
  const bits = BITS[left.type];
  if (left.type === "i1") return boolean(i, c, r);
  const limits = limitsOf(predicate, bits);
  const againstNext = (p: Predicate): Value => r.compare(p, left, r.constant(left.type, BigInt.asUintN(bits, c + 1n)));
  switch (predicate) {
    case "ule":
    case "sle":
      return c === limits.largest ? r.constant("i1", 1n) : againstNext(predicate === "ule" ? "ult" : "slt");
    case "ugt":
    case "sgt":
      return c === limits.largest ? r.constant("i1", 0n) : againstNext(predicate === "ugt" ? "uge" : "sge");
    case "ult":
    case "slt":
      if (c === limits.least) return r.constant("i1", 0n);
      if (c === BigInt.asUintN(bits, limits.least + 1n))
        return r.compare("eq", left, r.constant(left.type, limits.least));
      return null;
    case "uge":
    case "sge":
      if (c === limits.least) return r.constant("i1", 1n);
      if (c === BigInt.asUintN(bits, limits.least + 1n))
        return r.compare("ne", left, r.constant(left.type, limits.least));
      return null;
    default:
      return equality(i, c, r);
  }
}

/** The bit patterns of the least and the largest value in the order of a predicate. */
function limitsOf(predicate: Predicate, bits: number): { least: bigint; largest: bigint } {
  const top = 1n << BigInt(bits - 1);
  return predicate.startsWith("s") ? { least: top, largest: top - 1n } : { least: 0n, largest: 2n * top - 1n };
}

function boolean(i: Compare, c: bigint, r: Rewriter): Value | null {
  if (i.predicate !== "eq" && i.predicate !== "ne") return null;
  return (i.predicate === "eq") === (c === 1n) ? i.left : r.unary("complement", i.left);
}

function equality(i: Compare, c: bigint, r: Rewriter): Value | null {
  const left = r.definition(i.left);
  const bits = BITS[i.left.type];
  if (left?.kind === "binary") {
    const inner = r.constantOf(left.right);
    if (left.operation === "sub" && c === 0n) return r.compare(i.predicate, left.left, left.right);
    if (left.operation === "add" && inner !== null) {
      return r.compare(i.predicate, left.left, r.constant(i.left.type, BigInt.asUintN(bits, c - inner)));
    }
    if (left.operation === "xor" && inner !== null) {
      return r.compare(i.predicate, left.left, r.constant(i.left.type, c ^ inner));
    }
    if (left.operation === "xor" && c === 0n) return r.compare(i.predicate, left.left, left.right);
  }
  if (left?.kind === "select") {
    const then = r.constantOf(left.then);
    const otherwise = r.constantOf(left.otherwise);
    if (then === null || otherwise === null) return null;
    const whenThen = (then === c) === (i.predicate === "eq");
    const whenOtherwise = (otherwise === c) === (i.predicate === "eq");
    if (whenThen === whenOtherwise) return r.constant("i1", whenThen ? 1n : 0n);
    return whenThen ? left.condition : r.unary("complement", left.condition);
  }
  if (left?.kind === "negate") {
    return r.compare(i.predicate, left.operand, r.constant(i.left.type, BigInt.asUintN(bits, -c)));
  }
  return null;
}

/** Comparisons of extended values are made in the narrow type, or decided by what that type can hold. */
function extended(i: Compare, r: Rewriter): Value | null {
  const left = r.definition(i.left);
  if (left?.kind !== "zeroExtend" && left?.kind !== "signExtend") return null;
  const narrow = left.operand;
  const isZero = left.kind === "zeroExtend";
  const right = r.definition(i.right);
  // Both extended alike keep their order; zero-extended ones are in unsigned order.
  const predicate = isZero ? unsignedPredicate(i.predicate) : i.predicate;
  if (right?.kind === left.kind && right.operand.type === narrow.type)
    return r.compare(predicate, narrow, right.operand);
  const c = r.constantOf(i.right);
  if (c === null) return null;
  const bits = BITS[narrow.type];
  const wide = BITS[i.left.type];
  if (!isZero) {
    const fits = BigInt.asUintN(wide, BigInt.asIntN(bits, c)) === c;
    return fits ? r.compare(predicate, narrow, r.constant(narrow.type, BigInt.asUintN(bits, c))) : null;
  }
  if (c < 1n << BigInt(bits)) return r.compare(predicate, narrow, r.constant(narrow.type, c));
  // The constant lies outside what the narrow type can hold: above it, or below zero in signed order.
  const above = !(i.predicate.startsWith("s") && BigInt.asIntN(wide, c) < 0n);
  const answer =
    predicate === "eq" ? false : predicate === "ne" ? true : predicate.slice(1, 2) === "l" ? above : !above;
  return r.constant("i1", answer ? 1n : 0n);
}

function unsignedPredicate(predicate: Predicate): Predicate {
  return predicate.startsWith("s") ? (`u${predicate.slice(1)}` as Predicate) : predicate;
}
