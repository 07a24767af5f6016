; harness.asm - runs short programs in a sandbox, one after the other, and records what became of each.
;
; A 64-bit kernel on a boot disk. Its own code, tables and stacks are mapped in the upper half only; the lower half
; holds nothing but the sandbox: five pages of data and the records that contain the programs. A program ends with the
; first exception that the harness does not serve itself (the byte after its end is int3). See image.ts for the
; records and results; the numbers below are there too.
;
; Served, so that the program goes on: page faults of the demand page (it is mapped then), the timer's interrupt,
; int 0x80 (adds 5 to rax). Each leaves a trace in the log.

%define KERNEL     0x8000               ; physical; the upper half's addresses are BASE + physical
%define BASE       0xffff9a5000000000
%define KSECTORS   112
%define STAGING    0x20000              ; a chunk of the disk on its way to DATA
%define STACK      0x30000              ; of the harness itself
%define TRAP_STACK 0x38000              ; of every exception (IST 1)
%define FRAMES     0x40000              ; five frames: the sandbox's pages
%define DATA       0x200000             ; header, template, records
%define TEMPLATE   0x201000             ; what each data page holds when a program begins
%define RECORDS    0x202000
%define RECORD     480
%define RESULTS    0x1000000
%define RESULT     768
%define PAGES_END  0x6000000            ; copies of written pages end here

%define PAGES      0x500000             ; linear: 0, 1 writable; 2 on demand; 3 read-only; 4 the supervisor's
%define CODE       0x10000000           ; linear: DATA and what follows, for everyone

; record
%define R_FLAGS    128
%define R_KIND     136
%define R_CODE     160
%define KIND_RING0  1
%define KIND_COMPAT 2
%define KIND_DEMAND 4
%define KIND_ARMED  8
%define KIND_SKIP   128

; header
%define H_COUNT    0
%define H_REPEAT   4                    ; each program runs so many times in a row; the last is recorded
%define H_TIMER    8                    ; beats between timer interrupts while a program runs; 0 for none
%define H_MEDIA    12                   ; whether x87 and XMM registers, and SYSCALL, take part
%define H_PAGES    16                   ; physical address of the next copy of a written page
%define H_FX       512                  ; what fxrstor loads before each program

%define CR0        0x80010033           ; PG, WP, NE, ET, MP, PE
%define COM1       0x3f8

org 0x7c00
bits 16
boot:
        cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     si, packet
        mov     ah, 0x42
        mov     dl, 0x80
        int     0x13
        jc      failed
        jmp     0:KERNEL
failed: mov     al, '?'
        mov     dx, COM1
        out     dx, al
        hlt
        jmp     $-1
align 4
packet: dw      16, KSECTORS
        dw      0, KERNEL >> 4
        dq      1
        times 510-($-$$) db 0
        dw 0xaa55

; ---- the rest is loaded at KERNEL -------------------------------------------
section kernel start=0x7e00 vstart=KERNEL
start:  in      al, 0x92
        or      al, 2
        and     al, 0xfe
        out     0x92, al
        mov     dword [chunk+8], 128   ; the data begins at this sector
load:   cmp     dword [sectors], 0
        je      loaded
        mov     si, chunk
        mov     ah, 0x42
        mov     dl, 0x80
        int     0x13
        jc      failed
        cli
        lgdt    [gdtr]                  ; a segment that reaches all memory, for one copy
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     $+2
        mov     bx, 0x10
        mov     fs, bx
        and     al, 0xfe
        mov     cr0, eax
        jmp     $+2
        mov     esi, STAGING
        mov     ecx, 64*512/4
.copy:  mov     eax, [fs:esi]
        mov     edi, [target]
        mov     [fs:edi], eax
        add     esi, 4
        add     dword [target], 4
        dec     ecx
        jnz     .copy
        xor     ax, ax
        mov     fs, ax
        add     dword [chunk+8], 64
        sub     dword [sectors], 64
        jmp     load
align 4
chunk: dw      16, 64
        dw      0, STAGING >> 4
        dq      0
target: dd     DATA
sectors: dd     0xdead0001              ; image.ts puts the number here, a multiple of 64

loaded:
        cli
        lgdt    [gdtr]
        mov     eax, 0x6a0              ; PAE, PGE, OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, boot_pml4
        mov     cr3, eax
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 0x901              ; SCE, LME, NXE
        wrmsr
        mov     eax, CR0
        mov     cr0, eax
        jmp     dword 0x08:long_mode

align 8
gdt:    dq 0
        dq 0x00209b0000000000           ; 08 kernel code
        dq 0x00cf93000000ffff           ; 10 kernel data
        dq 0x00cffb000000ffff           ; 18 user code 32
        dq 0x00cff3000000ffff           ; 20 user data
        dq 0x0020fb0000000000           ; 28 user code 64
        dq 0x00cf9b000000ffff           ; 30
