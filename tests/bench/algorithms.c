/* The algorithms of algorithms.kernel in C, and the program that times both: one line a round, nanoseconds of each. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
#define NO_INLINE __attribute__((noinline))

static u8 flags[200000];
static u32 words[16384];
static u8 bytes[65536];
static u32 table[256];
static u64 left[4096], right[4096], product[4096];
static struct node { u64 value; u32 below, above; } nodes[8192];

NO_INLINE u64 alu(void) {
  u64 x = 0x9e3779b97f4a7c15;
  for (u64 i = 0; i < 1000000; i++) {
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x = x * 0x2545f4914f6cdd1d + i;
  }
  return x;
}

NO_INLINE u64 sieve(void) {
  u64 count = 0;
  for (u64 i = 0; i < 200000; i++) flags[i] = 1;
  for (u64 i = 2; i < 200000; i++) {
    if (flags[i] == 0) continue;
    count++;
    for (u64 k = i + i; k < 200000; k += i) flags[k] = 0;
  }
  return count;
}

NO_INLINE u64 mix(void) {
  for (u64 i = 0; i < 16384; i++) words[i] = (u32)i * 2654435761u;
  u32 a = 0x6a09e667, b = 0xbb67ae85, c = 0x3c6ef372, d = 0xa54ff53a;
  for (u32 round = 0; round < 20; round++) {
    for (u64 i = 0; i < 16384; i++) {
      u32 sum = ((a >> 6) | (a << 26)) ^ ((a >> 11) | (a << 21)) ^ ((a >> 25) | (a << 7));
      u32 choice = (a & b) ^ (~a & c);
      u32 t = d + sum + choice + words[i];
      d = c;
      c = b;
      b = a;
      a = t + ((b >> 2) | (b << 30));
    }
  }
  return ((u64)a << 32) ^ ((u64)b << 16) ^ ((u64)c << 8) ^ d;
}

static u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
NO_INLINE u64 fib(void) { return fibonacci(27); }

NO_INLINE u64 bytecpy(void) {
  for (u64 round = 0; round < 20; round++) {
    for (u64 i = 0; i < 65535; i++) bytes[i] = bytes[i + 1] + 1;
  }
  return bytes[1000];
}

NO_INLINE u64 sort(void) {
  u32 seed = 12345;
  for (u64 i = 0; i < 2048; i++) {
    seed = seed * 1103515245 + 12345;
    words[i] = seed >> 8;
  }
  for (u64 i = 1; i < 2048; i++) {
    u32 x = words[i];
    u64 k = i;
    while (k > 0 && words[k - 1] > x) {
      words[k] = words[k - 1];
      k--;
    }
    words[k] = x;
  }
  u64 sum = 0;
  for (u64 i = 0; i < 2048; i++) sum = sum * 31 + words[i];
  return sum;
}

NO_INLINE u64 crc(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (u32 k = 0; k < 8; k++) c = (c & 1) != 0 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  for (u64 i = 0; i < 65536; i++) bytes[i] = (u8)(i * 7 + (i >> 5));
  u32 crc = 0xffffffff;
  for (u32 round = 0; round < 4; round++) {
    for (u64 i = 0; i < 65536; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
  }
  return crc;
}

NO_INLINE u64 matrix(void) {
  for (u64 i = 0; i < 4096; i++) {
    left[i] = i * 3;
    right[i] = i ^ 0x55;
  }
  for (u64 i = 0; i < 64; i++) {
    for (u64 j = 0; j < 64; j++) {
      u64 sum = 0;
      for (u64 k = 0; k < 64; k++) sum += left[i * 64 + k] * right[k * 64 + j];
      product[i * 64 + j] = sum;
    }
  }
  u64 sum = 0;
  for (u64 i = 0; i < 4096; i++) sum = (sum << 1) ^ product[i] ^ (sum >> 63);
  return sum;
}

NO_INLINE u64 digits(void) {
  u64 sum = 0;
  for (u64 n = 0; n < 100000; n++) {
    u64 x = n * 2654435761u;
    while (x > 0) {
      sum += x % 10;
      x = x / 10;
    }
  }
  return sum;
}

NO_INLINE u64 tree(void) {
  u32 count = 1;
  u64 seed = 88172645463325252u;
  nodes[0].value = 1ull << 63;
  nodes[0].below = nodes[0].above = 0;
  for (u32 i = 0; i < 8000; i++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    u32 at = 0;
    for (;;) {
      struct node *node = &nodes[at];
      if (seed == node->value) break;
      u32 next = seed < node->value ? node->below : node->above;
      if (next == 0) {
        nodes[count].value = seed;
        nodes[count].below = nodes[count].above = 0;
        if (seed < node->value) node->below = count;
        else node->above = count;
        count++;
        break;
      }
      at = next;
    }
  }
  return count;
}

#define ALGORITHMS(X) X(alu) X(sieve) X(mix) X(fib) X(bytecpy) X(sort) X(crc) X(matrix) X(digits) X(tree)
#define DECLARE(name) u64 kernel_##name(void);
#define ENTRY(name) {#name, name, kernel_##name},
ALGORITHMS(DECLARE)
static const struct { const char *name; u64 (*c)(void), (*kernel)(void); } algorithms[] = {ALGORITHMS(ENTRY)};

static u64 result;
static u64 nanoseconds(u64 (*run)(void)) {
  struct timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  result = run();
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  return (after.tv_sec - before.tv_sec) * 1000000000ull + after.tv_nsec - before.tv_nsec;
}

int main(void) {
  for (int round = 0; round < 21; round++) {
    for (unsigned i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
      u64 c = nanoseconds(algorithms[i].c), expected = result;
      u64 kernel = nanoseconds(algorithms[i].kernel);
      if (result != expected) {
        fprintf(stderr, "%s: C gives %lu, kernel TypeScript %lu\n", algorithms[i].name, expected, result);
        return 1;
      }
      printf("%s %lu %lu\n", algorithms[i].name, c, kernel);
    }
  }
  return 0;
}
