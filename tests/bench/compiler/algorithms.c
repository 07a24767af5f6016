/* The algorithms of algorithms.kernel in C. PREFIX, given to the compiler, begins the names: the file is compiled once a level. */
#include "algorithms.h"

#define JOIN_NAMES(a, b) a##b
#define JOIN(a, b) JOIN_NAMES(a, b)
#define ALGORITHM(name) NO_INLINE u64 JOIN(PREFIX, name)(void)

static u8 flags[200000];
static u32 words[16384];
static u8 bytes[65536];
static u32 table[256];
static u64 left[4096], right[4096], product[4096];
static struct node { u64 value; u32 below, above; } nodes[8192];
static u8 copied[65536];
static u8 line[128];
static u64 tables[64 * 512];
static u64 arena[8192];

ALGORITHM(alu) {
  u64 x = 0x9e3779b97f4a7c15;
  for (u64 i = 0; i < 1000000; i++) {
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x = x * 0x2545f4914f6cdd1d + i;
  }
  return x;
}

ALGORITHM(sieve) {
  u64 count = 0;
  for (u64 i = 0; i < 200000; i++) flags[i] = 1;
  for (u64 i = 2; i < 200000; i++) {
    if (flags[i] == 0) continue;
    count++;
    for (u64 k = i + i; k < 200000; k += i) flags[k] = 0;
  }
  return count;
}

