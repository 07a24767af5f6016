; Real mode with an own interrupt table of 64 vectors; every interrupt is printed with its frame, then the next probe runs.
bits 16
org 0x8000
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, STACK
    xor di, di
    mov ax, stub_0
    mov cx, 64
    cld
.vector:
    stosw
    mov word [di], 0
    add di, 2
    add ax, 16
    loop .vector
    jmp probes

STACK equ 0x7000

resume: dw 0

print_character:
    push dx
    push ax
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    pop ax
    mov dx, 0x3f8
    out dx, al
    pop dx
    ret

print_text:
    push ax
.next:
    cs lodsb
    test al, al
    jz .end
    call print_character
    jmp .next
.end:
    pop ax
    ret

print_hex:                      ; eax, cx digits
    push eax
    push cx
    push edx
    mov edx, eax
.digit:
    dec cx
    mov eax, edx
    push cx
    shl cl, 2
    shr eax, cl
    pop cx
    and al, 15
    cmp al, 10
    jb .decimal
    add al, 39
.decimal:
    add al, 48
    call print_character
    test cx, cx
    jnz .digit
    pop edx
    pop cx
    pop eax
    ret

; On the stack: vector, ip, cs, flags.
handler:
    push eax
    push ecx
    push esi
    push edi
    mov bp, sp
    cld
    mov si, names
    lea di, [bp + 16]
.field:
    call print_text
    mov ax, [ss:di]
    mov cx, 4
    call print_hex
    add di, 2
    cmp byte [cs:si], 0
    jne .field
    call print_registers
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, STACK
    jmp 0:.leave
.leave:
    jmp [resume]

names: db " vector ", 0, " ip ", 0, " cs ", 0, " flags ", 0, 0

; bp: edi, esi, ecx, eax as pushed.
print_registers:
    mov si, registers_name
    call print_text
    mov di, 12
.register:
    mov eax, [bp + di]
    mov cx, 8
    call print_hex
    mov al, 32
    call print_character
    sub di, 4
    jns .register
    mov al, 10
    jmp print_character

registers_name: db " eax ecx esi edi ", 0

finished:
    pushf
    push eax
    push ecx
    push esi
    push edi
    mov bp, sp
    cld
    mov si, finished_name
    call print_text
    mov ax, [bp + 16]
    mov cx, 4
    call print_hex
    call print_registers
    pop edi
    pop esi
    pop ecx
    pop eax
    popf
    ret

finished_name: db " ends, flags ", 0

gdt_pointer:
    dw 0x1f
    dd gdt
align 8
gdt:
    dq 0
    dq 0x00009b000000ffff       ; 08: 16-bit code
    dq 0x00cf93000000ffff       ; 10: all memory
    dq 0x000093000000ffff       ; 18: 64 KiB

exit:
    mov al, 0x10
    out 0xf4, al
    hlt
