/** The clock with a battery: date and time in their encodings, setting it, its three events; and against QEMU. */
import { describe, expect, test } from "vitest";
import { PortBus } from "#machine/bus.ts";
import { Machine } from "#machine/machine.ts";
import { PhysicalMemory } from "#machine/memory/physical.ts";
import { Clock } from "#machine/platform/clock.ts";
import { RealTimeClock } from "#machine/platform/real-time-clock.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { deviceImage, note, out, vector } from "./device-image.ts";
import { same } from "./peers.ts";

const SECOND = 1e9;

function calendar(start = "2026-02-28T23:59:58Z") {
  const bus = new PortBus();
  const clock = new Clock(
    () => 0,
    () => {},
  );
  const memory = new PhysicalMemory(new WebAssembly.Memory({ initial: 600 }), 0x2000000);
  const levels: boolean[] = [];
  const made = new RealTimeClock(bus, clock, memory, Date.parse(start), (level) => {
    if (level !== (levels.at(-1) ?? false)) levels.push(level);
  });
  made.reset();
  const get = (register: number) => {
    bus.portOut(0x70, 8, register);
    return bus.portIn(0x71, 8);
  };
  const set = (register: number, value: number) => {
    bus.portOut(0x70, 8, register);
    bus.portOut(0x71, 8, value);
  };
  return {
    clock,
    get,
    set,
    pass: (seconds: number) => clock.sleepUntil(clock.time + seconds * SECOND),
    interrupts: () => levels.filter((level) => level).length,
    /** Century and year, month, day, hours, minutes, seconds, in hexadecimal. */
    time: () => [0x32, 9, 8, 7, 4, 2, 0].map((register) => get(register).toString(16).padStart(2, "0")).join(" "),
  };
}

describe("the time of day", () => {
  test("goes on with guest time, over the end of the month", () => {
    const { time, pass, get } = calendar();
    expect(time()).toBe("20 26 02 28 23 59 58");
    expect(get(6)).toBe(7); // a Saturday; Sunday is 1
    pass(1.999);
    expect(time()).toBe("20 26 02 28 23 59 59");
    pass(0.001);
    expect(time()).toBe("20 26 03 01 00 00 00");
    expect(get(6)).toBe(1);
  });

  test("in binary, and in hours of the morning and the afternoon", () => {
    const { time, set, get } = calendar("2026-12-31T12:34:56Z");
    set(0x0b, 0x06);
    expect(time()).toBe("14 1a 0c 1f 0c 22 38");
    set(0x0b, 0x00);
    expect(get(4)).toBe(0x92);
    const midnight = calendar("2026-12-31T00:34:56Z");
    midnight.set(0x0b, 0x00);
    expect(midnight.get(4)).toBe(0x12);
  });

  test("can be set, field by field while it stands still", () => {
    const { time, set, get, pass } = calendar();
    set(0x0b, 0x82);
    pass(10);
    expect(get(0)).toBe(0x58);
    for (const [register, value] of [
      [0, 0x30],
      [2, 0x45],
      [4, 0x07],
      [7, 0x04],
      [8, 0x07],
      [9, 0x76],
      [0x32, 0x19],
    ] as const) {
      set(register, value);
    }
    set(0x0b, 0x02);
    pass(31);
    expect(time()).toBe("19 76 07 04 07 46 01");
    expect(get(6)).toBe(1);
  });

  test("says for the last quarter of a millisecond that a second is about to end", () => {
    const { get, pass } = calendar();
    pass(0.9);
    expect(get(0x0a)).toBe(0x26);
    pass(0.0999);
    expect(get(0x0a)).toBe(0xa6);
    pass(0.0001);
    expect(get(0x0a)).toBe(0x26);
  });

  test("is that of the machine's configuration, and the same for all machines without one", () => {
    const disk = deviceImage(`${out([0x70, 0x32])}\n${note(0x71)}\n${out([0x70, 0x09])}\n${note(0x71)}\njmp tell`);
    const year = (startTime?: number) => {
      const machine = new Machine({ disk, engine: evaluatorEngine, ...(startTime === undefined ? {} : { startTime }) });
      const bytes: number[] = [];
      machine.onSerial = (byte) => bytes.push(byte);
      machine.run(1_000_000);
      return Buffer.from(bytes).toString("hex");
    };
    expect(year()).toBe("20002600");
    expect(year(Date.UTC(1999, 11, 31))).toBe("19009900");
  });
});

