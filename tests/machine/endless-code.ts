/** A disk whose boot sector writes new functions without end, and runs each until it is hot. */
import { bootImage } from "./boot-image.ts";

/** Where the functions are written, in RAM; then it begins again from the start. */
const FIRST = 0x200000;
const END = 0x700000;
/** Instructions of a function beside its loop. All have six bytes. */
const INSTRUCTIONS = 16;
/** Rounds of each function's loop: enough to make it hot. */
const ROUNDS = 600;
/** `dec ecx`, `jnz` to the function's beginning, `ret`. */
const LOOP = `0xc3${(0x100 - (INSTRUCTIONS * 6 + 3)).toString(16)}7549`;

/** Each function is a row of random instructions with random numbers: no two have the same shape. */
export const endlessCode = (): Uint8Array =>
  bootImage(`
    lgdt [table]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp 8:protected
heads: ; add, or, adc, sbb, xor with a register; a product
    db 0x81, 0xc0, 0x81, 0xcb, 0x81, 0xd6, 0x81, 0xde
    db 0x81, 0xf0, 0x81, 0xf3, 0x69, 0xc3, 0x69, 0xf0
segments:
    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table:
    dw 23
    dd segments
    bits 32
protected:
    mov eax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, 0x7c00
    mov ebp, 99
start:
    mov edi, ${FIRST}
function:
    mov [0x8000], edi
    mov edx, ${INSTRUCTIONS}
write:
    imul ebp, ebp, 1664525
    add ebp, 1013904223
    mov eax, ebp
    shr eax, 29
    mov ax, [heads + eax * 2]
    mov [edi], ax
    mov [edi + 2], ebp
    add edi, 6
    dec edx
    jnz write
    mov dword [edi], ${LOOP}
    add edi, 4
    mov ecx, ${ROUNDS}
    call [0x8000]
    cmp edi, ${END - INSTRUCTIONS * 6 - 4}
    jb function
    jmp start
    bits 16`);
