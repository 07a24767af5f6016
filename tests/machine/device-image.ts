/** Disks for tests of the devices: a program in real mode with both interrupt controllers remapped, up to 8 KiB long. */
import { assemble } from "../../tangle/assembler/assembler.ts";
import { SECTOR } from "./boot-image.ts";

const MEBIBYTE = 0x100000;
const SECTORS = 16;

/** Bytes to ports, in order: `[0x21, 0xff]` masks all lines of the master. */
export function out(...pairs: readonly (readonly [port: number, value: number])[]): string {
  return pairs
    .map(([port, value]) =>
      port < 0x100 ? `mov al, ${value}\nout ${port}, al` : `mov dx, ${port}\nmov al, ${value}\nout dx, al`,
    )
    .join("\n");
}

/** Reads a port into al. */
export function read(port: number): string {
  return port < 0x100 ? `in al, ${port}` : `mov dx, ${port}\nin al, dx`;
}

/** Reads a port and sends it as a word. */
export function sayPort(port: number): string {
  return `${read(port)}\nxor ah, ah\ncall say`;
}

/** Sets the handler of a vector. */
export function vector(number: number, handler: string): string {
  return `mov word [${number * 4}], ${handler}\nmov word [${number * 4 + 2}], 0`;
}

/** Vectors 0x20 to 0x27 for the master, 0x28 to 0x2f for the slave, all lines masked. */
export const REMAP = out(
  ...([
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x01],
    [0x21, 0xff],
  ] as const),
  ...([
    [0xa0, 0x11],
    [0xa1, 0x28],
    [0xa1, 0x02],
    [0xa1, 0x01],
    [0xa1, 0xff],
  ] as const),
);

/** Channel 0 of the timer with a count of 16 bits. */
export function timer(mode: 0 | 2 | 3, count: number): string {
  return out([0x43, 0x30 | (mode << 1)], [0x40, count & 0xff], [0x40, count >> 8]);
}

/** A few milliseconds on any machine, by the timer's third channel; the flag of the gate is at port 0x61. */
export const WAIT = `
wait_some:
    push ax
${out([0x61, 0x00], [0x43, 0xb0], [0x42, 0x00], [0x42, 0x40], [0x61, 0x01])}
.again:
    in al, 0x61
    test al, 0x20
    jz .again
    pop ax
    ret
`;

/** Notes what a port shows, for `tell` to send later: the serial port cannot tell of itself while it is under test. */
export function note(port: number): string {
  return `${read(port)}\nmov bx, [noted]\nmov [notes + bx], al\ninc word [noted]`;
}

const NOTES = `
tell:
${out([0x3f9, 0x00], [0x3fc, 0x08], [0x3fa, 0x00], [0x3fb, 0x03])}
    xor bx, bx
.next:
    cmp bx, [noted]
    jae exit
    mov al, [notes + bx]
    xor ah, ah
    call say
    inc bx
    jmp .next
noted: dw 0
notes: times 64 db 0
`;

const BOOT = `
    bits 16
    org 0x7c00
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    cld
    mov ax, 0x0200 + ${SECTORS}
    mov bx, 0x7e00
    mov cx, 2
    mov dh, 0
    int 0x13
    cli
    jmp 0x0000:0x7e00
    times 510 - ($ - $$) db 0
    dw 0xaa55
`;

/** \`say\` sends ax over COM1, low byte first; \`exit\` ends through the debug port. They keep the registers. */
const ROUTINES = `
exit:
    cli
    mov al, 0x10
    out 0xf4, al
    hlt
    jmp exit
say:
    pushf
    push dx
    push ax
    mov dx, 0x3f8
    out dx, al
    xchg al, ah
    out dx, al
    pop ax
    pop dx
    popf
    ret
`;

function assembled(text: string): Uint8Array {
  const { bytes, diagnostics } = assemble({ path: "device-image.asm", text });
  const lines = text.split("\n");
  if (diagnostics.length > 0) {
    throw new Error(diagnostics.map((d) => `${d.message}: ${lines[d.place.line - 1]}`).join("\n"));
  }
  return bytes;
}

/** A disk that remaps the controllers and runs `body` with interrupts off. */
export function deviceImage(body: string): Uint8Array {
  const program = assembled(`bits 16\norg 0x7e00\n${REMAP}\n${body}\n${ROUTINES}\n${WAIT}\n${NOTES}`);
  if (program.length > SECTORS * SECTOR) throw new Error("the program is too long for its sectors");
  const image = new Uint8Array(MEBIBYTE);
  image.set(assembled(BOOT));
  image.set(program, SECTOR);
  return image;
}
