; more.asm - further workloads in the frame of bench.asm, which includes this file: what the eight do not exercise.
; Each works in both modes and defines "prepare" (called) and "work" (jumped to, ends at work_done with xsi = checksum).

%macro random 1                         ; next pseudo-random word in a 32-bit register
        imul    %1, %1, 1664525
        add     %1, 1013904223
%endmacro

%ifidn WL, interp
; An interpreter's loop: 4 KiB of random bytecode, eight operations, one indirect jump each. N passes.
%define PROGRAM BUF
%define LENGTH  4096
prepare:
        mov     xdi, PROGRAM
        mov     ecx, LENGTH
        mov     eax, 12345
.l:     random  eax
        mov     edx, eax
        shr     edx, 24
        and     dl, 7
        mov     [xdi], dl
        inc     xdi
        dec     ecx
        jnz     .l
        ret
%macro dispatch 0
        movzx   edx, byte [xdi]
        inc     xdi
        jmp     [table + xdx*W]
%endmacro
work:
        mov     dword [VARS+8], N
        mov     ebx, 1
        mov     ebp, 2
        xor     esi, esi
.pass:  mov     xdi, PROGRAM
        mov     byte [PROGRAM + LENGTH], 8
        dispatch
op0:    add     esi, ebx
        dispatch
op1:    xor     ebx, esi
        dispatch
op2:    rol     ebp, 5
        dispatch
op3:    sub     esi, ebp
        dispatch
op4:    lea     ebx, [xbx+xbp+7]
        dispatch
op5:    not     ebp
        dispatch
op6:    imul    ebx, ebp
        dispatch
op7:    mov     ecx, [VARS+12]
        add     ecx, esi
        mov     [VARS+12], ecx
        dispatch
op8:    dec     dword [VARS+8]
        jnz     work.pass
        xor     esi, ebx
        jmp     work_done
align 8
table:  DW      op0, op1, op2, op3, op4, op5, op6, op7, op8
%endif

%ifidn WL, patch
; Code that changes itself: the constant of an instruction in a loop of 100 rounds, N times.
prepare: ret
work:
        mov     ecx, N
        xor     esi, esi
.l:     mov     [.changed+2], ecx
        jmp     .go
.go:    mov     edx, 100
.in:
.changed: add   esi, strict dword 0x11111111
        rol     esi, 3
        dec     edx
        jnz     .in
        dec     ecx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, codegen
; Code written at run time, as a just-in-time compiler does: a function of 49 instructions, called 20 times, N times,
; at one of 1,024 places, so that old code is overwritten.
prepare: ret
work:
        mov     dword [VARS+8], N
        mov     ebp, 99
        xor     esi, esi
.l:     mov     edi, [VARS+8]
        and     edi, 1023
        shl     edi, 8
        add     edi, CODEBUF
        mov     ebx, edi
        mov     ecx, 16
.emit:  random  ebp
        mov     word [xdi], 0xc681      ; add esi, imm32
        mov     [xdi+2], ebp
        mov     dword [xdi+6], 0xf807c6c1 ; rol esi, 7; clc
        add     xdi, 10
        dec     ecx
        jnz     .emit
        mov     byte [xdi], 0xc3
        mov     ecx, 20
.call:  call    xbx
        dec     ecx
        jnz     .call
        dec     dword [VARS+8]
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, cold
; Thousands of functions, each called seldom: 6,000 of 18 instructions, in random order, N rounds of 6,000 calls.
%define FUNCTIONS 6000
%define BYTES     64
prepare:
        mov     edi, CODEBUF
        mov     ebp, 4711
        mov     ecx, FUNCTIONS
.f:     mov     ebx, edi
        mov     edx, 8
.emit:  random  ebp
        mov     word [xdi], 0xc681      ; add esi, imm32
        mov     [xdi+2], ebp
        mov     word [xdi+6], 0xc631    ; xor esi, eax
        add     xdi, 8
        dec     edx
        jz      .e
        test    edx, 3
        jnz     .emit
        mov     word [xdi], 0x0074      ; jz to the next instruction
        add     xdi, 2
        jmp     .emit
.e:     mov     byte [xdi], 0xc3
        lea     edi, [xbx+BYTES+16]
        dec     ecx
        jnz     .f
        ret
work:
        mov     dword [VARS+8], N
        mov     ebp, 1
        xor     esi, esi
        xor     eax, eax
.round: mov     ecx, FUNCTIONS
.l:     random  ebp
        mov     eax, ebp
        shr     eax, 8
        mov     edi, FUNCTIONS
        mul     edi
        shrd    eax, edx, 24            ; 0 .. FUNCTIONS-1
        imul    ebx, eax, BYTES+16
        add     ebx, CODEBUF
        call    xbx
        dec     ecx
        jnz     .l
        dec     dword [VARS+8]
        jnz     .round
        jmp     work_done
