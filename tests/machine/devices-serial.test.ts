/** The serial port: registers, receiver, FIFO, interrupts and loopback, by the datasheet and against QEMU. */
import { describe, expect, test } from "vitest";
import { PortBus } from "#machine/bus.ts";
import { Machine } from "#machine/machine.ts";
import { Clock } from "#machine/platform/clock.ts";
import { SerialPort } from "#machine/platform/serial.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { deviceImage, note, out, read, vector } from "./device-image.ts";
import { same } from "./peers.ts";

const [DATA, ENABLE, IDENTIFY, LINE, MODEM, LINE_STATUS, MODEM_STATUS, SCRATCH] = [
  0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff,
] as const;
const OUT2 = 0x08;
const LOOPBACK = 0x10;

function port() {
  const bus = new PortBus();
  const clock = new Clock(
    () => 0,
    () => {},
  );
  const sent: number[] = [];
  const levels: boolean[] = [];
  const made = new SerialPort(
    bus,
    clock,
    (byte) => sent.push(byte),
    (level) => {
      if (level !== (levels.at(-1) ?? false)) levels.push(level);
    },
  );
  made.reset();
  return {
    made,
    clock,
    sent,
    interrupt: () => levels.at(-1) ?? false,
    edges: () => levels.filter((level) => level).length,
    read: (register: number) => bus.portIn(register, 8),
    write: (register: number, ...values: number[]) => {
      for (const value of values) bus.portOut(register, 8, value);
    },
    /** Time for so many characters at 9,600 baud. */
    characters: (count: number) => clock.sleepUntil(clock.time + count * 1_041_667),
  };
}

describe("registers", () => {
  test("after power-on: nothing enabled, no interrupt waits, ready to send, 9,600 baud, somebody at the other end", () => {
    const { read, made } = port();
    const registers = [ENABLE, IDENTIFY, LINE, MODEM, LINE_STATUS, MODEM_STATUS].map(read);
    expect(registers).toEqual([0x00, 0x01, 0x00, 0x00, 0x60, 0xb0]);
    expect(made.state.baud).toBe(9600);
  });

  test("the divisor stands before data and interrupt enable while the latch bit is set", () => {
    const { read, write, sent, made } = port();
    write(LINE, 0x83);
    write(DATA, 0x01);
    write(ENABLE, 0x00);
    expect([read(DATA), read(ENABLE)]).toEqual([0x01, 0x00]);
    write(LINE, 0x03);
    expect([read(DATA), read(ENABLE), sent]).toEqual([0, 0, []]);
    expect(made.state.baud).toBe(115_200);
  });

  test("scratch keeps what is written; interrupt enable has four bits and modem control five", () => {
    const { read, write } = port();
    write(SCRATCH, 0xa5);
    write(ENABLE, 0xff);
    write(MODEM, 0xef);
    expect([read(SCRATCH), read(ENABLE), read(MODEM)]).toEqual([0xa5, 0x0f, 0x0f]);
  });
});

describe("the receiver", () => {
  test("takes a byte after the time of ten bits, and the next one when there is room", () => {
    const { made, read, characters } = port();
    made.receive([0x41, 0x42]);
    characters(0.9);
    expect(read(LINE_STATUS)).toBe(0x60);
    characters(0.1);
    expect(read(LINE_STATUS)).toBe(0x61);
    characters(5);
    expect(read(DATA)).toBe(0x41);
    expect(read(LINE_STATUS)).toBe(0x60);
    characters(1);
    expect(read(DATA)).toBe(0x42);
  });

  test("is faster with a smaller divisor", () => {
    const { made, read, write, characters } = port();
    write(LINE, 0x80);
    write(DATA, 1);
    write(LINE, 0x03);
    made.receive([0x41]);
    characters(1 / 11);
    expect(read(DATA)).toBe(0x41);
  });

  test("holds sixteen bytes with its FIFO on, and none is lost however long the guest waits", () => {
    const { made, read, write, characters } = port();
    write(IDENTIFY, 0x01);
    const bytes = Array.from({ length: 20 }, (_, index) => index + 1);
    made.receive(bytes);
    characters(100);
    expect(made.state.received).toBe(16);
    const got: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      got.push(read(DATA));
      characters(1);
    }
    expect(got).toEqual(bytes);
    expect(read(LINE_STATUS)).toBe(0x60);
  });

  test("forgets what it holds when its FIFO is cleared", () => {
    const { made, read, write, characters } = port();
    write(IDENTIFY, 0x01);
    made.receive([1, 2, 3]);
    characters(3);
    write(IDENTIFY, 0x03);
    expect(read(LINE_STATUS)).toBe(0x60);
  });
});

