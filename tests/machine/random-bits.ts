/** Random words for tests that look at bits. */

/** Numbers that repeat with the seed (xorshift): 32 bits, 64 bits, or one of a list. */
export function randomBits(seed: number) {
  let x = seed;
  const half = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  const pick = <T>(list: readonly T[]): T => list[half() % list.length]!;
  const word = () => (BigInt(half()) << 32n) | BigInt(half());
  return { half, pick, word };
}

export type Random = ReturnType<typeof randomBits>;
