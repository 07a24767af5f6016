/** The firmware's disk services, called by boot sectors. What both must agree on is compared with QEMU and its SeaBIOS. */
import { describe, expect, test } from "vitest";
import { patternAt, SECTOR } from "./boot-image.ts";
import { CARRY, run, same } from "./boot-sectors.ts";

/** Says first and last word of `count` sectors at 0x1000. */
const told = (count: number) => `mov ax, [0x1000]\ncall say\nmov ax, [0x1000 + ${count * SECTOR - 2}]\ncall say\n`;

const word = (sector: number, offset: number) => patternAt(sector, offset) | (patternAt(sector, offset + 1) << 8);

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
