/** Sets of bit patterns as sorted, disjoint intervals of unsigned numbers. */
import type { Predicate } from "./ir.ts";

export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

export type IntervalSet = readonly Interval[];

export function everything(bits: number): IntervalSet {
  return [{ low: 0n, high: (1n << BigInt(bits)) - 1n }];
}

export function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function greatest(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** The smallest interval around the set; null for the empty set. */
export function hull(set: IntervalSet): Interval | null {
  return set.length === 0 ? null : { low: set[0]!.low, high: set[set.length - 1]!.high };
}

export function intersect(a: IntervalSet, b: IntervalSet): IntervalSet {
  const result: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const low = greatest(x.low, y.low);
      const high = least(x.high, y.high);
      if (low <= high) result.push({ low, high });
    }
  }
  return result;
}

/** The interval plus a number, modulo 2^bits. */
export function shift({ low, high }: Interval, by: bigint, bits: number): IntervalSet {
  const size = 1n << BigInt(bits);
  const from = BigInt.asUintN(bits, low + by);
  const to = from + (high - low);
  if (to < size) return [{ low: from, high: to }];
  if (high - low + 1n >= size) return everything(bits);
  return [
    { low: 0n, high: to - size },
    { low: from, high: size - 1n },
  ];
}

/** The values x for which `x predicate y` can hold for some y in `other`. */
export function satisfying(predicate: Predicate, other: Interval, bits: number): IntervalSet {
  const top = (1n << BigInt(bits)) - 1n;
  if (predicate === "eq") return [other];
  if (predicate === "ne") {
    if (other.low !== other.high) return everything(bits);
    return nonEmpty([
      { low: 0n, high: other.low - 1n },
      { low: other.low + 1n, high: top },
    ]);
  }
  if (predicate.startsWith("s")) return signedSatisfying(predicate, other, bits);
  switch (predicate) {
    case "ult":
      return nonEmpty([{ low: 0n, high: other.high - 1n }]);
    case "ule":
      return [{ low: 0n, high: other.high }];
    case "ugt":
      return nonEmpty([{ low: other.low + 1n, high: top }]);
    default:
      return [{ low: other.low, high: top }];
  }
}

/** Signed order is unsigned order with the range turned by half. */
function signedSatisfying(predicate: Predicate, other: Interval, bits: number): IntervalSet {
  const half = 1n << BigInt(bits - 1);
  const turned = shift(other, half, bits);
  // An interval across the middle has both ends of the signed order in it: nothing follows.
  if (turned.length !== 1) return everything(bits);
  const unsigned = `u${predicate.slice(1)}` as Predicate;
  const set = satisfying(unsigned, turned[0]!, bits).flatMap((interval) => shift(interval, half, bits));
  return [...set].sort((a, b) => (a.low < b.low ? -1 : 1));
}

function nonEmpty(set: IntervalSet): IntervalSet {
  return set.filter(({ low, high }) => low <= high);
}
