; Brings the processor into 64-bit mode with 4-level paging, an IDT of 64 gates and a TSS, then runs the probes.
; Every exception is printed with its frame; then the next probe runs.
bits 16
org 0x8000
    cli
    lgdt [gdt_pointer]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp 0x18:protected

bits 32
protected:
    mov ax, 0x20
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, 0x7c00
    xor eax, eax
    mov edi, 0x60000
    mov ecx, 0x14000 / 4
    cld
    rep stosd
    mov dword [PML4], PDPT + 7
    mov dword [PDPT], PD + 7
    mov dword [PD], 0x000083
    mov dword [PD + 8], 0x200083
    mov dword [PD + 16], PT + 7
    mov dword [PT + 0], 0x400007         ; user, writable
    mov dword [PT + 8], 0x401001         ; read-only
    mov dword [PT + 24], 0x403003        ; not executable
    mov dword [PT + 28], 0x80000000
    mov dword [PT + 32], 0x404003        ; a reserved bit
    mov dword [PT + 36], 0x00080000
    mov dword [PT + 40], 0x405005        ; user, read-only
    mov dword [PT + 48], 0x406003
    mov dword [PT + 56], 0x407003        ; the page after it is not present
    mov dword [PT + 72], 0x409007        ; user code
    mov eax, PML4
    mov cr3, eax
    mov eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    mov eax, 0x900
    xor edx, edx
    wrmsr
    mov eax, 0x80010031
    mov cr0, eax
    jmp 0x08:in_long_mode

bits 64
in_long_mode:
    mov ax, 0x10
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rdi, IDT
    mov rsi, stub_0
    mov ecx, 64
.gate:
    mov rax, rsi
    mov word [rdi], ax
    mov word [rdi + 2], 8
    mov word [rdi + 4], 0x8e00
    shr rax, 16
    mov word [rdi + 6], ax
    add rsi, 16
    add rdi, 16
    loop .gate
    mov word [IDT + 8 * 16 + 4], 0x8e03        ; these may come while the stack is bad
    mov word [IDT + 12 * 16 + 4], 0x8e03
    mov word [IDT + 14 * 16 + 4], 0x8e03
    mov word [IDT + 0x21 * 16 + 4], 0xee00     ; open to privilege 3
    mov word [IDT + 0x22 * 16 + 4], 0x0e00     ; not present
    mov word [IDT + 0x23 * 16 + 4], 0x8500     ; a task gate
    mov word [IDT + 0x24 * 16 + 2], 0          ; null selector
    mov word [IDT + 0x25 * 16 + 2], 0x58       ; code that is not present
    mov word [IDT + 0x26 * 16 + 2], 0x10       ; data
    mov word [IDT + 0x27 * 16 + 2], 0x18       ; 32-bit code
    mov word [IDT + 0x28 * 16 + 4], 0x8e01     ; stack 1 of the TSS
    mov word [IDT + 0x29 * 16 + 4], 0x8f00     ; a trap gate
    mov word [IDT + 0x2a * 16 + 2], 0xfff8     ; beyond the table
    mov word [IDT + 0x2b * 16 + 10], 0x8000    ; not canonical
    mov word [IDT + 0x2c * 16 + 4], 0x8e02     ; stack 2, which is not mapped
    lidt [idt_pointer]
    mov rax, tss
    mov word [gdt + 0x38 + 2], ax
    mov ax, 0x38
    ltr ax
    mov rsp, STACK
    jmp probes

PML4 equ 0x70000
PDPT equ 0x71000
PD equ 0x72000
PT equ 0x73000
IDT equ 0x60000
STACK equ 0x3f0000

; Where the exception handler goes on, and with which stack.
resume: dq 0
saved: dq 0

print_character:
    push rdx
    push rax
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    pop rax
    mov dx, 0x3f8
    out dx, al
    pop rdx
    ret

print_text:                     ; rsi
    push rax
.next:
    lodsb
    test al, al
    jz .end
    call print_character
    jmp .next
