/** The firmware's screen services, called by boot sectors. What both must agree on is compared with QEMU and its SeaBIOS. */
import { describe, expect, test } from "vitest";
import { runMachine } from "../../machine/hosts/headless.ts";
import { bootImage } from "./boot-image.ts";
import { MODE_3, same, TIMEOUT } from "./boot-sectors.ts";

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
