/** Time in QEMU, where a guest's interrupts are compared. */

/**
 * QEMU counts the guest's time in instructions, 8 ns each, and skips what the guest sleeps. By the host's clock its timer, a
 * thread of its own, comes too late where the host is busy.
 */
export const BY_INSTRUCTIONS: readonly string[] = ["-icount", "shift=3,sleep=off", "-rtc", "clock=vm"];
