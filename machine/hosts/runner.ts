/** Runs a machine in slices of wall time, its guest time tied to the wall clock. */
import type { Machine, StopReason } from "#machine/machine.ts";

/** Wall time of a slice in milliseconds: short enough to hear the user between two of them. */
const SLICE = 8;
/** Instructions run between two looks at the wall clock: at first, and as many more as a machine is fast. */
const CHUNK = 20_000;
const LARGEST_CHUNK = 1_000_000;
/** Steps of the evaluator that a chunk may cost, whatever its instructions are: some milliseconds. */
export const EFFORT = 10_000;
/** Milliseconds between two looks at the wall clock, about. */
const LOOK = 1;
/** Nanoseconds of guest time that an instruction may be made to last. */
const QUICKEST = 0.1;
const SLOWEST = 250;
/** In slow motion: instructions run between two looks of the reader, and the milliseconds that a look takes. */
const STRIDE = 1000;
const GLANCE = 40;
/** Within this much time, in nanoseconds, a guest that is late should have caught up. */
const CATCH_UP = 50e6;
/** A guest that is later than this, because its host slept or is too slow, is not made to catch up with the rest. */
const LATEST = 250e6;
const PER_MILLISECOND = 1e6;

export interface Slice {
  /** `budget`: the slice is over. `halted` with a time: the guest sleeps until then. */
  readonly stop: StopReason;
  /** Milliseconds until the next slice is due; null where the machine does not go on by itself. */
  readonly wait: number | null;
}

/**
 * Runs `machine`, made with `clock: "host"`: an instruction lasts as long as this host needs for one, so that a second
 * of the guest is a second on the wall, and a guest that sleeps is not run. With `clock: "free"` it runs as fast as it
 * can, and never sleeps.
 */
export class Runner {
  /** The guest's time was `guest` nanoseconds at `wall` milliseconds. */
  private guest = 0;
  private wall = 0;
  private asleep = false;
  private chunk = CHUNK;

  constructor(
    readonly machine: Machine,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.resume();
  }

  /** From now on guest time follows the wall clock again: after a pause. */
  resume(): void {
    this.guest = this.machine.time;
    this.wall = this.now();
    this.asleep = false;
  }

  /** Runs for a few milliseconds, or until the machine sleeps or stops. */
  slice(): Slice {
    const { machine } = this;
    const began = this.now();
    const first = machine.instructions;
    let looked = began;
    let slept = this.asleep;
    this.asleep = false;
    for (;;) {
      const stop = machine.run(this.chunk, EFFORT);
      if (stop.kind === "halted") {
        slept = this.asleep = true;
        if (stop.wakeAt === undefined) return { stop, wait: null };
        const wait = (stop.wakeAt - this.due()) / PER_MILLISECOND;
        if (wait > 0) return { stop, wait };
        this.forgive(stop.wakeAt);
        this.wake(stop.wakeAt);
      } else if (stop.kind !== "budget") return { stop, wait: null };
      const now = this.now();
      this.adaptChunk(now - looked);
      looked = now;
      const elapsed = now - began;
      if (elapsed < SLICE) continue;
      this.forgive(machine.time);
      if (!slept && !machine.skipsSleep) this.keepPace(elapsed, machine.instructions - first);
      return { stop: { kind: "budget" }, wait: 0 };
    }
  }

  /** Runs a little, and then rests, so that one can watch. A guest that sleeps does so for as long as it ever does. */
  slowSlice(): Slice {
    const { machine } = this;
    const stop = machine.run(STRIDE);
    if (stop.kind === "budget") return { stop, wait: GLANCE };
    if (stop.kind !== "halted" || stop.wakeAt === undefined) return { stop, wait: null };
    const wait = (stop.wakeAt - machine.time) / PER_MILLISECOND;
    machine.passTime(stop.wakeAt);
    return { stop, wait: Math.max(wait, 0) };
  }

  /** After a chunk that took so many milliseconds. Doubling, so that one slow stretch is soon noticed. */
  private adaptChunk(took: number): void {
    if (took > 2 * LOOK) this.chunk = Math.max(CHUNK, this.chunk >> 2);
    else if (took < LOOK / 2) this.chunk = Math.min(LARGEST_CHUNK, this.chunk * 2);
  }

  /** Before a sleeping guest gets input: the time that it has slept has passed for it too. */
  catchUp(): void {
    if (this.asleep && !this.machine.skipsSleep) this.wake(this.due());
  }

  /** What the guest's time should be. */
  private due(): number {
    return this.guest + Math.floor((this.now() - this.wall) * PER_MILLISECOND);
  }

  private wake(time: number): void {
    this.machine.passTime(time);
    this.asleep = false;
  }

  /** Lets time be lost where the guest, at `time`, is too late. */
  private forgive(time: number): void {
    const excess = this.due() - time - LATEST;
    if (excess > 0) this.guest -= excess;
  }

  /** After `instructions` in `elapsed` milliseconds without sleep. */
  private keepPace(elapsed: number, instructions: number): void {
    const measured = (elapsed * PER_MILLISECOND) / instructions;
    const late = (this.due() - this.machine.time) / CATCH_UP;
    const pace = measured * Math.max(0.25, 1 + late);
    this.machine.pace = Math.min(SLOWEST, Math.max(QUICKEST, pace));
  }
}
