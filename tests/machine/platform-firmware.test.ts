/** The firmware's other services, called by boot sectors, and what it starts. What both must agree on is compared with QEMU and its SeaBIOS. */
import { describe, expect, test } from "vitest";
import { Machine } from "#machine/machine.ts";
import { screenText } from "#machine/platform/vga.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { runMachine } from "../../machine/hosts/headless.ts";
import { runQemu } from "../../machine/hosts/qemu.ts";
import { lacks } from "../requires.ts";
import { bootImage, said } from "./boot-image.ts";
import { CARRY, MODE_3, run, same, TIMEOUT } from "./boot-sectors.ts";

describe("int 0x15", () => {
  const MAP = `
      mov di, 0x1000
      xor ebx, ebx
    .next:
      mov eax, 0xe820
      mov edx, 0x534d4150
      mov ecx, 24
      int 0x15
      jc .done
      cmp eax, 0x534d4150
      jne .done
      mov cx, 10
      mov si, di
    .word:
      lodsw
      call say
      loop .word
      add di, 24
      test ebx, ebx
      jnz .next
    .done:
      jmp exit`;

  /** Entries of the memory map from what the boot sector said. */
  function ranges(words: readonly number[]) {
    return Array.from({ length: words.length / 10 }, (_, index) => {
      const at = (offset: number, count: number) =>
        words
          .slice(index * 10 + offset, index * 10 + offset + count)
          .reduceRight((sum, value) => sum * 65536 + value, 0);
      return { base: at(0, 4), length: at(4, 4), type: at(8, 2) };
    });
  }

  /** What every memory map must be. */
  function expectSane(map: ReturnType<typeof ranges>) {
    const usable = map.filter(({ type }) => type === 1);
    expect(usable[0]!.base).toBe(0);
    expect(usable[0]!.length).toBe(0x9fc00);
    expect(usable[1]!.base).toBe(0x100000);
    for (const [index, { base }] of map.entries()) {
      if (index > 0) expect(base).toBeGreaterThanOrEqual(map[index - 1]!.base + map[index - 1]!.length);
    }
  }

  test("the memory map is ascending and says where memory is", async () => {
    const { words } = await run(MAP, { memory: 64 << 20 });
    expectSane(ranges(words));
    expect(ranges(words).at(-1)).toEqual({ base: 0x100000, length: 63 << 20, type: 1 });
    if (lacks("qemu-system-x86_64")) return;
    const peer = await runQemu({ image: bootImage(MAP), timeout: TIMEOUT, memory: 64 << 20 });
    expectSane(ranges(said(peer.serial)));
  });

  test("the older calls agree with the map", async () => {
    const { words } = await run(
      `mov ax, 0xe801
      int 0x15
      call say
      mov ax, bx
      call say
      mov ax, cx
      call say
      mov ax, dx
      call say
      mov ah, 0x88
      int 0x15
      call say
      int 0x12
      call say
      jmp exit`,
      { memory: 64 << 20 },
    );
    expect(words).toEqual([15 * 1024, 48 * 16, 15 * 1024, 48 * 16, 63 * 1024, 639]);
  });

  test("functions that are not there are refused with 0x86", async () => {
    const { words } = await same(`mov ax, 0x7777\nint 0x15\n${CARRY}jmp exit`, false);
    expect(words[0]).toBe(1);
    expect(words[1]! & 0xff).toBe(0x86);
  });

  test("the gate opens and tells", async () => {
    const body = `mov ax, 0x2401\nint 0x15\n${CARRY}mov ax, 0x2402\nint 0x15\ncall say\njmp exit`;
    const { words } = await same(body, false);
    expect(words.at(-1)).toBe(1);
  });
});

