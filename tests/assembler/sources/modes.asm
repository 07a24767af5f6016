; From real mode through protected mode into long mode, as a boot loader goes, with what it uses on the way.
bits 16
org 0x7c00

CODE32  equ 0x18
CODE64  equ 0x08
TABLES  equ 0x1000
PRESENT equ 1 << 0
WRITE   equ 1 << 1
LARGE   equ 1 << 7

start:  jmp short .code
        times 4 - ($ - $$) db 0
.header: dd 0, 0, 0
.code:  cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, start
        mov [drive], dl
        jmp 0:.flat
.flat:  mov si, message
.print: lodsb
        test al, al
        jz .read
        mov ah, 0x0e
        int 0x10
        jmp .print
.read:  mov ah, 0x42
        mov si, packet
        int 0x13
        jc .failed
        mov di, 5
.again: dec di
        jnz .again
        loopnz .again
        loop .again, ecx
        jcxz .again
        in al, 0x92
        or al, 2
        and al, 0xfe
        out 0x92, al
        push cs
        pop es
        a32 rep movsd
        o32 lgdt [descriptor]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp CODE32:protected
.failed: hlt
        jmp .failed
        jmp dword CODE32:protected

bits 32
protected:
        mov ax, 0x10
        mov ds, eax
        mov es, ax
        mov ss, ax
        mov esp, 0x9000
        mov edi, TABLES
        mov ecx, 0x3000 / 4
        xor eax, eax
        cld
        rep stosd
        mov dword [TABLES], TABLES + 0x1000 | PRESENT | WRITE
        mov dword [TABLES + 0x1000 + 8 * 2], TABLES + 0x2000 | PRESENT | WRITE
        mov eax, PRESENT | WRITE | LARGE
.page:  mov [TABLES + 0x2000 + ecx * 8], eax
        add eax, 0x200000
        inc ecx
        cmp ecx, 512
        jb .page
        mov eax, cr4
        or eax, 1 << 5
        mov cr4, eax
        mov eax, TABLES
        mov cr3, eax
        mov ecx, 0xc0000080
        rdmsr
        bts eax, 8
        wrmsr
        pushfd
        pop eax
        cpuid
        mov eax, cr0
        bts eax, 31
        mov cr0, eax
        jmp CODE64:long_mode

bits 64
long_mode:   xor eax, eax
        mov ss, ax
        mov rsp, 0xffffffffbffffff8
        mov rdx, message
        movzx ecx, byte [rdx]
        movsx rcx, word [rdx]
        movsxd rcx, dword [rdx]
        call .function
        invlpg [rsp]
        lidt [rel descriptor]
        swapgs
        rep movsb
        rep stosq
        div word [rdx]
        lock cmpxchg [rdi], ecx
        lock xadd [rdi], rax
        xchg [rdi], al
        cmovne rax, rbx
        setc byte [rdi]
        popcnt rax, rbx
        bswap r9
        pause
        mfence
        iretq
.function:
        push rbp
        mov rbp, rsp
        leave
        ret
        mov rax, long_mode
        jmp rax
        jmp qword [rax*8 + table]
        call [rax]
        ud2

align 8
table:  dq long_mode, long_mode.function
descriptor:
        dw descriptor - table - 1
        dd table
message: db "Hello", 13, 10, `\n`, 0
drive:  db 0x80
align 4
packet: db 16, 0
        dw 32, 0x8000, 0
        dq 1
        times 510 - ($ - $$) db 0
        dw 0xaa55