describe("loopback", () => {
  test("receives what is sent, and sends none of it", () => {
    const { read, write, sent } = port();
    write(MODEM, LOOPBACK);
    write(DATA, 0xae);
    expect(read(LINE_STATUS)).toBe(0x61);
    expect(read(DATA)).toBe(0xae);
    expect(sent).toEqual([]);
  });

  test("turns the modem's outputs into its inputs, and tells what has changed", () => {
    const { read, write } = port();
    for (const [outputs, inputs] of [
      [0x01, 0x20],
      [0x02, 0x10],
      [0x04, 0x40],
      [0x08, 0x80],
    ] as const) {
      write(MODEM, LOOPBACK | outputs);
      expect(read(MODEM_STATUS) & 0xf0).toBe(inputs);
    }
    write(MODEM, LOOPBACK | 0x0f);
    read(MODEM_STATUS);
    write(MODEM, LOOPBACK);
    expect(read(MODEM_STATUS)).toBe(0x0f);
    expect(read(MODEM_STATUS)).toBe(0x00);
  });

  test("overruns a receiver that is full: one byte without FIFO, sixteen with", () => {
    const { read, write } = port();
    write(MODEM, LOOPBACK);
    write(DATA, 1, 2);
    expect(read(LINE_STATUS)).toBe(0x63);
    expect(read(LINE_STATUS)).toBe(0x61);
    expect(read(DATA)).toBe(2);
    write(IDENTIFY, 0x01);
    for (let byte = 1; byte <= 17; byte++) write(DATA, byte);
    expect(read(LINE_STATUS)).toBe(0x63);
    expect(Array.from({ length: 16 }, () => read(DATA))).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    expect(read(LINE_STATUS)).toBe(0x60);
  });
});

describe("interrupts", () => {
  test("leave the chip only through output 2", () => {
    const { write, interrupt } = port();
    write(ENABLE, 0x02);
    expect(interrupt()).toBe(false);
    write(MODEM, OUT2);
    expect(interrupt()).toBe(true);
    write(MODEM, 0);
    expect(interrupt()).toBe(false);
  });

  test("the empty transmitter asks when it is enabled and after each byte; reading the identification settles it", () => {
    const { read, write, interrupt, edges } = port();
    write(MODEM, OUT2);
    write(ENABLE, 0x02);
    expect([interrupt(), read(IDENTIFY), interrupt(), read(IDENTIFY)]).toEqual([true, 0x02, false, 0x01]);
    write(DATA, 0x41);
    expect(read(IDENTIFY)).toBe(0x02);
    write(DATA, 0x42);
    write(DATA, 0x43);
    expect(edges()).toBe(4);
  });

  test("received data asks until it is read", () => {
    const { made, read, write, interrupt, characters } = port();
    write(MODEM, OUT2);
    write(ENABLE, 0x01);
    made.receive([0x41]);
    characters(1);
    expect([interrupt(), read(IDENTIFY), interrupt()]).toEqual([true, 0x04, true]);
    read(DATA);
    expect([interrupt(), read(IDENTIFY)]).toEqual([false, 0x01]);
  });

  test.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])("with FIFO control 0x%s, data asks from %d bytes on", (control, trigger) => {
    const { made, read, write, characters } = port();
    write(MODEM, OUT2);
    write(ENABLE, 0x01);
    write(IDENTIFY, control);
    made.receive(new Array(16).fill(0x41));
    characters(trigger - 1);
    expect(read(IDENTIFY)).toBe(0xc1);
    characters(1);
    expect(read(IDENTIFY)).toBe(0xc4);
  });

  test("data below the trigger asks after the time of four characters without a move", () => {
    const { made, read, write, interrupt, characters } = port();
    write(MODEM, OUT2);
    write(ENABLE, 0x01);
    write(IDENTIFY, 0xc1);
    made.receive([1, 2]);
    characters(5.9);
    expect(interrupt()).toBe(false);
    characters(0.2);
    expect([interrupt(), read(IDENTIFY)]).toEqual([true, 0xcc]);
    read(DATA);
    expect(read(IDENTIFY)).toBe(0xc1);
    characters(4);
    expect(read(IDENTIFY)).toBe(0xcc);
    read(DATA);
    characters(10);
    expect(interrupt()).toBe(false);
  });

  test("the most urgent reason is named first: an error, data, the transmitter, the modem", () => {
    const { read, write } = port();
    write(MODEM, LOOPBACK);
    read(MODEM_STATUS);
    write(MODEM, LOOPBACK | 0x01);
    write(ENABLE, 0x0f);
    write(DATA, 1, 2);
    expect(read(IDENTIFY)).toBe(0x06);
    read(LINE_STATUS);
    expect(read(IDENTIFY)).toBe(0x04);
    read(DATA);
    expect(read(IDENTIFY)).toBe(0x02);
    expect(read(IDENTIFY)).toBe(0x00);
    read(MODEM_STATUS);
    expect(read(IDENTIFY)).toBe(0x01);
  });
});

