/** Algebraic identities on arithmetic and conversions. Constants stand on the right of commutative operations. */
import { BITS, type Instruction, type Value } from "./ir.ts";
import { isPowerOfTwo, logarithm } from "./power.ts";
import { inverse } from "./predicates.ts";
import { LARGEST_OFFSET, type Rewriter, type Rule } from "./simplify.ts";

type Kind<K extends Instruction["kind"]> = Extract<Instruction, { kind: K }>;

export const simplifyArithmetic: Rule = (i, r) => {
  switch (i.kind) {
    case "binary":
      return identity(i, r) ?? regroup(i, r);
    case "negate": {
      const operand = r.definition(i.operand);
      if (operand?.kind === "negate") return operand.operand;
      if (operand?.kind === "binary" && operand.operation === "sub")
        return r.binary("sub", operand.right, operand.left);
      return null;
    }
    case "complement": {
      const operand = r.definition(i.operand);
      if (operand?.kind === "complement") return operand.operand;
      if (operand?.kind === "compare") return r.compare(inverse(operand.predicate), operand.left, operand.right);
      return null;
    }
    case "zeroExtend":
    case "signExtend":
    case "truncate":
      return conversion(i, r);
    case "select":
      return select(i, r);
    default:
      return null;
  }
};

/** Results that are an operand or a constant. */
function identity(i: Kind<"binary">, r: Rewriter): Value | null {
  const { left, right } = i;
  const type = left.type;
  const c = r.constantOf(right);
  const zero = c === 0n;
  const ones = c === (1n << BigInt(BITS[type])) - 1n;
  const same = left === right;
  switch (i.operation) {
    case "add":
      return zero ? left : null;
    case "sub":
      if (same) return r.constant(type, 0n);
      if (c !== null) return zero ? left : r.binary("add", left, r.constant(type, BigInt.asUintN(BITS[type], -c)));
      return r.constantOf(left) === 0n ? r.unary("negate", right) : null;
    case "mul":
      if (zero) return right;
      if (ones && type !== "i1") return r.unary("negate", left);
      if (c !== null && isPowerOfTwo(c)) return c === 1n ? left : r.binary("shl", left, exponent(left, c, r));
      return null;
    case "and":
      if (zero) return right;
      return ones || same ? left : null;
    case "or":
      if (ones) return right;
      return zero || same ? left : null;
    case "xor":
      if (same) return r.constant(type, 0n);
      if (ones) return r.unary("complement", left);
      return zero ? left : null;
    case "shl":
    case "shr":
    case "sar":
      if (c !== null && c % BigInt(BITS[type]) === 0n) return left;
      return r.constantOf(left) === 0n ? left : null;
    case "udiv":
      return c !== null && isPowerOfTwo(c) ? r.binary("shr", left, exponent(left, c, r)) : null;
    case "urem":
      return c !== null && isPowerOfTwo(c) ? r.binary("and", left, r.constant(type, c - 1n)) : null;
    case "sdiv":
      return c === 1n ? left : null;
    case "srem":
      return c === 1n ? r.constant(type, 0n) : null;
    default:
      return null;
  }
}

/** The shift count that stands for a factor. */
function exponent(value: Value, factor: bigint, r: Rewriter): Value {
  return r.constant(value.type, BigInt(logarithm(factor)));
}

/** Brings constants together: (x + 1) + 2, (x << 1) << 2, and x + 1 out of products and sums of addresses. */
function regroup(i: Kind<"binary">, r: Rewriter): Value | null {
  const c = r.constantOf(i.right);
  const left = r.definition(i.left);
  if (i.operation === "add" && c !== null && left?.kind === "symbol") {
    const offset = left.offset + Number(BigInt.asIntN(64, c));
    return offset >= 0 && offset < LARGEST_OFFSET ? r.symbol(left.symbol, offset) : null;
  }
  if (i.operation === "add" && c === null) return sum(i, r);
  if (c === null || left?.kind !== "binary") return null;
  const inner = r.constantOf(left.right);
  if (inner === null) return null;
  const width = BigInt(BITS[i.left.type]);
  const wrap = (value: bigint): Value => r.constant(i.left.type, BigInt.asUintN(Number(width), value));
  if (i.operation === left.operation && ["add", "and", "or", "xor", "mul"].includes(i.operation)) {
    const together = { add: inner + c, and: inner & c, or: inner | c, xor: inner ^ c, mul: inner * c };
    return r.binary(i.operation, left.left, wrap(together[i.operation as keyof typeof together]));
  }
  if (left.operation === "add" && i.operation === "shl") {
    return r.binary("add", r.binary("shl", left.left, i.right), wrap(inner << (c % width)));
  }
  if (left.operation === "add" && i.operation === "mul") {
    return r.binary("add", r.binary("mul", left.left, i.right), wrap(inner * c));
  }
  if (i.operation === left.operation && (i.operation === "shl" || i.operation === "shr")) {
    const count = (inner % width) + (c % width);
    return count >= width ? wrap(0n) : r.binary(i.operation, left.left, wrap(count));
  }
  return null;
}

/** (x + 1) + y is (x + y) + 1, so that the constant can go into an address. */
function sum(i: Kind<"binary">, r: Rewriter): Value | null {
  for (const [first, second] of [
    [i.left, i.right],
    [i.right, i.left],
  ] as const) {
    const part = r.definition(first);
    if (part?.kind === "binary" && part.operation === "add" && r.constantOf(part.right) !== null) {
      return r.binary("add", r.binary("add", part.left, second), part.right);
    }
    if (part?.kind === "negate") return r.binary("sub", second, part.operand);
  }
  return null;
}

function conversion(i: Kind<"zeroExtend" | "signExtend" | "truncate">, r: Rewriter): Value | null {
  const type = i.results[0]!.type;
  const inner = r.definition(i.operand);
  if (!inner) return null;
  if (inner.kind === "zeroExtend" || inner.kind === "signExtend") {
    const { operand } = inner;
    if (i.kind !== "truncate") {
      // The sign bit of a zero-extended value is 0.
      return i.kind === inner.kind || inner.kind === "zeroExtend" ? r.convert(inner.kind, operand, type) : null;
    }
    return r.convert(BITS[type] < BITS[operand.type] ? "truncate" : inner.kind, operand, type);
  }
  if (inner.kind === "truncate") {
    if (i.kind === "truncate") return r.convert("truncate", inner.operand, type);
    if (i.kind === "zeroExtend" && inner.operand.type === type && BITS[i.operand.type] > 1) {
      const mask = (1n << BigInt(BITS[i.operand.type])) - 1n;
      return r.binary("and", inner.operand, r.constant(type, mask));
    }
  }
  return null;
}

function select(i: Kind<"select">, r: Rewriter): Value | null {
  if (i.then === i.otherwise) return i.then;
  const condition = r.definition(i.condition);
  if (condition?.kind === "complement") return r.select(condition.operand, i.otherwise, i.then);
  const then = r.constantOf(i.then);
  const otherwise = r.constantOf(i.otherwise);
  if (i.then.type === "i1") {
    if (otherwise === 0n) return r.binary("and", i.condition, i.then);
    if (then === 1n) return r.binary("or", i.condition, i.otherwise);
  }
  if (then === 1n && otherwise === 0n) return r.convert("zeroExtend", i.condition, i.then.type);
  if (then === 0n && otherwise === 1n) {
    return r.convert("zeroExtend", r.unary("complement", i.condition), i.then.type);
  }
  return null;
}
