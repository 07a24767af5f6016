; bench.asm - bare-metal micro-benchmarks for PC emulators.
;
; One disk image = one workload in one CPU mode.
;
;   nasm -f bin -DMODE=64 -DWL=alu -DN=1000000 bench.asm -o alu64.img
;
;   MODE  64: long mode, 4-level paging, identity map of 1 GiB by 2 MiB pages
;         32: protected mode, 2-level paging, identity map of 1 GiB by 4 MiB pages
;   WL    alu sieve mix fib repmovs bytecpy int80 ptchurn, and those of more.asm
;   N     number of iterations/passes (meaning depends on the workload)
;
; Protocol on COM1 (the host takes a time stamp at each of the first 4 bytes):
;   'B'  first thing the boot sector does (real mode)
;   'M'  final CPU mode entered, page tables and IDT set
;   'S'  workload starts (buffers are prepared already)
;   'E'  workload has ended
;   then " tsc=<hex> chk=<hex>\n": TSC difference around the workload and a checksum.
;   '!'  an unexpected exception
; Then the value 0x10 goes to port 0xf4 (isa-debug-exit: QEMU exits with 33),
; and the CPU halts for emulators that do not have that device.
;
; With -DNATIVE (MODE 64 only) the output is a flat binary for native.c, which runs
; the workload as a Linux user process: the physical limit of the machine.
;
; With QEMU's "-icount shift=0" the TSC counts executed guest instructions, so
; the tsc field of such a run is the exact instruction count of the workload.

%ifndef MODE
  %define MODE 64
%endif
%ifndef N
  %define N 1000000
%endif

%define COM1      0x3f8
%define NSECT     15                ; sectors loaded after the boot sector

; ---- physical memory map -------------------------------------------------
%define PML4      0x10000           ; (32-bit mode: page directory)
%define PDPT      0x11000
%define PD0       0x12000
%define PD1       0x13000
%define PTWIN     0x14000           ; page table of the 4 KiB-paged window
%define IDT       0x15000           ; up to 256 * 16 bytes
%define STACK     0x90000
%define BUF       0x1000000         ; 16 MiB: data buffer
%define BUF2      0x1425000         ; 20 MiB: second buffer; not a multiple of 4 MiB away
                                    ; from BUF, so the two do not collide in a
                                    ; direct-mapped software TLB
%define CODEBUF   0x2000000         ; 32 MiB: run-time generated code
%define WINDOW    0x40000000        ; 1 GiB: virtual window of workload ptchurn

; ---- selectors ---------------------------------------------------------
%define KCODE     0x08
%define KDATA     0x10
%define UCODE32   0x1b
%define UDATA     0x23
%define UCODE64   0x2b
%define KCODE32   0x30              ; used only on the way to long mode

; ---- names for "the natural register" of the mode --------------------------
%if MODE = 64
  %define xax rax
  %define xbx rbx
  %define xcx rcx
  %define xdx rdx
  %define xsi rsi
  %define xdi rdi
  %define xbp rbp
  %define xsp rsp
  %define W   8
  %define WORDSZ qword
  %define DW  dq
%else
  %define xax eax
  %define xbx ebx
  %define xcx ecx
  %define xdx edx
  %define xsi esi
  %define xdi edi
  %define xbp ebp
  %define xsp esp
  %define W   4
  %define WORDSZ dword
  %define DW  dd
%endif

%ifdef NATIVE
%define VARS      0x3f00000
org 0x3000000
bits 64
native_entry:                           ; called by native.c; returns the TSC difference
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        call    prepare
        rdtsc
        mov     [VARS], eax
        mov     [VARS+4], edx
        jmp     work
work_done:
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        sub     rax, [VARS]
        mov     [VARS+16], rsi          ; checksum
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
int80_handler:
%else
%define VARS      0x18000               ; variables: not on a page with code, on purpose
org 0x7c00
bits 16

; ===========================================================================
; Boot sector
; ===========================================================================
boot:
        cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     dx, COM1
        mov     al, 'B'                 ; time stamp: boot sector reached
        out     dx, al

        mov     ax, 0x0200 | NSECT      ; int 13h: read NSECT sectors, CHS 0/0/2
        mov     bx, 0x7e00
        mov     cx, 0x0002
        mov     dx, 0x0080              ; head 0, first hard disk
        int     0x13
        jc      .fail

        in      al, 0x92                ; fast A20
        or      al, 2
        and     al, 0xfe
        out     0x92, al

        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     KCODE32:pm32
