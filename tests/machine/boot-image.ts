/** Small disks for tests of the platform: a boot sector with a body in assembly, and routines to report through COM1. */
import { assemble } from "../../tangle/assembler/assembler.ts";

export const SECTOR = 512;
const MEBIBYTE = 0x100000;

const PROLOGUE = `
    bits 16
    org 0x7c00
    jmp short begin
    times 4 - ($ - $$) db 0
begin:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    mov [drive], dl
    cld
`;

/**
 * `say` sends ax as two bytes over COM1, low byte first; `flags` sends the flags that the caller has; `exit` ends
 * through the debug port with 0x10, `stop` halts for ever. All keep the registers.
 */
const EPILOGUE = `
stop:
    cli
    hlt
    jmp stop
exit:
    mov al, 0x10
    out 0xf4, al
    jmp stop
flags:
    pushf
    push ax
    pushf
    pop ax
    call say
    pop ax
    popf
    ret
say:
    pushf
    push dx
    mov dx, 0x3f8
    out dx, al
    xchg al, ah
    out dx, al
    xchg al, ah
    pop dx
    popf
    ret
drive: db 0
    times 510 - ($ - $$) db 0
    dw 0xaa55
`;

/** A disk whose boot sector runs `body`; byte `i` of sector `n` behind it is (n * 7 + i) & 0xff. */
export function bootImage(body: string, size = MEBIBYTE): Uint8Array {
  const text = `${PROLOGUE}\n${body}\n${EPILOGUE}`;
  const { bytes, diagnostics } = assemble({ path: "boot-image.asm", text });
  if (diagnostics.length > 0) {
    const lines = text.split("\n");
    throw new Error(diagnostics.map((d) => `${d.message}: ${lines[d.place.line - 1]}`).join("\n"));
  }
  const image = new Uint8Array(size);
  for (let at = SECTOR; at < size; at++) image[at] = patternAt(Math.floor(at / SECTOR), at % SECTOR);
  image.set(bytes);
  return image;
}

export function patternAt(sector: number, offset: number): number {
  return (sector * 7 + offset) & 0xff;
}

/** What `say` has sent, as 16-bit numbers. */
export function said(serial: ArrayLike<number>): number[] {
  return Array.from({ length: Math.floor(serial.length / 2) }, (_, i) => serial[i * 2]! | (serial[i * 2 + 1]! << 8));
}
