/** The timer: each mode by its waveform in the datasheet, latches, the gate; and against QEMU. */
import { describe, expect, test } from "vitest";
import { PortBus } from "#machine/bus.ts";
import { Clock } from "#machine/platform/clock.ts";
import { SystemControlB } from "#machine/platform/system-control-b.ts";
import { Timer } from "#machine/platform/timer.ts";
import { TimerChannel } from "#machine/platform/timer-channel.ts";
import { out, read, sayPort, timer, vector } from "./device-image.ts";
import { same } from "./peers.ts";

/** A channel with a control word and a count of one byte written at beat 0; the count begins at beat 1. */
function channel(mode: number, count: number): TimerChannel {
  const made = new TimerChannel();
  made.reset();
  made.control(0x10 | (mode << 1));
  made.write(count, 0);
  return made;
}

/** The output over time, a digit for each beat. */
const wave = (of: TimerChannel, beats: number, from = 0): string =>
  Array.from({ length: beats }, (_, beat) => (of.output(from + beat) ? "1" : "0")).join("");

describe("the output of a channel", () => {
  test("mode 0: low until the count is over, then high for good", () => {
    expect(wave(channel(0, 4), 12)).toBe("000001111111");
    expect(channel(0, 4).nextRise(0)).toBe(5);
    expect(channel(0, 4).nextRise(5)).toBeNull();
  });

  test("mode 2: low for the last beat of each period", () => {
    expect(wave(channel(2, 3), 13)).toBe("1110110110110");
    expect(channel(2, 3).nextRise(0)).toBe(4);
    expect(channel(2, 3).nextRise(4)).toBe(7);
  });

  test("mode 3: high for one half and low for the other; an odd count gives the high half one beat more", () => {
    expect(wave(channel(3, 4), 13)).toBe("1110011001100");
    expect(wave(channel(3, 5), 12)).toBe("111100111001");
    expect(channel(3, 5).nextRise(0)).toBe(6);
  });

  test("mode 4: low for one beat after the count", () => {
    expect(wave(channel(4, 3), 10)).toBe("1111011111");
    expect(channel(4, 3).nextRise(0)).toBe(5);
  });

  test.each([
    [1, "11110001111"],
    [5, "11111110111"],
  ])("mode %d: waits for the gate", (mode, expected) => {
    const made = channel(mode, 3);
    expect(made.nextRise(0)).toBeNull();
    made.setGate(false, 1);
    made.setGate(true, 3);
    expect(wave(made, 11)).toBe(expected);
  });

  test("modes 6 and 7 are 2 and 3", () => {
    expect(channel(6, 3).mode).toBe(2);
    expect(channel(7, 3).mode).toBe(3);
  });

  test("rises are where the wave goes from low to high, in every mode and with any count", () => {
    for (const mode of [0, 2, 3, 4]) {
      for (let count = 2; count < 12; count++) {
        const made = channel(mode, count);
        const picture = wave(made, 60);
        for (let beat = 1; beat < 30; beat++) {
          const next = picture.indexOf("01", beat);
          expect(made.nextRise(beat)).toBe(next < 0 ? null : next + 1);
        }
      }
    }
  });
});