.fail:
        mov     dx, COM1
        mov     al, '?'
        out     dx, al
        hlt
        jmp     $-1

align 8
gdt:    dq 0
%if MODE = 64
        dq 0x00209b0000000000           ; 08 kernel code, long
%else
        dq 0x00cf9b000000ffff           ; 08 kernel code, 32-bit flat
%endif
        dq 0x00cf93000000ffff           ; 10 kernel data
        dq 0x00cffb000000ffff           ; 18 user code 32
        dq 0x00cff3000000ffff           ; 20 user data
        dq 0x0020fb0000000000           ; 28 user code 64
        dq 0x00cf9b000000ffff           ; 30 kernel code 32
gdtr:   dw gdtr - gdt - 1
        dd gdt

        times 510-($-$$) db 0
        dw 0xaa55

; ===========================================================================
; Stage 2: paging, final mode
; ===========================================================================
bits 32
pm32:
        mov     ax, KDATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, STACK
        cld

        mov     edi, PML4               ; clear tables and IDT: 0x10000-0x17fff
        mov     ecx, 0x8000 / 4
        xor     eax, eax
        rep stosd

%if MODE = 64
        mov     dword [PML4], PDPT | 7
        mov     dword [PDPT], PD0 | 7
        mov     dword [PDPT+8], PD1 | 7
        mov     dword [PD1], PTWIN | 7
        mov     edi, PD0                ; 512 * 2 MiB, present|write|user|large
        mov     eax, 0x87
        mov     ecx, 512
.pd:    mov     [edi], eax
        add     eax, 0x200000
        add     edi, 8
        dec     ecx
        jnz     .pd
        mov     eax, cr4
        or      eax, 0x620              ; PAE | OSFXSR | OSXMMEXCPT
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, 0xc0000080         ; EFER: LME | SCE
        rdmsr
        or      eax, 0x101
        wrmsr
%else
        mov     dword [PML4 + 4*(WINDOW>>22)], PTWIN | 7
        mov     edi, PML4               ; 256 * 4 MiB
        mov     eax, 0x87
        mov     ecx, 256
.pd:    mov     [edi], eax
        add     eax, 0x400000
        add     edi, 4
        dec     ecx
        jnz     .pd
        mov     eax, cr4
        or      eax, 0x610              ; PSE | OSFXSR | OSXMMEXCPT
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
%endif
        mov     eax, cr0
        and     eax, ~0x6000000c        ; no EM, TS, CD, NW
        or      eax, 0x80010022         ; PG | WP | NE | MP
        mov     cr0, eax
        jmp     KCODE:entry

%if MODE = 64
bits 64
%endif
entry:
        mov     ax, KDATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     xsp, STACK

        ; IDT: every exception ends in "die", vector 0x80 in int80_handler
        mov     edi, IDT
        mov     eax, die
        mov     ecx, 32
.idt:   call    set_gate
        dec     ecx
        jnz     .idt
        mov     edi, IDT + 0x80 * (W*2)
        mov     eax, int80_handler
        call    set_gate
        lidt    [idtr]

        mov     al, 'M'
        call    putc

        call    prepare                 ; workload's own preparation (not timed)

        mov     al, 'S'
        call    putc
        rdtsc
        mov     [VARS], eax
        mov     [VARS+4], edx
        jmp     work                    ; ends with "jmp work_done", xsi = checksum
work_done:
        rdtsc
        sub     eax, [VARS]
        sbb     edx, [VARS+4]
        mov     [VARS], eax
        mov     [VARS+4], edx
        mov     al, 'E'
        call    putc

        mov     xbx, msg_tsc
        call    puts
%if MODE = 32
        mov     ebx, [VARS+4]
        call    puthex
%endif
        mov     xbx, [VARS]
        call    puthex
        mov     xbx, msg_chk
        call    puts
        mov     xbx, xsi
        call    puthex
        mov     al, 10
        call    putc
        mov     al, 0x10
        mov     dx, 0xf4
        out     dx, al
.halt:  cli
        hlt
        jmp     .halt

; writes an interrupt gate (DPL 3) for handler eax at edi, advances edi
set_gate:
        mov     [xdi], ax
        mov     word [xdi+2], KCODE
        mov     word [xdi+4], 0xee00
        mov     edx, eax
        shr     edx, 16
        mov     [xdi+6], dx
        add     edi, W*2
        ret

putc:   push    xdx
        push    xax
        mov     dx, COM1+5
.w:     in      al, dx
        test    al, 0x20
        jz      .w
        pop     xax
        mov     dx, COM1
        out     dx, al
        pop     xdx
        ret

