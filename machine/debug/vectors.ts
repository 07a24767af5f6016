/** What interrupt vectors are for: the processor's exceptions, and the lines of the interrupt controllers. */
import type { ControllerState } from "#machine/platform/interrupt-controller.ts";

/** Mnemonic and name by vector (Intel SDM vol. 3A, table 6-1). */
const EXCEPTIONS: readonly (readonly [mnemonic: string, name: string])[] = [
  ["#DE", "divide error"],
  ["#DB", "debug exception"],
  ["NMI", "non-maskable interrupt"],
  ["#BP", "breakpoint"],
  ["#OF", "overflow"],
  ["#BR", "bound range exceeded"],
  ["#UD", "invalid opcode"],
  ["#NM", "device not available"],
  ["#DF", "double fault"],
  ["", "coprocessor segment overrun"],
  ["#TS", "invalid TSS"],
  ["#NP", "segment not present"],
  ["#SS", "stack fault"],
  ["#GP", "general protection"],
  ["#PF", "page fault"],
  ["", "reserved"],
  ["#MF", "floating-point error"],
  ["#AC", "alignment check"],
  ["#MC", "machine check"],
  ["#XM", "SIMD floating-point error"],
  ["#VE", "virtualization exception"],
  ["#CP", "control protection"],
];

/** Vectors below this belong to the processor (Intel SDM vol. 3A, section 6.3.1). */
const FIRST_FREE_VECTOR = 32;

const LINES_OF_A_CONTROLLER = 8;

/** What a PC has on the sixteen request lines of its controllers. */
const DEVICES = [
  "timer",
  "keyboard",
  "the other controller",
  "COM2",
  "COM1",
  "LPT2",
  "diskette",
  "LPT1",
  "clock",
  "free",
  "free",
  "free",
  "mouse",
  "coprocessor",
  "first disk",
  "second disk",
] as const;

/** The device on request line 0 to 15: "timer". */
export function deviceOfLine(line: number): string {
  return DEVICES[line] ?? "unknown";
}

/**
 * A vector in words: "#PF page fault", "IRQ 0 timer", "vector 0x80". The lines of the controllers are found by the
 * vectors that the guest has given them; those which still collide with exceptions are named as exceptions.
 */
export function nameVector(vector: number, controllers: readonly ControllerState[]): string {
  const exception = EXCEPTIONS[vector];
  if (exception !== undefined) return exception.filter((word) => word !== "").join(" ");
  if (vector < FIRST_FREE_VECTOR) return "reserved";
  for (const [index, { base }] of controllers.entries()) {
    if (vector < base || vector >= base + LINES_OF_A_CONTROLLER) continue;
    const line = index * LINES_OF_A_CONTROLLER + vector - base;
    return `IRQ ${line} ${deviceOfLine(line)}`;
  }
  return `vector 0x${vector.toString(16)}`;
}
