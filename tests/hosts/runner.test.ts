/** Guest time and the wall clock: what the runner does with a busy guest, a sleeping one, and a host that slept. */
import { describe, expect, test } from "vitest";
import type { Machine, StopReason } from "#machine/machine.ts";
import { Runner } from "../../machine/hosts/runner.ts";

const MS = 1e6;

/** A machine of which only time is real: it runs `speed` instructions in a millisecond of the host, or sleeps. */
function host(speed: number, plan: { wakeEvery?: number } = {}) {
  let wall = 0;
  let time = 0;
  let instructions = 0;
  let pace = 10;
  let wakeAt = plan.wakeEvery ?? Number.POSITIVE_INFINITY;
  const wakes: number[] = [];
  const machine = {
    skipsSleep: false,
    get time() {
      return time;
    },
    get instructions() {
      return instructions;
    },
    get pace() {
      return pace;
    },
    set pace(to: number) {
      pace = to;
    },
    run(count: number): StopReason {
      if (plan.wakeEvery !== undefined && time < wakeAt) return { kind: "halted", wakeAt };
      const done = plan.wakeEvery === undefined ? count : 100;
      instructions += done;
      time += done * pace;
      wall += done / speed;
      if (plan.wakeEvery === undefined) return { kind: "budget" };
      wakes.push(wall);
      wakeAt += plan.wakeEvery;
      return { kind: "halted", wakeAt };
    },
    passTime(to: number) {
      if (to > time) time = to;
    },
  };
  const runner = new Runner(machine as unknown as Machine, () => wall);
  return {
    runner,
    wakes,
    pass: (milliseconds: number) => {
      wall += milliseconds;
    },
    wall: () => wall,
    time: () => time,
    pace: () => pace,
  };
}

describe("the runner", () => {
  test.each([5_000, 20_000, 500_000])(
    "lets a busy guest's time follow the wall, at %d instructions a millisecond",
    (speed) => {
      const { runner, wall, time } = host(speed);
      while (wall() < 1000) expect(runner.slice()).toEqual({ stop: { kind: "budget" }, wait: 0 });
      const before = [wall(), time()] as const;
      while (wall() < 3000) runner.slice();
      expect((time() - before[1]) / MS / (wall() - before[0])).toBeCloseTo(1, 1);
      expect(Math.abs(time() / MS - wall())).toBeLessThan(60);
    },
  );

  test("does not stretch an instruction beyond measure on a host that is too slow", () => {
    const { runner, wall, time, pace } = host(1_000);
    while (wall() < 3000) runner.slice();
    expect(pace()).toBe(250);
    expect(time() / MS).toBeLessThan(wall());
  });

  test("sleeps as long as the guest does, and wakes it on time", () => {
    const { runner, wakes, pass, wall } = host(10_000, { wakeEvery: 10 * MS });
    while (wall() < 1000) {
      const { wait } = runner.slice();
      expect(wait).toBeGreaterThan(0);
      pass(wait!);
    }
    expect(wakes.length).toBeGreaterThanOrEqual(99);
    expect(wakes.length).toBeLessThanOrEqual(101);
  });

  test("delivers all that was due while the host was late, but not after a night", () => {
    const { runner, wakes, pass } = host(10_000, { wakeEvery: 10 * MS });
    pass(runner.slice().wait!);
    runner.slice();
    const before = wakes.length;
    pass(200);
    while (runner.slice().wait === 0);
    expect(wakes.length - before).toBeGreaterThanOrEqual(19);
    pass(8 * 3600 * 1000);
    const evening = wakes.length;
    while (runner.slice().wait === 0);
    expect(wakes.length - evening).toBeLessThan(40);
  });

  test("in slow motion runs little at a time, and lets a guest sleep for as long as it wants", () => {
    const busy = host(20_000);
    const from = busy.time();
    for (let look = 0; look < 25; look++)
      expect(busy.runner.slowSlice()).toEqual({ stop: { kind: "budget" }, wait: 40 });
    expect(busy.time() - from).toBe(25 * 1000 * busy.pace());
    const sleeper = host(20_000, { wakeEvery: 10 * MS });
    expect(sleeper.runner.slowSlice()).toMatchObject({ stop: { kind: "halted" }, wait: 10 });
    expect(sleeper.time()).toBe(10 * MS);
  });

  test("before input lets the time pass that the guest has slept", () => {
    const { runner, pass, time } = host(10_000, { wakeEvery: 1000 * MS });
    runner.slice();
    pass(400);
    runner.catchUp();
    expect(time() / MS).toBeCloseTo(400, 0);
  });

  test("after a pause goes on from where guest time stood", () => {
    const { runner, pass, time, wall } = host(20_000);
    while (wall() < 500) runner.slice();
    const before = time();
    pass(60_000);
    runner.resume();
    runner.slice();
    expect((time() - before) / MS).toBeLessThan(60);
  });
});
