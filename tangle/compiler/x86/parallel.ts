/** Several moves that happen at once, as a sequence of moves one after another. */
import type { Width } from "./machine.ts";
import type { Register } from "./registers.ts";

export interface Move {
  readonly to: Register;
  readonly from: Register;
  readonly width: Width;
}

/**
 * Emits moves, with an intermediate register where they form a cycle, such that each `to` ends with what its `from`
 * held at the start. No register may be the target of two moves.
 */
export function parallelMove(moves: readonly Move[], temporary: () => Register, emit: (move: Move) => void): void {
  let rest = moves.filter((move) => move.to !== move.from);
  while (rest.length > 0) {
    const free = rest.find((move) => !rest.some((other) => other.from === move.to));
    if (free !== undefined) {
      emit(free);
      rest = rest.filter((move) => move !== free);
      continue;
    }
    // Only cycles are left. Save one target's old value; whoever reads it reads the copy.
    const victim = rest[0]!.to;
    const saved = temporary();
    emit({ to: saved, from: victim, width: 64 });
    rest = rest.map((move) => (move.from === victim ? { ...move, from: saved } : move));
  }
}