.end:
    pop rax
    ret

print_hex:                      ; rax, rcx digits
    push rax
    push rcx
    push rdx
    mov rdx, rax
.digit:
    dec rcx
    mov rax, rdx
    push rcx
    shl ecx, 2
    shr rax, cl
    pop rcx
    and eax, 15
    cmp al, 10
    jb .decimal
    add al, 39
.decimal:
    add al, 48
    call print_character
    test ecx, ecx
    jnz .digit
    pop rdx
    pop rcx
    pop rax
    ret

; On the stack: vector, error code, rip, cs, rflags, rsp, ss.
handler:
    push rax
    push rcx
    push rsi
    push rdi
    mov rbp, rsp
    cld
    mov rsi, names
    lea rdi, [rbp + 32]
.field:
    call print_text
    lodsb
    movzx ecx, al
    mov rax, [rdi]
    call print_hex
    add rdi, 8
    cmp byte [rsi], 0
    jne .field
    call print_registers
    xor eax, eax
    mov cr2, rax
    mov ax, 0x10
    mov ss, ax
    mov rsp, [saved]
    jmp [resume]

names: db " vector ", 0, 2, " error ", 0, 8, " rip ", 0, 6, " cs ", 0, 4, " flags ", 0, 8, " rsp ", 0, 16, " ss ", 0, 4, 0

; rbp: rdi, rsi, rcx, rax as pushed.
print_registers:
    mov rsi, cr2_name
    call print_text
    mov rax, cr2
    mov ecx, 16
    call print_hex
    mov rsi, registers_name
    call print_text
    mov rdi, 24
.register:
    mov rax, [rbp + rdi]
    mov ecx, 16
    call print_hex
    mov al, 32
    call print_character
    sub rdi, 8
    jns .register
    mov al, 10
    jmp print_character

cr2_name: db " cr2 ", 0
registers_name: db " rax rcx rsi rdi ", 0

; A probe that came to its end: prints registers and flags.
finished:
    pushfq
    push rax
    push rcx
    push rsi
    push rdi
    mov rbp, rsp
    cld
    mov rsi, finished_name
    call print_text
    mov rax, [rbp + 32]
    mov ecx, 8
    call print_hex
    call print_registers
    pop rdi
    pop rsi
    pop rcx
    pop rax
    popfq
    ret

finished_name: db " ends, flags ", 0

gdt_pointer:
    dw gdt_end - gdt - 1
    dq gdt
idt_pointer:
    dw 64 * 16 - 1
    dq IDT
align 8
gdt:
    dq 0
    dq 0x00209b0000000000       ; 08: 64-bit code
    dq 0x00cf93000000ffff       ; 10: data
    dq 0x00cf9b000000ffff       ; 18: 32-bit code
    dq 0x00cf93000000ffff       ; 20: data
    dq 0x0020fb0000000000       ; 28: 64-bit code, privilege 3
    dq 0x00cff3000000ffff       ; 30: data, privilege 3
    dq 0x0000890000000067       ; 38: TSS
    dq 0
    dq 0x00cf13000000ffff       ; 48: data, not present
    dq 0x00cf91000000ffff       ; 50: data, read-only
    dq 0x00201b0000000000       ; 58: 64-bit code, not present
    dq 0x00cf99000000ffff       ; 60: code that cannot be read
    dq 0x00cffb000000ffff       ; 68: 32-bit code, privilege 3
    dq 0x00609b0000000000       ; 70: code both 64- and 32-bit
    dq 0x00209f0000000000       ; 78: conforming 64-bit code
gdt_end:

align 16
tss:
    dd 0
    dq 0x3e0000
    dq 0, 0, 0
    dq 0x3d0008                 ; stack 1
    dq 0x402800                 ; stack 2: not mapped
    dq 0x3c0000                 ; stack 3
    dq 0, 0, 0, 0, 0
    dw 0, 0x68

exit:
    mov al, 0x10
    out 0xf4, al
    hlt
