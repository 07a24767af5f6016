/*
 * Runs single user-mode instructions on the host's processor.
 *
 * Reads cases from standard input, writes results to standard output, both as the structures below. The instruction
 * stands in a page full of int3, so wherever it leads, the next trap ends the case: the signal handler finds all
 * registers in its context. Built and run by generate.ts only.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { CODE = 0x210000, START = CODE + 0x800, CODE_SIZE = 0x1000 };
enum { DATA = 0x200000, WINDOW = DATA + 0x400, WINDOW_SIZE = 640, DATA_SIZE = 0x1000 };
enum { STATUS_AND_DIRECTION = 0xcd5 };
/* What fxsave stores and the kernel lets a signal handler change; behind its 512 bytes the header of xsave, whose first
   word tells which parts are not in their initial state. */
enum { MEDIA_SIZE = 416, XSAVE_HEADER = 512, X87_AND_SSE = 3 };
/* Linux's selectors for user programs. */
enum { CODE_32 = 0x23, CODE_64 = 0x33, DATA_SELECTOR = 0x2b };

struct request {
  uint64_t mode; /* 32 or 64 */
  uint8_t code[16];
  uint64_t registers[16];
  uint64_t flags;
  uint8_t memory[WINDOW_SIZE];
  uint8_t media[MEDIA_SIZE];
};

struct result {
  uint64_t registers[16];
  uint64_t rip;
  uint64_t flags;
  uint64_t trap;
  uint8_t memory[WINDOW_SIZE];
  uint8_t media[MEDIA_SIZE];
};

/* The hardware numbers 0 to 15 as places in the signal context. */
static const int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct request request;
static struct result result;
static ucontext_t resume;
static uint8_t calm[MEDIA_SIZE];
static volatile int running;

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  uint8_t *media = (uint8_t *)((ucontext_t *)context)->uc_mcontext.fpregs;
  if (!running) {
    resume = *(ucontext_t *)context;
    for (int i = 0; i < 16; i++) registers[places[i]] = request.registers[i];
    registers[REG_RIP] = START;
    registers[REG_CSGSFS] = (registers[REG_CSGSFS] & ~0xffffLL) | (request.mode == 32 ? CODE_32 : CODE_64);
    registers[REG_EFL] = (registers[REG_EFL] & ~STATUS_AND_DIRECTION) | request.flags;
    memcpy(calm, media, MEDIA_SIZE);
    memcpy(media, request.media, MEDIA_SIZE);
    *(uint64_t *)(media + XSAVE_HEADER) |= X87_AND_SSE;
    running = 1;
    return;
  }
  for (int i = 0; i < 16; i++) result.registers[i] = registers[places[i]];
  result.rip = registers[REG_RIP];
  result.flags = registers[REG_EFL];
  result.trap = registers[REG_TRAPNO];
  memcpy(result.media, media, MEDIA_SIZE);
  memcpy(media, calm, MEDIA_SIZE);
  *(uint64_t *)(media + XSAVE_HEADER) |= X87_AND_SSE;
  memcpy(registers, resume.uc_mcontext.gregs, sizeof resume.uc_mcontext.gregs);
  running = 0;
}

static void *map(uintptr_t address, size_t size, int protection) {
  void *place = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (place == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return place;
}

int main(void) {
  uint8_t *code = map(CODE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
  uint8_t *data = map(DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  static uint8_t alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  /* 64-bit programs have null selectors here; 32-bit code needs real ones. */
  __asm__ volatile("mov %0, %%ds\n mov %0, %%es" ::"r"(DATA_SELECTOR));
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    memset(code, 0xcc, CODE_SIZE);
    memcpy((void *)START, request.code, sizeof request.code);
    memset(data, 0, DATA_SIZE);
    memcpy((void *)WINDOW, request.memory, WINDOW_SIZE);
    /* A popf of the last case may have set ID, which a return from a signal handler does not restore. */
    __asm__ volatile("pushfq\n btrq $21, (%%rsp)\n popfq\n int3" ::: "memory", "cc");
    memcpy(result.memory, (void *)WINDOW, WINDOW_SIZE);
    fwrite(&result, sizeof result, 1, stdout);
  }
  return 0;
}
