/* The names of the algorithms, for the program that times them. */
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
#define NO_INLINE __attribute__((noinline))

#define ALGORITHMS(X) \
  X(alu) X(sieve) X(mix) X(fib) X(bytecpy) X(sort) X(crc) X(matrix) X(digits) X(tree) X(copies) X(format) X(walk) X(list) X(sha256)
