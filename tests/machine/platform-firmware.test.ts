/** Firmware services, called by boot sectors. What both must agree on is compared with QEMU and its SeaBIOS. */
import { describe, expect, test } from "vitest";
import { Machine } from "#machine/machine.ts";
import { screenText } from "#machine/platform/vga.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { type MachineOptions, runMachine } from "../../machine/hosts/headless.ts";
import { runQemu } from "../../machine/hosts/qemu.ts";
import { lacks } from "../requires.ts";
import { bootImage, patternAt, SECTOR, said } from "./boot-image.ts";

/** For a guest that hangs; on a busy host one that does not may take half a minute. */
const TIMEOUT = 100;

/** Runs a boot sector in our machine; the words that it said, and its screen. */
async function run(body: string, options: Partial<MachineOptions> = {}) {
  const { serial, screenCells, exit } = await runMachine({ image: bootImage(body), timeout: TIMEOUT, ...options });
  return { words: said(serial), screenCells, text: screenText(screenCells), exit };
}

/** Runs it in QEMU as well, and expects the same words, the same end and the same screen. */
async function same(body: string, compareScreen: boolean) {
  const ours = await run(body);
  if (lacks("qemu-system-x86_64")) return ours;
  const peer = await runQemu({ image: bootImage(body), timeout: TIMEOUT });
  expect(said(peer.serial)).toEqual(ours.words);
  expect(peer.exit).toEqual(ours.exit);
  if (compareScreen) expect(Buffer.from(peer.screenCells)).toEqual(Buffer.from(ours.screenCells));
  return ours;
}

const MODE_3 = "mov ax, 3\nint 0x10\n";

describe("int 0x10", () => {
  test("teletype writes, minds control characters, wraps and scrolls as SeaBIOS does", async () => {
    const { text } = await same(
      `${MODE_3}
      mov cx, 26
    .row:
      mov si, line
    .next:
      lodsb
      test al, al
      jz .done
      mov ah, 0x0e
      mov bx, 7
      int 0x10
      jmp .next
    .done:
      loop .row
      mov ah, 2
      mov bh, 0
      mov dx, 0x184e
      int 0x10
      mov cx, 5
      mov ax, 0x0e2a
    .wrap:
      int 0x10
      loop .wrap
      mov ah, 3
      mov bh, 0
      int 0x10
      mov ax, dx
      call say
      jmp stop
    line: db "ab", 8, "c", 7, 13, 10, 0`,
      true,
    );
    expect(text.split("\n")[0]).toBe("ac");
    expect(text.split("\n").at(-1)).toBe("***");
  });

  test("cells are written with and without attribute, read back, and the cursor stays", async () => {
    const { words } = await same(
      `${MODE_3}
      mov ah, 2
      mov bh, 0
      mov dx, 0x0503
      int 0x10
      mov ax, 0x0941
      mov bx, 0x001e
      mov cx, 5
      int 0x10
      mov ax, 0x0a42
      mov cx, 2
      int 0x10
      mov ah, 8
      mov bh, 0
      int 0x10
      call say
      mov ah, 3
      int 0x10
      mov ax, dx
      call say
      jmp stop`,
      true,
    );
    expect(words).toEqual([0x1e42, 0x0503]);
  });

  test.each([
    ["up two", 0x0602],
    ["down three", 0x0703],
    ["cleared", 0x0600],
    ["by more than its height", 0x0650],
  ])("a window is scrolled: %s", async (_, ax) => {
    await same(
      `${MODE_3}
      mov ax, 0xb800
      mov es, ax
      xor di, di
      mov cx, 2000
      mov ax, 0x0721
    .fill:
      stosw
      inc al
      loop .fill
      mov ax, ${ax}
      mov bh, 0x2f
      mov cx, 0x0305
      mov dx, 0x0a20
      int 0x10
      jmp stop`,
      true,
    );
  });

  test.each([0, 1, 2, 3])("a string is written, mode %i", async (mode) => {
    await same(
      `${MODE_3}
      mov bp, text
      mov cx, 4
      mov dx, 0x0203
      mov bx, 0x004f
      mov ax, 0x1300 + ${mode}
      int 0x10
      mov ah, 3
      mov bh, 0
      int 0x10
      mov ax, dx
      call say
      jmp stop
    text: db "a", 0x1e, "b", 0x2e, "c", 0x3e, "d", 0x4e`,
      true,
    );
  });

  test("the mode is told: 3, with 80 columns, and bit 7 of al keeps the screen", async () => {
    const { words, text } = await same(
      `${MODE_3}
      mov ax, 0x0e41
      int 0x10
      mov ax, 0x0083
      int 0x10
      mov ah, 0x0f
      int 0x10
      and al, 0x7f
      call say
      mov al, bh
      call say
      jmp stop`,
      true,
    );
    expect(words[0]).toBe(0x5003);
    expect(text.startsWith("A")).toBe(true);
  });

  test("graphics modes are refused with a notice", async () => {
    const notices: string[] = [];
    const image = bootImage("mov ax, 0x13\nint 0x10\njmp stop");
    await runMachine({ image, timeout: TIMEOUT, onNotice: (message) => notices.push(message) });
    expect(notices).toEqual(["int 0x10 with ah=0x0: not in this firmware"]);
  });
});

/** Says first and last word of `count` sectors at 0x1000. */
const told = (count: number) => `mov ax, [0x1000]\ncall say\nmov ax, [0x1000 + ${count * SECTOR - 2}]\ncall say\n`;
const word = (sector: number, offset: number) => patternAt(sector, offset) | (patternAt(sector, offset + 1) << 8);
/** Says the carry flag, then ah. */
const CARRY = "mov bx, ax\nsetc al\nxor ah, ah\ncall say\nmov al, bh\ncall say\n";

