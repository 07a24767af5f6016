/** 64-bit words as bigint: cutting, signs, counting, division. A word of width w is a number from 0 to 2^w - 1. */
import { Fault, VECTOR } from "#machine/cpu/fault.ts";
import type { Width } from "#machine/cpu/semantics.ts";

/** The low bits of a value. Constant widths let the just-in-time compiler use machine integers. */
export function cut(width: Width, value: bigint): bigint {
  switch (width) {
    case 64:
      return BigInt.asUintN(64, value);
    case 32:
      return BigInt.asUintN(32, value);
    case 16:
      return BigInt.asUintN(16, value);
    default:
      return BigInt.asUintN(8, value);
  }
}

export function signed(width: Width, value: bigint): bigint {
  switch (width) {
    case 64:
      return BigInt.asIntN(64, value);
    case 32:
      return BigInt.asIntN(32, value);
    case 16:
      return BigInt.asIntN(16, value);
    default:
      return BigInt.asIntN(8, value);
  }
}

/** Quotient and remainder of a double-width dividend. Throws a divide error where the quotient has no room. */
export function divide(width: Width, high: bigint, low: bigint, divisor: bigint, isSigned: boolean) {
  const whole = (high << BigInt(width)) | low;
  const dividend = isSigned ? BigInt.asIntN(width * 2, whole) : whole;
  const by = isSigned ? signed(width, divisor) : divisor;
  if (by === 0n) throw new Fault(VECTOR.DE, null, "division by zero");
  const quotient = dividend / by;
  const fits = (isSigned ? signed(width, quotient) : cut(width, quotient)) === quotient;
  if (!fits) throw new Fault(VECTOR.DE, null, "the quotient does not fit");
  return { quotient: cut(width, quotient), remainder: cut(width, dividend % by) };
}

export function leadingZeros(width: Width, value: bigint): bigint {
  const high = Math.clz32(Number(value >> 32n));
  const all = high === 32 ? 32 + Math.clz32(Number(value & 0xffffffffn)) : high;
  return BigInt(all - (64 - width));
}

export function trailingZeros(width: Width, value: bigint): bigint {
  return value === 0n ? BigInt(width) : 63n - leadingZeros(64, value & -value);
}

export function ones(value: bigint): bigint {
  let count = 0n;
  for (let rest = value; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}
