; Boot sector of the probe images: loads the program that follows to 0x8000, masks every interrupt of the board (probes that
; set IF would else meet the timer now and then) and jumps there.
bits 16
org 0x7c00
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    mov si, packet
    mov ah, 0x42
    int 0x13
    jc failed
    in al, 0x92
    or al, 2
    out 0x92, al
    mov al, 0xff
    out 0x21, al
    out 0xa1, al
    jmp 0:0x8000
failed:
    hlt
    jmp failed
align 4
packet:
    db 16, 0
    dw 96
    dw 0x8000, 0
    dq 1
times 510 - ($ - $$) db 0
    dw 0xaa55