describe("events", () => {
  test("the end of a second is told in register C, once, even to those who do not want an interrupt", () => {
    const { get, pass, interrupts } = calendar();
    expect(get(0x0c)).toBe(0);
    pass(1);
    expect(get(0x0c) & 0x10).toBe(0x10);
    expect(get(0x0c)).toBe(0);
    expect(interrupts()).toBe(0);
  });

  test("interrupt once until register C is read", () => {
    const { get, set, pass, interrupts } = calendar();
    set(0x0b, 0x12);
    pass(5);
    expect(interrupts()).toBe(1);
    expect(get(0x0c) & 0x90).toBe(0x90);
    pass(1);
    expect(interrupts()).toBe(2);
  });

  test("the periodic one comes at the rate that register A chooses", () => {
    const { clock, get, set } = calendar();
    set(0x0a, 0x2f);
    set(0x0b, 0x42);
    let count = 0;
    for (let step = 1; step <= 1000; step++) {
      clock.sleepUntil(step * 10_000_000);
      if (get(0x0c) & 0x80) count++;
    }
    expect(count).toBe(20); // two a second, for ten seconds
  });

  test("the alarm rings at its time, and every hour where the hour does not matter", () => {
    const { get, set, pass } = calendar("2026-01-01T09:59:50Z");
    set(1, 0x00);
    set(3, 0x00);
    set(5, 0x11);
    set(0x0b, 0x22);
    pass(20);
    expect(get(0x0c) & 0x20).toBe(0);
    set(5, 0xff);
    pass(3600);
    expect(get(0x0c) & 0xa0).toBe(0xa0);
  });
});

test("its memory tells how much memory the machine has, and keeps what is written", () => {
  const { get, set } = calendar();
  expect([get(0x15), get(0x16)]).toEqual([640 & 0xff, 640 >> 8]);
  expect(get(0x34) + get(0x35) * 256).toBe(256); // 64 KiB blocks above 16 MiB
  set(0x50, 0xa5);
  expect(get(0x50)).toBe(0xa5);
  expect(get(0x0d)).toBe(0x80);
});

describe("for a guest", () => {
  const store = (register: number, value: number) => out([0x70, register], [0x71, value]);
  const load = (register: number) => `${out([0x70, register])}\n${note(0x71)}`;

  same(
    "a date that was set, in decimal and in binary",
    `${store(0x0b, 0x82)}
     ${store(0, 0x58)}${"\n"}${store(2, 0x59)}${"\n"}${store(4, 0x23)}
     ${store(7, 0x29)}${"\n"}${store(8, 0x02)}${"\n"}${store(9, 0x28)}
     ${load(0)}${"\n"}${load(7)}
     ${store(0x0b, 0x02)}
     ${load(2)}${"\n"}${load(4)}${"\n"}${load(8)}${"\n"}${load(9)}
     ${store(0x0b, 0x06)}
     ${load(2)}${"\n"}${load(4)}${"\n"}${load(9)}
     ${load(0x0d)}
     jmp tell`,
    [0x58, 0x29, 0x59, 0x23, 0x02, 0x28, 59, 23, 28, 0x80],
  );

  same(
    "periodic interrupts come on line 8, and only as register C is read",
    `${vector(0x28, "beat")}
     ${out([0x21, 0xfb], [0xa1, 0xfe])}
     ${store(0x0a, 0x26)}
     ${store(0x0b, 0x42)}
     ${out([0x70, 0x0c])}
     in al, 0x71
     sti
     .sleep:
     hlt
     cmp word [beats], 20
     jb .sleep
     mov word [deaf], 1
     call wait_some
     call wait_some
     cli
     mov ax, [beats]
     call say
     jmp exit
     beat:
     push ax
     inc word [beats]
     cmp word [deaf], 1
     je .done
     ${out([0x70, 0x0c])}
     in al, 0x71
     .done:
     ${out([0xa0, 0x20], [0x20, 0x20])}
     pop ax
     iret
     beats: dw 0
     deaf: dw 0`,
    [21],
  );
});