describe("int 0x16", () => {
  const BODY = `
      mov ah, 1
      int 0x16
      setz al
      xor ah, ah
      call say
      mov ah, 0
      int 0x16
      call say
      mov ah, 1
      int 0x16
      call say
      mov ah, 0
      int 0x16
      call say
      jmp exit`;

  test("waits for keys, and gives character and scan code", () => {
    const machine = new Machine({ disk: bootImage(BODY), engine: evaluatorEngine });
    const serial: number[] = [];
    machine.onSerial = (byte) => serial.push(byte);
    expect(machine.run(100_000)).toEqual({ kind: "budget" });
    expect(said(serial)).toEqual([1]);
    machine.type("a?");
    expect(machine.run(100_000)).toEqual({ kind: "exit", status: 33 });
    expect(said(serial)).toEqual([1, 0x1e61, 0x353f, 0x353f]);
  });

  test("control makes numbers of letters, and the keys that are held are told in full", () => {
    const body = `
      mov ah, 0
      int 0x16
      call say
      mov ax, 0x1234
      int 0x16
      call say
      mov al, [0x417]
      call say
      jmp exit`;
    const machine = new Machine({ disk: bootImage(body), engine: evaluatorEngine });
    const serial: number[] = [];
    machine.onSerial = (byte) => serial.push(byte);
    machine.run(100_000);
    machine.type([[0x1d, 0x30, 0xb0]]); // control stays down
    expect(machine.run(100_000)).toEqual({ kind: "exit", status: 33 });
    expect(said(serial)).toEqual([0x3002, 0x0004, 0x0004]);
  });
});

describe("what boots and what does not", () => {
  test("the boot sector starts with the drive in dl, and its own number in the last word", async () => {
    const { words } = await same("mov ax, dx\nand ax, 0xff\ncall say\nmov ax, [0x7dfe]\ncall say\njmp exit", false);
    expect(words).toEqual([0x80, 0xaa55]);
  });

  test("data area: serial port, columns, rows, cursor shape", async () => {
    const fields = [0x400, 0x44a, 0x44c, 0x460, 0x463, 0x485];
    const body = fields.map((at) => `mov ax, [${at}]\ncall say`).join("\n");
    const { words } = await same(`${MODE_3}${body}\njmp exit`, false);
    expect(words).toEqual([0x3f8, 80, 0x1000, 0x0607, 0x3d4, 16]);
  });

  test("a disk without signature is named on the screen", async () => {
    const image = new Uint8Array(1 << 20);
    const { screenCells, exit } = await runMachine({ image, timeout: TIMEOUT });
    expect(exit).toEqual({ kind: "halted" });
    expect(screenText(screenCells).trim()).toBe(
      "The disk is not bootable: its first sector does not end with the bytes 55 AA.",
    );
  });

  test("a machine without disk says so", () => {
    const machine = new Machine({ engine: evaluatorEngine });
    expect(machine.run(1000)).toEqual({ kind: "halted" });
    expect(machine.screen.text().trim()).toBe("There is no disk to boot from.");
  });

  test("a boot sector may give up, or start again", async () => {
    expect((await run("int 0x18")).text).toContain("The boot sector gave up");
    const again = await run(
      "cmp word [0x600], 0x1234\nje stop\nmov word [0x600], 0x1234\nmov ax, 7\ncall say\nint 0x19",
    );
    expect(again).toMatchObject({ words: [7], exit: { kind: "halted" } });
  });

  test("nobody but the ROM may use the firmware's ports", async () => {
    const notices: string[] = [];
    const image = bootImage("mov ah, 0x0e\nmov al, 65\nout 0xe0, al\njmp stop");
    const { screenCells } = await runMachine({ image, timeout: TIMEOUT, onNotice: (message) => notices.push(message) });
    expect(screenText(screenCells).trim()).toBe("");
    expect(notices).toEqual(["port 0xe0 belongs to the firmware; the guest's write there is ignored"]);
  });

  test("the ROM cannot be written, and where nothing is there are ones", async () => {
    const { words } = await run(`
      mov ax, 0xf000
      mov fs, ax
      mov word [fs:0xfff0], 0
      mov ax, [fs:0xfff0]
      call say
      mov ax, 0xd000
      mov fs, ax
      mov word [fs:0], 0
      mov ax, [fs:0]
      call say
      jmp exit`);
    expect(words).toEqual([0x5bea, 0xffff]);
  });
});