describe("a count", () => {
  const counts = (of: TimerChannel, beats: number) => Array.from({ length: beats }, (_, beat) => of.read(beat + 1));

  test("goes down by one in modes 0 and 2, by two in mode 3", () => {
    expect(counts(channel(0, 3), 5)).toEqual([3, 2, 1, 0, 0xff]);
    expect(counts(channel(2, 3), 5)).toEqual([3, 2, 1, 3, 2]);
    expect(counts(channel(3, 6), 7)).toEqual([6, 4, 2, 6, 4, 2, 6]);
    expect(counts(channel(3, 5), 5)).toEqual([4, 2, 0, 4, 2]);
  });

  test("of zero is the largest: 65,536, or 10,000 in decimal", () => {
    const made = channel(2, 0);
    expect(made.nextRise(0)).toBe(65_537);
    made.control(0x35);
    made.write(0, 0);
    made.write(0, 0);
    expect(made.nextRise(0)).toBe(10_001);
  });

  test("in decimal is written and read as digits", () => {
    const made = new TimerChannel();
    made.control(0x35);
    made.write(0x00, 0);
    made.write(0x12, 0);
    expect([made.read(1), made.read(1)]).toEqual([0x00, 0x12]);
    expect([made.read(2), made.read(2)]).toEqual([0x99, 0x11]);
    expect(made.nextRise(0)).toBe(1201);
  });

  test("that is latched stays until both bytes are read; a second latch in between changes nothing", () => {
    const made = new TimerChannel();
    made.control(0x34);
    made.write(0x00, 0);
    made.write(0x02, 0);
    made.latchCount(2);
    made.latchCount(100);
    expect([made.read(200), made.read(300)]).toEqual([0xff, 0x01]);
    expect(made.read(0x101)).toBe(0x00);
    expect(made.read(0x101)).toBe(0x01);
  });

  test("written to a running wave holds from the next period on", () => {
    const made = channel(2, 4);
    made.write(2, 3);
    expect(wave(made, 12)).toBe("111101010101");
  });

  test("of one byte may be the high one", () => {
    const made = new TimerChannel();
    made.control(0x24);
    made.write(0x02, 0);
    expect(made.nextRise(0)).toBe(513);
    expect(made.read(1)).toBe(0x02);
  });

  test("stands still while the gate is low, and a wave begins anew when it rises", () => {
    const once = channel(0, 4);
    once.setGate(false, 2);
    expect(once.nextRise(2)).toBeNull();
    once.setGate(true, 12);
    expect(once.nextRise(12)).toBe(15);
    const again = channel(2, 4);
    again.setGate(false, 2);
    expect(again.output(4)).toBe(true);
    again.setGate(true, 10);
    expect(again.nextRise(10)).toBe(15);
  });

  test("written while the gate is low begins when the gate rises", () => {
    const made = channel(0, 4);
    made.setGate(false, 2);
    made.control(0x10);
    made.write(4, 100);
    expect(wave(made, 3, 104)).toBe("000");
    made.setGate(true, 200);
    expect(made.nextRise(200)).toBe(205);
    expect(wave(made, 8, 200)).toBe("00000111");
  });

  test("has a status: output, whether it has begun, and its control word", () => {
    const made = new TimerChannel();
    made.control(0x30);
    made.latchStatus(0);
    expect(made.read(0)).toBe(0x70);
    made.write(2, 0);
    made.write(0, 0);
    made.latchCount(2);
    made.latchStatus(2);
    expect([made.read(2), made.read(2), made.read(2)]).toEqual([0x30, 1, 0]);
    made.latchStatus(3);
    expect(made.read(3)).toBe(0xb0);
  });
});

describe("the timer", () => {
  function board() {
    let instructions = 0;
    const bus = new PortBus();
    const clock = new Clock(
      () => instructions,
      () => {},
    );
    const ticks: number[] = [];
    const made = new Timer(bus, clock, (level) => {
      if (level) ticks.push(clock.time);
    });
    made.reset();
    const speaker = new SystemControlB(bus, clock, made);
    speaker.reset();
    const send = (port: number, ...values: number[]) => {
      for (const value of values) bus.portOut(port, 8, value);
    };
    return {
      ticks,
      clock,
      send,
      made,
      read: (port: number) => bus.portIn(port, 8),
      run: (count: number) => {
        instructions += count;
        clock.ring();
      },
    };
  }

  test("ticks 18.2 times a second with the largest count", () => {
    const { ticks, clock, send } = board();
    send(0x43, 0x34);
    send(0x40, 0, 0);
    clock.sleepUntil(60e9);
    expect(ticks.length).toBe(Math.floor((60 * 1_193_182) / 65_536));
    expect(ticks[0]! / 1e6).toBeCloseTo(54.9, 1);
  });

  test("does not drift: after an hour at 1,000 Hz the tick comes when it should", () => {
    const { ticks, clock, send } = board();
    send(0x43, 0x36);
    send(0x40, 0xa9, 0x04);
    clock.sleepUntil(3600e9);
    expect(ticks.length).toBe(Math.floor((3600 * 1_193_182 - 1) / 1193));
    const last = ticks.length * 1193 + 1;
    expect(ticks.at(-1)).toBe(Math.ceil((last * 1e9) / 1_193_182));
  });

  test("in mode 0 ticks once; a change to a mode that rests high is a tick of its own", () => {
    const { ticks, clock, send } = board();
    send(0x43, 0x30);
    send(0x40, 0, 0x10);
    clock.sleepUntil(1e9);
    expect(ticks.length).toBe(1);
    send(0x40, 0, 0x10);
    send(0x43, 0x36);
    expect(ticks.length).toBe(2);
  });

  test("latches several channels with one read-back command", () => {
    const { send, read } = board();
    send(0x43, 0x34, 0xb6);
    send(0x40, 0x34, 0x12);
    send(0x42, 0x78, 0x56);
    send(0x43, 0xca);
    expect([read(0x40), read(0x40), read(0x40)]).toEqual([0xf4, 0x34, 0x12]);
    expect([read(0x42), read(0x42), read(0x42)]).toEqual([0xf6, 0x78, 0x56]);
  });

  test("the third channel is moved by the gate at port 0x61, and its output seen there", () => {
    const { clock, send, read } = board();
    send(0x43, 0xb0);
    send(0x42, 0x00, 0x10);
    clock.sleepUntil(1e9);
    expect(read(0x61) & 0x21).toBe(0x00);
    send(0x61, 0x01);
    expect(read(0x61) & 0x21).toBe(0x01);
    clock.sleepUntil(1.004e9);
    expect(read(0x61) & 0x21).toBe(0x21);
  });

  test("the refresh bit changes every 15 microseconds", () => {
    const { run, read } = board();
    let changes = 0;
    let last = read(0x61) & 0x10;
    for (let instructions = 0; instructions < 100_000; instructions += 100) {
      run(100);
      const now = read(0x61) & 0x10;
      if (now !== last) changes++;
      last = now;
    }
    expect(changes).toBe(Math.floor(1e6 / 15_085));
  });
});

