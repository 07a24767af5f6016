/** Instructions that read, change and write memory in one step, and those that order memory accesses. */
import type { Row } from "../notation.ts";

export const ATOMICS: readonly Row[] = [
  ["nop", "", "90"], // before xchg: not an exchange of eax with itself, which would clear the upper half of rax
  ["xchg", "a,r", "90+r"],
  ["xchg", "r,a", "90+r"],
  ["xchg", "r/m,r", "86+w /r", "lock"],
  ["xadd", "r/m,r", "0f c0+w /r", "lock"],
  ["cmpxchg", "r/m,r", "0f b0+w /r", "lock"],
  ["cmpxchg8b", "m64", "0f c7 /1", "lock w16/32"],
  ["cmpxchg16b", "m128", "0f c7 /1", "lock w64"],
  ["bswap", "r", "0f c8+r"],

  ["lfence", "", "0f ae e8", "np"],
  ["mfence", "", "0f ae f0", "np"],
  ["sfence", "", "0f ae f8", "np"],
  ["clflush", "m8", "0f ae /7", "np =8"],
  ["prefetchnta", "m8", "0f 18 /0", "=8"],
  ["prefetcht0", "m8", "0f 18 /1", "=8"],
  ["prefetcht1", "m8", "0f 18 /2", "=8"],
  ["prefetcht2", "m8", "0f 18 /3", "=8"],
];