puts:   mov     al, [xbx]
        test    al, al
        jz      .e
        call    putc
        inc     xbx
        jmp     puts
.e:     ret

puthex: mov     ecx, W*2
.l:
%if MODE = 64
        rol     rbx, 4
%else
        rol     ebx, 4
%endif
        mov     al, bl
        and     al, 15
        cmp     al, 10
        jb      .d
        add     al, 'a'-'0'-10
.d:     add     al, '0'
        call    putc
        dec     ecx
        jnz     .l
        ret

die:    mov     al, '!'
        mov     dx, COM1
        out     dx, al
        mov     al, 0x7f
        mov     dx, 0xf4
        out     dx, al
        hlt
        jmp     $-1

align 8
idtr:   dw      256*W*2-1
        DW      IDT
align 8
msg_tsc: db     " tsc=", 0
msg_chk: db     " chk=", 0
align 16

; default handler for vector 0x80: the whole "kernel" is one instruction
int80_handler:
        add     xsi, 3
%if MODE = 64
        iretq
%else
        iretd
%endif
%endif                                  ; NATIVE

; fills [BUF, BUF+xcx) with pseudo-random words (xcx a multiple of 4)
fill_buf:
        mov     xdi, BUF
        add     xcx, xdi
        mov     eax, 0x12345678
.l:     imul    eax, eax, 1664525
        add     eax, 1013904223
        mov     [xdi], eax
        add     xdi, 4
        cmp     xdi, xcx
        jb      .l
        ret

align 16
; ===========================================================================
; Workloads. Each defines "prepare" (called) and "work" (jumped to).
; ===========================================================================

%ifidn WL, alu
; (a) registers only: xorshift step and multiply. 14 instructions per iteration.
prepare: ret
work:
        mov     ecx, N
  %if MODE = 64
        mov     rax, 0x9e3779b97f4a7c15
        mov     rdi, 0x2545f4914f6cdd1d
    %define S1 12
    %define S2 25
    %define S3 27
    %define SH1 shr
    %define SH2 shl
    %define SH3 shr
  %else
        mov     eax, 0x7f4a7c15
        mov     edi, 0x4f6cdd1d
    %define S1 13
    %define S2 17
    %define S3 5
    %define SH1 shl
    %define SH2 shr
    %define SH3 shl
  %endif
        xor     esi, esi
.l:     mov     xdx, xax
        SH1     xdx, S1
        xor     xax, xdx
        mov     xdx, xax
        SH2     xdx, S2
        xor     xax, xdx
        mov     xdx, xax
        SH3     xdx, S3
        xor     xax, xdx
        mov     xdx, xax
        imul    xdx, xdi
        add     xsi, xdx
        dec     xcx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, sieve
; (b) sieve of Eratosthenes, one byte per number, 4 MiB, N rounds. Memory.
%define SIEVE 0x400000
prepare: ret
work:
        mov     ecx, N
        xor     ebp, ebp
.round: push    xcx
        mov     xsi, BUF
        mov     xdi, xsi                ; set all to 1, one register at a time
        mov     ecx, SIEVE / W
  %if MODE = 64
        mov     rax, 0x0101010101010101
  %else
        mov     eax, 0x01010101
  %endif
.clr:   mov     [xdi], xax
        add     xdi, W
        dec     xcx
        jnz     .clr
        mov     ebx, 2
        mov     edx, SIEVE
.outer: cmp     byte [xsi+xbx], 0
        je      .next
        mov     xax, xbx
        imul    xax, xbx
.mark:  mov     byte [xsi+xax], 0       ; inner loop: 4 instructions
        add     xax, xbx
        cmp     xax, xdx
        jb      .mark
.next:  inc     xbx
        cmp     xbx, 2048
        jb      .outer
        mov     eax, 2                  ; count the primes: 5 instructions per byte
.cnt:   movzx   ecx, byte [xsi+xax]
        add     xbp, xcx
        inc     xax
        cmp     xax, xdx
        jb      .cnt
        pop     xcx
        dec     xcx
        jnz     .round
        mov     xsi, xbp                ; 295947 primes below 4194304, times N
        jmp     work_done
%endif

%ifidn WL, mix
; (c) SHA-256-like mix over a 64 KiB buffer, N passes. 32-bit rotates, in place.
; 32 instructions per word.
prepare:
        mov     ecx, 0x10000
        jmp     fill_buf
work:
        mov     dword [VARS+8], N
        mov     ebx, 0x510e527f
        mov     ecx, 0x6a09e667
        mov     ebp, 0x9b05688c
