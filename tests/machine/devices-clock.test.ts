/** Guest time: alarms, beats, the clock, and how a machine sleeps. */

import { describe, expect, test } from "vitest";
import { Machine } from "#machine/machine.ts";
import { Alarm, AlarmQueue } from "#machine/platform/alarms.ts";
import { beatsAt, timeOfBeat } from "#machine/platform/beats.ts";
import { Clock } from "#machine/platform/clock.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import fc from "../properties.ts";
import { deviceImage, out, timer, vector } from "./device-image.ts";

describe("the queue of alarms", () => {
  type Operation = { readonly set: number; readonly time: number } | { readonly clear: number };
  const operations = fc.array(
    fc.oneof(
      fc.record({ set: fc.nat(5), time: fc.nat(20) }),
      fc.record({ clear: fc.nat(5) }),
    ) as fc.Arbitrary<Operation>,
  );

  /** Does the operations on a queue, and in a list that is sorted at the end. */
  function both(done: readonly Operation[]) {
    const queue = new AlarmQueue();
    const alarms = Array.from({ length: 6 }, (_, line) => new Alarm(line, () => {}));
    let model: { line: number; time: number }[] = [];
    for (const operation of done) {
      const line = "set" in operation ? operation.set : operation.clear;
      model = model.filter((entry) => entry.line !== line);
      if ("set" in operation) {
        queue.set(alarms[line]!, operation.time);
        model.push({ line, time: operation.time });
      } else queue.clear(alarms[line]!);
    }
    return { queue, alarms, model: model.sort((a, b) => a.time - b.time) };
  }

  test("rings in the order of time, and of setting where times are equal", () => {
    fc.assert(
      fc.property(operations, (done) => {
        const { queue, model } = both(done);
        const rung: { line: number; time: number }[] = [];
        for (let due = queue.takeDue(100); due !== null; due = queue.takeDue(100)) {
          rung.push({ line: due.alarm.line, time: due.time });
          expect(due.alarm.time).toBeNull();
        }
        expect(rung).toEqual(model);
      }),
    );
  });

  test("knows the next one of the lines that are asked for, and takes none before its time", () => {
    fc.assert(
      fc.property(operations, fc.nat(20), fc.nat(63), (done, now, lines) => {
        const { queue, alarms, model } = both(done);
        const heard = (line: number) => (lines & (1 << line)) !== 0;
        expect(queue.next(heard)).toBe(model.find(({ line }) => heard(line))?.time ?? null);
        for (const alarm of alarms)
          expect(alarm.time).toBe(model.find(({ line }) => line === alarm.line)?.time ?? null);
        const due = queue.takeDue(now);
        expect(due?.time ?? null).toBe(model[0] !== undefined && model[0].time <= now ? model[0].time : null);
      }),
    );
  });
});

describe("beats", () => {
  test("each comes at the first nanosecond at which there have been so many, for a hundred days", () => {
    const frequencies = fc.constantFrom(1_193_182, 8192, 2, 100_000_000);
    const hundredDays = fc.nat(100 * 86_400);
    fc.assert(
      fc.property(frequencies, hundredDays, fc.nat(), (frequency, seconds, part) => {
        const beats = seconds * frequency + (part % frequency);
        const time = timeOfBeat(beats, frequency);
        expect(beatsAt(time, frequency)).toBe(beats);
        if (time > 0) expect(beatsAt(time - 1, frequency)).toBe(beats - 1);
      }),
    );
  });
});

describe("the clock", () => {
  function clock() {
    let instructions = 0;
    let cut = 0;
    const rung: [string, number][] = [];
    const made = new Clock(
      () => instructions,
      () => cut++,
    );
    return {
      made,
      rung,
      run: (count: number) => {
        instructions += count;
      },
      cuts: () => cut,
      alarm: (name: string) => {
        const alarm: Alarm = made.alarm(0, () => rung.push([name, made.time]));
        return alarm;
      },
    };
  }

  test("an instruction takes ten nanoseconds, and a run ends where the next alarm rings", () => {
    const { made, run, alarm, rung } = clock();
    const tick = alarm("tick");
    made.set(tick, 995);
    expect(made.ring()).toBe(100);
    run(100);
    expect(made.time).toBe(1000);
    expect(made.ring()).toBe(Number.POSITIVE_INFINITY);
    expect(rung).toEqual([["tick", 1000]]);
  });

  test("an alarm set for before the end of a run cuts it short, one behind it does not", () => {
    const { made, alarm, cuts } = clock();
    made.set(alarm("first"), 1000);
    made.ring();
    const before = cuts();
    made.set(alarm("later"), 2000);
    expect(cuts()).toBe(before);
    made.set(alarm("sooner"), 500);
    expect(cuts()).toBe(before + 1);
  });

  test("sleep rings each alarm in its own moment, those too that are set on the way", () => {
    const { made, rung } = clock();
    let left = 3;
    const again = made.alarm(0, () => {
      rung.push(["again", made.time]);
      if (--left > 0) made.set(again, made.time + 10);
    });
    made.set(again, 5);
    made.sleepUntil(1000);
    expect(rung.map(([, time]) => time)).toEqual([5, 15, 25]);
    expect(made.time).toBe(1000);
  });

  test("another pace counts from when it is set", () => {
    const { made, run } = clock();
    run(10);
    made.pace = 2.5;
    run(3);
    expect(made.time).toBe(107);
    run(1);
    expect(made.time).toBe(110);
  });

  test("never goes back, and runs reach their alarms, at any pace", () => {
    const steps = fc.array(fc.tuple(fc.nat(50), fc.double({ min: 0.5, max: 300, noNaN: true }), fc.nat(5000)));
    fc.assert(
      fc.property(steps, (all) => {
        const { made, run, alarm, rung } = clock();
        const one = alarm("one");
        let last = 0;
        for (const [count, pace, ahead] of all) {
          made.pace = pace;
          const due = made.time + ahead;
          made.set(one, due);
          for (let turns = 0; one.time !== null && turns < 3; turns++) run(Math.min(made.ring(), 1e9));
          made.ring();
          expect(one.time).toBeNull();
          expect(rung.at(-1)![1]).toBeGreaterThanOrEqual(due);
          expect(rung.at(-1)![1]).toBeLessThan(due + Math.ceil(pace) + 1);
          run(count);
          expect(made.time).toBeGreaterThanOrEqual(last);
          last = made.time;
        }
      }),
    );
  });
});