tss_descriptor:
        dq 0, 0                         ; 38 task state
gdtr:   dw $ - gdt - 1
        dd gdt
gdtr64: dw gdtr - gdt - 1
        dq BASE + gdt
idtr64: dw 256*16 - 1
        dq BASE + idt

; ---- 64-bit -------------------------------------------------------------------
bits 64
default rel
long_mode:
        mov     rax, BASE + high
        jmp     rax
high:   mov     rax, BASE + gdtr64
        lgdt    [rax]
        mov     ax, 0x10
        mov     ss, ax
        mov     ds, ax
        mov     es, ax
        mov     rsp, BASE + STACK
        mov     eax, pml4
        mov     cr3, rax
        call    make_idt
        lidt    [idtr64]
        call    make_tss
        call    make_msrs
        call    make_timer
        mov     rsi, BASE + TEMPLATE    ; fill the frames
        mov     rdi, BASE + FRAMES
        mov     edx, 5
.fill:  mov     ecx, 512
        push    rsi
        rep movsq
        pop     rsi
        dec     edx
        jnz     .fill
        mov     rax, BASE + RECORDS
        mov     [record], rax
        mov     rax, BASE + RESULTS
        mov     [result], rax
        mov     rax, BASE + DATA
        mov     eax, [rax+H_COUNT]
        mov     [left], eax

next_record:
        mov     rsp, BASE + STACK
        mov     rbx, BASE + DATA
        mov     eax, [rbx+H_REPEAT]
        mov     [again], eax
        cmp     dword [left], 0
        jne     run
        mov     al, 'D'
        mov     dx, COM1
        out     dx, al
.end:   cli
        hlt
        jmp     .end

run:    mov     rbx, [record]
        test    byte [rbx+R_KIND], KIND_SKIP
        jnz     advance
        mov     rax, cr0                ; a program in ring 0 may have changed it
        mov     ecx, CR0
        cmp     eax, ecx
        je      .clean
        mov     cr0, rcx
.clean: xor     eax, eax
        mov     [log], rax
        mov     cr2, rax
        mov     eax, 0x23
        mov     ds, ax
        mov     es, ax
        xor     eax, eax
        mov     fs, ax
        mov     gs, ax
        call    set_bases
        mov     rdx, BASE + DATA
        cmp     dword [rdx+H_MEDIA], 0
        je      .armed
        fxrstor64 [rdx+H_FX]
.armed: test    byte [rbx+R_KIND], KIND_ARMED
        jz      .timer
        call    arm
.timer: cmp     dword [rdx+H_TIMER], 0
        je      .enter
        mov     al, 0x34
        out     0x43, al
        mov     al, [rdx+H_TIMER]
        out     0x40, al
        mov     al, [rdx+H_TIMER+1]
        out     0x40, al
.enter: mov     al, [rbx+R_KIND]
        mov     ecx, 0x23
        mov     edx, 0x2b
        test    al, KIND_COMPAT
        jz      .ring
        mov     edx, 0x1b
.ring:  test    al, KIND_RING0
        jz      .frame
        mov     ecx, 0x10
        mov     edx, 0x08
.frame: push    rcx
        push    qword [rbx+4*8]
        push    qword [rbx+R_FLAGS]
        push    rdx
        mov     rax, BASE + DATA - CODE
        neg     rax
        lea     rax, [rax+rbx+R_CODE]
        push    rax
        mov     rax, [rbx+0*8]
        mov     rcx, [rbx+1*8]
        mov     rdx, [rbx+2*8]
        mov     rbp, [rbx+5*8]
        mov     rsi, [rbx+6*8]
        mov     rdi, [rbx+7*8]
        mov     r8, [rbx+8*8]
        mov     r9, [rbx+9*8]
        mov     r10, [rbx+10*8]
        mov     r11, [rbx+11*8]
        mov     r12, [rbx+12*8]
        mov     r13, [rbx+13*8]
        mov     r14, [rbx+14*8]
        mov     r15, [rbx+15*8]
        mov     rbx, [rbx+3*8]
        iretq

; ---- what comes back ------------------------------------------------------------
; On the stack: 15 registers, vector, error code, rip, cs, rflags, rsp, ss.
%define VECTOR 15*8
%define ERROR  16*8
%define RIP    17*8
%define FLAGS  19*8
trap:   push    rax
        push    rcx
        push    rdx
        push    rbx
        push    rbp
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        push    r12
        push    r13
        push    r14
        push    r15
        cld
        mov     rax, [rsp+VECTOR]
        cmp     eax, 14
        je      page_fault
        cmp     eax, 0x20
        je      timer
        cmp     eax, 0x80
        jne     finish
        add     qword [rsp+14*8], 5
