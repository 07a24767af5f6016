/** The pair of interrupt controllers: by itself, against its datasheet, and behind a processor, against QEMU. */
import { describe, expect, test } from "vitest";
import { PortBus } from "#machine/bus.ts";
import { InterruptController } from "#machine/platform/interrupt-controller.ts";
import { InterruptControllers } from "#machine/platform/interrupt-controllers.ts";
import { out, read, sayPort, timer, vector } from "./device-image.ts";
import { same } from "./peers.ts";

/** A controller at 0x20, initialised as a kernel does it: vectors from 0x20, nothing masked. */
function controller(...words: readonly number[]) {
  const bus = new PortBus();
  const outputs: boolean[] = [];
  const chip = new InterruptController(bus, 0x20, (output) => outputs.push(output));
  const send = (port: number, ...values: number[]) => {
    for (const value of values) bus.portOut(port, 8, value);
  };
  send(0x20, 0x11);
  send(0x21, 0x20, 0x04, words[0] ?? 0x01);
  const pull = (...lines: number[]) => {
    for (const line of lines) {
      chip.setLine(line, true);
      chip.setLine(line, false);
    }
  };
  return { chip, outputs, send, pull, read: (port: number) => bus.portIn(port, 8) };
}

describe("one controller", () => {
  test("raises its output for a request, and lets it fall when the processor acknowledges", () => {
    const { chip, outputs, pull } = controller();
    pull(3);
    expect(outputs).toEqual([true]);
    expect(chip).toMatchObject({ request: 0x08, inService: 0 });
    expect(chip.acknowledge()).toBe(3);
    expect(outputs).toEqual([true, false]);
    expect(chip).toMatchObject({ request: 0, inService: 0x08, base: 0x20 });
  });

  test("takes requests by importance, and holds the less important ones back until the end of interrupt", () => {
    const { chip, send, pull } = controller();
    pull(5, 1, 3);
    expect(chip.acknowledge()).toBe(1);
    expect(chip.output).toBe(false);
    send(0x20, 0x20);
    expect(chip.output).toBe(true);
    expect(chip.acknowledge()).toBe(3);
    pull(0);
    expect(chip.output).toBe(true);
    expect(chip.acknowledge()).toBe(0);
    expect(chip.inService).toBe(0b1001);
    send(0x20, 0x20);
    expect(chip.inService).toBe(0b1000);
    send(0x20, 0x20);
    expect(chip.acknowledge()).toBe(5);
  });

  test("hears a line that stays up only once", () => {
    const { chip, send } = controller();
    chip.setLine(4, true);
    chip.acknowledge();
    send(0x20, 0x20);
    chip.setLine(4, true);
    expect(chip.output).toBe(false);
    chip.setLine(4, false);
    chip.setLine(4, true);
    expect(chip.output).toBe(true);
  });

  test("keeps what comes while it is masked", () => {
    const { chip, send, pull } = controller();
    send(0x21, 0x02);
    pull(1);
    expect(chip).toMatchObject({ output: false, request: 0x02, mask: 0x02 });
    send(0x21, 0x00);
    expect(chip.output).toBe(true);
  });

  test("answers 7 where nobody asks any more, with nobody in service", () => {
    const { chip } = controller();
    expect(chip.acknowledge()).toBe(7);
    expect(chip.inService).toBe(0);
  });

  test("shows requests or lines in service at the first port, as it was last told, and the mask at the second", () => {
    const { chip, send, pull, read } = controller();
    pull(6, 2);
    chip.acknowledge();
    expect(read(0x20)).toBe(0x40);
    send(0x20, 0x0b);
    expect(read(0x20)).toBe(0x04);
    send(0x20, 0x20);
    expect(read(0x20)).toBe(0x00);
    send(0x20, 0x0a);
    expect(read(0x20)).toBe(0x40);
    send(0x21, 0x5a);
    expect(read(0x21)).toBe(0x5a);
  });

  test("ends the interrupt that is named", () => {
    const { chip, send, pull } = controller();
    pull(4);
    chip.acknowledge();
    pull(2);
    chip.acknowledge();
    send(0x20, 0x64);
    expect(chip.inService).toBe(0x04);
    send(0x20, 0x63);
    expect(chip.inService).toBe(0x04);
  });

  test("rotates: the line just served becomes the least important", () => {
    const { chip, send, pull } = controller();
    pull(3);
    chip.acknowledge();
    send(0x20, 0xa0);
    pull(3, 4, 2);
    expect(chip.acknowledge()).toBe(4);
    send(0x20, 0xe4);
    expect(chip.acknowledge()).toBe(2);
    send(0x20, 0x20, 0xc5);
    pull(6, 0);
    expect(chip.acknowledge()).toBe(6);
  });

  test("ends by itself where the fourth word says so, and may rotate then", () => {
    const { chip, send, pull } = controller(0x03);
    pull(1, 1);
    expect(chip.acknowledge()).toBe(1);
    expect(chip.inService).toBe(0);
    send(0x20, 0x80);
    pull(1);
    chip.acknowledge();
    pull(1, 5);
    expect(chip.acknowledge()).toBe(5);
  });

  test("in special mask mode lets less important lines through while a masked one is in service", () => {
    const { chip, send, pull } = controller();
    pull(1);
    chip.acknowledge();
    pull(6);
    send(0x21, 0x02);
    expect(chip.output).toBe(false);
    send(0x20, 0x68);
    expect(chip.output).toBe(true);
    expect(chip.hears(6)).toBe(true);
    send(0x20, 0x48);
    expect(chip.output).toBe(false);
  });

  test("can be polled instead of acknowledged", () => {
    const { chip, send, pull, read } = controller();
    send(0x20, 0x0c);
    expect(read(0x20)).toBe(0);
    pull(5);
    send(0x20, 0x0c);
    expect(read(0x20)).toBe(0x85);
    expect(chip.inService).toBe(0x20);
    expect(read(0x20)).toBe(0);
  });

  test("forgets all when it is initialised, and expects as many words as the first one says", () => {
    const { chip, send, pull } = controller();
    send(0x21, 0xff);
    pull(1);
    send(0x20, 0x12);
    expect(chip).toMatchObject({ request: 0, mask: 0, inService: 0 });
    send(0x21, 0x40, 0xf0);
    expect(chip).toMatchObject({ base: 0x40, mask: 0xf0 });
  });
});