%endif

%ifidn WL, unlike
; Functions of which no two are alike: 2,000 of 5 to 59 instructions, each drawn from 20 kinds with a number of its own.
; They are called in random order, N rounds of 2,000 calls.
%define FUNCTIONS 2000
%define PLACES    (BUF+0x800000)        ; of the functions: 32 bits each
%define SEED      VARS+12
; A kind is told by how many bytes begin it and what follows these; then come the bytes.
%define IMM32 8
%define IMM8  16
%define SKIP  32                        ; a jump over an instruction that is added
%macro below 1                          ; eax = 0 .. %1-1, edx is lost
        mov     eax, [SEED]
        random  eax
        mov     [SEED], eax
        shr     eax, 8
        mov     edx, %1
        mul     edx
        shrd    eax, edx, 24
%endmacro
prepare:
        mov     dword [SEED], 4711
        mov     edi, CODEBUF
        xor     esi, esi
.f:     mov     [PLACES+xsi*4], edi
        below   55
        lea     ebp, [xax+5]
.emit:  below   20
        lea     ebx, [kinds+xax*8]
        movzx   ecx, byte [xbx]
        mov     eax, [xbx+1]
        mov     [xdi], eax
        mov     eax, ecx
        and     eax, 7
        add     edi, eax
        below   0x1000000
        test    ecx, IMM32
        jz      .n8
        mov     [xdi], eax
        add     edi, 4
.n8:    test    ecx, IMM8
        jz      .over
        and     al, 0x1f
        mov     [xdi], al
        inc     edi
.over:  test    ecx, SKIP
        jz      .next
        mov     byte [xdi-1], 5
        mov     byte [xdi], 5           ; add eax, imm32
        mov     [xdi+1], eax
        add     edi, 5
.next:  dec     ebp
        jnz     .emit
        mov     byte [xdi], 0xc3
        add     edi, 16
        and     edi, -16
        inc     esi
        cmp     esi, FUNCTIONS
        jne     .f
        ret
%macro kind 2+
%%at:   db      %1, %2
        times 8-($-%%at) db 0
%endmacro
kinds:  kind    2+IMM32, 0x81, 0xc6             ; add esi, imm32
        kind    2, 0x31, 0xc6                   ; xor esi, eax
        kind    1+IMM32, 0x05                   ; add eax, imm32
        kind    2, 0x89, 0xf2                   ; mov edx, esi
        kind    2+IMM32, 0x69, 0xd2             ; imul edx, edx, imm32
        kind    2+IMM8, 0xc1, 0xea              ; shr edx, imm8
        kind    2+IMM8, 0xc1, 0xc0              ; rol eax, imm8
        kind    3+IMM8, 0x8d, 0x4c, 0x30        ; lea ecx, [eax+esi+disp8]
        kind    2+IMM32, 0x81, 0xe1             ; and ecx, imm32
        kind    2, 0x29, 0xca                   ; sub edx, ecx
        kind    4+SKIP, 0x39, 0xd0, 0x72, 0     ; cmp eax, edx; jb
        kind    2+IMM8, 0x89, 0x43              ; mov [ebx+disp8], eax
        kind    2+IMM8, 0x8b, 0x4b              ; mov ecx, [ebx+disp8]
        kind    2+IMM8, 0x03, 0x73              ; add esi, [ebx+disp8]
        kind    2, 0x50, 0x59                   ; push eax; pop ecx
        kind    3, 0x0f, 0xb6, 0xca             ; movzx ecx, dl
        kind    3, 0x0f, 0x92, 0xc2             ; setb dl
        kind    3, 0x83, 0xd6, 0x00             ; adc esi, 0
        kind    3, 0x0f, 0x42, 0xc1             ; cmovb eax, ecx
        kind    4+SKIP, 0x85, 0xf6, 0x79, 0     ; test esi, esi; jns
work:
        mov     dword [SEED], 1
        mov     ebx, BUF
        xor     esi, esi
        mov     dword [VARS+8], N
.round: mov     ebp, FUNCTIONS
.l:     below   FUNCTIONS
        mov     edi, [PLACES+xax*4]
        mov     eax, ebp
        call    xdi
        add     esi, eax
        dec     ebp
        jnz     .l
        dec     dword [VARS+8]
        jnz     .round
        jmp     work_done
%endif

%ifidn WL, syscall
; From ring 3 into the kernel and back: SYSCALL and SYSRET (32-bit: SYSENTER and SYSEXIT). N calls.
prepare:
%if MODE = 64
        mov     ecx, 0xc0000081         ; STAR
        xor     eax, eax
        mov     edx, 0x00180008
        wrmsr
        inc     ecx                     ; LSTAR
        mov     eax, kernel
        xor     edx, edx
        wrmsr
        mov     ecx, 0xc0000084         ; SFMASK
        mov     eax, 0x300
        wrmsr