/** Counts timer interrupts at 0x600 and sleeps between them. */
const TICKING = `
${vector(0x20, "tick")}
${timer(2, 11932)}
${out([0x21, 0xfe])}
    sti
sleep:
    hlt
    jmp sleep
tick:
    inc word [0x600]
    push ax
${out([0x20, 0x20])}
    pop ax
    iret
`;

function machine(body: string, clock: "free" | "host" = "free"): Machine {
  return new Machine({ disk: deviceImage(body), clock, memory: 0x400000, engine: evaluatorEngine });
}

const ticks = (of: Machine): number => new DataView(of.readPhysical(0x600, 2).buffer).getUint16(0, true);

describe("a machine that sleeps", () => {
  test("is woken at once at the time of the next tick, and does little in a second", () => {
    const guest = machine(TICKING);
    while (guest.time < 1e9) expect(guest.run(10)).toEqual({ kind: "budget" });
    expect(ticks(guest)).toBeGreaterThanOrEqual(99);
    expect(ticks(guest)).toBeLessThanOrEqual(100);
    expect(guest.instructions).toBeLessThan(3000);
  });

  test("with a host's clock says until when, and goes on when the host lets time pass", () => {
    const guest = machine(TICKING, "host");
    const first = guest.run(100_000);
    if (first.kind !== "halted") throw new Error(first.kind);
    expect(first.wakeAt).toBeGreaterThan(guest.time);
    expect(guest.run(1000)).toEqual(first);
    guest.passTime(first.wakeAt! - 1);
    expect(guest.run(1000)).toEqual(first);
    guest.passTime(first.wakeAt!);
    const second = guest.run(1000);
    expect(ticks(guest)).toBe(1);
    if (second.kind !== "halted") throw new Error(second.kind);
    expect(second.wakeAt! - first.wakeAt!).toBeGreaterThan(9_999_000);
    expect(second.wakeAt! - first.wakeAt!).toBeLessThan(10_001_000);
  });

  test.each([
    ["interrupts are off", TICKING.replace("sti", "cli")],
    ["the line is masked", TICKING.replace(out([0x21, 0xfe]), out([0x21, 0xfd]))],
    ["an interrupt was not ended", TICKING.replace(out([0x20, 0x20]), "nop")],
  ])("sleeps for ever where %s", (_, body) => {
    const guest = machine(body);
    expect(guest.run(100_000)).toEqual({ kind: "halted" });
    expect(guest.run(100_000)).toEqual({ kind: "halted" });
  });

  test("runs the same, however the run is cut into pieces", () => {
    const image = TICKING.replace("hlt", "nop");
    const whole = machine(image);
    whole.run(2_500_000);
    const pieces = machine(image);
    for (let left = 2_500_000, size = 1; left > 0; left -= size, size = (size * 7919) % 100_003) {
      if (size > left) size = left;
      pieces.run(size);
    }
    expect(ticks(whole)).toBeGreaterThan(1);
    expect(ticks(pieces)).toBe(ticks(whole));
    expect(pieces.registers()).toEqual(whole.registers());
    expect(pieces.time).toBe(whole.time);
  });

  test("at a slower pace, ticks come after fewer instructions", () => {
    const slow = machine(TICKING.replace("hlt", "nop"));
    slow.pace = 100;
    slow.run(1_000_000);
    expect(ticks(slow)).toBeGreaterThanOrEqual(9);
    expect(slow.time).toBe(100_000_000);
  });

  test("stops at a breakpoint in the handler of the interrupt that woke it", () => {
    const guest = machine(TICKING);
    guest.run(1000);
    const target = new DataView(guest.readPhysical(0x80, 2).buffer).getUint16(0, true);
    guest.breakpoints.add(BigInt(target));
    expect(guest.run(10_000)).toEqual({ kind: "breakpoint", address: BigInt(target) });
    expect(guest.run(10_000)).toEqual({ kind: "breakpoint", address: BigInt(target) });
  });
});
