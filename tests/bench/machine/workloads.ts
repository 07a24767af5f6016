/** The guest workloads: sizes under which QEMU (TCG) needs one to three seconds each, and their instruction counts. */

/** 64-bit long mode, or the same program in 32-bit protected mode. */
export type GuestMode = 64 | 32;

export interface Workload {
  readonly what: string;
  /** Iterations or passes at full size. */
  readonly size: number;
  /** Instructions of the workload by analysis of its source; a word moved by `rep movs` counts as one. */
  instructions(size: number, mode: GuestMode): number;
}

const perRound = (count: number) => (size: number) => count * size;

function fibonacci(n: number): number {
  let [a, b] = [0, 1];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}

/** One round of the sieve: clearing, marking the multiples of each prime below 2,048, counting. */
function sieveRound(mode: GuestMode): number {
  const bytes = 0x400000;
  const isMarked = new Uint8Array(bytes);
  let count = (4 * bytes) / (mode / 8) + 5 * (bytes - 2) + 10;
  for (let prime = 2; prime < 2048; prime++) {
    count += 5;
    if (isMarked[prime]) continue;
    count += 2;
    for (let multiple = prime * prime; multiple < bytes; multiple += prime) {
      isMarked[multiple] = 1;
      count += 4;
    }
  }
  return count;
}

/** Those of bench.asm, to which the targets apply. */
export const EIGHT = {
  alu: { what: "xorshift and multiply, registers only", size: 800_000_000, instructions: perRound(14) },
  sieve: { what: "sieve of Eratosthenes, 4 MiB", size: 40, instructions: (n, mode) => n * sieveRound(mode) },
  mix: { what: "SHA-256-like mix, 64 KiB", size: 20_000, instructions: perRound(32 * 0x4000 + 3) },
  fib: {
    what: "recursion: call, ret, push, pop",
    size: 39,
    instructions: (n) => 13 * (fibonacci(n + 1) - 1) + 3 * fibonacci(n + 1),
  },
  repmovs: { what: "rep movs, 1 MiB blocks", size: 5000, instructions: (n, mode) => n * (0x100000 / (mode / 8) + 6) },
  bytecpy: { what: "byte copy loop, 1 MiB blocks", size: 600, instructions: perRound(5 * 0x100000 + 3) },
  int80: { what: "int 0x80 and iret in ring 0", size: 5_000_000, instructions: perRound(5) },
  ptchurn: { what: "map, invlpg, touch, unmap, invlpg", size: 3_000_000, instructions: perRound(14) },
} as const satisfies Record<string, Workload>;

/** Those of more.asm, whose counts are QEMU's with `-icount`. */
export const MORE = {
  interp: { what: "indirect jumps of a bytecode interpreter", size: 20_000, instructions: perRound(17_461) },
  patch: { what: "a loop whose constant is written each time", size: 100_000, instructions: perRound(405) },
  codegen: { what: "functions written at run time", size: 30_000, instructions: perRound(1194) },
  cold: { what: "6,000 functions in random order", size: 1000, instructions: perRound(180_000) },
  unlike: { what: "2,000 functions of which no two are alike", size: 3000, instructions: perRound(105_730) },
  syscall: {
    what: "syscall and sysret (32-bit: sysenter, sysexit)",
    size: 10_000_000,
    instructions: (n, mode) => n * (mode === 64 ? 7 : 9),
  },
  ssescalar: { what: "scalar doubles and a square root", size: 40_000_000, instructions: perRound(10) },
  ssepacked: { what: "packed singles and integers, 16 KiB", size: 30_000, instructions: perRound(12 * 1024 + 3) },
  x87: { what: "doubles on the register stack", size: 10_000_000, instructions: perRound(9) },
  taskswitch: { what: "two address spaces, eight pages touched in each", size: 100_000, instructions: perRound(56) },
  lazyfpu: { what: "CR0.TS set and cleared, then a number moved", size: 10_000_000, instructions: perRound(9) },
  segload: { what: "segment registers read and loaded", size: 3_000_000, instructions: perRound(11) },
  mmx: { what: "two rows of pixels blended, 2 KiB each", size: 100_000, instructions: perRound(12 * 256 + 4) },
  fconv: { what: "between integers, singles and doubles", size: 10_000_000, instructions: perRound(10) },
  sincos: { what: "angles and logarithms on the register stack", size: 200_000, instructions: perRound(14) },
} as const satisfies Record<string, Workload>;

export const WORKLOADS: Readonly<Record<string, Workload>> = { ...EIGHT, ...MORE };

/** Iterations at a part of the full size. The recursion grows by the golden ratio with each step. */
export function scaled(name: string, scale: number): number {
  const { size } = WORKLOADS[name]!;
  if (name === "fib") return Math.max(5, Math.round(size + Math.log(scale) / Math.log(1.618)));
  return Math.max(1, Math.round(size * scale));
}