describe("the pair", () => {
  function pair() {
    const bus = new PortBus();
    const controllers = new InterruptControllers(bus);
    const send = (port: number, ...values: number[]) => {
      for (const value of values) bus.portOut(port, 8, value);
    };
    send(0x20, 0x11);
    send(0x21, 0x20, 0x04, 0x01);
    send(0xa0, 0x11);
    send(0xa1, 0x28, 0x02, 0x01);
    return { controllers, send, bus };
  }

  test("gives the vectors of both, and needs both to be told of the end", () => {
    const { controllers, send } = pair();
    controllers.setLine(12, true);
    expect(controllers.pending()).toBe(true);
    expect(controllers.acknowledge()).toBe(0x2c);
    expect(controllers.state).toMatchObject([{ inService: 0x04 }, { inService: 0x10 }]);
    send(0xa0, 0x20);
    controllers.setLine(8, true);
    expect(controllers.pending()).toBe(false);
    send(0x20, 0x20);
    expect(controllers.pending()).toBe(true);
    expect(controllers.acknowledge()).toBe(0x28);
  });

  test("the slave's lines stand between 1 and 3", () => {
    const { controllers, send } = pair();
    for (const line of [3, 15, 1, 8]) controllers.setLine(line, true);
    const order: number[] = [];
    while (controllers.pending()) {
      order.push(controllers.acknowledge());
      send(0xa0, 0x20);
      send(0x20, 0x20);
    }
    expect(order).toEqual([0x21, 0x28, 0x2f, 0x23]);
  });

  test("a more important line of the slave interrupts a less important one only in special fully nested mode", () => {
    for (const [word, expected] of [
      [0x01, false],
      [0x11, true],
    ] as const) {
      const { controllers, send } = pair();
      send(0x20, 0x11);
      send(0x21, 0x20, 0x04, word);
      controllers.setLine(14, true);
      controllers.acknowledge();
      controllers.setLine(9, true);
      expect(controllers.pending()).toBe(expected);
    }
  });

  test("a request that the slave takes back is spurious: vector of its line 7, in service at the master alone", () => {
    const { controllers, send } = pair();
    controllers.setLine(10, true);
    send(0xa1, 0x04);
    expect(controllers.pending()).toBe(true);
    expect(controllers.acknowledge()).toBe(0x2f);
    expect(controllers.state).toMatchObject([{ inService: 0x04 }, { inService: 0 }]);
  });

  test("says which lines could get through to the processor", () => {
    const { controllers, send } = pair();
    const heard = () => Array.from({ length: 16 }, (_, line) => line).filter((line) => controllers.hears(line));
    send(0x21, 0xf0);
    send(0xa1, 0xfc);
    expect(heard()).toEqual([0, 1, 2, 3, 8, 9]);
    controllers.setLine(2, true);
    controllers.acknowledge();
    expect(heard()).toEqual([0, 1]);
  });
});

/** A handler that quiets its device, sends its number and the lines in service at the master, and ends the interrupt. */
const teller = (number: 1 | 4) => `
told_${number}:
    push ax
    push dx
    ${number === 1 ? read(0x60) : out([0x3f9, 0x00])}
    mov ax, ${number}
    call say
    mov al, 0x0b
    out 0x20, al
    ${sayPort(0x20)}
    mov al, 0x20
    out 0x20, al
    pop dx
    pop ax
    iret
`;