describe("int 0x13", () => {
  test("extensions are there, and say so with the swapped password", async () => {
    const { words } = await same(
      "mov ah, 0x41\nmov bx, 0x55aa\nmov dl, [drive]\nint 0x13\nsetc al\nmov ah, cl\nand ah, 1\ncall say\nmov ax, bx\ncall say\njmp exit",
      false,
    );
    expect(words).toEqual([0x0100, 0xaa55]);
  });

  test("an extended read brings sectors anywhere, also several at once", async () => {
    const { words } = await same(
      `mov si, packet
      mov ah, 0x42
      mov dl, [drive]
      int 0x13
      ${CARRY}
      ${told(20)}
      jmp exit
      align 4
    packet: db 16, 0
      dw 20, 0x1000, 0
      dq 1500`,
      false,
    );
    expect(words).toEqual([0, 0, word(1500, 0), word(1519, SECTOR - 2)]);
  });

  test("each sector has a place in the geometry of function 8, and is read there", async () => {
    const { words } = await same(
      `mov ah, 8
      mov dl, [drive]
      int 0x13
      mov [heads], dh
      inc byte [heads]
      and cl, 0x3f
      mov [sectors], cl
      mov bp, blocks
      mov cx, 4
    .next:
      push cx
      mov ax, [bp]
      add bp, 2
      div byte [sectors]      ; al = track, ah = sector
      mov cl, ah
      inc cl
      xor ah, ah
      div byte [heads]        ; al = cylinder, ah = head
      mov ch, al
      mov dh, ah
      mov dl, [drive]
      mov bx, 0x1000
      mov ax, 0x0201
      int 0x13
      ${CARRY}
      ${told(1)}
      pop cx
      loop .next
      jmp exit
    heads: db 0
    sectors: db 0
    blocks: dw 1, 62, 63, 1000`,
      false,
    );
    expect(words).toEqual([1, 62, 63, 1000].flatMap((sector) => [0, 0, word(sector, 0), word(sector, SECTOR - 2)]));
  });

  test("what is written is read back", async () => {
    const { words } = await same(
      `mov word [0x1000], 0xbeef
      mov si, packet
      mov ax, 0x4300
      mov dl, [drive]
      int 0x13
      ${CARRY}
      mov word [0x1000], 0
      mov ah, 0x42
      mov dl, [drive]
      int 0x13
      ${told(1)}
      mov ax, 0x0301
      mov bx, 0x1000
      mov cx, 0x0003
      mov dx, 0x0080
      int 0x13
      ${CARRY}
      mov word [0x1000], 0
      mov ax, 0x0201
      mov bx, 0x1000
      int 0x13
      ${told(1)}
      jmp exit
      align 4
    packet: db 16, 0
      dw 1, 0x1000, 0
      dq 700`,
      false,
    );
    expect(words.filter((value) => value === 0xbeef)).toHaveLength(2);
  });

  test.each([
    ["a drive that is not there", "mov ax, 0x0201\nmov cx, 1\nmov dx, 0x0085"],
    ["sector number 0", "mov ax, 0x0201\nmov cx, 0x0000\nmov dx, 0x0080"],
    ["a head beyond the last", "mov ax, 0x0201\nmov cx, 0x0001\nmov dx, 0xfe80"],
    ["a function that is not there", "mov ah, 0x7f\nmov dl, 0x80"],
    ["extensions without the password", "mov ah, 0x41\nmov bx, 0\nmov dl, 0x85"],
  ])("%s is refused with carry and an error in ah", async (_, registers) => {
    const { words } = await same(`mov bx, 0x1000\n${registers}\nint 0x13\n${CARRY}jmp exit`, false);
    expect(words[0]).toBe(1);
    expect(words[1]! & 0xff).toBe(1);
  });

  test("a read past the end of the disk fails", async () => {
    const { words } = await run(
      `mov si, packet
      mov ah, 0x42
      mov dl, [drive]
      int 0x13
      ${CARRY}
      mov ax, [packet + 2]
      call say
      jmp exit
      align 4
    packet: db 16, 0
      dw 8, 0x1000, 0
      dq 2044`,
    );
    expect(words).toEqual([1, 0x0004, 0]);
  });

  test("the disk tells its size: 2,048 sectors of 512 bytes", async () => {
    const { words } = await same(
      `mov si, 0x1000
      mov word [si], 26
      mov ah, 0x48
      mov dl, [drive]
      int 0x13
      ${CARRY}
      mov ax, [0x1000 + 16]
      call say
      mov ax, [0x1000 + 24]
      call say
      jmp exit`,
      false,
    );
    expect(words).toEqual([0, 0, 2048, 512]);
  });

  test("a guest may put itself before the service and call on", async () => {
    const { words } = await same(
      `mov eax, [0x13 * 4]
      mov [old], eax
      mov word [0x13 * 4], hook
      mov word [0x13 * 4 + 2], 0
      mov ax, 0x0201
      mov bx, 0x1000
      mov cx, 2
      mov dx, 0x0080
      int 0x13
      ${CARRY}
      ${told(1)}
      mov ax, [count]
      call say
      jmp exit
    hook:
      inc word [cs:count]
      pushf
      call far [cs:old]
      retf 2
    old: dd 0
    count: dw 0`,
      false,
    );
    expect(words).toEqual([0, 0, word(1, 0), word(1, SECTOR - 2), 1]);
  });
});

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