const A_FEW_BEATS = "mov cx, 500\nloop $";

/** Two latched counts of channel 0, in bx and cx. */
const LATCH_TWICE = `
${out([0x43, 0x00])}
${read(0x40)}
mov bl, al
${read(0x40)}
mov bh, al
mov dx, 200
.spin:
dec dx
jnz .spin
${out([0x43, 0x00])}
${read(0x40)}
mov cl, al
${read(0x40)}
mov ch, al
`;

describe("for a guest", () => {
  same(
    "status bytes: control word, output high at the start, and a count that has begun",
    `${timer(2, 0)}
     ${A_FEW_BEATS}
     ${out([0x43, 0xe2])}
     ${read(0x40)}
     and al, 0x7f
     xor ah, ah
     call say
     ${timer(3, 0)}
     ${A_FEW_BEATS}
     ${out([0x43, 0xe2])}
     ${sayPort(0x40)}
     ${timer(0, 0)}
     ${A_FEW_BEATS}
     ${out([0x43, 0xe2])}
     ${sayPort(0x40)}
     jmp exit`,
    [0x34, 0xb6, 0x30],
  );

  same(
    "latched counts go down",
    `${timer(2, 0)}
     call wait_some
     ${LATCH_TWICE}
     sub bx, cx
     xor ax, ax
     cmp bx, 0
     je .told
     cmp bx, 0x4000
     ja .told
     inc ax
     .told:
     call say
     jmp exit`,
    [1],
  );

  same(
    "mode 0 interrupts once",
    `mov word [0x80], tick
     mov word [0x82], 0
     ${out([0x21, 0xfe])}
     ${timer(0, 1193)}
     sti
     call wait_some
     call wait_some
     cli
     mov ax, [ticks]
     call say
     ${out([0x43, 0xe2])}
     ${sayPort(0x40)}
     jmp exit
     tick:
     push ax
     inc word [ticks]
     ${out([0x20, 0x20])}
     pop ax
     iret
     ticks: dw 0`,
    [1, 0xb0],
  );

  same(
    "the third channel's output rises at port 0x61 only with its gate up",
    `${out([0x61, 0x00], [0x43, 0xb0], [0x42, 0x00], [0x42, 0x10])}
     ${read(0x61)}
     and ax, 0x21
     call say
     ${out([0x61, 0x01])}
     .again:
     in al, 0x61
     test al, 0x20
     jz .again
     and ax, 0x21
     call say
     jmp exit`,
    [0x00, 0x21],
  );

  same(
    "ticks of 1,000 Hz against those of the clock's 256 Hz: between 3 and 5 for one, over 100 of them",
    `mov word [0x80], tick
     mov word [0x82], 0
     mov word [0xa0], slow
     mov word [0xa2], 0
     ${timer(2, 1193)}
     ${out([0x70, 0x0a], [0x71, 0x28], [0x70, 0x0b], [0x71, 0x42], [0x21, 0xfa], [0xa1, 0xfe])}
     sti
     .sleep:
     hlt
     cmp word [beats], 100
     jb .sleep
     cli
     mov ax, [ticks]
     xor dx, dx
     mov bx, 100
     div bx
     cmp ax, 3
     jb exit
     cmp ax, 5
     ja exit
     mov ax, 1
     call say
     jmp exit
     tick:
     push ax
     inc word [ticks]
     ${out([0x20, 0x20])}
     pop ax
     iret
     slow:
     push ax
     inc word [beats]
     ${out([0x70, 0x0c])}
     in al, 0x71
     ${out([0xa0, 0x20], [0x20, 0x20])}
     pop ax
     iret
     ticks: dw 0
     beats: dw 0`,
    [1],
  );
});

same(
  "the processor's counter of cycles goes on in sleep",
  `${vector(0x20, "tick")}
    ${timer(2, 0)}
    ${out([0x21, 0xfe])}
    sti
    hlt
    rdtsc
    mov ebx, eax
    mov cx, 9
  next:
    hlt
    loop next
    rdtsc
    cli
    sub eax, ebx
    cmp eax, 10000000
    seta al
    xor ah, ah
    call say
    jmp exit
  tick:
    push ax
    mov al, 0x20
    out 0x20, al
    pop ax
    iret`,
  [1],
);