resume: mov     rax, [rsp+VECTOR]
        call    note
        mov     rax, [rsp+RIP]
        call    note
back:   pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        pop     rdx
        pop     rcx
        pop     rax
        add     rsp, 16
        iretq

note:   xor     rax, [log]
        mov     rcx, 0x9e3779b97f4a7c15
        imul    rax, rcx
        ror     rax, 29
        mov     [log], rax
        ret

timer:  mov     al, 0x20
        out     0x20, al
        cmp     byte [draining], 0
        je      resume
        jmp     back

page_fault:
        mov     rbx, [record]
        test    byte [rbx+R_KIND], KIND_DEMAND
        jz      finish
        mov     rax, cr2
        mov     rdx, rax
        shr     rdx, 12
        cmp     rdx, (PAGES >> 12) + 2
        jne     finish
        mov     rdx, BASE + page_table + ((PAGES >> 12) & 511) * 8
        test    byte [rdx+2*8], 1
        jnz     finish
        or      byte [rdx+2*8], 1
        invlpg  [rax]
        call    note
        mov     rax, [rsp+ERROR]
        and     eax, ~2                 ; QEMU calls a read-modify-write's fault that of a read
        call    note
        jmp     resume

syscall_entry:
        mov     [user_stack], rsp
        mov     rsp, BASE + TRAP_STACK
        push    qword 0x23
        push    qword [user_stack]
        push    r11
        push    qword 0x2b
        push    rcx
        push    qword 0
        push    qword 0x100
        jmp     trap

finish: mov     rdi, [result]
        mov     rsi, rsp
        mov     ecx, 22
        rep movsq
        xor     eax, eax
        cmp     dword [rsp+VECTOR], 14
        jne     .cr2
        mov     rax, cr2
.cr2:   stosq
        mov     rax, [log]
        stosq
        mov     ax, ds
        shl     rax, 16
        mov     ax, es
        shl     rax, 16
        mov     ax, fs
        shl     rax, 16
        mov     ax, gs
        stosq
        call    settle_timer
        xor     r8d, r8d                ; accessed and dirty bits
        mov     rsi, BASE + DATA
        mov     r9, [rsi+H_PAGES]       ; what was written is kept from here on
        mov     rbx, BASE + page_table + ((PAGES >> 12) & 511) * 8
        mov     r10, BASE + FRAMES
        mov     r11, PAGES
        mov     r12, BASE + initial_entries
        mov     r13d, 5
        push    rdi
.page:  mov     rax, [rbx]
        mov     edx, eax
        and     edx, 0x60
        shl     r8, 8
        or      r8, rdx
        test    al, 0x40
        jz      .clean
        mov     rsi, BASE + DATA
        mov     rdi, [rsi+H_PAGES]
        cmp     rdi, PAGES_END
        jae     .full
        add     qword [rsi+H_PAGES], 0x1000
        mov     rax, BASE
        add     rdi, rax
        mov     rsi, r10
        mov     ecx, 512
        rep movsq
.full:  mov     rsi, BASE + TEMPLATE
        mov     rdi, r10
        mov     ecx, 512
        rep movsq
.clean: mov     rax, [r12]
        mov     [rbx], rax
        invlpg  [r11]
        add     rbx, 8
        add     r12, 8
        add     r10, 0x1000
        add     r11, 0x1000
        dec     r13d
        jnz     .page
        pop     rdi
        mov     rax, r8
        stosq
        mov     rax, r9
        stosq
        mov     rdx, BASE + DATA
        cmp     dword [rdx+H_MEDIA], 0
        je      .counted
        mov     rdi, [result]
        fxsave64 [rdi+256]
.counted:
        mov     rsp, BASE + STACK
        dec     dword [again]
        jg      run
advance:
        add     qword [record], RECORD
        add     qword [result], RESULT
        dec     dword [left]
        jmp     next_record

; ---- the timer ------------------------------------------------------------------
; Counts once, and waits until the controller has the request: the next moment with IF set takes it.
arm:    mov     al, 0x30
        out     0x43, al
        mov     al, 4
        out     0x40, al
        mov     al, 0
        out     0x40, al
.wait:  mov     al, 0x0a
        out     0x20, al
        in      al, 0x20
        test    al, 1
        jz      .wait
        ret

drain:  mov     byte [draining], 1
        sti
        nop
        nop
        cli
        mov     byte [draining], 0
        ret

; After a program: no request is left.
settle_timer:
        mov     rdx, BASE + DATA
        cmp     dword [rdx+H_TIMER], 0
        je      .armed
        call    arm
        jmp     drain