%else
        xor     edx, edx
        mov     ecx, 0x174
        mov     eax, KCODE
        wrmsr
        inc     ecx
        mov     eax, STACK
        wrmsr
        inc     ecx
        mov     eax, kernel
        wrmsr
%endif
        ret
work:
        mov     [VARS+24], xsp
        xor     esi, esi
        xor     edi, edi
        mov     ebx, N
%if MODE = 64
        mov     ecx, user
        mov     r11d, 2
        o64 sysret
user:   syscall
        dec     ebx
        jnz     user
        mov     edi, 1
        syscall                         ; the kernel does not return from this one
%else
        mov     edx, user
        mov     ecx, STACK - 0x1000
        sysexit
user:   mov     edx, .back
        mov     ecx, esp
        sysenter
.back:  dec     ebx
        jnz     user
        mov     edi, 1
        sysenter
%endif
kernel: test    edi, edi
        jnz     .end
        add     xsi, xbx
%if MODE = 64
        o64 sysret
%else
        sysexit
%endif
.end:   mov     xsp, [VARS+24]
        jmp     work_done
%endif

%ifidn WL, ssescalar
; Scalar double precision, as compilers use it: a logistic map and a square root, N steps of 10 instructions.
prepare: ret
align 16
one:    dq 1.0
rate:   dq 3.75
start:  dq 0.3141592653589793
work:
        mov     ecx, N
        movsd   xmm0, [start]
        movsd   xmm3, [one]
        movsd   xmm4, [rate]
        xorpd   xmm5, xmm5
.l:     movsd   xmm1, xmm3
        subsd   xmm1, xmm0
        mulsd   xmm0, xmm1
        mulsd   xmm0, xmm4
        sqrtsd  xmm2, xmm0
        addsd   xmm5, xmm2
        cvttsd2si eax, xmm5
        add     esi, eax
        dec     ecx
        jnz     .l
        movsd   [VARS+32], xmm5
        xor     esi, [VARS+32]
        xor     esi, [VARS+36]
        jmp     work_done
%endif

%ifidn WL, ssepacked
; Packed singles and integers over 16 KiB, as a codec does: N passes of 1,024 times 12 instructions.
prepare:
        mov     ecx, 0x4000
        call    fill_buf
        mov     xdi, BUF
        mov     ecx, 0x1000
.l:     and     dword [xdi], 0x007fffff ; floats from 1 to 2
        or      dword [xdi], 0x3f800000
        add     xdi, 4
        dec     ecx
        jnz     .l
        ret
align 16
half:   dd 0.5, 0.25, 0.125, 0.75
work:
        mov     ebx, N
        pxor    xmm6, xmm6
        movaps  xmm4, [half]
.p:     mov     xsi, BUF
        mov     ecx, 0x400
.l:     movaps  xmm0, [xsi]
        movaps  xmm1, xmm0
        mulps   xmm0, xmm4
        addps   xmm0, xmm4
        pshufd  xmm2, xmm1, 0x1b
        paddd   xmm6, xmm2
        pxor    xmm6, xmm0
        psrld   xmm1, 3
        paddw   xmm6, xmm1
        add     xsi, 16
        dec     ecx
        jnz     .l
        dec     ebx
        jnz     .p
        movdqu  [VARS+32], xmm6
        mov     esi, [VARS+32]
        xor     esi, [VARS+36]
        xor     esi, [VARS+40]
        xor     esi, [VARS+44]
        jmp     work_done
%endif

%ifidn WL, x87
; The old way to compute: a logistic map on the register stack, N steps of 9 instructions.
prepare: ret
align 8
rate:   dq 3.75
start:  dq 0.3141592653589793
work:
        mov     ecx, N
        fninit
        fld     qword [start]
.l:     fld1
        fsub    st0, st1
        fmulp   st1, st0
        fmul    qword [rate]
        fld     st0
        fsqrt
        fstp    qword [VARS+32]
        dec     ecx
        jnz     .l
        fstp    st0
        mov     esi, [VARS+32]
        xor     esi, [VARS+36]
        jmp     work_done
%endif

%ifidn WL, taskswitch
; Two tasks with page tables of their own: a new CR3, a call that touches eight pages, and back. N rounds.
%define ROOT2   BUF                     ; the second task's tables: copies, but for the window
%define PTWIN2  BUF + 0x3000
prepare:
%if MODE = 64
        mov     esi, PML4
        mov     edi, ROOT2
        mov     ecx, 0x3000 / 4         ; PML4, PDPT and PD0
        rep movsd
        mov     dword [ROOT2], (ROOT2 + 0x1000) | 7
        mov     edi, BUF + 0x4000       ; its table for the second GiB
        mov     dword [ROOT2 + 0x1008], (BUF + 0x4000) | 7
        mov     ecx, 0x1000 / 4
        xor     eax, eax
        rep stosd
        mov     dword [BUF + 0x4000], (PTWIN2) | 7
