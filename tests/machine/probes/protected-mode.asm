; Brings the processor into 32-bit protected mode with an IDT of 64 gates and a TSS, then runs the probes.
; Every exception is printed with its frame; then the next probe runs.
bits 16
org 0x8000
    cli
    lgdt [gdt_pointer]
    mov eax, cr0
    and eax, 0x9fffffff
    or al, 1
    mov cr0, eax
    jmp 0x08:protected

bits 32
protected:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov esp, STACK
    mov edi, IDT
    mov esi, stub_0
    mov ecx, 64
.gate:
    mov eax, esi
    mov [edi], ax
    mov word [edi + 2], 8
    mov word [edi + 4], 0x8e00
    shr eax, 16
    mov [edi + 6], ax
    add esi, 16
    add edi, 8
    loop .gate
    mov byte [IDT + 3 * 8 + 5], 0xee           ; open to privilege 3
    mov byte [IDT + 4 * 8 + 5], 0xee
    mov byte [IDT + 0x21 * 8 + 5], 0xee
    mov byte [IDT + 0x22 * 8 + 5], 0x0e        ; not present
    mov byte [IDT + 0x23 * 8 + 5], 0x82        ; an LDT descriptor
    mov word [IDT + 0x24 * 8 + 2], 0
    mov word [IDT + 0x25 * 8 + 2], 0x58        ; code that is not present
    mov word [IDT + 0x26 * 8 + 2], 0x10        ; data
    mov byte [IDT + 0x29 * 8 + 5], 0x8f        ; a trap gate
    mov word [IDT + 0x2a * 8 + 2], 0xfff8
    lidt [idt_pointer]
    mov eax, tss
    mov [gdt + 0x38 + 2], ax
    mov eax, gate_32
    mov [gdt + 0x90], ax
    mov [gdt + 0x98], ax
    mov eax, gate_inner
    mov [gdt + 0xb8], ax
    mov ax, 0x38
    ltr ax
    jmp probes

IDT equ 0x60000
STACK equ 0x3f0000
USER_STACK equ 0x200ff0
USER_CODE equ 0x209000

resume: dd 0
saved: dd 0

print_character:
    push edx
    push eax
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    pop eax
    mov dx, 0x3f8
    out dx, al
    pop edx
    ret

print_text:
    push eax
.next:
    lodsb
    test al, al
    jz .end
    call print_character
    jmp .next
.end:
    pop eax
    ret

print_hex:                      ; eax, ecx digits
    push eax
    push ecx
    push edx
    mov edx, eax
.digit:
    dec ecx
    mov eax, edx
    push ecx
    shl ecx, 2
    shr eax, cl
    pop ecx
    and eax, 15
    cmp al, 10
    jb .decimal
    add al, 39
.decimal:
    add al, 48
    call print_character
    test ecx, ecx
    jnz .digit
    pop edx
    pop ecx
    pop eax
    ret

; On the stack: vector, error code, eip, cs, eflags, and from privilege 3 esp, ss, too.
handler:
    push eax
    push ecx
    push esi
    push edi
    push ds
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov ebp, esp
    cld
    mov esi, names
    lea edi, [ebp + 20]
.field:
    call print_text
    lodsb
    movzx ecx, al
    mov eax, [edi]
    call print_hex
    add edi, 4
    cmp byte [esi], 0
    jne .field
    mov esi, stack_name
    call print_text
    test byte [ebp + 32], 3
    jz .inner
    mov eax, [edi]
    mov ecx, 8
    call print_hex
    mov eax, [edi + 4]
    mov ecx, 4
    call print_hex
    jmp .registers
.inner:
    lea eax, [ebp + 40]
    mov ecx, 8
    call print_hex
.registers:
    call print_registers
    xor eax, eax
    mov cr2, eax
    mov esp, [saved]
    jmp [resume]

names: db " vector ", 0, 2, " error ", 0, 8, " eip ", 0, 8, " cs ", 0, 4, " flags ", 0, 8, 0
stack_name: db " stack ", 0

; ebp: ds, edi, esi, ecx, eax as pushed.
print_registers:
    mov esi, cr2_name
    call print_text
    mov eax, cr2
    mov ecx, 8
    call print_hex
    mov esi, registers_name
    call print_text
    mov edi, 16
.register:
    mov eax, [ebp + edi]
    mov ecx, 8
    call print_hex
    mov al, 32
    call print_character
    sub edi, 4
    jns .register
    mov al, 10
    jmp print_character

cr2_name: db " cr2 ", 0
registers_name: db " eax ecx esi edi ds ", 0

finished:
    pushfd
    push eax
    push ecx
    push esi
    push edi
    push ds
    mov ebp, esp
    cld
    mov esi, finished_name
    call print_text
    mov eax, [ebp + 20]
    mov ecx, 8
    call print_hex
    call print_registers
    pop ds
    pop edi
    pop esi
    pop ecx
    pop eax
    popfd
    ret

finished_name: db " ends, flags ", 0

; Behind the call gates: they leave what they found in eax and ecx.
gate_32:
    mov eax, [esp]
    mov ecx, [esp + 4]
    retf

gate_inner:
    mov eax, [esp + 8]
    mov ecx, [esp + 12]
    mov esi, [esp + 16]
    mov edi, [esp + 20]
    retf 8

gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt
idt_pointer:
    dw 64 * 8 - 1
    dd IDT
align 8
gdt:
    dq 0
    dq 0x00cf9b000000ffff       ; 08: 32-bit code
    dq 0x00cf93000000ffff       ; 10: data
    dq 0x00009b000000ffff       ; 18: 16-bit code
    dq 0x0000930000000fff       ; 20: data, 4 KiB
    dq 0x00cffb000000ffff       ; 28: code, privilege 3
    dq 0x00cff3000000ffff       ; 30: data, privilege 3
    dq 0x0000890000000087       ; 38: TSS
    dq 0x00409700000003ff       ; 40: expand-down data, from 0x400 on
    dq 0x00cf13000000ffff       ; 48: data, not present
    dq 0x00cf91000000ffff       ; 50: data, read-only
    dq 0x00cf1b000000ffff       ; 58: code, not present
    dq 0x00cf99000000ffff       ; 60: code that cannot be read
    dq 0x00cf9f000000ffff       ; 68: conforming code
    dq 0x00408b0000000fff       ; 70: a busy TSS
    dq 0x004093070000ffff       ; 78: data at 0x70000
    dq 0x0000820000000000       ; 80: LDT, without entries
    dq 0x00cfb3000000ffff       ; 88: data, privilege 1
    dq 0x00008c0000080000       ; 90: call gate
    dq 0x0000ec0000080000       ; 98: call gate, open to privilege 3
    dq 0x00000c0000080000       ; a0: call gate, not present
    dq 0x00008c0000100000       ; a8: call gate to data
    dq 0x0000850000380000       ; b0: task gate
    dq 0x0000ec0200080000       ; b8: call gate with two arguments, open to privilege 3
gdt_end:

align 16
tss:
    dd 0
    dd 0x3e0000, 0x10
    times 22 dd 0
    dw 0, 0x68
    times 16 db 0               ; ports 0 to 127 are open
    times 15 db 0xff
    db 0xff

exit:
    mov al, 0x10
    out 0xf4, al
    hlt
