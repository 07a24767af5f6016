/** Keyboard and keyboard controller: one byte at a time, commands, interrupts; and typed texts against QEMU. */
import { describe, expect, test } from "vitest";
import { PortBus } from "#machine/bus.ts";
import { Machine } from "#machine/machine.ts";
import { PhysicalMemory } from "#machine/memory/physical.ts";
import { Keyboard } from "#machine/platform/keyboard.ts";
import { KeyboardController } from "#machine/platform/keyboard-controller.ts";
import { typed } from "#machine/platform/scan-codes.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { lacks } from "../requires.ts";
import { deviceImage, note, out, read, vector } from "./device-image.ts";
import { OURS, QEMU, same } from "./peers.ts";

const DATA = 0x60;
const COMMAND = 0x64;

function controller() {
  const bus = new PortBus();
  const memory = new PhysicalMemory(new WebAssembly.Memory({ initial: 64 }), 0x100000);
  const keyboard = new Keyboard();
  const levels: boolean[] = [];
  let resets = 0;
  const made = new KeyboardController(
    bus,
    keyboard,
    memory,
    (level) => {
      if (level !== (levels.at(-1) ?? false)) levels.push(level);
    },
    () => resets++,
  );
  made.reset();
  const status = () => bus.portIn(COMMAND, 8);
  const read = () => bus.portIn(DATA, 8);
  const send = (port: number, values: readonly number[]) => {
    for (const value of values) bus.portOut(port, 8, value);
  };
  return {
    memory,
    status,
    read,
    command: (...values: number[]) => send(COMMAND, values),
    write: (...values: number[]) => send(DATA, values),
    resets: () => resets,
    interrupt: () => levels.at(-1) ?? false,
    edges: () => levels.filter((level) => level).length,
    press: (...codes: number[]) => {
      keyboard.type([codes]);
      made.refill();
    },
    type: (text: string) => {
      keyboard.type(typed(text));
      made.refill();
    },
    /** All that waits to be read. */
    drain: () => {
      const bytes: number[] = [];
      while (status() & 1) bytes.push(read());
      return bytes;
    },
  };
}

describe("the controller", () => {
  test("hands out one byte at a time, and pulls its line anew for each", () => {
    const { press, status, read, interrupt, edges } = controller();
    expect(status()).toBe(0x14);
    press(0x1e);
    press(0x9e);
    expect([status(), interrupt(), edges()]).toEqual([0x15, true, 1]);
    expect([read(), interrupt(), edges()]).toEqual([0x1e, true, 2]);
    expect([read(), interrupt(), edges()]).toEqual([0x9e, false, 2]);
  });

  test("shows the last byte again where nothing waits", () => {
    const { press, read, status } = controller();
    press(0x1e);
    expect([read(), read(), status()]).toEqual([0x1e, 0x1e, 0x14]);
  });

  test("pulls no line where the configuration does not want it, but has the byte", () => {
    const { press, command, write, interrupt, status } = controller();
    command(0x60);
    write(0x40);
    press(0x1e);
    expect([interrupt(), status() & 1]).toEqual([false, 1]);
    command(0x60);
    write(0x41);
    expect(interrupt()).toBe(true);
  });

  test("keeps the keyboard waiting while it is switched off", () => {
    const { press, command, drain, status } = controller();
    command(0xad);
    press(0x1e);
    expect(status() & 1).toBe(0);
    command(0xae);
    expect(drain()).toEqual([0x1e]);
  });

  test("answers its own commands before the keys", () => {
    const { press, command, write, drain } = controller();
    press(0x10);
    press(0x11);
    command(0xaa, 0xab, 0xa9, 0x20);
    command(0xd2);
    write(0x77);
    expect(drain()).toEqual([0x10, 0x55, 0x00, 0x00, 0x61, 0x77, 0x11]);
  });

  test("moves the A20 gate and the reset line", () => {
    const { memory, command, write, drain, resets } = controller();
    memory.a20 = true;
    command(0xd0);
    expect(drain()).toEqual([0x03]);
    command(0xd1);
    write(0xdd);
    expect(memory.a20).toBe(false);
    command(0xdf);
    expect(memory.a20).toBe(true);
    command(0xfe);
    command(0xd1);
    write(0x02);
    expect(resets()).toBe(2);
  });

  test("tells whether the last byte written was a command", () => {
    const { command, write, status } = controller();
    command(0xae);
    expect(status() & 0x08).toBe(0x08);
    write(0xf4);
    expect(status() & 0x08).toBe(0);
  });
});

