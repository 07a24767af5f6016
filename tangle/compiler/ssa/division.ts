/**
 * Division by a constant as multiplication by its reciprocal, after Granlund and Montgomery, "Division by Invariant
 * Integers using Multiplication" (1994): x / d is the upper part of x × m, where m is 2^s / d rounded up.
 */
import { BITS, type Value, type ValueType } from "./ir.ts";
import { isPowerOfTwo, logarithm } from "./power.ts";
import type { Rewriter, Rule } from "./simplify.ts";

export const divideByMultiplying: Rule = (i, r) => {
  if (i.kind !== "binary") return null;
  const bits = BITS[i.left.type];
  const c = r.constantOf(i.right);
  if (c === null || c === 0n || bits === 1) return null;
  switch (i.operation) {
    case "udiv":
      return unsignedQuotient(i.left, c, r);
    case "sdiv":
      return signedQuotient(i.left, BigInt.asIntN(bits, c), r);
    case "urem":
      return remainder(i.left, unsignedQuotient(i.left, c, r), i.right, r);
    case "srem":
      return remainder(i.left, signedQuotient(i.left, BigInt.asIntN(bits, c), r), i.right, r);
    default:
      return null;
  }
};

function remainder(x: Value, quotient: Value, divisor: Value, r: Rewriter): Value {
  return r.binary("sub", x, r.binary("mul", quotient, divisor));
}

/** Arithmetic with constants in one type. */
function arithmetic(type: ValueType, r: Rewriter) {
  const constant = (value: bigint): Value => r.constant(type, BigInt.asUintN(BITS[type], value));
  return {
    mul: (x: Value, factor: bigint): Value => r.binary("mul", x, constant(factor)),
    shr: (x: Value, count: number): Value => (count === 0 ? x : r.binary("shr", x, constant(BigInt(count)))),
    sar: (x: Value, count: number): Value => (count === 0 ? x : r.binary("sar", x, constant(BigInt(count)))),
    constant,
  };
}

/** The least m with m × d ≥ 2^s. */
function reciprocal(s: number, d: bigint): bigint {
  return ((1n << BigInt(s)) + d - 1n) / d;
}

function unsignedQuotient(x: Value, d: bigint, r: Rewriter): Value {
  const bits = BITS[x.type];
  if (isPowerOfTwo(d)) return arithmetic(x.type, r).shr(x, logarithm(d));
  if (bits === 64) return unsignedQuotient64(x, d, r);
  // Twice the width gives room for the exact product with a reciprocal of the same width, rounded up.
  const type: ValueType = bits === 8 ? "i32" : "i64";
  const wide = r.convert("zeroExtend", x, type);
  const { mul, shr, constant } = arithmetic(type, r);
  if (bits < 32) return r.convert("truncate", shr(mul(wide, reciprocal(2 * bits, d)), 2 * bits), x.type);
  const s = 32 + logarithm(d);
  const m = reciprocal(s, d);
  const quotient = m < 1n << 32n ? shr(mul(wide, m), s) : r.binary("umulh", wide, constant(reciprocal(64, d)));
  return r.convert("truncate", quotient, x.type);
}

function unsignedQuotient64(x: Value, d: bigint, r: Rewriter): Value {
  const { shr, constant } = arithmetic("i64", r);
  // An even divisor: halve both first, so that the reciprocal needs fewer bits.
  let twos = 0;
  while (((d >> BigInt(twos)) & 1n) === 0n) twos++;
  for (const before of twos === 0 ? [0] : [0, twos]) {
    const odd = d >> BigInt(before);
    const l = logarithm(odd);
    // The least shift at which the rounding error stays below what can show in a quotient of 64 - `before` bits.
    for (let s = 0; s <= l; s++) {
      const m = reciprocal(64 + s, odd);
      const error = m * odd - (1n << BigInt(64 + s));
      if (m >= 1n << 64n || error << BigInt(64 - before) > 1n << BigInt(64 + s)) continue;
      return shr(r.binary("umulh", shr(x, before), constant(m)), s);
    }
  }
  // A reciprocal of 65 bits: its top bit is added by hand, without overflow.
  const l = logarithm(d);
  const high = r.binary("umulh", x, constant(reciprocal(64 + l, d) - (1n << 64n)));
  const half = shr(r.binary("sub", x, high), 1);
  return shr(r.binary("add", half, high), l - 1);
}

function signedQuotient(x: Value, d: bigint, r: Rewriter): Value {
  const bits = BITS[x.type];
  const size = d < 0n ? -d : d;
  const quotient = isPowerOfTwo(size) ? shifted(x, logarithm(size), r) : multiplied(x, size, bits, r);
  return d < 0n ? r.unary("negate", quotient) : quotient;
}

/** x / 2^k rounded toward zero: negative values get 2^k - 1 added first. */
function shifted(x: Value, k: number, r: Rewriter): Value {
  const bits = BITS[x.type];
  const { sar, shr } = arithmetic(x.type, r);
  if (k === 0) return x;
  return sar(r.binary("add", x, shr(sar(x, bits - 1), bits - k)), k);
}

function multiplied(x: Value, d: bigint, bits: number, r: Rewriter): Value {
  const l = logarithm(d);
  const s = bits - 1 + l;
  const m = (1n << BigInt(s)) / d + 1n;
  const { mul, sar, constant } = arithmetic("i64", r);
  if (bits < 64) {
    const wide = r.convert("signExtend", x, "i64");
    const floor = sar(mul(wide, m), s);
    return r.convert("truncate", r.binary("sub", floor, sar(wide, 63)), x.type);
  }
  const high = r.binary("smulh", x, constant(m));
  // As a signed number a reciprocal of 64 bits is too small by 2^64.
  const whole = m >= 1n << 63n ? r.binary("add", high, x) : high;
  return r.binary("sub", sar(whole, l - 1), sar(x, 63));
}