.pass:  mov     xsi, BUF
.l:     mov     eax, [xsi]
        mov     edx, ebx                ; Sigma1(e) = ror 6 ^ ror 11 ^ ror 25
        ror     edx, 6
        mov     edi, ebx
        ror     edi, 11
        xor     edx, edi
        ror     edi, 14
        xor     edx, edi
        add     eax, edx
        mov     edx, ebx                ; Ch(e, f, g)
        and     edx, ecx
        mov     edi, ebx
        not     edi
        and     edi, ebp
        xor     edx, edi
        lea     eax, [xax+xdx+0x428a2f98]
        mov     edx, ecx                ; Sigma0(a) = ror 2 ^ ror 13 ^ ror 22
        ror     edx, 2
        mov     edi, ecx
        ror     edi, 13
        xor     edx, edi
        ror     edi, 9
        xor     edx, edi
        add     edx, eax
        add     eax, ebp
        mov     ebp, ecx                ; rotate the state
        mov     ecx, ebx
        mov     ebx, edx
        mov     [xsi], eax
        add     xsi, 4
        cmp     xsi, BUF + 0x10000
        jb      .l
        dec     dword [VARS+8]
        jnz     .pass
        mov     esi, ebx
        xor     esi, eax
        jmp     work_done
%endif

%ifidn WL, fib
; (d) recursive Fibonacci number N: call, ret, push, pop.
; 13 instructions for an inner call, 3 for a leaf.
prepare: ret
work:
        mov     eax, N
        call    fib
        mov     xsi, xax
        jmp     work_done
align 16
fib:    cmp     xax, 2
        jb      .r
        push    xbx
        mov     xbx, xax
        lea     xax, [xbx-1]
        call    fib
        lea     xcx, [xbx-2]
        mov     xbx, xax
        mov     xax, xcx
        call    fib
        add     xax, xbx
        pop     xbx
.r:     ret
%endif

%ifidn WL, repmovs
; (e1) copy 1 MiB with rep movsq (32-bit: rep movsd), N times.
%define CPY 0x100000
prepare:
        mov     ecx, CPY
        jmp     fill_buf
work:
        mov     ebx, N
.l:     mov     xsi, BUF
        mov     xdi, BUF2
        mov     ecx, CPY / W
  %if MODE = 64
        rep movsq
  %else
        rep movsd
  %endif
        dec     xbx
        jnz     .l
        mov     xsi, [BUF2 + CPY - W]
        jmp     work_done
%endif

%ifidn WL, bytecpy
; (e2) copy 1 MiB with a byte loop, N times. 5 instructions per byte.
%define CPY 0x100000
prepare:
        mov     ecx, CPY
        jmp     fill_buf
work:
        mov     ebx, N
        mov     xsi, BUF
        mov     xdi, BUF2
        mov     edx, CPY
.p:     xor     ecx, ecx
.l:     mov     al, [xsi+xcx]
        mov     [xdi+xcx], al
        inc     xcx
        cmp     xcx, xdx
        jb      .l
        dec     xbx
        jnz     .p
        mov     xsi, [BUF2 + CPY - W]
        jmp     work_done
%endif

%ifidn WL, int80
; (f) software interrupt and return, ring 0 to ring 0. 5 instructions per iteration.
prepare: ret
work:
        mov     ecx, N
        xor     esi, esi
.l:     int     0x80
        dec     xcx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, ptchurn
; (g) map a 4 KiB page, invlpg, touch it, unmap it, invlpg.
prepare:
        mov     edi, BUF                ; zero the 512 frames
        mov     ecx, 512*4096/4
        xor     eax, eax
        rep stosd
        ret
work:
        mov     ecx, N
        xor     esi, esi
.l:     mov     eax, ecx
        and     eax, 511
        mov     edx, eax
        shl     edx, 12
        lea     xdi, [xdx + WINDOW]
        add     edx, BUF | 7
        mov     [PTWIN + xax*W], xdx    ; map
        invlpg  [xdi]
        add     [xdi], ecx              ; touch: read and write
        add     esi, [xdi]
        mov     WORDSZ [PTWIN + xax*W], 0   ; unmap
        invlpg  [xdi]
        dec     ecx
        jnz     .l
        jmp     work_done
%endif

%include "more.asm"

%ifndef NATIVE
        times (1+NSECT)*512-($-$$) db 0
        times 0x100000-($-$$) db 0      ; 1 MiB disk: sane CHS geometry
%endif
