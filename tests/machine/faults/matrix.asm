; Tries every combination of rights in page-table entries, and sends 16 bytes for each over the serial line.
;
; A case is a number of 16 bits:
;   0-1 access (0 read, 1 write, 2 execute), 2 privilege 3, 3 AC, 4 CR0.WP, 5 EFER.NXE, 6 CR4.SMEP, 7 CR4.SMAP,
;   8 present, 9 writable, 10 user, 11 executable: of the entry at the level of bits 12-13 (0 last table, 3 root),
;   14-15 size of the page (0 4 KiB, 1 2 MiB, 2 1 GiB).
; A round runs all cases that pass a filter, each changed in one more way:
;   0 nothing, 1 bit 51, 2 bit 40, 3 bit 62, 4 bit 7, 5 bit 13 of a large page, 6 accessed and dirty beforehand,
;   16-31 the entry of the page itself has the rights in bits 0-3.
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
    mov ecx, 0x18000 / 4
    cld
    rep stosd
    mov dword [PML4], PDPT + 7
    mov dword [PDPT], PD + 7
    mov dword [PD], 0x000083            ; the program and its tables
    mov dword [PD + 8], 0x200087        ; code and stack of privilege 3
    mov dword [PD + 16], 0x400083       ; where all the pages lead
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

PML4 equ 0x70000
PDPT equ 0x71000
PD equ 0x72000
TRIED_PDPT equ 0x73000
TRIED_PD equ 0x74000
TRIED_PT equ 0x75000
IDT equ 0x60000
STACK equ 0x5f000
USER_STACK equ 0x2ff000
PAGE equ 0x0000008080400000             ; entry 1 of the root, then 2, 2, 0
TARGET equ 0x400000                     ; physical
CODE equ 0x918
DATA equ 0x920

bits 64
in_long_mode:
    xor eax, eax
    mov ss, ax
    mov rdi, IDT
    mov rsi, stub_0
    mov ecx, 64
.gate:
    mov rax, rsi
    mov word [rdi], ax
    mov word [rdi + 2], 8
    mov word [rdi + 4], 0xee00
    shr rax, 16
    mov word [rdi + 6], ax
    add rsi, 16
    add rdi, 16
    loop .gate
    lidt [idt_pointer]
    mov rax, tss
    mov word [gdt + 0x38 + 2], ax
    mov ax, 0x38
    ltr ax
    mov rsp, STACK
    mov byte [TARGET + CODE], 0xb1      ; mov cl, 0x77
    mov byte [TARGET + CODE + 1], 0x77
    mov byte [TARGET + CODE + 2], 0xc3  ; ret
    mov rsi, user_code
    mov rdi, 0x200000
    mov ecx, user_code_end - user_code
    rep movsb
    mov rsi, rounds
.round:
    lodsb
    cmp al, 0xff
    je exit
    movzx r14d, al                      ; how the cases are changed
    lodsw
    movzx r12d, ax                      ; filter: these bits
    lodsw
    movzx r13d, ax                      ; must be these
    push rsi
    xor r15d, r15d
.case:
    mov eax, r15d
    and eax, r12d
    cmp eax, r13d
    jne .next
    call is_case
    jc .next
    call run_case
.next:
    inc r15d
    cmp r15d, 0x10000
    jb .case
    pop rsi
    jmp .round

rounds:
; <<rounds>>
    db 0xff

; Carry set: no such case.
is_case:
    mov eax, r15d
    and eax, 3
    cmp eax, 3
    je .none
    mov eax, r15d
    shr eax, 14
    cmp eax, 3
    je .none
    mov ecx, r15d
    shr ecx, 12
    and ecx, 3
    cmp ecx, eax
    jb .none
    ja .above
    cmp r14d, 16                        ; the page itself has only one set of rights
    jae .none
.above:
    cmp r14d, 5
    jne .is
    test eax, eax
    jz .none
    cmp eax, ecx
    jne .none
.is:
    clc
    ret
.none:
    stc
    ret

run_case:
    call make_entries
    call set_switches
    mov rax, cr3
    mov cr3, rax
    mov byte [TARGET + DATA], 0
    mov eax, 0x1111
    mov cr2, rax
    mov byte [vector], 0xff
    mov byte [error], 0xff
    mov qword [data], 0
    mov [saved], rsp
    mov rbx, PAGE + CODE
    xor eax, eax
    xor ecx, ecx
    mov edx, r15d
    and edx, 3
    test r15d, 4
    jnz .user
    mov edi, r15d                       ; AC
    and edi, 8
    shl edi, 15
    or edi, 2
    push rdi
    popfq
    jmp [accesses + rdx * 8]
.read:
    mov al, [rbx]
    mov [data], al
    jmp after
.write:
    mov al, 0x5a
    mov [rbx + DATA - CODE], al
    jmp after
.execute:
    call rbx
    mov [data], cl
    jmp after
.user:
    push qword 0x33
    push qword USER_STACK
    mov edi, r15d
    and edi, 8
    shl edi, 15
    or edi, 2
    push rdi
    push qword 0x2b
    shl edx, 4
    add edx, 0x200000
    push rdx
    iretq

accesses: dq run_case.read, run_case.write, run_case.execute

; Privilege 3, from 0x200000 on; results in rax and rcx.
user_code:
    mov al, [rbx]
    int 0x21
    times 16 - ($ - user_code) nop
    mov al, 0x5a
    mov [rbx + DATA - CODE], al
    int 0x22
    times 32 - ($ - user_code) nop
    call rbx
    int 0x23
user_code_end:

; On the stack: vector, error code, rip, cs, rflags, rsp, ss.
handler:
    push rax
    mov rax, [rsp + 8]
    cmp al, 0x20
    jae .no_fault
    mov [vector], al
    mov rax, [rsp + 16]
    mov [error], al
    mov rsp, [saved]
    jmp after
.no_fault:
    cmp al, 0x21
    jne .not_read
    pop rax
    mov [data], al
    jmp .back
.not_read:
    cmp al, 0x23
    jne .back
    mov [data], cl
.back:
    mov rsp, [saved]
after:
    push qword 2
    popfq
    mov eax, [data]
    or al, [TARGET + DATA]              ; what was written
    mov [data], al
    mov eax, r15d
    call send_word
    mov eax, r14d
    call send_word
    mov al, [vector]
    call send
    mov al, [error]
    call send
    call traces
    call send
    mov al, [data]
    call send
    mov rax, cr2
    mov rbx, rax
    call send_word
    shr rbx, 16
    mov eax, ebx
    call send_word
    shr rbx, 16
    mov eax, ebx
    call send_word
    shr rbx, 16
    mov eax, ebx
    call send_word
    ret

; In al: accessed bits of the four entries, from the last table up; above them their dirty bits.
traces:
    xor eax, eax
    mov ecx, 3
.level:
    mov rdx, [places + rcx * 8]
    mov rdx, [rdx]
    shl eax, 1
    bt edx, 5
    jnc .not_accessed
    or eax, 1
.not_accessed:
    bt edx, 6
    jnc .not_dirty
    or eax, 16
.not_dirty:
    dec ecx
    jns .level
    ret

places: dq TRIED_PT, TRIED_PD + 16, TRIED_PDPT + 16, PML4 + 8

; rdi: level of the page, rbp: level of the entry that is tried.
make_entries:
    mov rax, TARGET + 7
    mov [entries], rax
    mov rax, TRIED_PT + 7
    mov [entries + 8], rax
    mov rax, TRIED_PD + 7
    mov [entries + 16], rax
    mov rax, TRIED_PDPT + 7
    mov [entries + 24], rax
    mov edi, r15d
    shr edi, 14
    cmp edi, 1
    jne .not_2_mib
    mov qword [entries + 8], TARGET + 0x87
.not_2_mib:
    cmp edi, 2
    jne .not_1_gib
    mov qword [entries + 16], 0x87
.not_1_gib:
    mov ebp, r15d
    shr ebp, 12
    and ebp, 3
    mov edx, r15d
    shr edx, 8
    lea rbx, [entries + rbp * 8]
    call set_rights
    call change
    xor ecx, ecx
.store:
    mov rax, [entries + rcx * 8]
    mov rdx, [places + rcx * 8]
    mov [rdx], rax
    inc ecx
    cmp ecx, 4
    jb .store
    ret

; Rights in dl (present, writable, user, executable) for the entry at rbx.
set_rights:
    mov rax, [rbx]
    and rax, -8
    mov ecx, edx
    and ecx, 7
    or rax, rcx
    bt edx, 3
    jc .executable
    bts rax, 63
.executable:
    mov [rbx], rax
    ret

change:
    cmp r14d, 16
    jae .rights_of_page
    cmp r14d, 1
    je .bit_51
    cmp r14d, 2
    je .bit_40
    cmp r14d, 3
    je .bit_62
    cmp r14d, 4
    je .bit_7
    cmp r14d, 5
    je .bit_13
    cmp r14d, 6
    je .used
    ret
.rights_of_page:
    mov edx, r14d
    lea rbx, [entries + rdi * 8]
    jmp set_rights
.bit_51:
    bts qword [rbx], 51
    ret
.bit_40:
    bts qword [rbx], 40
    ret
.bit_62:
    bts qword [rbx], 62
    ret
.bit_7:
    bts qword [rbx], 7
    ret
.bit_13:
    bts qword [rbx], 13
    ret
.used:
    or qword [entries], 0x60
    or qword [entries + 8], 0x60
    or qword [entries + 16], 0x60
    or qword [entries + 24], 0x60
    ret

set_switches:
    mov eax, r15d
    and eax, 0x10
    shl eax, 12
    or eax, 0x80000031
    mov cr0, rax
    mov eax, r15d
    and eax, 0xc0
    shl eax, 14
    or eax, 0x20
    mov cr4, rax
    mov eax, r15d
    and eax, 0x20
    shl eax, 6
    or eax, 0x500
    xor edx, edx
    mov ecx, 0xc0000080
    wrmsr
    ret

send_word:
    call send
    shr eax, 8
send:
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

exit:
    mov al, 0x10
    out 0xf4, al
    hlt

saved: dq 0
data: dq 0
entries: dq 0, 0, 0, 0
vector: db 0
error: db 0

gdt_pointer:
    dw gdt_end - gdt - 1
    dq gdt
idt_pointer:
    dw 64 * 16 - 1
    dq IDT
align 8
gdt:
    dq 0
    dq 0x00209b0000000000               ; 08: 64-bit code
    dq 0
    dq 0x00cf9b000000ffff               ; 18: 32-bit code
    dq 0x00cf93000000ffff               ; 20: data
    dq 0x0020fb0000000000               ; 28: 64-bit code, privilege 3
    dq 0x00cff3000000ffff               ; 30: data, privilege 3
    dq 0x0000890000000067               ; 38: TSS
    dq 0
gdt_end:

align 16
tss:
    dd 0
    dq STACK - 0x800
    dq 0, 0, 0
    dq 0, 0, 0, 0, 0, 0, 0, 0
    dw 0, 0x68