%else
        mov     esi, PML4
        mov     edi, ROOT2
        mov     ecx, 0x1000 / 4
        rep movsd
        mov     dword [ROOT2 + (WINDOW >> 20)], (PTWIN2) | 7
%endif
        xor     ecx, ecx
        mov     eax, BUF2 | 7
.page:  mov     [PTWIN + xcx*W], xax
        add     eax, 0x40000
        mov     [PTWIN2 + xcx*W], xax
        sub     eax, 0x40000 - 0x1000
        inc     ecx
        cmp     ecx, 8
        jb      .page
        ret
work:
        mov     ebx, N
        xor     esi, esi
.l:     mov     eax, ROOT2
        mov     cr3, xax
        call    task
        mov     eax, PML4
        mov     cr3, xax
        call    task
        dec     ebx
        jnz     .l
        jmp     work_done
task:   mov     edi, WINDOW
        mov     ecx, 4
.touch: add     [xdi], ebx
        add     esi, [xdi + 0x1000]
        add     edi, 0x2000
        dec     ecx
        jnz     .touch
        add     esi, [WINDOW]
        ret
%endif

%ifidn WL, lazyfpu
; A kernel that saves numbers late: TS is set, cleared, and the unit is used. N rounds.
prepare: ret
work:
        mov     ecx, N
        xor     esi, esi
        fninit
.l:     mov     xax, cr0
        or      eax, 8
        mov     cr0, xax
        add     esi, ecx
        clts
        fild    dword [VARS+32]
        fistp   dword [VARS+36]
        dec     ecx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, segload
; Segment registers saved and loaded, as an old kernel does at each entry. N rounds of 11 instructions.
prepare: ret
work:
        mov     ecx, N
        xor     esi, esi
        mov     ebx, KDATA
.l:     mov     eax, ds
        mov     edx, es
        mov     ds, ebx
        mov     es, ebx
        push    fs
        mov     fs, ebx
        add     esi, [fs:VARS+32]
        add     esi, edx
        pop     fs
        dec     ecx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, mmx
; A blend of two rows of pixels, as a player of the nineties does it: N passes over 2 KiB, 256 times 12 instructions.
prepare:
        mov     ecx, 0x1000
        jmp     fill_buf
align 8
weight: dq 0x0040004000400040
work:
        mov     ebx, N
        movq    mm7, [weight]
        pxor    mm6, mm6
        pxor    mm5, mm5
.p:     mov     edi, BUF
        mov     ecx, 0x100
.l:     movq    mm0, [xdi]
        movq    mm1, [xdi + 0x800]
        punpcklbw mm0, mm6
        punpcklbw mm1, mm6
        pmullw  mm1, mm7
        psrlw   mm1, 7
        paddw   mm0, mm1
        packuswb mm0, mm0
        paddb   mm5, mm0
        add     edi, 8
        dec     ecx
        jnz     .l
        dec     ebx
        jnz     .p
        movq    [VARS+32], mm5
        emms
        mov     esi, [VARS+32]
        xor     esi, [VARS+36]
        jmp     work_done
%endif

%ifidn WL, fconv
; Between integers, singles and doubles. N rounds of 10 instructions.
prepare: ret
work:
        mov     ecx, N
        xor     esi, esi
        xorpd   xmm1, xmm1
.l:     cvtsi2sd xmm0, ecx
        addsd   xmm1, xmm0
        cvttsd2si eax, xmm1
        cvtsd2ss xmm2, xmm0
        cvtss2sd xmm3, xmm2
        cvtsd2si edx, xmm3
        add     esi, eax
        xor     esi, edx
        dec     ecx
        jnz     .l
        jmp     work_done
%endif

%ifidn WL, sincos
; Angles, exponents and logarithms on the register stack. N rounds of 14 instructions. Emulators round in different ways,
; so what is computed is no part of the checksum.
prepare: ret
align 8
step:   dq 0.0009765625
work:
        mov     ecx, N
        xor     esi, esi
        fninit
        fldz
.l:     fadd    qword [step]
        fld     st0
        fsincos
        fpatan
        fptan
        fstp    st0
        fabs
        fld1
        fadd    st1, st0
        fxch    st1
        fyl2x
        fstp    qword [VARS+32]
        dec     ecx
        jnz     .l
        fstp    st0
        jmp     work_done
%endif