/** Requests on lines 4 and 1, in this order: an empty transmitter, for a moment, and an answer of the keyboard controller. */
const PULL_4_AND_1 = out([0x3fc, 0x08], [0x3f9, 0x02], [0x3f9, 0x00], [0x64, 0x20]);

describe("behind a processor", () => {
  same(
    "what was written can be read back: masks, requests, lines in service",
    `${sayPort(0x21)}
     ${out([0x21, 0xa5], [0xa1, 0x5a])}
     ${sayPort(0x21)}
     ${sayPort(0xa1)}
     ${out([0x20, 0x0b], [0xa0, 0x0b])}
     ${sayPort(0x20)}
     ${sayPort(0xa0)}
     jmp exit`,
    [0xff, 0xa5, 0x5a, 0, 0],
  );

  same(
    "requests wait while interrupts are off, then come by importance, each with its bit in service",
    `${vector(0x21, "told_1")}
     ${vector(0x24, "told_4")}
     ${PULL_4_AND_1}
     ${out([0x20, 0x0a])}
     ${read(0x20)}
     and ax, 0x12
     call say
     ${out([0x21, 0xed])}
     sti
     call wait_some
     cli
     jmp exit
     ${teller(1)}
     ${teller(4)}`,
    [0x12, 1, 0x02, 4, 0x10],
  );

  same(
    "a more important request interrupts a handler that has switched interrupts on, a less important one does not",
    `${vector(0x21, "told_1")}
     ${vector(0x24, "slow_4")}
     ${out([0x21, 0xed], [0x3fc, 0x08])}
     sti
     ${out([0x3f9, 0x02])}
     call wait_some
     cli
     jmp exit
     slow_4:
     ${out([0x3f9, 0x00])}
     sti
     ${out([0x64, 0x20])}
     call wait_some
     jmp told_4
     ${teller(1)}
     ${teller(4)}`,
    [1, 0x12, 4, 0x10],
  );

  same(
    "the timer's ticks are counted, one for each end of interrupt",
    `${vector(0x20, "tick")}
     ${timer(3, 1193)}
     ${out([0x21, 0xfe])}
     sti
     again:
     hlt
     cmp word [ticks], 50
     jb again
     cli
     mov ax, [ticks]
     call say
     jmp exit
     tick:
     push ax
     inc word [ticks]
     ${out([0x20, 0x20])}
     pop ax
     iret
     ticks: dw 0`,
    [50],
  );

  same(
    "without an end of interrupt there is no second tick, and no less important interrupt either; a late end lets them come",
    `${vector(0x20, "tick")}
     ${vector(0x24, "told_4")}
     ${timer(2, 1193)}
     ${out([0x21, 0xee], [0x3fc, 0x08])}
     sti
     call wait_some
     ${out([0x3f9, 0x02])}
     call wait_some
     mov ax, [ticks]
     call say
     cli
     ${out([0x20, 0x20])}
     sti
     call wait_some
     cli
     mov ax, [ticks]
     call say
     jmp exit
     tick:
     inc word [ticks]
     iret
     ticks: dw 0
     ${teller(4)}`,
    [1, 2],
  );

  same(
    "a request that the slave no longer has is spurious: line 15, with nobody in service there",
    `${vector(0x2f, "spurious")}
     ${out([0x70, 0x0a], [0x71, 0x26], [0x70, 0x0b], [0x71, 0x42], [0x21, 0xfb], [0xa1, 0xfe])}
     call wait_some
     ${out([0xa1, 0xff])}
     sti
     call wait_some
     cli
     mov ax, [count]
     call say
     jmp exit
     spurious:
     push ax
     inc word [count]
     ${out([0xa0, 0x0b])}
     ${sayPort(0xa0)}
     ${out([0x20, 0x0b])}
     ${sayPort(0x20)}
     ${out([0x20, 0x20])}
     pop ax
     iret
     count: dw 0`,
    [0, 0x04, 1],
  );

  same(
    "a poll acknowledges without an interrupt",
    `${PULL_4_AND_1}
     ${out([0x21, 0xed], [0x20, 0x0c])}
     ${sayPort(0x20)}
     ${out([0x20, 0x0b])}
     ${sayPort(0x20)}
     ${out([0x20, 0x20], [0x20, 0x0c])}
     ${sayPort(0x20)}
     jmp exit`,
    [0x81, 0x02, 0x84],
  );

  same(
    "the end of interrupt may name its line, and turn the wheel",
    `${PULL_4_AND_1}
     ${out([0x20, 0xc1], [0x21, 0xed], [0x20, 0x0c])}
     ${sayPort(0x20)}
     ${out([0x20, 0x64], [0x20, 0x0c])}
     ${sayPort(0x20)}
     ${out([0x20, 0x0b])}
     ${sayPort(0x20)}
     jmp exit`,
    [0x84, 0x81, 0x02],
  );
});
