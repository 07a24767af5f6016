; The width of immediates: sign-extended bytes where they do, full width for addresses of labels.
bits 16
        org 0x7c00
here:   add ax, 5
        add ax, -128
        add ax, 128
        add ax, 0xffff
        add ax, 0xfff0
        add cx, 0xff80
        add word [bx], 0xffff
        add al, 0xff
        and ax, ~1
        and eax, ~0x80000000
        mov cx, ~0x8000
        mov ax, -1
        mov ax, here
        add ax, here
        cmp cx, here
        add ax, there - here
        sub cx, there - here
        test al, 1
        test ax, 1
        test cx, 1
        test byte [si], 1
        push 5
        push -5
        push 500
        push 0xffff
        push word 0xfff0
        push dword 5
        push dword 500
        push here
        imul ax, bx, -3
        imul ax, 0xffff
        imul cx, 1000
        enter 16, 0
        ret 4
        retf 4
        int 0x10
        int3
        aam
        aad
        aam 16
        in al, 0x60
        out 0x92, al
        out dx, eax
        shl ax, 1
        shl ax, 2
        shl ax, cl
        shl byte [bx], 1
        rcr dword [bx], 5
        shld ax, bx, 4
        shrd eax, ebx, cl
        bt ax, 5
        bts word [bx], 15
        mov byte [bx], 'a'
        mov [bx], word 5
        mov eax, 'abcd'
        mov ax, 'ab'
        xchg ax, ax
        xchg eax, eax
        xchg ax, bx
        xchg bx, cx
        xchg bl, cl
there:
bits 64
        xchg ax, ax
        xchg eax, eax
        xchg rax, rax
        xchg rax, r8
        xchg r8, rax
        mov rax, 0
        mov rax, 1
        mov rax, 0x7fffffff
        mov rax, 0x80000000
        mov rax, 0xffffffff
        mov rax, 0x100000000
        mov rax, -1
        mov rax, -0x80000000
        mov rax, -0x80000001
        mov rax, 0xffffffff80000000
        mov rax, here
        mov eax, here
        mov rax, strict dword 5
        mov qword [rax], -1
        mov qword [rax], here
        add rax, 5
        add rax, 500
        add rbx, 500
        add rbx, here
        add eax, strict dword 5
        add rax, strict byte 5
        cmp rax, -1
        and rax, 0xfffffffffffff000
        push 5
        push 500
        push qword 5
        push word 5
        push here
        imul r8, r9, 100
        mov r8b, 5
        mov sil, 5
        mov ah, 5
        mov r12, 0xffff800000000000
