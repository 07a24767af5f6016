/** Powers of two. */

export function isPowerOfTwo(n: bigint): boolean {
  return n > 0n && (n & (n - 1n)) === 0n;
}

/** The exponent of the least power of two that is not below `n`, which is positive. */
export function logarithm(n: bigint): number {
  return n === 1n ? 0 : (n - 1n).toString(2).length;
}