describe("the keyboard", () => {
  test("acknowledges commands, and takes the second byte of those that have one", () => {
    const { write, drain } = controller();
    write(0xf4);
    expect(drain()).toEqual([0xfa]);
    write(0xee);
    expect(drain()).toEqual([0xee]);
    write(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x41]);
    write(0xed, 0x07);
    expect(drain()).toEqual([0xfa, 0xfa]);
    write(0xff);
    expect(drain()).toEqual([0xfa, 0xaa]);
    write(0x55);
    expect(drain()).toEqual([0xfe]);
  });

  test("says nothing while its scanning is switched off", () => {
    const { write, press, drain } = controller();
    write(0xf5);
    press(0x1e);
    expect(drain()).toEqual([0xfa]);
    write(0xf4);
    expect(drain()).toEqual([0xfa, 0x1e]);
  });

  test("loses no key, however long the computer does not listen", () => {
    const { press, drain } = controller();
    for (let key = 1; key <= 80; key++) press(0xe0, key);
    expect(drain()).toEqual(Array.from({ length: 80 }, (_, index) => [0xe0, index + 1]).flat());
  });

  test("types a long text as fast as it is read, and loses nothing", () => {
    const { type, drain } = controller();
    const text = "the quick brown fox jumps over the lazy dog";
    type(text);
    expect(drain()).toEqual(typed(text).flat());
  });
});

describe("scan codes", () => {
  test("of letters, capitals, Enter and arrows", () => {
    expect(typed("aB\n↑")).toEqual([
      [0x1e, 0x9e],
      [0x2a, 0x30, 0xb0, 0xaa],
      [0x1c, 0x9c],
      [0xe0, 0x48, 0xe0, 0xc8],
    ]);
  });

  test("of what is not on an American keyboard are left out", () => {
    expect(typed("äa€")).toEqual([[0x1e, 0x9e]]);
  });
});

/** Sends each scan code as a byte, until Escape comes up. */
const SCAN_CODES = `
${vector(0x21, "key")}
${out([0x3f8, 0x52], [0x3f8, 0x21], [0x21, 0xfd])}
sti
sleep:
hlt
jmp sleep
key:
${read(DATA)}
mov dx, 0x3f8
out dx, al
cmp al, 0x81
je exit
${out([0x20, 0x20])}
iret
`;

describe("for a guest", () => {
  for (const { name, run } of [OURS, QEMU]) {
    test.skipIf(name === "QEMU" && lacks("qemu-system-x86_64"))(
      `a typed text arrives as scan codes, with shift and arrows, in ${name}`,
      async () => {
        const text = "Hello, World!\n\t\b\"#$%&{}|~`-=[]\\;'/?<>19 ↑↓←→\x1b";
        const { bytes, exit } = await run({ image: deviceImage(SCAN_CODES), type: text, typeAfter: "R!" });
        expect(bytes.slice(2)).toEqual(typed(text).flat());
        expect(exit).toEqual({ kind: "exit", status: 33 });
      },
    );
  }

  test("keys pressed while it sleeps wake it", () => {
    const machine = new Machine({ disk: deviceImage(SCAN_CODES), engine: evaluatorEngine });
    const sent: number[] = [];
    machine.onSerial = (byte) => sent.push(byte);
    expect(machine.run(100_000)).toEqual({ kind: "halted" });
    machine.key([0xe0, 0x4b]);
    machine.key([0xe0, 0xcb]);
    expect(machine.run(100_000)).toEqual({ kind: "halted" });
    expect(sent.slice(2)).toEqual([0xe0, 0x4b, 0xe0, 0xcb]);
  });

  test("a handler that does not read gets no second interrupt", () => {
    const machine = new Machine({
      disk: deviceImage(SCAN_CODES.replace(read(DATA), "mov al, 0x21")),
      engine: evaluatorEngine,
    });
    const sent: number[] = [];
    machine.onSerial = (byte) => sent.push(byte);
    machine.run(100_000);
    machine.type("ab");
    expect(machine.run(100_000)).toEqual({ kind: "halted" });
    expect(sent.slice(2)).toEqual([0x21]);
  });

  same(
    "self-test, configuration, and the keyboard's own answers",
    `${ask(COMMAND, 0xaa)}
     ${ask(COMMAND, 0xab)}
     ${ask(COMMAND, 0x20)}
     ${ask(DATA, 0xed)}
     ${ask(DATA, 0x02)}
     ${ask(DATA, 0xee)}
     ${ask(DATA, 0xf2)}
     ${wait()}
     ${wait()}
     jmp tell`,
    [0x55, 0x00, 0x61, 0xfa, 0xfa, 0xee, 0xfa, 0xab, 0x41],
  );
});

/** Writes a byte and notes the answer. */
function ask(port: number, value: number): string {
  return `${out([port, value])}\n${wait()}`;
}

let labels = 0;

/** Waits for a byte of the controller and notes it. */
function wait(): string {
  const label = `wait_${labels++}`;
  return `${label}:\nin al, 0x64\ntest al, 1\njz ${label}\n${note(DATA)}`;
}
