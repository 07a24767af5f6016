; Sections, alignment, data and reserved room.
        org 0x8000
section .data
numbers: db 1, 2, 3
        dw numbers, $, $$, $ - $$
        dd numbers, 'abcd', -1, 0ffffffffh
        dq 0xffff800000000000, numbers
        db "text", 'more', `tab\t\x41`, 0
        dw "odd"
        dd "seven77"
        times 3 dw $
        times 2 db 1, 2
section .text
code:   mov si, numbers
        mov di, room
        mov bx, constants
align 8
        nop
align 16, db 0xf4
        mov cx, room.end - room
section .rodata
constants: db (3 + 4) * 2, 100 / 7, 100 % 7, -7 // 2 & 0xff, 1 << 4 | 3, 0x5a ^ 0xff, 6 & 3, ~0 & 0xff, !0
        db 0b1010, 1010b, 0x1f, 1fh, 0o17, 17q, 1_000 / 10
align 32
        dd end_of_data - constants
end_of_data:
section .bss
room:   resb 10
        resw 2
alignb 8
.end:   resq 1
section .data
        dw room.end, code
