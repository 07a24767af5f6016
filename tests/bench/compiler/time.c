/* Times each algorithm as kernel TypeScript and as C by gcc -O0, -O1, -O2: a line a round, nanoseconds of each. */
#include <stdio.h>
#include <time.h>
#include "algorithms.h"

#define DECLARE(name) u64 kernel_##name(void), O0_##name(void), O1_##name(void), O2_##name(void);
#define ENTRY(name) {#name, {kernel_##name, O0_##name, O1_##name, O2_##name}},
ALGORITHMS(DECLARE)
#define VERSIONS 4
static const struct { const char *name; u64 (*versions[VERSIONS])(void); } algorithms[] = {ALGORITHMS(ENTRY)};

static u64 result;
static u64 nanoseconds(u64 (*run)(void)) {
  struct timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  result = run();
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  return (after.tv_sec - before.tv_sec) * 1000000000ull + after.tv_nsec - before.tv_nsec;
}

int main(void) {
  for (int round = 0; round < 15; round++) {
    for (unsigned i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
      u64 expected = 0;
      printf("%s", algorithms[i].name);
      for (unsigned version = 0; version < VERSIONS; version++) {
        printf(" %lu", nanoseconds(algorithms[i].versions[version]));
        if (version == 0) expected = result;
        else if (result != expected) {
          fprintf(stderr, "%s: kernel TypeScript gives %lu, C %lu\n", algorithms[i].name, expected, result);
          return 1;
        }
      }
      printf("\n");
    }
  }
  return 0;
}