.armed: mov     rdx, [record]
        test    byte [rdx+R_KIND], KIND_ARMED
        jnz     drain
        ret

make_timer:
        mov     al, 0x11
        out     0x20, al
        mov     al, 0x20
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xff
        out     0xa1, al
        mov     al, 0xfe
        out     0x21, al
        call    arm
        jmp     drain

; ---- tables ---------------------------------------------------------------------
make_idt:
        mov     rdi, BASE + idt
        mov     rax, BASE + stubs
        mov     ecx, 256
.gate:  mov     [rdi], ax
        mov     word [rdi+2], 0x08
        mov     word [rdi+4], 0xee01    ; interrupt gate for everyone, IST 1
        mov     rdx, rax
        shr     rdx, 16
        mov     [rdi+6], dx
        shr     rdx, 16
        mov     [rdi+8], edx
        mov     dword [rdi+12], 0
        add     rax, 16
        add     rdi, 16
        dec     ecx
        jnz     .gate
        ret

make_tss:
        mov     rax, BASE + tss
        mov     rdi, BASE + tss_descriptor
        mov     word [rdi], 103
        mov     [rdi+2], ax
        mov     rdx, rax
        shr     rdx, 16
        mov     [rdi+4], dl
        mov     byte [rdi+5], 0x89
        shr     rdx, 8
        mov     [rdi+7], dl
        shr     rdx, 8
        mov     [rdi+8], edx
        mov     rdx, BASE + TRAP_STACK
        mov     [rax+4], rdx
        mov     [rax+36], rdx
        mov     word [rax+102], 104
        mov     ax, 0x38
        ltr     ax
        ret

; rax to the register ecx.
write_msr:
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        ret

make_msrs:
        mov     rax, BASE + DATA
        cmp     dword [rax+H_MEDIA], 0
        jne     .all
        ret
.all:
        mov     ecx, 0xc0000081
        mov     rax, 0x0018000800000000
        call    write_msr
        mov     ecx, 0xc0000082
        mov     rax, BASE + syscall_entry
        call    write_msr
        mov     ecx, 0xc0000084
        mov     eax, 0x47700
        jmp     write_msr

; FS and GS point into the sandbox.
set_bases:
        mov     ecx, 0xc0000100
        mov     eax, PAGES + 0x0f80
        call    write_msr
        inc     ecx
        mov     eax, PAGES + 0x1f40
        call    write_msr
        inc     ecx
        mov     eax, PAGES + 0x0100
        jmp     write_msr

align 16
stubs:
%assign vector 0
%rep 256
  align 16
  %if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17
  %else
        push    qword 0
  %endif
        push    qword vector
        jmp     trap
  %assign vector vector+1
%endrep

align 8
record: dq 0
result: dq 0
log:    dq 0
user_stack: dq 0
left:   dd 0
again:  dd 0
draining: db 0
align 8
%define NX 0x8000000000000000
%define ENTRIES NX + FRAMES + 7, NX + FRAMES + 0x1007, NX + FRAMES + 0x2006, NX + FRAMES + 0x3005, NX + FRAMES + 0x4003
initial_entries:                        ; the page table's five entries when a program begins
        dq ENTRIES

align 16
tss:    times 104 db 0
align 4096
idt:    times 4096 db 0
pml4:   dq low_pointers + 7
        times ((BASE >> 39) & 511) - 1 dq 0
        dq high_pointers + 3
        times 511 - ((BASE >> 39) & 511) dq 0
boot_pml4:
        dq boot_pointers + 3
        times ((BASE >> 39) & 511) - 1 dq 0
        dq high_pointers + 3
        times 511 - ((BASE >> 39) & 511) dq 0
boot_pointers:
        dq high_directory + 3
        times 511 dq 0
high_pointers:
        times ((BASE >> 30) & 511) dq 0
        dq high_directory + 3
        times 511 - ((BASE >> 30) & 511) dq 0
high_directory:                         ; the first 96 MiB by large pages
%assign page 0
%rep 48
        dq page * 0x200000 + 0x83
  %assign page page+1
%endrep
        times 512 - 48 dq 0
low_pointers:
        dq low_directory + 7
        times 511 dq 0
low_directory:
        times (PAGES >> 21) dq 0
        dq page_table + 7
        times (CODE >> 21) - (PAGES >> 21) - 1 dq 0
%assign page 0
%rep 7
        dq DATA + page * 0x200000 + 0x87
  %assign page page+1
%endrep
        times 512 - (CODE >> 21) - 7 dq 0
page_table:
        times ((PAGES >> 12) & 511) dq 0
        dq ENTRIES
        times 512 - 5 - ((PAGES >> 12) & 511) dq 0
        times KSECTORS*512-($-$$) db 0