ALGORITHM(mix) {
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
ALGORITHM(fib) { return fibonacci(27); }

ALGORITHM(bytecpy) {
  for (u64 round = 0; round < 20; round++) {
    for (u64 i = 0; i < 65535; i++) bytes[i] = bytes[i + 1] + 1;
  }
  return bytes[1000];
}

ALGORITHM(sort) {
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

ALGORITHM(crc) {
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

ALGORITHM(matrix) {
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

ALGORITHM(digits) {
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

ALGORITHM(tree) {
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

NO_INLINE static void copy_bytes(u8 *to, const u8 *from, u64 count) {
  for (u64 i = 0; i < count; i++) to[i] = from[i];
}

ALGORITHM(copies) {
  for (u64 i = 0; i < 65536; i++) bytes[i] = (u8)(i * 5 + (i >> 8));
  u64 sum = 0;
  for (u64 round = 0; round < 2000; round++) {
    u64 at = round * 31 & 4095;
    u64 count = (round * 1031 & 4095) + 16;
    copy_bytes(copied + at, bytes + (round & 7), count);
    sum = sum * 31 + copied[at + count / 2];
  }
  return sum;
}

static u64 put_number(u64 at, u64 value, u64 base, u64 width, u8 fill) {
  u8 characters[64];
  u64 start = 64;
  do {
    start--;
    characters[start] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  for (u64 i = 64 - start; i < width; i++) line[at++] = fill;
  for (u64 i = start; i < 64; i++) line[at++] = characters[i];
  return at;
}

static u64 put_text(u64 at, const char *text, u64 length) {
  for (u64 i = 0; i < length; i++) line[at++] = (u8)text[i];
  return at;
}

ALGORITHM(format) {
  u64 sum = 0;
  for (u64 n = 0; n < 5000; n++) {
    u64 at = put_text(0, "frame ", 6);
    at = put_number(at, n, 10, 6, ' ');
    at = put_text(at, " at 0x", 6);
    at = put_number(at, n * 0x9e3779b97f4a7c15, 16, 16, '0');
    for (u64 i = 0; i < at; i++) sum = sum * 31 + line[i];
  }
  return sum;
}

/* Four levels; an entry holds the number of the next table, or of the frame, from bit 12 on. Bit 0: present, bit 7: a large page. */
NO_INLINE static u64 translate(u64 address) {
  u64 table = 0;
  for (u64 shift = 39;; shift -= 9) {
    u64 entry = tables[table * 512 + (address >> shift & 511)];
    if ((entry & 1) == 0) return ~0ull;
    if (shift == 12 || (entry & 0x80) != 0) return (entry & ~0xfffull) + (address & ((1ull << shift) - 1));
    table = entry >> 12;
  }
}

ALGORITHM(walk) {
  for (u64 i = 0; i < 512; i++) tables[i] = 1 << 12 | 1;
  for (u64 i = 512; i < 1024; i++) tables[i] = (2 + (i & 7)) << 12 | 1;
  for (u64 i = 1024; i < 10 * 512; i++) tables[i] = (i & 15) == 3 ? (i << 21 | 0x81) : ((10 + i % 54) << 12 | (i % 13 != 0));
  for (u64 i = 10 * 512; i < 64 * 512; i++) tables[i] = i << 12 | (i % 7 != 0);
  u64 seed = 88172645463325252u, sum = 0;
  for (u64 i = 0; i < 100000; i++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    sum = sum * 31 + translate(seed);
  }
  return sum;
}

/* A list of free regions in the order of their addresses; first fit, neighbours merge. Sizes are in bytes. */
struct region { u64 size; struct region *next; };
static struct region *regions;

NO_INLINE static u64 allocate(u64 size) {
  struct region *before = 0;
  for (struct region *at = regions; at != 0; before = at, at = at->next) {
    if (at->size < size) continue;
    struct region *rest = at->next;
    if (at->size >= size + 16) {
      rest = (struct region *)((u64)at + size);
      rest->size = at->size - size;
      rest->next = at->next;
    }
    if (before == 0) regions = rest;
    else before->next = rest;
    return (u64)at;
  }
  return 0;
}

NO_INLINE static void release(u64 address, u64 size) {
  struct region *before = 0, *after = regions;
  while (after != 0 && (u64)after < address) {
    before = after;
    after = after->next;
  }
  struct region *freed = (struct region *)address;
  freed->size = size;
  freed->next = after;
  if (after != 0 && address + size == (u64)after) {
    freed->size += after->size;
    freed->next = after->next;
  }
  if (before == 0) regions = freed;
  else if ((u64)before + before->size == address) {
    before->size += freed->size;
    before->next = freed->next;
  } else before->next = freed;
}

ALGORITHM(list) {
  static u64 held[64], sizes[64];
  regions = (struct region *)arena;
  regions->size = sizeof arena;
  regions->next = 0;
  u64 seed = 88172645463325252u, sum = 0;
  for (u64 i = 0; i < 64; i++) held[i] = 0;
  for (u64 i = 0; i < 20000; i++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    u64 slot = seed & 63;
    if (held[slot] != 0) release(held[slot], sizes[slot]);
    sizes[slot] = ((seed >> 8 & 127) + 1) * 16;
    held[slot] = allocate(sizes[slot]);
    if (held[slot] != 0) sum = sum * 31 + held[slot] - (u64)arena;
  }
  return sum;
}

static const u32 constants[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static u32 digest[8], schedule[64];

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
NO_INLINE static void compress(const u8 *block) {
  for (u64 i = 0; i < 16; i++) {
    schedule[i] = (u32)block[i * 4] << 24 | (u32)block[i * 4 + 1] << 16 | (u32)block[i * 4 + 2] << 8 | block[i * 4 + 3];
  }
  for (u64 i = 16; i < 64; i++) {
    u32 x = schedule[i - 15], y = schedule[i - 2];
    u32 low = ROTATE(x, 7) ^ ROTATE(x, 18) ^ (x >> 3);
    u32 high = ROTATE(y, 17) ^ ROTATE(y, 19) ^ (y >> 10);
    schedule[i] = schedule[i - 16] + low + schedule[i - 7] + high;
  }
  u32 a = digest[0], b = digest[1], c = digest[2], d = digest[3];
  u32 e = digest[4], f = digest[5], g = digest[6], h = digest[7];
  for (u64 i = 0; i < 64; i++) {
    u32 sum = ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25);
    u32 first = h + sum + ((e & f) ^ (~e & g)) + constants[i] + schedule[i];
    u32 second = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  digest[0] += a;
  digest[1] += b;
  digest[2] += c;
  digest[3] += d;
  digest[4] += e;
  digest[5] += f;
  digest[6] += g;
  digest[7] += h;
}

ALGORITHM(sha256) {
  static const u32 initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (u64 i = 0; i < 65536; i++) bytes[i] = (u8)(i * 7 + (i >> 5));
  for (u64 i = 0; i < 8; i++) digest[i] = initial[i];
  for (u64 at = 0; at < 65536; at += 64) compress(bytes + at);
  return (u64)digest[0] << 32 | digest[7];
}