describe("for a guest", () => {
  test("bytes from the host arrive by interrupt, while it sleeps", () => {
    const machine = new Machine({
      engine: evaluatorEngine,
      disk: deviceImage(`
        ${vector(0x24, "received")}
        ${out([MODEM, OUT2], [ENABLE, 0x01], [0x21, 0xef])}
        sti
        sleep:
        hlt
        jmp sleep
        received:
        ${read(DATA)}
        add al, 1
        out dx, al
        ${out([0x20, 0x20])}
        iret`),
    });
    const sent: number[] = [];
    machine.onSerial = (byte) => sent.push(byte);
    expect(machine.run(100_000)).toEqual({ kind: "halted" });
    const before = machine.time;
    machine.receive(Buffer.from("HAL"));
    expect(machine.run(100_000)).toEqual({ kind: "halted" });
    expect(Buffer.from(sent).toString()).toBe("IBM");
    expect(machine.time - before).toBeGreaterThan(3 * 1_041_667);
    expect(machine.time - before).toBeLessThan(3.1 * 1_041_667);
  });

  same(
    "loopback: line status, what comes back, and the modem's lines",
    `${out([MODEM, 0x1e], [DATA, 0xae])}
     ${note(LINE_STATUS)}
     ${note(DATA)}
     ${note(LINE_STATUS)}
     ${read(MODEM_STATUS)}
     ${note(MODEM_STATUS)}
     ${out([MODEM, 0x11])}
     ${read(MODEM_STATUS)}
     ${note(MODEM_STATUS)}
     jmp tell`,
    [0x61, 0xae, 0x60, 0xd0, 0x20],
  );

  same(
    "the divisor latch, line control and scratch keep what is written",
    `${out([LINE, 0x80], [DATA, 0x34], [ENABLE, 0x12])}
     ${note(DATA)}
     ${note(ENABLE)}
     ${out([DATA, 0x01], [ENABLE, 0x00], [LINE, 0x1b], [SCRATCH, 0x77])}
     ${note(LINE)}
     ${note(SCRATCH)}
     ${note(ENABLE)}
     ${note(LINE_STATUS)}
     jmp tell`,
    [0x34, 0x12, 0x1b, 0x77, 0x00, 0x60],
  );

  same(
    "an empty transmitter is identified once, and again when its FIFO is cleared; data until it is read; with FIFO the two top bits are set",
    `${out([MODEM, OUT2], [ENABLE, 0x02])}
     ${note(IDENTIFY)}
     ${note(IDENTIFY)}
     ${out([IDENTIFY, 0x07])}
     ${note(IDENTIFY)}
     ${out([ENABLE, 0x01], [MODEM, LOOPBACK], [DATA, 0x42])}
     ${note(IDENTIFY)}
     ${note(DATA)}
     ${note(IDENTIFY)}
     jmp tell`,
    [0x02, 0x01, 0xc2, 0xc4, 0x42, 0xc1],
  );
});
