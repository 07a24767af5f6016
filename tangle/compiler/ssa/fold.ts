/** Constant folding: what the instruction would compute, computed now. */
import { BITS, type BinaryOperation } from "./ir.ts";
import { holds } from "./predicates.ts";
import type { Rule } from "./simplify.ts";

export const foldConstants: Rule = (i, r) => {
  const type = i.results[0]!.type;
  switch (i.kind) {
    case "binary": {
      const left = r.constantOf(i.left);
      const right = r.constantOf(i.right);
      if (left === null || right === null) return null;
      const value = evaluate(i.operation, BITS[type], left, right);
      return value === null ? null : r.constant(type, BigInt.asUintN(BITS[type], value));
    }
    case "compare": {
      const left = r.constantOf(i.left);
      const right = r.constantOf(i.right);
      if (left === null || right === null) return null;
      return r.constant("i1", holds(i.predicate, BITS[i.left.type], left, right) ? 1n : 0n);
    }
    case "negate":
    case "complement":
    case "zeroExtend":
    case "truncate":
    case "signExtend": {
      const operand = r.constantOf(i.operand);
      if (operand === null) return null;
      return r.constant(type, BigInt.asUintN(BITS[type], unary(i.kind, BITS[i.operand.type], operand)));
    }
    case "select": {
      const condition = r.constantOf(i.condition);
      if (condition === null) return null;
      return condition !== 0n ? i.then : i.otherwise;
    }
    default:
      return null;
  }
};

function unary(kind: string, bits: number, operand: bigint): bigint {
  if (kind === "negate") return -operand;
  if (kind === "complement") return ~operand;
  return kind === "signExtend" ? BigInt.asIntN(bits, operand) : operand;
}

/** The result before it is cut to its width; null for a division that is never reached. */
function evaluate(operation: BinaryOperation, bits: number, left: bigint, right: bigint): bigint | null {
  const signedLeft = BigInt.asIntN(bits, left);
  const signedRight = BigInt.asIntN(bits, right);
  const count = right % BigInt(bits);
  switch (operation) {
    case "add":
      return left + right;
    case "sub":
      return left - right;
    case "mul":
      return left * right;
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "shl":
      return left << count;
    case "shr":
      return left >> count;
    case "sar":
      return signedLeft >> count;
    case "umulh":
      return (left * right) >> 64n;
    case "smulh":
      return (signedLeft * signedRight) >> 64n;
    case "udiv":
      return right === 0n ? null : left / right;
    case "urem":
      return right === 0n ? null : left % right;
    case "sdiv":
      return right === 0n ? null : signedLeft / signedRight;
    case "srem":
      return right === 0n ? null : signedLeft % signedRight;
  }
}
