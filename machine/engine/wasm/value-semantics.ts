/** The part of Semantics that only computes: no register, no memory, nothing that could go wrong. */
import type { Width } from "#machine/cpu/semantics.ts";
import { productHigh } from "./division.ts";
import { I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";

export abstract class ValueSemantics {
  constant(value: bigint): Value {
    return x.constant(value);
  }

  // Arithmetic

  add(width: Width, left: Value, right: Value): Value {
    return x.arithmetic("Add", width, left, right);
  }

  subtract(width: Width, left: Value, right: Value): Value {
    return x.arithmetic("Sub", width, left, right);
  }

  multiply(width: Width, left: Value, right: Value): Value {
    return x.arithmetic("Mul", width, left, right);
  }

  multiplyHigh(width: Width, left: Value, right: Value, signed: boolean): Value {
    return productHigh(width, left, right, signed);
  }

  and(left: Value, right: Value): Value {
    return x.logic("And", left, right);
  }

  or(left: Value, right: Value): Value {
    return x.logic("Or", left, right);
  }

  xor(left: Value, right: Value): Value {
    return x.logic("Xor", left, right);
  }

  not(width: Width, value: Value): Value {
    return x.logic("Xor", value, x.constant(x.maskOf(width)));
  }

  shiftLeft(value: Value, count: Value): Value {
    return x.shift("Shl", value, count);
  }

  shiftRight(value: Value, count: Value): Value {
    return x.shift("ShrU", value, count);
  }

  shiftRightSigned(value: Value, count: Value): Value {
    return x.shift("ShrS", value, count);
  }

  truncate(width: Width, value: Value): Value {
    return x.truncate(width, value);
  }

  signExtend(from: Width, to: Width, value: Value): Value {
    return x.signExtend(from, to, value);
  }

  countLeadingZeros(width: Width, value: Value): Value {
    const zeros = x.make(OP.i64Clz, I64, [x.as64(value)], 7);
    return x.arithmetic("Sub", 64, zeros, x.constant(BigInt(64 - width)));
  }

  countTrailingZeros(width: Width, value: Value): Value {
    const stopped = width === 64 ? value : x.logic("Or", x.as64(value), x.constant(1n << BigInt(width)));
    return x.make(OP.i64Ctz, I64, [x.as64(stopped)], 7);
  }

  countOnes(value: Value): Value {
    return x.make(OP.i64Popcnt, I64, [x.as64(value)], 7);
  }

  // Comparison and choice

  isZero(value: Value): Value {
    return x.isZero(value);
  }

  isNonZero(value: Value): Value {
    return x.isNonZero(value);
  }

  equal(left: Value, right: Value): Value {
    return x.compare("Eq", left, right);
  }

  less(left: Value, right: Value): Value {
    return x.compare("LtU", left, right);
  }

  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    return x.select(condition, whenTrue, whenFalse);
  }
}
